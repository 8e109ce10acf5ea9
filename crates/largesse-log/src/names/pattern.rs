//! A pattern over stream names.
//!
//! Invariant: a pattern has at least one star, and a star is a whole segment; `**` is only the last. So a
//! match visits each segment once, without backtracking. Does not select: that is `selection.rs`.

use std::{fmt, sync::Arc};

use crate::{StreamName, StreamNameError, names::stream_name::check_text};

/// A pattern: `prices/*` is one more segment, `prices/**` one or more.
///
/// - Shape: as a [`StreamName`], with at least one segment `*` or, as the last, `**`.
/// - Order: by bytes. Cheap to clone.
/// - Source: SPEC of Largesse §3 (ours).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Arc<str>);

/// One segment of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternSegment<'a> {
    /// Just this segment.
    Literal(&'a str),
    /// `*`: any one segment.
    One,
    /// `**`: one or more segments, to the end.
    Rest,
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It breaks a rule that applies to names too.
    #[error(transparent)]
    Name(StreamNameError),
    /// There is no star in it.
    #[error("the pattern {pattern:?} has no `*` segment; it is a name")]
    NoStar {
        /// The text.
        pattern: Box<str>,
    },
    /// A star is only a part of its segment.
    #[error("segment {number} of the pattern is {segment:?}; a `*` or `**` must be the whole segment")]
    PartOfSegment {
        /// Which segment, from 1.
        number: usize,
        /// The segment.
        segment: Box<str>,
    },
    /// `**` is not the last segment.
    #[error("segment {number} of the pattern is `**`, which is only allowed as the last")]
    RestNotLast {
        /// Which segment, from 1.
        number: usize,
    },
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// [`PatternError`], which names the offending segment.
    pub fn parse(raw: &str) -> Result<Self, PatternError> {
        check_text(raw).map_err(PatternError::Name)?;
        let segments_total = raw.split('/').count();
        for (index, segment) in raw.split('/').enumerate() {
            let number = index + 1;
            if segment == "**" && number < segments_total {
                return Err(PatternError::RestNotLast { number });
            }
            if segment.contains('*') && !matches!(segment, "*" | "**") {
                return Err(PatternError::PartOfSegment { number, segment: segment.into() });
            }
        }
        if !raw.contains('*') {
            return Err(PatternError::NoStar { pattern: raw.into() });
        }
        Ok(Self(raw.into()))
    }

    /// Whether the pattern matches `name`.
    #[must_use]
    pub fn matches(&self, name: &StreamName) -> bool {
        let mut names = name.segments();
        for segment in self.segments() {
            let Some(found) = names.next() else { return false };
            match segment {
                PatternSegment::Literal(wanted) if wanted != found => return false,
                PatternSegment::Literal(_) | PatternSegment::One => {}
                PatternSegment::Rest => return true,
            }
        }
        names.next().is_none()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes; at least one.
    pub fn segments(&self) -> impl Iterator<Item = PatternSegment<'_>> {
        self.0.split('/').map(|segment| match segment {
            "*" => PatternSegment::One,
            "**" => PatternSegment::Rest,
            literal => PatternSegment::Literal(literal),
        })
    }

    /// The prefix of every matching name: the text before the first star.
    pub(crate) fn literal_prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", &*self.0)
    }
}

#[cfg(test)]
mod tests;
