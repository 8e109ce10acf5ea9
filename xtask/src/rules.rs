//! The repository's own rules: one table, each rule a pure function over the texts of its files.
//!
//! Invariants: a rule carries samples that keep it and samples that break it, and is checked against them before it
//! judges the repository, so that a rule that cannot fail is found. Every breach says what to do instead.
//!
//! The rules know no Rust grammar beyond words, literals and brackets. What a lint of clippy or rustdoc covers
//! well is left to it.

use std::fmt;

use crate::shell::Failure;
use tree::{File, Tree};

mod arrows;
mod calls;
mod changelog;
mod errors;
mod glossary;
mod guarantees;
mod leftovers;
mod length;
mod opening;
mod ports;
mod private_words;
mod prose;
mod ratchet;
mod rust;
mod sentences;
pub(crate) mod tree;
mod words;

/// Files of a small repository: path and text.
type Sample = &'static [(&'static str, &'static str)];

/// One rule.
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Violation>,
    /// Each keeps the rule.
    good: &'static [Sample],
    /// Each breaks the rule exactly once.
    bad: &'static [Sample],
}

/// One place where a rule is broken.
#[derive(Debug)]
struct Violation {
    path: String,
    /// From 1.
    line: usize,
    what: String,
    instead: String,
}

impl Violation {
    fn new(file: &File, line: usize, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, what: what.into(), instead: instead.into() }
    }

    /// A file that should exist.
    fn absent(path: &str, instead: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 1, what: "is missing".to_owned(), instead: instead.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}\n    instead: {}", self.path, self.line, self.what, self.instead)
    }
}

const RULES: &[Rule] = &[
    arrows::RULE,
    arrows::UNUSED,
    opening::RULE,
    length::RULE,
    calls::RULE,
    ports::RULE,
    leftovers::RULE,
    words::RULE,
    glossary::RULE,
    private_words::RULE,
    sentences::RULE,
    errors::RULE,
    guarantees::RULE,
    changelog::RULE,
];

/// Checks every rule against its samples, then the repository against every rule.
///
/// # Errors
/// A rule that its samples refute, breaches in the repository, or files that cannot be listed.
pub(crate) fn run() -> Result<(), Failure> {
    let unproven: Vec<String> = RULES.iter().filter_map(|rule| proof(rule).err()).collect();
    if !unproven.is_empty() {
        return Err(Failure(unproven.join("\n")));
    }
    let tree = Tree::of_repository()?;
    let broken: Vec<String> = RULES.iter().flat_map(|rule| shown(rule, &tree)).collect();
    if broken.is_empty() {
        println!("{} rules hold over {} files", RULES.len(), tree.files().len());
        return Ok(());
    }
    Err(Failure(format!("{}\n\nBroken rules: {}.", broken.join("\n"), broken.len())))
}

fn shown(rule: &Rule, tree: &Tree) -> Vec<String> {
    (rule.check)(tree).iter().map(|violation| format!("[{}] {violation}", rule.name)).collect()
}

/// Whether a rule's samples show that it can hold and that it can fail.
fn proof(rule: &Rule) -> Result<(), String> {
    if rule.good.is_empty() || rule.bad.is_empty() {
        return Err(format!("[{}] has no sample that keeps it, or none that breaks it", rule.name));
    }
    let wanted = rule.good.iter().map(|sample| (sample, 0)).chain(rule.bad.iter().map(|sample| (sample, 1)));
    for (sample, breaches) in wanted {
        let found = shown(rule, &Tree::of_sample(sample));
        if found.len() != breaches {
            let found = found.join("\n");
            return Err(format!(
                "[{}] {breaches} breaches expected in {sample:#?}, found:\n{found}",
                rule.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
