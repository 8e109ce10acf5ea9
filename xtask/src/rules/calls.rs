//! Rule: calls that no code here makes, each with what to do instead.
//!
//! Clippy denies some of them too, where types are known. Here they are seen under every feature and on every
//! platform. Comments and strings may name them, and an item excepted from clippy's lint is excepted from the ban.

use super::rust::{Code, Places};
use super::tree::{File, Tree};
use super::{Rule, Violation};

/// Where a call is banned.
#[derive(Clone, Copy)]
enum Place {
    /// Code that runs, in every crate.
    Source,
    /// Code that runs, in these crates.
    SourceOf(&'static [&'static str]),
    /// Code that runs, in every crate but these.
    SourceBut(&'static [&'static str]),
    /// Tests.
    Tests,
}

/// One banned call.
struct Ban {
    call: &'static str,
    place: Place,
    /// The lint whose `#[expect(…, reason = "…")]` makes an exception of an item.
    lint: Option<&'static str>,
    instead: &'static str,
}

/// Time is a parameter here.
const PURE: &[&str] = &["largesse-wire", "largesse-log"];
/// These print for a person at a terminal.
const SPEAKERS: &[&str] = &["largesse", "xtask"];

const OWNED: &str = "every task has an owner: spawn into a tokio::task::JoinSet that is joined";
const CLOCKLESS: &str = "take the time as a parameter; the caller has the clock";
const TRACED: &str = "trace it with `tracing`, or give it to the caller";
const AWAITED: &str = "wait for the thing itself: a line, a channel, a notification, or tokio's paused time";

const BANS: &[Ban] = &[
    Ban {
        call: ".unwrap()",
        place: Place::Source,
        lint: Some("clippy::unwrap_used"),
        instead: "return the error, or `expect(\"why it cannot be\")` where the proof is in view",
    },
    Ban {
        call: "panic!(",
        place: Place::Source,
        lint: Some("clippy::panic"),
        instead: "return an error: input never panics; bugs `assert!`",
    },
    Ban {
        call: "thread::sleep(",
        place: Place::Source,
        lint: Some("clippy::disallowed_methods"),
        instead: "wait for the thing itself: a channel, a socket",
    },
    Ban {
        call: "tokio::spawn(",
        place: Place::Source,
        lint: Some("clippy::disallowed_methods"),
        instead: OWNED,
    },
    Ban {
        call: "task::spawn(",
        place: Place::Source,
        lint: Some("clippy::disallowed_methods"),
        instead: OWNED,
    },
    Ban {
        call: "unbounded_channel",
        place: Place::Source,
        lint: Some("clippy::disallowed_methods"),
        instead: "every queue has a named maximum: tokio::sync::mpsc::channel(MAX)",
    },
    Ban { call: "SystemTime::now", place: Place::SourceOf(PURE), lint: None, instead: CLOCKLESS },
    Ban { call: "Instant::now", place: Place::SourceOf(PURE), lint: None, instead: CLOCKLESS },
    Ban {
        call: "println!(",
        place: Place::SourceBut(SPEAKERS),
        lint: Some("clippy::print_stdout"),
        instead: TRACED,
    },
    Ban {
        call: "eprintln!(",
        place: Place::SourceBut(SPEAKERS),
        lint: Some("clippy::print_stderr"),
        instead: TRACED,
    },
    Ban { call: "sleep(", place: Place::Tests, lint: None, instead: AWAITED },
    Ban { call: "sleep_until(", place: Place::Tests, lint: None, instead: AWAITED },
    Ban {
        call: "#[ignore",
        place: Place::Tests,
        lint: None,
        instead: "fix the test, or delete it: a test that never runs proves nothing",
    },
];

pub(super) const RULE: Rule = Rule { name: "calls", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    let ours = tree.rust().filter(|(file, _)| file.member().is_some());
    ours.flat_map(|(file, code)| BANS.iter().flat_map(|ban| breaches(file, code, ban))).collect()
}

fn breaches(file: &File, code: &Code, ban: &Ban) -> Vec<Violation> {
    let excepted = ban.lint.map_or_else(Places::none, |lint| code.excepted_places(lint));
    let banned = code.find(ban.call).filter(|at| applies(ban.place, file, *at) && !excepted.contains(*at));
    let what = format!("`{}` is not called here", ban.call.trim_end_matches('('));
    banned.map(|at| Violation::new(file, file.line_of(at), &what, ban.instead)).collect()
}

fn applies(place: Place, file: &File, at: usize) -> bool {
    let is_one_of = |members: &[&str]| file.member().is_some_and(|member| members.contains(&member));
    match place {
        Place::Source => !file.is_test(at),
        Place::SourceOf(members) => !file.is_test(at) && is_one_of(members),
        Place::SourceBut(members) => !file.is_test(at) && !is_one_of(members),
        Place::Tests => file.is_test(at),
    }
}

const GOOD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "#[expect(clippy::panic, reason = \"r\")]\nfn f() { panic!(); }\n")],
    &[("crates/a/src/lib.rs", "// x.unwrap()\nfn f() { x.unwrap_or(0); \"panic!(\"; }\n")],
    &[("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); panic!(); } }\n")],
    &[("crates/a/tests/a.rs", "fn f() { x.unwrap(); }\n")],
    &[("crates/a/src/lib.rs", "async fn f() { tokio::time::sleep(x).await; set.spawn(y); }\n")],
    &[("crates/largesse-hub/src/clock.rs", "fn f() { Instant::now(); }\n")],
    &[("crates/largesse/src/main.rs", "fn f() { println!(\"listening\"); }\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "#[expect(clippy::panic, reason = \"r\")]\nfn f() {}\nfn g() { panic!(); }\n")],
    &[("crates/a/src/lib.rs", "fn f() { x\n    .unwrap(); }\n")],
    &[("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests { }\nfn f() { panic!(\"x\"); }\n")],
    &[("crates/a/src/tests.rs", "fn f() { x.unwrap(); }\n")],
    &[("crates/a/src/lib.rs", "fn f() { std::thread::sleep(x); }\n")],
    &[("crates/a/src/lib.rs", "fn f() { tokio::spawn(x); }\n")],
    &[("crates/a/src/lib.rs", "fn f() { tokio::task::spawn(x); }\n")],
    &[("crates/a/src/lib.rs", "use tokio::sync::mpsc::unbounded_channel;\n")],
    &[("crates/largesse-log/src/lib.rs", "fn f() { std::time::SystemTime::now(); }\n")],
    &[("crates/largesse-wire/src/lib.rs", "fn f() { Instant::now(); }\n")],
    &[("crates/largesse-http/src/lib.rs", "fn f() { println!(\"x\"); }\n")],
    &[("crates/largesse-http/src/lib.rs", "fn f() { eprintln!(\"x\"); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { tokio::time::sleep(x).await; }\n")],
    &[("crates/a/tests/a.rs", "fn f() { sleep_until(x).await; }\n")],
    &[("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests {\n#[test]\n#[ignore]\nfn f() {} }\n")],
];
