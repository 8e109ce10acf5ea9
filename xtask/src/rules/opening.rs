//! Rule: a source file begins by saying what it is.
//!
//! Only a sentence can be checked for. Whether it states the invariants, and what the file does not do, is for
//! readers to judge.

use super::tree::{File, Tree};
use super::{Rule, Violation};

/// Fewer words than this are a title, not a sentence.
const WORDS_MIN: usize = 3;

pub(super) const RULE: Rule = Rule { name: "opening", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust().map(|(file, _)| file).filter(|file| file.is_in_src()).filter_map(breach).collect()
}

fn breach(file: &File) -> Option<Violation> {
    if has_sentence(&opening(&file.text)) {
        return None;
    }
    let instead = "begin with `//!` and a sentence: what this file is, its invariants, what it does not do";
    Some(Violation::new(file, 1, "the file does not begin with a sentence about itself", instead))
}

/// The `//!` lines a text begins with, as one line.
fn opening(text: &str) -> String {
    text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn has_sentence(opening: &str) -> bool {
    let ends = opening.match_indices(['.', '?', '!']).map(|(at, _)| at);
    ends.filter(|at| opening[at + 1..].chars().next().is_none_or(char::is_whitespace))
        .any(|at| opening[..at].split_whitespace().count() >= WORDS_MIN)
}

const GOOD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "//! A place in the log.\n//!\n//! It never goes back.\n")],
    &[("crates/a/src/lib.rs", "//! `a.b`: one sentence\n//! over two lines.\n\nuse a;\n")],
    &[("crates/a/tests/a.rs", "use a;\n"), ("crates/a/src/lib.txt", "")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "")],
    &[("crates/a/src/lib.rs", "//! Positions\n")],
    &[("crates/a/src/a/b.rs", "//! Positions.\n")],
    &[("xtask/src/main.rs", "use a;\n//! This comes too late.\n")],
    &[("crates/a/src/lib.rs", "// A comment is no documentation.\n")],
];
