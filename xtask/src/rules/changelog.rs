//! Rule: the changelog has a place for what changes now: an "Unreleased" section, or the current version's.

use super::tree::{File, Tree};
use super::{Rule, Violation};

const PAGE: &str = "CHANGELOG.md";

pub(super) const RULE: Rule = Rule { name: "changelog", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    let instead = "begin a section `## [Unreleased]`";
    let Some(page) = tree.file(PAGE) else { return vec![Violation::absent(PAGE, instead)] };
    let version = tree.file("Cargo.toml").and_then(version);
    let has_section = page.lines().any(|(_, line)| is_section(line, version.as_deref()));
    let what = "there is no section for what changes now";
    if has_section { Vec::new() } else { vec![Violation::new(page, 1, what, instead)] }
}

fn is_section(line: &str, version: Option<&str>) -> bool {
    let title = line.strip_prefix("## ").and_then(|title| title.split_whitespace().next());
    let name = title.map(|title| title.trim_matches(['[', ']']));
    name.is_some_and(|name| name == "Unreleased" || Some(name) == version)
}

/// The version that all crates share.
fn version(manifest: &File) -> Option<String> {
    let manifest: toml::Table = manifest.text.parse().ok()?;
    Some(manifest.get("workspace")?.get("package")?.get("version")?.as_str()?.to_owned())
}

const MANIFEST: (&str, &str) = ("Cargo.toml", "[workspace.package]\nversion = \"0.2.0\"\n");

const GOOD: &[&[(&str, &str)]] = &[
    &[("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n"), MANIFEST],
    &[("CHANGELOG.md", "# Changelog\n\n## Unreleased\n")],
    &[("CHANGELOG.md", "# Changelog\n\n## [0.2.0] - 2026-11-20\n"), MANIFEST],
];

const BAD: &[&[(&str, &str)]] = &[
    &[MANIFEST],
    &[("CHANGELOG.md", "# Changelog\n\n## [0.1.0]\n"), MANIFEST],
    &[("CHANGELOG.md", "# Unreleased\n")],
];
