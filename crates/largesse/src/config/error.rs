//! What is wrong with a configuration, in words for whoever wrote it.
//!
//! Invariant: a mistake is one line that names the place, the key, the value, and what would be right.

use std::fmt;

use super::{keys::Key, origin::Origin, raw::Raw};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    line: String,
}

impl ConfigError {
    /// A value its key does not take.
    pub(crate) fn at_value(key: &Key, raw: &Raw, origin: &Origin, problem: &str) -> Self {
        let path = key.path;
        let many = if key.slot.takes_a_list() { several(origin) } else { "" };
        let line = match origin {
            Origin::Default | Origin::File { .. } => format!("{origin}: {path} = {raw}: {problem}{many}"),
            Origin::Environment { name } => {
                format!("environment: {name} = {} ({path}): {problem}{many}", outside_a_file(raw, ","))
            }
            Origin::Flag { name } => {
                let given = outside_a_file(raw, &format!("\" --{name} \""));
                format!("command line: --{name} {given} ({path}): {problem}{many}")
            }
        };
        Self { line }
    }

    /// Two values that are right alone, but not together.
    pub(crate) fn between(low: &str, high: &str) -> Self {
        Self { line: format!("{low} is more than {high}: make the first smaller or the second larger") }
    }

    /// Anything else, at a place.
    pub(crate) fn at(place: &impl fmt::Display, problem: &str) -> Self {
        Self { line: format!("{place}: {problem}") }
    }
}

/// A value as it was given where there are no lists: they are a file's.
fn outside_a_file(raw: &Raw, between: &str) -> String {
    match raw {
        Raw::List(texts) => format!("\"{}\"", texts.join(between)),
        raw => raw.to_string(),
    }
}

/// How several values are written there.
fn several(origin: &Origin) -> &'static str {
    match origin {
        Origin::Default | Origin::File { .. } => "; several stand in [ ], with commas between",
        Origin::Environment { .. } => "; between several stands a comma",
        Origin::Flag { .. } => "; for several, give the flag several times",
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
