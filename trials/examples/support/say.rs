//! What every Rust reader program does: takes its URL, says what it hears, ends with its stdin.
//!
//! One JSON object a line on stdout: `{"open":true}`, `{"event","data","id"}`, `{"error"}`, `{"stopped":true}`.

use std::io::{Read, Write};

pub(crate) fn say(what: &serde_json::Value) {
    // Nobody listens any more once the trial is over.
    let _ = writeln!(std::io::stdout().lock(), "{what}");
}

pub(crate) fn url() -> String {
    std::env::args().nth(1).expect("the first word is the URL")
}

pub(crate) fn end_with_stdin() {
    std::thread::spawn(|| {
        // However it ends, it has ended.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}
