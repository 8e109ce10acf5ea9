//! Rule: a guarantee names the tests that show it, and they exist.
//!
//! A test is named in backquotes, as `crates/a/tests/b.rs::name_of_the_test`. Whether it shows what it should
//! is for readers to judge; that it runs and passes, for cargo.

use super::tree::{File, Tree};
use super::{Rule, Violation};

const PAGE: &str = "docs/guarantees.md";
const FORM: &str = "name tests as `crates/a/tests/b.rs::name_of_the_test`, in backquotes";

pub(super) const RULE: Rule = Rule { name: "guarantees", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    let Some(page) = tree.file(PAGE) else { return vec![Violation::absent(PAGE, FORM)] };
    let named: Vec<_> =
        page.lines().flat_map(|(number, line)| tests_in(line).map(move |test| (number, test))).collect();
    if named.is_empty() {
        return vec![Violation::new(page, 1, "no test is named", FORM)];
    }
    named
        .into_iter()
        .filter(|(_, test)| !exists(tree, test))
        .map(|(line, test)| absent(page, line, test))
        .collect()
}

fn absent(page: &File, line: usize, test: &str) -> Violation {
    let instead = "write the test, or name the one that replaced it";
    Violation::new(page, line, format!("there is no test `{test}`"), instead)
}

/// What is in backquotes on a line and looks like a test's name.
fn tests_in(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains(".rs::"))
}

fn exists(tree: &Tree, test: &str) -> bool {
    let Some((stem, path_inside)) = test.split_once(".rs::") else { return false };
    let declaration = format!("fn {}(", path_inside.rsplit("::").next().unwrap_or(path_inside));
    let code = tree.file(&format!("{stem}.rs")).and_then(File::code);
    code.is_some_and(|code| code.find(&declaration).next().is_some())
}

const GOOD: &[&[(&str, &str)]] = &[
    &[
        ("docs/guarantees.md", "| Order | `crates/a/tests/b.rs::order_holds` |\n"),
        ("crates/a/tests/b.rs", "#[test]\nfn order_holds() {}\n"),
    ],
    &[
        ("docs/guarantees.md", "See `Order` in `crates/a/src/b.rs::tests::order_holds`.\n"),
        ("crates/a/src/b.rs", "mod tests { async fn order_holds() {} }\n"),
    ],
];

const BAD: &[&[(&str, &str)]] = &[
    &[],
    &[("docs/guarantees.md", "All is well.\n")],
    &[("docs/guarantees.md", "`crates/a/tests/b.rs::order_holds`\n")],
    &[
        ("docs/guarantees.md", "`crates/a/tests/b.rs::order`\n"),
        ("crates/a/tests/b.rs", "// fn order()\nfn order_holds() {}\nfn in_order() {}\n"),
    ],
];
