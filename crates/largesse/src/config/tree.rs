//! Values as they were written, each with its origin: what a file, variables and flags become before serde reads them.
//!
//! Invariant: `Display` is TOML, on one line. Does not know which values a key accepts.

use std::{collections::BTreeMap, fmt};

use serde_path_to_error::Segment;

use super::origin::Origin;

/// A value as it was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    /// What no key accepts, as it was written: a fraction, a date, an integer out of range.
    Other(String),
    /// Replaces a missing value, so that what follows can be read.
    Blank,
}

impl Node {
    pub(crate) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// A table without entries.
    pub(crate) fn root() -> Self {
        Self::new(Value::Table(BTreeMap::new()), Origin::Default)
    }

    /// A list of texts.
    pub(crate) fn texts(texts: impl Iterator<Item = String>, origin: &Origin) -> Self {
        let items = texts.map(|text| Self::new(Value::Text(text), origin.clone())).collect();
        Self::new(Value::List(items), origin.clone())
    }

    /// The value at a key's dotted path.
    pub(crate) fn key(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, name| node.entries()?.get(name))
    }

    /// The value at a path.
    pub(crate) fn at(&mut self, path: &[Segment]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, segment| match (&mut node.value, segment) {
            (Value::Table(entries), Segment::Map { key }) => entries.get_mut(key),
            (Value::List(items), Segment::Seq { index }) => items.get_mut(*index),
            _ => None,
        })
    }

    /// Removes the value at a path.
    pub(crate) fn remove(&mut self, path: &[Segment]) -> Option<Self> {
        let (last, above) = path.split_last()?;
        match (&mut self.at(above)?.value, last) {
            (Value::Table(entries), Segment::Map { key }) => entries.remove(key),
            (Value::List(items), Segment::Seq { index }) => {
                (*index < items.len()).then(|| items.remove(*index))
            }
            _ => None,
        }
    }

    /// Puts a value at a key's dotted path, and creates the sections on the way.
    pub(crate) fn put(&mut self, path: &str, node: Self) {
        self.lay(path.rsplit('.').fold(node, |inner, name| {
            let origin = inner.origin.clone();
            Self::new(Value::Table([(name.to_owned(), inner)].into()), origin)
        }));
    }

    /// Lays a stronger value over this one: two tables are merged, anything else is replaced.
    pub(crate) fn lay(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(below), Value::Table(above)) => {
                for (name, node) in above {
                    match below.get_mut(&name) {
                        Some(under) => under.lay(node),
                        None => drop(below.insert(name, node)),
                    }
                }
            }
            (_, value) => *self = Self::new(value, over.origin),
        }
    }

    pub(crate) fn entries(&self) -> Option<&BTreeMap<String, Self>> {
        if let Value::Table(entries) = &self.value { Some(entries) } else { None }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// Whether this value is or contains a blank.
    pub(crate) fn has_blank(&self) -> bool {
        self.value == Value::Blank
            || self.items().iter().any(Self::has_blank)
            || self.entries().is_some_and(|entries| entries.values().any(Self::has_blank))
    }

    /// What is around a text that a shell would have removed, and a file of variables keeps.
    pub(crate) fn stray(&self) -> Option<&'static str> {
        self.text().and_then(stray).or_else(|| self.items().iter().find_map(Self::stray))
    }
}

/// The same of one text.
pub(crate) fn stray(text: &str) -> Option<&'static str> {
    if text.contains(|letter: char| letter.is_control()) {
        Some("there is a line break or another control character in it: leave it out")
    } else if text.trim() != text {
        Some("there is a space at its beginning or its end: leave it out")
    } else if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        Some("the quotes are part of the value: leave them out")
    } else {
        None
    }
}

const QUOTES: [char; 5] = ['"', '\'', '`', '\u{201c}', '\u{201d}'];

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Text(text) => write!(f, "{}", quoted(text)),
            Value::Integer(integer) => write!(f, "{integer}"),
            Value::Boolean(boolean) => write!(f, "{boolean}"),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Value::Table(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(name, node)| format!("{} = {node}", key_text(name))).collect();
                write!(f, "{{ {} }}", entries.join(", "))
            }
            Value::Other(written) => f.write_str(written),
            Value::Blank => Ok(()),
        }
    }
}

/// On one line: TOML's own writer puts a text with line breaks on several. JSON strings are TOML strings, except for DEL.
fn quoted(text: &str) -> String {
    if text.contains(|letter: char| letter.is_control()) {
        serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
    } else {
        toml::Value::from(text).to_string()
    }
}

/// A name as TOML writes it before `=`: quoted where it has to be.
pub(crate) fn key_text(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}
