//! `cargo xtask figures`: the shape of the code in numbers, to compare before and after a change.
//!
//! Lines per module, lengths of functions, how many public items are documented, and circles between modules.
//! Code for tests counts as lines of tests and nowhere else.
//!
//! It judges nothing: the rules do.

use std::collections::BTreeMap;

use crate::rules::tree::{File, Tree};
use crate::shell::Failure;

mod circles;
mod items;

use circles::Imports;
use items::Items;

/// The figures of one crate.
#[derive(Default)]
struct Member {
    modules: BTreeMap<String, Lines>,
    items: Items,
    imports: Imports,
}

/// Lines of code, with their comments.
#[derive(Clone, Copy, Default)]
struct Lines {
    product: usize,
    tests: usize,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.product += other.product;
        self.tests += other.tests;
    }
}

/// Prints the figures of this checkout.
///
/// # Errors
/// Files can't be listed, or one is not Rust.
pub(crate) fn run() -> Result<(), Failure> {
    let tree = Tree::of_repository()?;
    print!("{}", shown(&members(&tree)?));
    Ok(())
}

fn members(tree: &Tree) -> Result<BTreeMap<String, Member>, Failure> {
    let mut members: BTreeMap<String, Member> = BTreeMap::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with(".rs")) {
        let (Some(name), Some(inside)) = (file.member(), file.inside_member()) else { continue };
        let member = members.entry(name.to_owned()).or_default();
        let all = file.lines().count();
        if file.is_test(0) {
            member.modules.entry("tests".to_owned()).or_default().tests += all;
            continue;
        }
        let parsed = syn::parse_file(&file.text)
            .map_err(|error| Failure(format!("{} can't be read as Rust: {error}", file.path)))?;
        member.modules.entry(module(inside)).or_default().add(lines(file));
        member.items.read(&parsed);
        if let Some(inside) = inside.strip_prefix("src/") {
            member.imports.read(inside, &parsed);
        }
    }
    Ok(members)
}

/// The first folder or file below `src`: what a newcomer sees first.
fn module(inside: &str) -> String {
    let below = inside.strip_prefix("src/").unwrap_or(inside);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs").to_owned()
}

/// Each line belongs to the product, or to tests in the same file.
fn lines(file: &File) -> Lines {
    let mut lines = Lines::default();
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        let end = at + line.trim_end().len();
        if file.is_test(end.saturating_sub(1).max(at)) {
            lines.tests += 1
        } else {
            lines.product += 1
        }
        at += line.len();
    }
    lines
}

fn shown(members: &BTreeMap<String, Member>) -> String {
    let mut text = String::new();
    for (name, member) in members {
        let all = member.modules.values().fold(Lines::default(), |mut all, lines| {
            all.add(*lines);
            all
        });
        text += &format!("{name}: {} lines, and {} of tests\n", all.product, all.tests);
        let modules = member.modules.iter().filter(|(_, lines)| lines.product > 0);
        let modules: Vec<_> = modules.map(|(module, lines)| format!("{module} {}", lines.product)).collect();
        text += &format!("  modules ({}): {}\n", modules.len(), modules.join(", "));
        text += &format!("  functions: {}\n", member.items.functions());
        text += &format!("  public items with documentation: {}\n", member.items.documented());
        for circle in member.imports.circles() {
            text += &format!("  circle: {circle}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_of_a_small_repository_is_as_counted_by_hand() {
        let tree = Tree::of_sample(&[
            ("crates/a/src/lib.rs", "mod b;\nmod c;\n"),
            ("crates/a/src/c/d.rs", "use super::e::f;\nuse super::two;\n"),
            ("crates/a/src/c/e.rs", "use crate::c::d;\n"),
            (
                "crates/a/src/b.rs",
                "/// Said.\npub fn one() {\n    crate::c::two();\n}\n#[cfg(test)]\nmod tests {\n    fn x() {}\n}\n",
            ),
            ("crates/a/src/c.rs", "use super::b::one;\npub fn two() { one() }\n"),
            ("crates/a/tests/d.rs", "fn y() {}\n"),
        ]);
        let want = "a: 11 lines, and 5 of tests\n  modules (3): b 4, c 5, lib 2\n  functions: 2, lines p50 1, p90 3, max 3 (one)\n  \
                    public items with documentation: 1 of 2\n  circle: b ↔ c\n  circle: c/d ↔ c/e\n";
        assert_eq!(shown(&members(&tree).expect("it is Rust")), want);
    }
}
