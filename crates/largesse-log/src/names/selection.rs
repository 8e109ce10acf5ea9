//! What one reader reads: a stream, or several by names and patterns.
//!
//! Invariant: names and patterns are sorted and without duplicates, so two selections with the same selectors
//! have the same fingerprint. Does not know which streams there are.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::{Pattern, PatternError, StreamName, StreamNameError};

/// The most selectors in one selection. Each costs every read a lookup.
pub const SELECTORS_MAX: usize = 256;

/// The most patterns in one selection. Each costs a comparison for every event that a read visits.
pub const PATTERNS_MAX: usize = 32;

/// One element of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// A stream by its name.
    Name(StreamName),
    /// All streams that match.
    Pattern(Pattern),
}

/// Why a text is neither a name nor a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// It has no star, and is not a valid name.
    #[error(transparent)]
    Name(#[from] StreamNameError),
    /// It has a star, and is not a valid pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl Selector {
    /// Checks a text: with a `*` anywhere it is taken for a pattern, otherwise for a name.
    ///
    /// # Errors
    /// [`SelectorError`], with the error of the name or the pattern.
    pub fn parse(raw: &str) -> Result<Self, SelectorError> {
        if raw.contains('*') {
            return Ok(Self::Pattern(Pattern::parse(raw)?));
        }
        Ok(Self::Name(StreamName::parse(raw)?))
    }
}

/// The streams of one reader. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Arc<Selected>);

#[derive(Debug, PartialEq, Eq)]
struct Selected {
    names: Vec<StreamName>,
    patterns: Vec<Pattern>,
    form: Form,
    fingerprint: SelectionFingerprint,
}

/// Which kind of request a selection came with: each is told of ends differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One stream, by its path.
    One,
    /// A list, even if it has one name.
    Many,
}

/// The part of a selection that an end id carries. Source: XXH3, 64 bits, over the sorted names and patterns, each with
/// its kind and length before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SelectionFingerprint(pub u64);

/// Why selectors do not make a selection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There are none.
    #[error("no stream is named; name 1 to {SELECTORS_MAX} streams or patterns")]
    Empty,
    /// There are too many.
    #[error("{selectors} streams and patterns are named; at most {SELECTORS_MAX} are allowed")]
    TooMany {
        /// How many there are.
        selectors: usize,
    },
    /// There are too many patterns.
    #[error("{patterns} patterns are named; at most {PATTERNS_MAX} are allowed")]
    TooManyPatterns {
        /// How many there are.
        patterns: usize,
    },
}

impl Selection {
    /// One stream.
    #[must_use]
    pub fn one(name: StreamName) -> Self {
        Self::new(vec![name], Vec::new(), Form::One)
    }

    /// Several streams. Duplicates are dropped; a name that a pattern covers too may stay, and its events come
    /// once.
    ///
    /// # Errors
    /// [`SelectionError`] when there are none, more than [`SELECTORS_MAX`], or more than [`PATTERNS_MAX`]
    /// patterns.
    pub fn many(selectors: Vec<Selector>) -> Result<Self, SelectionError> {
        if selectors.is_empty() {
            return Err(SelectionError::Empty);
        }
        if selectors.len() > SELECTORS_MAX {
            return Err(SelectionError::TooMany { selectors: selectors.len() });
        }
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for selector in selectors {
            match selector {
                Selector::Name(name) => names.push(name),
                Selector::Pattern(pattern) => patterns.push(pattern),
            }
        }
        names.sort_unstable();
        names.dedup();
        patterns.sort_unstable();
        patterns.dedup();
        if patterns.len() > PATTERNS_MAX {
            return Err(SelectionError::TooManyPatterns { patterns: patterns.len() });
        }
        Ok(Self::new(names, patterns, Form::Many))
    }

    fn new(names: Vec<StreamName>, patterns: Vec<Pattern>, form: Form) -> Self {
        let fingerprint = fingerprint(&names, &patterns);
        Self(Arc::new(Selected { names, patterns, form, fingerprint }))
    }

    /// The streams selected by name, in byte order.
    #[must_use]
    pub fn names(&self) -> &[StreamName] {
        &self.0.names
    }

    /// The patterns, in byte order.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.0.patterns
    }

    /// Whether a stream is selected, by name or by pattern.
    #[must_use]
    pub fn matches(&self, name: &StreamName) -> bool {
        self.has_name(name) || self.0.patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether a stream is selected by its name.
    #[must_use]
    pub fn has_name(&self, name: &StreamName) -> bool {
        self.0.names.binary_search(name).is_ok()
    }

    /// One stream, or a list.
    #[must_use]
    pub fn form(&self) -> Form {
        self.0.form
    }

    /// The hash of the names and patterns, whatever the form.
    #[must_use]
    pub fn fingerprint(&self) -> SelectionFingerprint {
        self.0.fingerprint
    }
}

fn fingerprint(names: &[StreamName], patterns: &[Pattern]) -> SelectionFingerprint {
    let mut encoded = Vec::new();
    let names = names.iter().map(|name| (0_u8, name.as_str()));
    let patterns = patterns.iter().map(|pattern| (1_u8, pattern.as_str()));
    for (kind, text) in names.chain(patterns) {
        encoded.push(kind);
        encoded.extend_from_slice(&(text.len() as u64).to_be_bytes());
        encoded.extend_from_slice(text.as_bytes());
    }
    SelectionFingerprint(xxh3_64(&encoded))
}

#[cfg(test)]
mod tests;
