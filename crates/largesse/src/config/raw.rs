//! A value as somebody wrote it, before it is checked.
//!
//! Invariant: `Display` is TOML. Does not know what any key wants.

use std::fmt;

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    /// A text.
    Text(String),
    /// A whole number, from a file.
    Integer(i64),
    /// Several texts.
    List(Vec<String>),
    /// Something that no key takes.
    Other {
        /// What it is, with its article.
        what: &'static str,
        /// As it is written.
        written: String,
    },
}

impl Raw {
    /// The empty text.
    pub(crate) fn empty() -> Self {
        Self::Text(String::new())
    }
}

impl Raw {
    /// What stands in a text beside the value, as shells take it away and files of variables do not.
    pub(crate) fn dressing(&self) -> Option<&'static str> {
        match self {
            Self::Text(text) => dressing(text),
            Self::List(texts) => texts.iter().find_map(|text| dressing(text)),
            Self::Integer(_) | Self::Other { .. } => None,
        }
    }
}

/// The same of one text.
pub(crate) fn dressing(text: &str) -> Option<&'static str> {
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

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", quoted(text)),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::List(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Self::Other { written, .. } => write!(f, "{written}"),
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
