//! Rule: which crate may use which.
//!
//! Invariants: arrows between the members go one way, up the table; a dependency that is not in a member's row
//! is a decision that nobody has made yet. For tests any outside crate may be used, but no member above. And the other
//! way round: what a row allows is used, so that the table stays true, and no arrow comes back unnoticed.

use toml::{Table, Value};

use super::tree::{File, Tree};
use super::{Rule, Violation};

/// One crate of ours and what it may use.
struct Member {
    name: &'static str,
    /// Crates of ours, all above it in the table.
    ours: &'static [&'static str],
    /// Other people's crates.
    others: &'static [&'static str],
    /// Other people's crates that only a feature may bring in.
    optional: &'static [&'static str],
}

/// From the bottom up.
const MEMBERS: &[Member] = &[
    Member { name: "largesse-wire", ours: &[], others: &["memchr", "thiserror"], optional: &[] },
    Member {
        name: "largesse-log",
        ours: &["largesse-wire"],
        others: &["base64", "bytesize", "humantime", "imbl", "serde", "thiserror", "xxhash-rust"],
        optional: &["tokio"],
    },
    Member {
        name: "largesse-disk",
        ours: &["largesse-wire", "largesse-log"],
        others: &["lru", "rustix", "thiserror", "tokio", "tracing", "xxhash-rust"],
        optional: &["fastrand"],
    },
    Member { name: "largesse-trace", ours: &[], others: &["rustix"], optional: &[] },
    Member {
        name: "largesse-hub",
        ours: &["largesse-wire", "largesse-log"],
        others: &["fastrand", "rustix", "strum", "thiserror", "tokio", "tracing"],
        optional: &[],
    },
    Member {
        name: "largesse-sim",
        ours: &["largesse-wire", "largesse-log", "largesse-disk", "largesse-hub"],
        others: &["fastrand", "tokio"],
        optional: &[],
    },
    Member {
        name: "largesse-http",
        // The trace is for tests: they lose it, whatever they try.
        ours: &["largesse-wire", "largesse-log", "largesse-trace", "largesse-hub"],
        others: &[
            "axum",
            "bytes",
            "fastrand",
            "futures-util",
            "http",
            "http-body",
            "http-body-util",
            "httpdate",
            "hyper",
            "hyper-util",
            "jiff",
            "percent-encoding",
            "serde",
            "serde_json",
            "socket2",
            "strsim",
            "strum",
            "thiserror",
            "tokio",
            "tracing",
        ],
        optional: &[],
    },
    Member {
        name: "largesse-client",
        ours: &["largesse-wire"],
        others: &[
            "bytes",
            "fastrand",
            "http",
            "hyper",
            "reqwest",
            "rustls",
            "rustls-platform-verifier",
            "thiserror",
            "tokio",
            "url",
        ],
        optional: &[],
    },
    Member {
        name: "largesse",
        ours: &[
            "largesse-wire",
            "largesse-log",
            "largesse-disk",
            "largesse-trace",
            "largesse-hub",
            "largesse-http",
            "largesse-client",
        ],
        others: &[
            "axum",
            "clap",
            "fastrand",
            "getrandom",
            "http",
            "indicatif",
            "nix",
            "percent-encoding",
            "mimalloc",
            "rlimit",
            "rustix",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "signal-hook",
            "strsim",
            "tokio",
            "toml",
            "tracing",
            "tracing-subscriber",
        ],
        optional: &[],
    },
    Member {
        name: "largesse-trials",
        ours: &["largesse-wire"],
        others: &["fastrand", "serde_json", "socket2"],
        optional: &[],
    },
    Member { name: "xtask", ours: &[], others: &["proc-macro2", "syn", "toml"], optional: &[] },
];

pub(super) const RULE: Rule = Rule { name: "arrows", check, good: GOOD, bad: BAD };

/// The other way round.
pub(super) const UNUSED: Rule =
    Rule { name: "unused arrows", check: check_used, good: GOOD_USED, bad: BAD_USED };

/// A table of dependencies in a manifest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Dev,
}

const KINDS: &[(&str, Kind)] =
    &[("dependencies", Kind::Normal), ("build-dependencies", Kind::Normal), ("dev-dependencies", Kind::Dev)];

/// One dependency as a manifest states it.
struct Arrow {
    /// One dependency as a manifest states it.
    /// The package, whatever name it has here.
    to: String,
    key: String,
    kind: Kind,
    is_optional: bool,
}

fn check(tree: &Tree) -> Vec<Violation> {
    tree.files().iter().filter(|file| file.inside_member() == Some("Cargo.toml")).flat_map(breaches).collect()
}

fn breaches(file: &File) -> Vec<Violation> {
    let manifest: Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            return vec![Violation::new(file, 1, format!("is not TOML: {error}"), "fix the manifest")];
        }
    };
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let Some(member) = MEMBERS.iter().find(|member| Some(member.name) == name) else {
        let instead = "add a row for it to MEMBERS in xtask/src/rules/arrows.rs, and say in docs/decisions/ why it exists";
        return vec![Violation::new(file, 1, "this crate is in no row", instead)];
    };
    arrows(&manifest).iter().filter_map(|arrow| breach(file, member, arrow)).collect()
}

fn breach(file: &File, member: &Member, arrow: &Arrow) -> Option<Violation> {
    let is_ours = MEMBERS.iter().any(|other| other.name == arrow.to);
    let instead = match (arrow.kind, is_ours) {
        (Kind::Dev, false) => return None,
        (Kind::Dev, true) if member.ours.contains(&&*arrow.to) || member.name == arrow.to => return None,
        (Kind::Normal, _) if member.ours.contains(&&*arrow.to) || member.others.contains(&&*arrow.to) => {
            return None;
        }
        (Kind::Normal, _) if member.optional.contains(&&*arrow.to) && arrow.is_optional => return None,
        (Kind::Normal, _) if member.optional.contains(&&*arrow.to) => {
            "make it `optional = true`, for a feature"
        }
        (_, true) => {
            "arrows go one way: move what is shared down, or the test up into the crate that knows both"
        }
        (Kind::Normal, false) => {
            "do without, or record the decision in docs/decisions/ and add it to MEMBERS"
        }
    };
    let what = format!("{} may not use {}", member.name, arrow.to);
    Some(Violation::new(file, line_of_key(file, &arrow.key), what, instead))
}

fn check_used(tree: &Tree) -> Vec<Violation> {
    tree.files().iter().filter(|file| file.inside_member() == Some("Cargo.toml")).flat_map(unused).collect()
}

/// What a member's row allows and its manifest does not use. A manifest that is broken is reported elsewhere.
fn unused(file: &File) -> Vec<Violation> {
    let Ok(manifest) = file.text.parse::<Table>() else { return Vec::new() };
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let Some(member) = MEMBERS.iter().find(|member| Some(member.name) == name) else { return Vec::new() };
    let used = arrows(&manifest);
    let uses = |to: &str, is_enough: fn(Kind) -> bool| {
        used.iter().any(|arrow| arrow.to == to && is_enough(arrow.kind))
    };
    // A member below may be used for tests alone.
    let ours = member.ours.iter().filter(|to| !uses(to, |_| true));
    let others =
        member.others.iter().chain(member.optional).filter(|to| !uses(to, |kind| kind == Kind::Normal));
    let violation = |to: &&str| {
        let instead = "take it out of the row in xtask/src/rules/arrows.rs";
        Violation::new(file, 1, format!("{} may use {to}, but does not", member.name), instead)
    };
    ours.chain(others).map(violation).collect()
}

/// All dependencies of a manifest, platform-specific ones too.
fn arrows(manifest: &Table) -> Vec<Arrow> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = std::iter::once(manifest).chain(platforms.filter_map(|(_, platform)| platform.as_table()));
    tables.flat_map(|table| KINDS.iter().flat_map(|(name, kind)| arrows_in(table, name, *kind))).collect()
}

fn arrows_in(table: &Table, name: &str, kind: Kind) -> Vec<Arrow> {
    let dependencies = table.get(name).and_then(Value::as_table).into_iter().flatten();
    let arrow = |(key, value): (&String, &Value)| Arrow {
        to: value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned(),
        key: key.clone(),
        kind,
        is_optional: value.get("optional").and_then(Value::as_bool).unwrap_or_default(),
    };
    dependencies.map(arrow).collect()
}

/// The first line that begins with the key, or the file's first.
fn line_of_key(file: &File, key: &str) -> usize {
    let begins = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    file.lines().find(|(_, line)| begins(line)).map_or(1, |(number, _)| number)
}

const GOOD: &[&[(&str, &str)]] = &[
    &[(
        "crates/w/Cargo.toml",
        "[package]\nname = \"largesse-wire\"\n[dependencies]\nmemchr.workspace = true\n",
    )],
    &[(
        "crates/l/Cargo.toml",
        "[package]\nname = \"largesse-log\"\n[dependencies]\ntokio = { optional = true }\n",
    )],
    &[(
        "crates/l/Cargo.toml",
        "[package]\nname = \"largesse-log\"\n[dev-dependencies]\nproptest = \"1\"\nlargesse-wire = \"0\"\n",
    )],
    &[("Cargo.toml", "[workspace.dependencies]\naxum = \"0\"\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/w/Cargo.toml", "[package]\nname = \"largesse-wire\"\n[dependencies]\ntokio = \"1\"\n")],
    &[(
        "crates/w/Cargo.toml",
        "[package]\nname = \"largesse-wire\"\n[dependencies]\nmemchr = { package = \"x\" }\n",
    )],
    &[("crates/w/Cargo.toml", "[package]\nname = \"largesse-wire\"\n[build-dependencies]\ncc = \"1\"\n")],
    &[(
        "crates/w/Cargo.toml",
        "[package]\nname = \"largesse-wire\"\n[target.'cfg(unix)'.dependencies]\nlibc = \"0\"\n",
    )],
    &[(
        "crates/w/Cargo.toml",
        "[package]\nname = \"largesse-wire\"\n[dev-dependencies]\nlargesse-log = \"0\"\n",
    )],
    &[("crates/l/Cargo.toml", "[package]\nname = \"largesse-log\"\n[dependencies]\nlargesse-hub = \"0\"\n")],
    &[("crates/l/Cargo.toml", "[package]\nname = \"largesse-log\"\n[dependencies]\ntokio = \"1\"\n")],
    &[("crates/n/Cargo.toml", "[package]\nname = \"largesse-new\"\n")],
    &[("crates/w/Cargo.toml", "[package\n")],
];

const GOOD_USED: &[&[(&str, &str)]] = &[
    &[(
        "crates/w/Cargo.toml",
        "[package]\nname = \"largesse-wire\"\n[dependencies]\nmemchr = \"2\"\nthiserror.workspace = true\n",
    )],
    &[("crates/w/Cargo.toml", "[package]\nname = \"a-member-without-a-row\"\n")],
];

const BAD_USED: &[&[(&str, &str)]] = &[
    &[("crates/w/Cargo.toml", "[package]\nname = \"largesse-wire\"\n[dependencies]\nmemchr = \"2\"\n")],
    &[(
        "crates/w/Cargo.toml",
        "[package]\nname = \"largesse-wire\"\n[dependencies]\nmemchr = \"2\"\n[dev-dependencies]\nthiserror = \"2\"\n",
    )],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_between_the_members_go_up_the_table() {
        for (place, member) in MEMBERS.iter().enumerate() {
            let below: Vec<_> = MEMBERS[..place].iter().map(|member| member.name).collect();
            assert!(member.ours.iter().all(|name| below.contains(name)), "{}", member.name);
        }
    }

    #[test]
    fn a_breach_names_the_line_of_the_dependency() {
        let text = "[package]\nname = \"largesse-wire\"\n\n[dependencies]\ntokio.workspace = true\n";
        let found = check(&Tree::of_sample(&[("crates/w/Cargo.toml", text)]));
        assert_eq!(found.iter().map(|violation| violation.line).collect::<Vec<_>>(), [5]);
    }
}
