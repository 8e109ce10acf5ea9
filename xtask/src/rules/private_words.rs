//! Rule: no private word where the field has one.
//!
//! Each word of the table once named a thing here that everybody else calls by another name. It looks at names in the
//! code and at prose; texts in quotes may say anything: a file on disk keeps the name it was given.

use super::prose;
use super::rust::is_word;
use super::tree::{File, Tree};
use super::words::segments;
use super::{Rule, Violation, ratchet};

/// A private word, and the field's.
const WORDS: &[(&str, &str)] = &[
    ("milestone", "checkpoint, checkpoint request"),
    ("keeper", "maintenance"),
    ("shelf", "postings"),
    ("pasts", "tombstones"),
    ("bells", "subscriptions"),
    ("desk", "mailbox"),
    ("filing", "indexing"),
    ("graves", "pending frees"),
    ("stubborn", "unrepairable"),
    ("whereabouts", "address, URL, location"),
    ("gather", "linger, collect"),
    ("lying", "pending"),
    ("witness", "recording engine"),
    ("luck", "random choices, rng"),
    ("dice", "rng"),
    ("ledger", "oracle"),
    ("spare", "preallocated segment"),
    ("drawer", "catch-all"),
];

/// Names that other people's crates declare.
const THEIRS: &[&str] = &["spare_capacity_mut"];

/// Folders that still have some, and how many. Numbers only go down.
const LEFT: &[(&str, usize)] = &[("crates/largesse-log/", 15)];

pub(super) const RULE: Rule = Rule { name: "private words", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    ratchet::over(tree.files().iter().flat_map(breaches).collect(), LEFT)
}

fn breaches(file: &File) -> Vec<Violation> {
    let said = prose::words(file)
        .into_iter()
        .flat_map(|word| segments(&word.text).map(|part| (word.line, part)).collect::<Vec<_>>());
    let breach = |(line, word): (usize, String)| {
        let (_, instead) = WORDS.iter().find(|(private, _)| *private == word)?;
        Some(Violation::new(file, line, format!("`{word}` is a private word"), *instead))
    };
    names(file).into_iter().chain(said).filter_map(breach).collect()
}

/// The words in the names of a file's code, each with its line.
fn names(file: &File) -> Vec<(usize, String)> {
    let Some(code) = file.code() else { return Vec::new() };
    let lines = (1..).zip(code.bare.split('\n'));
    let names =
        lines.flat_map(|(line, text)| text.split(|letter| !is_word(letter)).map(move |name| (line, name)));
    let ours = names.filter(|(_, name)| !name.is_empty() && !THEIRS.contains(name));
    ours.flat_map(|(line, name)| segments(name).map(move |part| (line, part))).collect()
}

const GOOD: &[&[(&str, &str)]] = &[
    &[(
        "crates/a/src/lib.rs",
        "fn checkpoint() {}\nconst NAME: &str = \"spare\";\n// The file `spare` is spared.\n",
    )],
    &[("crates/a/src/lib.rs", "fn f() { bytes.spare_capacity_mut(); }\n")],
    &[("docs/a.md", "```sh\nls spare\n```\n")],
    &[("CHANGELOG.md", "The keeper is gone.\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "fn keep_milestone() {}\n")],
    &[("crates/a/src/lib.rs", "struct SpareFile;\n")],
    &[("crates/a/src/lib.rs", "fn f() { let dice = 1; }\n")],
    &[("crates/a/src/lib.rs", "// The keeper waits.\n")],
    &[("crates/a/tests/a.rs", "#[test]\nfn luck_is_shared() {}\n")],
    &[("docs/a.md", "The keeper's desk.\n")],
];
