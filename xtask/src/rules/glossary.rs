//! Rule: `docs/glossary.md` has every word that needs an entry, each in one sentence, and none that nothing uses.
//!
//! What needs an entry: the words of [`REQUIRED`], the field's and ours; and the last word of each type that a crate
//! exports (`Claim`, `ReadRequest`), unless it is one of [`PLAIN`]. So a new word of ours can't come in without one.
//! What a crate re-exports from another (`Url`) is explained there, if it is ours, or by its own documentation.
//!
//! It does not judge whether a sentence is true.

use super::rust::{Code, is_word};
use super::tree::{File, Tree};
use super::words::segments;
use super::{Rule, Violation};

const PAGE: &str = "docs/glossary.md";

/// What users see, and the field's words for the inside.
const REQUIRED: &[&str] = &[
    "event",
    "stream",
    "log",
    "position",
    "publisher",
    "reader",
    "source",
    "run",
    "door",
    "engine",
    "ticket",
    "server-sent events",
    "write-ahead log",
    "group commit",
    "segment",
    "checkpoint",
    "compaction",
    "tombstone",
    "preallocation",
    "hot",
    "cold",
    "back-pressure",
    "fan-out",
    "subscription",
];

/// Last words of types that say what they are without an entry.
const PLAIN: &[&str] = &[
    "answer",
    "appended",
    "builder",
    "cause",
    "change",
    "changes",
    "clock",
    "config",
    "content",
    "data",
    "deleted",
    "encodings",
    "ends",
    "error",
    "events",
    "ext",
    "form",
    "from",
    "full",
    "kind",
    "limit",
    "limits",
    "lines",
    "listener",
    "made",
    "ms",
    "name",
    "names",
    "need",
    "next",
    "notice",
    "now",
    "once",
    "opening",
    "out",
    "parser",
    "patch",
    "pending",
    "put",
    "reason",
    "repeat",
    "request",
    "response",
    "rule",
    "served",
    "setting",
    "start",
    "state",
    "statuses",
    "stopped",
    "text",
    "then",
    "view",
    "watch",
];

pub(super) const RULE: Rule = Rule { name: "glossary", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    let Some(page) = tree.file(PAGE) else {
        return vec![Violation::absent(
            PAGE,
            "write it: a row for each word, `| **word** | One sentence. |`",
        )];
    };
    let entries: Vec<_> = page.lines().filter_map(|(line, text)| Entry::of(line, text)).collect();
    let mut found = required(page, &entries);
    found.extend(entries.iter().filter_map(|entry| entry.long(page)));
    found.extend(unused(tree, page, &entries));
    found.extend(exported(tree, &entries));
    found
}

/// One row of the page.
struct Entry<'a> {
    /// In lower case.
    terms: Vec<String>,
    meaning: &'a str,
    /// From 1.
    line: usize,
}

impl<'a> Entry<'a> {
    fn of(line: usize, text: &'a str) -> Option<Self> {
        let mut cells = text.strip_prefix("| **").and(text.strip_prefix("| "))?.split(" | ");
        let (terms, meaning) = (cells.next()?, cells.next()?.trim_end_matches(" |"));
        let bold = terms.split("**").skip(1).step_by(2);
        Some(Self { terms: bold.map(str::to_lowercase).collect(), meaning, line })
    }

    /// A meaning that is not one sentence.
    fn long(&self, page: &File) -> Option<Violation> {
        let is_sentence = self.meaning.ends_with('.') && !self.meaning.contains(". ");
        let what = || format!("`{}` is not explained in one sentence", self.terms.join("`, `"));
        (!is_sentence).then(|| Violation::new(page, self.line, what(), "one sentence, with a full stop"))
    }

    fn has(&self, word: &str) -> bool {
        let is_same = |part: &str| part == word || part == word.trim_end_matches('s');
        self.terms.iter().any(|term| term == word || term.split(' ').any(is_same))
    }
}

fn required(page: &File, entries: &[Entry<'_>]) -> Vec<Violation> {
    let missing = REQUIRED
        .iter()
        .filter(|word| !entries.iter().any(|entry| entry.terms.iter().any(|term| term == *word)));
    missing
        .map(|word| Violation::new(page, 1, format!("`{word}` has no entry"), "explain it in a row"))
        .collect()
}

/// Entries with a term that neither code nor documentation uses.
fn unused(tree: &Tree, page: &File, entries: &[Entry<'_>]) -> Vec<Violation> {
    let is_used_from =
        |file: &&File| file.path != PAGE && (file.code().is_some() || file.path.ends_with(".md"));
    let texts: Vec<_> = tree.files().iter().filter(is_used_from).map(|file| spread(&file.text)).collect();
    let is_used = |term: &String| texts.iter().any(|text| text.contains(&spread(term)[..term.len() + 1]));
    let stale = entries.iter().flat_map(|entry| entry.terms.iter().map(move |term| (entry.line, term)));
    let stale = stale.filter(|(_, term)| !is_used(term));
    stale
        .map(|(line, term)| Violation::new(page, line, format!("nothing uses `{term}`"), "take the row out"))
        .collect()
}

/// A text in lower case, with one space before each word, those in a name too: ` group commit` of
/// `GroupCommit`, `group_commit` and `group-commit`.
fn spread(text: &str) -> String {
    let mut spread = String::from(" ");
    for letter in text.chars() {
        if letter.is_uppercase() || !letter.is_alphanumeric() {
            spread.push_str(if spread.ends_with(' ') { "" } else { " " });
        }
        if letter.is_alphanumeric() {
            spread.extend(letter.to_lowercase());
        }
    }
    spread
}

/// Types that crates export and whose last word has no entry.
fn exported(tree: &Tree, entries: &[Entry<'_>]) -> Vec<Violation> {
    let is_root =
        |file: &File| file.inside_member() == Some("src/lib.rs") && file.path.starts_with("crates/");
    let roots = tree.rust().filter(|(file, _)| is_root(file));
    let types = roots.flat_map(|(file, code)| exports(code).map(move |(at, name)| (file, at, name)));
    let strange = types.filter_map(|(file, at, name)| {
        let last = segments(name).last()?;
        let is_known = PLAIN.contains(&last.as_str()) || entries.iter().any(|entry| entry.has(&last));
        let what = format!("`{name}` ends in a word without an entry, `{last}`");
        (!is_known).then(|| Violation::new(file, file.line_of(at), what, "explain it in docs/glossary.md"))
    });
    strange.collect()
}

/// The types of its own in a crate's `pub use`, each with its place.
fn exports(code: &Code) -> impl Iterator<Item = (usize, &str)> {
    const USE: &str = "pub use ";
    let uses = code.find(USE).map(|at| (at, &code.bare[at + USE.len()..]));
    let uses = uses.filter_map(|(at, rest)| Some((at, &rest[..rest.find(';')?])));
    let uses = uses.filter(|(_, path)| !is_foreign(code, path));
    let names = uses.flat_map(|(at, text)| text.split(|letter| !is_word(letter)).map(move |name| (at, name)));
    names.filter(|(_, name)| {
        name.starts_with(|letter: char| letter.is_ascii_uppercase())
            && name.contains(|letter: char| letter.is_ascii_lowercase())
    })
}

/// Whether a path begins with another crate: a name that is not a module of this file.
fn is_foreign(code: &Code, path: &str) -> bool {
    let first = path.split(|letter| !is_word(letter)).next().unwrap_or_default();
    let is_ours = matches!(first, "" | "crate" | "self" | "super");
    path.starts_with("::") || !(is_ours || code.find(&format!("mod {first}")).next().is_some())
}

/// A page with all that is required, and then more; and a text that uses all of it.
macro_rules! page {
    ($($more:literal),*) => {
        concat!(
            "| **event** | E. |\n| **stream** | S. |\n| **log** | L. |\n| **position** | P. |\n| **publisher** | P. |\n",
            "| **reader** | R. |\n| **source** | S. |\n| **run** | R. |\n| **door** | D. |\n| **engine** | E. |\n",
            "| **ticket** | T. |\n| **Server-Sent Events**, **SSE** | S. |\n| **write-ahead log** | W. |\n",
            "| **group commit** | G. |\n| **segment** | S. |\n| **checkpoint** | C. |\n| **compaction** | C. |\n",
            "| **tombstone** | T. |\n| **preallocation** | P. |\n| **hot** and **cold** | H. |\n",
            "| **back-pressure** | B. |\n| **fan-out** | F. |\n",
            $($more),*
        )
    };
}

const USES: (&str, &str) = (
    "README.md",
    "events streams logs positions publishers readers sources runs doors engines tickets server-sent events, sse, a \
     write-ahead log, GroupCommit, segments, checkpoints, compaction, tombstones, preallocation, hot, cold, \
     back-pressure, fan-out and subscriptions",
);

const FULL: &str = page!("| **subscription** | S. |\n");

const GOOD: &[&[(&str, &str)]] = &[
    &[(PAGE, FULL), USES],
    &[
        (PAGE, page!("| **subscription** | S. |\n", "| **claim** ★ | C: one. |\n")),
        USES,
        (
            "crates/a/src/lib.rs",
            "mod a;\npub use a::{Claim, ClaimError, claim, CLAIMS_MAX};\nuse a::Strange;\n",
        ),
    ],
    &[
        (PAGE, FULL),
        USES,
        (
            "crates/a/src/lib.rs",
            "mod a;\npub use http::{HeaderMap, StatusCode};\npub use ::url::Url;\npub use other::Strange;\n",
        ),
    ],
];

const BAD: &[&[(&str, &str)]] = &[
    &[USES],
    &[(PAGE, page!()), USES],
    &[(PAGE, page!("| **subscription** | One. Two. |\n")), USES],
    &[(PAGE, page!("| **subscription** | S |\n")), USES],
    &[(PAGE, page!("| **subscription** | S. |\n", "| **claim** | C. |\n")), USES],
    &[(PAGE, FULL), USES, ("crates/a/src/lib.rs", "mod a;\npub use a::ReadGrant;\n")],
    &[(PAGE, FULL), USES, ("crates/a/src/lib.rs", "pub mod a {}\npub use {a::ReadGrant};\n")],
    &[(PAGE, FULL), USES, ("crates/a/src/lib.rs", "mod a;\npub use self::{\n    a::ReadGrant,\n};\n")],
];
