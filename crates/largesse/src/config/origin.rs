//! Where a value came from.

use std::{fmt, sync::Arc};

/// Where a value came from, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody gave one.
    Default,
    /// The configuration file.
    File {
        /// As it was named.
        path: Arc<str>,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
    /// The command line.
    Flag {
        /// Its long name, without dashes.
        name: &'static str,
    },
}

impl Origin {
    /// The line in a file, counted from 1; 0 elsewhere.
    pub(crate) fn line(&self) -> usize {
        match self {
            Self::File { line, .. } => *line,
            _ => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.escape_debug()),
            Self::Environment { name } => write!(f, "environment, {name}"),
            Self::Flag { name } => write!(f, "flag, --{name}"),
        }
    }
}
