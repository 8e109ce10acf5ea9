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
