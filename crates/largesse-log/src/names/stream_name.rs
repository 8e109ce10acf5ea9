//! The name of a stream.
//!
//! Invariant: a [`StreamName`] obeys every rule that [`StreamName::parse`] checks, so it can be used in a path
//! or in a response without another check. Does not know percent-encoding: doors decode first.

use std::{fmt, sync::Arc};

/// The most bytes a name has. Source: SPEC of Largesse §3 (ours).
pub const STREAM_NAME_BYTES_MAX: usize = 512;

/// A stream's name: `prices`, `videos/7`, `team/a/chat`.
///
/// - Shape: `1..=`[`STREAM_NAME_BYTES_MAX`] bytes of UTF-8; no control character, no `*`; segments between
///   slashes are not empty, `.` or `..`.
/// - Order: by bytes. Cheap to clone.
/// - Source: SPEC of Largesse §3 (ours). URL parsers remove `.` and `..` from paths.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

/// Why a text is not a stream's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamNameError {
    /// It is empty.
    #[error("the stream's name is empty; it needs 1 to {STREAM_NAME_BYTES_MAX} bytes")]
    Empty,
    /// It is too long.
    #[error("the stream's name has {bytes} bytes; at most {STREAM_NAME_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A control character.
    #[error("the stream's name has the control character {character:?} at byte {at}; leave it out")]
    ControlCharacter {
        /// The character.
        character: char,
        /// Where it is, in bytes from the start.
        at: usize,
    },
    /// A star, which only patterns may have.
    #[error("the stream's name has a `*` at byte {at}; only patterns have stars")]
    Star {
        /// Where it is, in bytes from the start.
        at: usize,
    },
    /// A segment that a path cannot hold.
    #[error("segment {number} of the stream's name is {segment:?}; it must not be empty, `.` or `..`")]
    Segment {
        /// Which segment, from 1.
        number: usize,
        /// The segment.
        segment: &'static str,
    },
}

impl StreamName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`StreamNameError`], which names what is wrong and what would be right.
    pub fn parse(raw: &str) -> Result<Self, StreamNameError> {
        check_text(raw)?;
        if let Some(at) = raw.find('*') {
            return Err(StreamNameError::Star { at });
        }
        Ok(Self(raw.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes; at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

/// The rules that names and patterns share: all except those about stars.
pub(crate) fn check_text(raw: &str) -> Result<(), StreamNameError> {
    if raw.is_empty() {
        return Err(StreamNameError::Empty);
    }
    if raw.len() > STREAM_NAME_BYTES_MAX {
        return Err(StreamNameError::TooLong { bytes: raw.len() });
    }
    if let Some((at, character)) = raw.char_indices().find(|(_, c)| c.is_control()) {
        return Err(StreamNameError::ControlCharacter { character, at });
    }
    raw.split('/').enumerate().try_for_each(|(index, segment)| check_segment(index + 1, segment))
}

fn check_segment(number: usize, segment: &str) -> Result<(), StreamNameError> {
    let segment = match segment {
        "" => "",
        "." => ".",
        ".." => "..",
        _ => return Ok(()),
    };
    Err(StreamNameError::Segment { number, segment })
}

impl std::borrow::Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamName({:?})", &*self.0)
    }
}

#[cfg(test)]
mod tests;
