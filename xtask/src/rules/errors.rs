//! Rule: a public error has a message for people: thiserror's `#[error(…)]`, or a `Display` of its own.
//!
//! What the message says is not judged.

use super::rust::Code;
use super::tree::{File, Tree};
use super::{Rule, Violation};

pub(super) const RULE: Rule = Rule { name: "errors", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    let crates = tree.rust().filter(|(file, _)| file.path.starts_with("crates/") && file.is_in_src());
    crates.flat_map(|(file, code)| breaches(tree, file, code)).collect()
}

fn breaches(tree: &Tree, file: &File, code: &Code) -> Vec<Violation> {
    let enums = code.find("pub enum ").filter(|at| !file.is_test(*at));
    let errors = enums
        .map(|at| (at, name_at(code, at + "pub enum ".len())))
        .filter(|(_, name)| name.ends_with("Error"));
    errors
        .filter(|(at, name)| !has_words(code, *at) && !has_display(tree, file, name))
        .map(|(at, name)| {
            let instead = "derive thiserror::Error and give every variant its `#[error(…)]`";
            Violation::new(file, file.line_of(at), format!("`{name}` has no message for people"), instead)
        })
        .collect()
}

fn name_at(code: &Code, at: usize) -> &str {
    let rest = &code.bare[at..];
    rest.split(|letter| !super::rust::is_word(letter)).next().unwrap_or(rest)
}

/// Whether the enum at `at` has thiserror's attribute inside.
fn has_words(code: &Code, at: usize) -> bool {
    let open = code.bare[at..].find('{').map_or(at, |found| at + found);
    code.bare[open..code.closing(open)].contains("#[error(")
}

/// Whether the error's crate implements `Display` for it.
fn has_display(tree: &Tree, file: &File, name: &str) -> bool {
    let implementation = format!("Display for {name}");
    let same_crate = tree.rust().filter(|(other, _)| other.member() == file.member());
    same_crate.into_iter().any(|(_, code)| code.find(&implementation).next().is_some())
}

const GOOD: &[&[(&str, &str)]] = &[
    &[(
        "crates/a/src/lib.rs",
        "#[derive(Error)]\npub enum AError {\n    #[error(\"a is too long\")]\n    Long,\n}\n",
    )],
    &[
        ("crates/a/src/lib.rs", "pub enum AError { Long }\n"),
        ("crates/a/src/show.rs", "impl fmt::Display for AError {}\n"),
    ],
    &[("crates/a/src/lib.rs", "pub enum Blame { Caller }\nenum InnerError { A }\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "pub enum AError { Long }\nenum B { #[error(\"x\")] C }\n")],
    &[("crates/a/src/lib.rs", "pub enum AError { Long }\nimpl fmt::Display for AErrorKind {}\n")],
    &[
        ("crates/a/src/lib.rs", "pub enum AError { Long }\n"),
        ("crates/b/src/b.rs", "impl Display for AError {}\n"),
    ],
];
