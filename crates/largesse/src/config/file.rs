//! The configuration file: TOML, with the line of every value.
//!
//! Invariant: only a bounded part of the file is read. Does not know keys: `reading.rs` finds out what is wrong with them.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use largesse::log::BytesText;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    error::ConfigError,
    kinds,
    origin::Origin,
    tree::{Node, Value},
};

/// The largest configuration file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The values in the file at `path`.
pub(crate) fn read(path: &Path, mistakes: &mut Vec<ConfigError>) -> Node {
    let shown = path.display().to_string();
    match text(path) {
        Ok(text) => parse(&shown, &text, mistakes),
        Err(error) => {
            let why =
                kinds::path(&path.to_string_lossy()).err().map_or_else(String::new, |why| format!("; {why}"));
            mistakes.push(ConfigError::at(
                &shown,
                &format!("the configuration file cannot be read: {error}{why}"),
            ));
            Node::root()
        }
    }
}

/// Larger files are refused unread: a device has no end.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {}", BytesText(FILE_BYTES_MAX))));
    }
    Ok(text)
}

/// The values in `text`.
pub(crate) fn parse(path: &str, text: &str, mistakes: &mut Vec<ConfigError>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = Lines { path: path.into(), ends: text.match_indices('\n').map(|(at, _)| at).collect() };
    for error in &errors {
        let problem = format!("not TOML: {}", error.message().replace('\n', ", "));
        mistakes.push(ConfigError::at(&lines.origin(error.span().unwrap_or_default().start), &problem));
    }
    // Values recovered around a syntax error may not be the ones that were meant.
    if errors.is_empty() { lines.node(0, &DeValue::Table(table.into_inner())) } else { Node::root() }
}

/// A key's default, written as in a file.
pub(crate) fn default(text: &str) -> Option<Node> {
    let value = DeValue::parse(text).ok()?.into_inner();
    let mut node = Lines { path: "".into(), ends: Vec::new() }.node(0, &value);
    node.origin = Origin::Default;
    Some(node)
}

/// Where the lines of a file end.
struct Lines {
    path: Arc<str>,
    ends: Vec<usize>,
}

impl Lines {
    /// The place of a byte.
    fn origin(&self, byte: usize) -> Origin {
        let line = 1 + self.ends.partition_point(|end| *end < byte);
        Origin::File { path: Arc::clone(&self.path), line }
    }

    /// A value that begins at `byte`, with its name if it has one.
    fn node(&self, byte: usize, value: &DeValue<'_>) -> Node {
        let value = match value {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .map_or_else(|_| Value::Other(integer.to_string()), Value::Integer),
            DeValue::Float(float) => Value::Other(float.as_str().to_owned()),
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(time) => Value::Other(time.to_string()),
            DeValue::Array(items) => {
                let node = |item: &Spanned<DeValue<'_>>| self.node(item.span().start, item.get_ref());
                Value::List(items.iter().map(node).collect())
            }
            DeValue::Table(entries) => {
                let entry = |(name, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
                    (name.get_ref().clone().into_owned(), self.node(name.span().start, value.get_ref()))
                };
                Value::Table(entries.iter().map(entry).collect())
            }
        };
        Node::new(value, self.origin(byte))
    }
}
