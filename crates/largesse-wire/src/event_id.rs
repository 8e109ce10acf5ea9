//! The id of an event, as text: the value of an `id:` line.
//!
//! Invariants: `1 <= bytes_len <= EVENT_ID_BYTES_MAX`; the first `bytes_len` bytes are from
//! `[A-Za-z0-9._~-]`; all bytes after them are 0, so that equality and hashing of the whole array mean
//! equality of the text.
//!
//! It does not know what an id means. Positions and incarnations are the log's.

use std::fmt;

/// The longest [`EventId`], in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 128;

/// The value of an `id:` line as we emit it. Stored in place, without an allocation.
///
/// - Shape: `1..=`[`EVENT_ID_BYTES_MAX`] bytes of `[A-Za-z0-9._~-]`.
/// - Source: ours, a subset of WHATWG HTML, "Interpreting an event stream", which allows any text without
///   NUL. These bytes need no escape in a URL or a header (RFC 3986, "Unreserved Characters"), and some
///   readers reconnect forever when an id is not ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId {
    bytes: [u8; EVENT_ID_BYTES_MAX],
    bytes_len: u8,
}

// The length of an id fits its field.
const _: () = assert!(EVENT_ID_BYTES_MAX <= u8::MAX as usize);

impl EventId {
    /// Checks `raw` and keeps a copy of it.
    ///
    /// # Errors
    /// [`EventIdError`] says which rule `raw` breaks, and where.
    pub fn parse(raw: &str) -> Result<Self, EventIdError> {
        if raw.is_empty() {
            return Err(EventIdError::Empty);
        }
        let too_long = EventIdError::TooLong { bytes: raw.len() };
        let bytes_len = u8::try_from(raw.len()).map_err(|_| too_long.clone())?;
        let mut bytes = [0; EVENT_ID_BYTES_MAX];
        bytes.get_mut(..raw.len()).ok_or(too_long)?.copy_from_slice(raw.as_bytes());
        match raw.bytes().position(|byte| !is_allowed(byte)) {
            Some(at) => Err(EventIdError::ForbiddenByte { byte: bytes[at], at }),
            None => Ok(Self { bytes, bytes_len }),
        }
    }

    /// The id as written on the line.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("parse lets only ASCII in")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.bytes_len)]
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-')
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventId").field(&self.as_str()).finish()
    }
}

/// Why a text is not a valid [`EventId`]. The caller has to choose another id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventIdError {
    /// The text has no bytes. An empty `id:` line would make every reader forget its place.
    #[error("an event id needs at least 1 byte")]
    Empty,
    /// The text is longer than [`EVENT_ID_BYTES_MAX`].
    #[error("the event id has {bytes} bytes; at most {EVENT_ID_BYTES_MAX} are allowed")]
    TooLong {
        /// The length of the text, in bytes.
        bytes: usize,
    },
    /// The text holds a byte outside `[A-Za-z0-9._~-]`.
    #[error(
        "the event id contains the byte 0x{byte:02X} at byte {at}; allowed are A-Z, a-z, 0-9, '.', '_', '~' and '-'"
    )]
    ForbiddenByte {
        /// The first such byte.
        byte: u8,
        /// Its place, in bytes from the start of the text.
        at: usize,
    },
}

#[cfg(test)]
mod tests;
