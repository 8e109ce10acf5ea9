//! Rule: nothing unfinished and no stray space in any text that git tracks.
//!
//! The marks are written in two halves, so that the rule does not find itself.

use super::rust::is_whole;
use super::tree::{File, Tree};
use super::{Rule, Violation};

/// Marks of unfinished work, as whole words.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
];

/// Other people's bytes, kept as they came.
const AS_THEY_CAME: &[&str] = &["fixtures/", "fuzz/seeds/", "snapshots/", "proptest-regressions/"];

pub(super) const RULE: Rule = Rule { name: "leftovers", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    tree.files().iter().filter(|file| !came_as_is(file)).flat_map(breaches).collect()
}

fn came_as_is(file: &File) -> bool {
    AS_THEY_CAME.iter().any(|folder| file.path.contains(folder))
}

fn breaches(file: &File) -> Vec<Violation> {
    let of_lines = file.lines().flat_map(|(number, line)| {
        let marks = MARKS
            .iter()
            .filter(move |mark| has_mark(line, mark))
            .map(move |mark| unfinished(file, number, mark));
        marks.chain(stray_space(file, number, line))
    });
    of_lines.chain(without_end(file)).collect()
}

fn has_mark(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| is_whole(line, at, mark))
}

fn unfinished(file: &File, line: usize, mark: &str) -> Violation {
    Violation::new(
        file,
        line,
        format!("`{mark}` is left over"),
        "finish it, or open an issue and leave no mark",
    )
}

fn stray_space(file: &File, line: usize, text: &str) -> Option<Violation> {
    let is_stray = text.ends_with(char::is_whitespace);
    is_stray.then(|| Violation::new(file, line, "the line ends in white space", "delete it"))
}

fn without_end(file: &File) -> Option<Violation> {
    let is_open = !file.text.is_empty() && !file.text.ends_with('\n');
    is_open.then(|| Violation::new(file, file.lines().count(), "the file's last line does not end", "end it"))
}

const GOOD: &[&[(&str, &str)]] = &[
    &[("README.md", "All is done.\n\nA mktemp name: /tmp/XXXXXX\n"), ("empty", "")],
    &[("crates/a/tests/fixtures/a.sse", "data: a \n\ndata: b")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("README.md", concat!("TO", "DO: write\n"))],
    &[("a.html", concat!("<!-- FIX", "ME -->\n"))],
    &[(".ci/run", concat!("# XX", "X\n"))],
    &[("a.py", concat!("# HA", "CK: x\n"))],
    &[("a.rs", concat!("fn f() { to", "do!() }\n"))],
    &[("a.rs", concat!("fn f() { unimple", "mented!() }\n"))],
    &[("a.rs", concat!("fn f() { db", "g!(x) }\n"))],
    &[("a.md", "a\x20\nb\n")],
    &[("a.md", "a\r\n")],
    &[("a.md", "a")],
];
