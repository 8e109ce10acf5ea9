//! Rule: one word per thing, and no word that says nothing.
//!
//! It looks at what our code declares: types, functions, modules, constants, public fields. What other crates
//! declare keeps its names. Tests are sentences and may begin as they like.

use super::rust::{Code, is_word};
use super::tree::{File, Tree};
use super::{Rule, Violation};

/// The field's words that we don't use for users' things, and ours.
const SYNONYMS: &[(&str, &str)] = &[
    ("topic", "stream"),
    ("channel", "stream"),
    ("room", "stream"),
    ("message", "event"),
    ("offset", "position (of a byte in a text: place)"),
    ("cursor", "position"),
    ("producer", "publisher"),
    ("consumer", "reader"),
    ("session", "reader"),
    ("broker", "log"),
];

/// Declared names that mean something else than the word does, with the reason.
const ALLOWED: &[(&str, &str)] = &[];

/// Names of modules that could hold anything.
const CATCH_ALLS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

pub(super) const RULE: Rule = Rule { name: "words", check, good: GOOD, bad: BAD };

/// What kind of thing a declaration names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    Function,
    Module,
    /// Constants, statics and fields.
    Value,
}

const KEYWORDS: &[(&str, Kind)] = &[
    ("struct", Kind::Type),
    ("enum", Kind::Type),
    ("union", Kind::Type),
    ("trait", Kind::Type),
    ("type", Kind::Type),
    ("fn", Kind::Function),
    ("mod", Kind::Module),
    ("const", Kind::Value),
    ("static", Kind::Value),
];

/// One declared name.
struct Declared<'a> {
    name: &'a str,
    kind: Kind,
    is_public: bool,
}

fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(file, _)| file.member().is_some())
        .flat_map(|(file, code)| breaches(file, code))
        .collect()
}

fn breaches(file: &File, code: &Code) -> Vec<Violation> {
    let mut found: Vec<_> = catch_all(file).into_iter().collect();
    let mut line_start = 0;
    for (number, line) in (1..).zip(code.bare.split_inclusive('\n')) {
        let fault = declared(line).filter(|_| !file.is_test(line_start)).and_then(|name| fault(&name));
        found.extend(fault.map(|(what, instead)| Violation::new(file, number, what, instead)));
        line_start += line.len();
    }
    found
}

/// A file whose own name, or whose folder's, is a catch-all.
fn catch_all(file: &File) -> Option<Violation> {
    let mut parts = file.inside_member()?.trim_end_matches(".rs").split('/');
    let name = parts.find(|part| CATCH_ALLS.contains(part))?;
    Some(Violation::new(
        file,
        1,
        format!("a module named `{name}` could hold anything"),
        "name the noun it is",
    ))
}

/// What is wrong with a name, and what to do instead.
fn fault(declared: &Declared<'_>) -> Option<(String, String)> {
    let Declared { name, kind, is_public } = *declared;
    if ALLOWED.iter().any(|(allowed, _)| *allowed == name) {
        return None;
    }
    if kind == Kind::Type && says_nothing(name) {
        return Some((format!("the type name `{name}` says nothing"), "name what it is".to_owned()));
    }
    if kind == Kind::Module && CATCH_ALLS.contains(&name) {
        return Some((
            format!("a module named `{name}` could hold anything"),
            "name the noun it is".to_owned(),
        ));
    }
    if kind == Kind::Function && name.starts_with("get_") {
        return Some((
            format!("`{name}` begins with `get_`"),
            "name what it gives, without the verb".to_owned(),
        ));
    }
    let (theirs, ours) =
        SYNONYMS.iter().find(|(theirs, _)| is_public && segments(name).any(|word| word == *theirs))?;
    Some((format!("`{name}` says {theirs}"), format!("the word here is: {ours}")))
}

fn says_nothing(name: &str) -> bool {
    let endings = ["Manager", "Utils", "Util", "Helper", "Helpers"];
    name == "Data" || endings.iter().any(|ending| name.ends_with(ending))
}

/// The words in a name, in lower case: `lag`, `bytes` and `max` of `lag_bytes_max`, `LagBytesMax`.
pub(super) fn segments(name: &str) -> impl Iterator<Item = String> {
    let is_constant = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let mut spread = String::with_capacity(name.len() * 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !is_constant {
            spread.push('_');
        }
        spread.push(letter.to_ascii_lowercase());
    }
    spread.split('_').map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// What a line declares. Formatted code declares one thing per line, at its beginning.
fn declared(line: &str) -> Option<Declared<'_>> {
    let line = line.trim_start();
    let (is_public, rest) = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with(' ') => (true, rest),
        Some(rest) if rest.starts_with('(') => (true, rest.split_once(')')?.1),
        _ => (false, line),
    };
    let mut words = rest.split(|letter| !is_word(letter)).filter(|word| !word.is_empty()).peekable();
    let first = words.next()?;
    if is_public && rest.trim_start()[first.len()..].starts_with(':') {
        return Some(Declared { name: first, kind: Kind::Value, is_public });
    }
    let before_fn = ["const", "async", "unsafe", "extern"];
    let mut keyword = first;
    while before_fn.contains(&keyword)
        && words.peek().is_some_and(|next| before_fn.contains(next) || *next == "fn")
    {
        keyword = words.next()?;
    }
    let (_, kind) = KEYWORDS.iter().find(|(word, _)| *word == keyword)?;
    Some(Declared { name: words.next()?, kind: *kind, is_public })
}

const GOOD: &[&[(&str, &str)]] = &[
    &[(
        "crates/a/src/lib.rs",
        "pub struct EventData;\npub fn position() { x.get_mut(); }\nfn channel() {}\n",
    )],
    &[("crates/a/src/lib.rs", "/// pub struct Topic;\npub mod streams;\nconst HEADROOM: u8 = 0;\n")],
    &[("crates/a/tests/a.rs", "fn get_of_an_early_stream_waits() {}\npub struct Cursor;\n")],
    &[("crates/a/src/lib.rs", "pub const HEADROOM: u8 = 0;\nuse tokio::sync::broadcast::channel;\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "struct StreamManager;\n")],
    &[("crates/a/src/lib.rs", "enum Data { A }\n")],
    &[("crates/a/src/lib.rs", "pub(crate) struct PathUtils;\n")],
    &[("crates/a/src/helpers.rs", "")],
    &[("crates/a/tests/common/mod.rs", "")],
    &[("crates/a/src/lib.rs", "mod misc {}\n")],
    &[("crates/a/src/lib.rs", "    pub async fn get_event() {}\n")],
    &[("crates/a/src/lib.rs", "const unsafe fn get_it() {}\n")],
    &[("crates/a/src/lib.rs", "pub struct Topic;\n")],
    &[("crates/a/src/lib.rs", "pub trait ChannelSet {}\n")],
    &[("crates/a/src/lib.rs", "pub fn next_offset() {}\n")],
    &[("crates/a/src/lib.rs", "struct A {\n    pub cursor: u64,\n}\n")],
    &[("crates/a/src/lib.rs", "pub(crate) const PRODUCERS_MAX: u8 = 0;\npub type Consumer = u8;\n")],
    &[("crates/a/src/lib.rs", "pub enum MessageKind {}\n")],
];
