//! The name of an event: the value of an `event:` line.
//!
//! Invariant: `1 <= bytes <= EVENT_NAME_BYTES_MAX`, and no byte is CR, LF or NUL.
//!
//! It does not reserve names. Which names are control events is not the format's business.

use std::fmt;

/// The longest [`EventName`], in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 512;

/// The value of an `event:` line.
///
/// - Shape: UTF-8, `1..=`[`EVENT_NAME_BYTES_MAX`] bytes, without CR, LF or NUL.
/// - Source: WHATWG HTML, "Interpreting an event stream". A CR or LF would end the line early and let a
///   publisher forge fields for every reader. The length and the ban on NUL are ours: readers disagree on
///   NUL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventName(Box<str>);

impl EventName {
    /// Checks `raw` and keeps a copy of it.
    ///
    /// # Errors
    /// [`EventNameError`] says which rule `raw` breaks, and where.
    pub fn parse(raw: &str) -> Result<Self, EventNameError> {
        if raw.is_empty() {
            return Err(EventNameError::Empty);
        }
        if raw.len() > EVENT_NAME_BYTES_MAX {
            return Err(EventNameError::TooLong { bytes: raw.len() });
        }
        if let Some(at) = memchr::memchr3(b'\r', b'\n', 0, raw.as_bytes()) {
            return Err(EventNameError::ForbiddenByte { byte: raw.as_bytes()[at], at });
        }
        Ok(Self(raw.into()))
    }

    /// The name as written on the line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a text is not a valid [`EventName`]. The caller has to choose another name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventNameError {
    /// The text has no bytes. An event without a name has no `event:` line at all.
    #[error("an event name needs at least 1 byte; for an event without a name, leave it out")]
    Empty,
    /// The text is longer than [`EVENT_NAME_BYTES_MAX`].
    #[error("the event name has {bytes} bytes; at most {EVENT_NAME_BYTES_MAX} are allowed")]
    TooLong {
        /// The length of the text, in bytes.
        bytes: usize,
    },
    /// The text holds a CR, an LF or a NUL.
    #[error("the event name contains the byte 0x{byte:02X} at byte {at}; CR, LF and NUL are not allowed")]
    ForbiddenByte {
        /// The first such byte.
        byte: u8,
        /// Its place, in bytes from the start of the text.
        at: usize,
    },
}

#[cfg(test)]
mod tests;
