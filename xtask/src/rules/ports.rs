//! Rule: a test binds and dials no fixed port.
//!
//! Two runs of the tests on one machine would collide there. Port 0 asks the system for a free one. An address
//! that is only written or compared is fine: a `Host` names a port that nobody listens on.

use std::ops::Range;

use super::rust::Code;
use super::tree::{File, Tree};
use super::{Rule, Violation};

/// Calls that take an address.
const TAKERS: &[&str] = &["bind(", "connect(", "connect_timeout("];

/// A smaller number is taken for something else: lower ports need privileges that tests do not have.
const PLAIN_PORT_MIN: u32 = 1024;

pub(super) const RULE: Rule = Rule { name: "ports", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(file, _)| file.member().is_some())
        .flat_map(|(file, code)| breaches(file, code))
        .collect()
}

fn breaches(file: &File, code: &Code) -> Vec<Violation> {
    let calls =
        TAKERS.iter().flat_map(|taker| code.find(taker).map(|at| at..code.closing(at + taker.len() - 1)));
    let fixed =
        calls.filter(|call| file.is_test(call.start) && names_port(&code.with_literals[call.clone()]));
    fixed.map(|call| breach(file, &call)).collect()
}

fn breach(file: &File, call: &Range<usize>) -> Violation {
    let instead = "bind port 0 and read back the address that the system gave";
    Violation::new(file, file.line_of(call.start), "a test uses a fixed port", instead)
}

/// Whether an address with a port other than 0 is written out: `…:8084` in a literal, or `(address, 8084)`.
fn names_port(call: &str) -> bool {
    call.match_indices([':', ',']).any(|(at, mark)| {
        let Some((number, after)) = leading_number(call[at + 1..].trim_start_matches(' ')) else {
            return false;
        };
        let is_in_ipv6 = call[..at].ends_with(':');
        match mark {
            ":" => number != 0 && !is_in_ipv6 && after.starts_with(['"', '/']),
            _ => number >= PLAIN_PORT_MIN && after.starts_with(')'),
        }
    })
}

/// The number that a text begins with, and what follows.
fn leading_number(text: &str) -> Option<(u32, &str)> {
    let after = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = &text[..text.len() - after.len()];
    Some((digits.parse().ok()?, after))
}

const GOOD: &[&[(&str, &str)]] = &[
    &[("crates/a/tests/a.rs", "fn f() { TcpListener::bind(\"127.0.0.1:0\"); connect(address); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { bind((Ipv4Addr::LOCALHOST, 0)); bind(([127, 0, 0, 1], 0)); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { bind(\"[::1]:0\"); check(\"Host: localhost:8084\"); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { bind((\"::1\", 0)); connect(&server, 2); }\n")],
    &[("crates/a/src/lib.rs", "fn f() { bind(\"127.0.0.1:8084\"); }\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/tests/a.rs", "fn f() { TcpListener::bind(\n    \"127.0.0.1:8084\"); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { TcpStream::connect(\"localhost:8084\"); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { TcpStream::connect(\":8084\"); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { bind((Ipv4Addr::LOCALHOST, 8084)); }\n")],
    &[("crates/a/tests/a.rs", "fn f() { bind(SocketAddr::from(([127, 0, 0, 1], 8084))); }\n")],
    &[("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests { fn f() { connect(\"[::1]:8084\"); } }\n")],
];
