//! Rule: a file is one noun, and so at most [`LINES_MAX`] lines long, tests too.
//!
//! Files that tools write (the lock file), and prose, are not counted.

use super::tree::{File, Tree};
use super::{Rule, Violation};

const LINES_MAX: usize = 500;

/// What people write as code.
const ENDINGS: &[&str] = &["rs", "toml", "sh", "py", "js", "mjs", "ts", "html", "css"];

pub(super) const RULE: Rule = Rule { name: "length", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    tree.files().iter().filter(|file| is_code(file)).filter_map(breach).collect()
}

fn is_code(file: &File) -> bool {
    file.name().rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

fn breach(file: &File) -> Option<Violation> {
    let lines = file.lines().count();
    let what = format!("{lines} lines, more than {LINES_MAX}");
    (lines > LINES_MAX)
        .then(|| Violation::new(file, LINES_MAX + 1, what, "find the second noun and give it a file"))
}

const AT_THE_LIMIT: &str = {
    const LINES: [u8; LINES_MAX] = [b'\n'; LINES_MAX];
    as_text(&LINES)
};

const OVER_THE_LIMIT: &str = {
    const LINES: [u8; LINES_MAX + 1] = [b'\n'; LINES_MAX + 1];
    as_text(&LINES)
};

const fn as_text(lines: &[u8]) -> &str {
    match std::str::from_utf8(lines) {
        Ok(text) => text,
        Err(_) => "",
    }
}

const GOOD: &[&[(&str, &str)]] = &[&[("a.rs", AT_THE_LIMIT)], &[("Cargo.lock", OVER_THE_LIMIT)]];

const BAD: &[&[(&str, &str)]] = &[&[("a.rs", OVER_THE_LIMIT)], &[("crates/a/tests/b.rs", OVER_THE_LIMIT)]];
