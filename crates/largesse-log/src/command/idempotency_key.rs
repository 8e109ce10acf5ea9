//! The publisher's name for a publish, by which a repeat is recognised.
//!
//! Invariant: a key is `1..=`[`IDEMPOTENCY_KEY_BYTES_MAX`] bytes of visible ASCII. Does not know what was
//! published under it: engines remember that.

use std::{fmt, sync::Arc};

/// The most bytes a key has.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;

/// An `Idempotency-Key`.
///
/// - Shape: `1..=`[`IDEMPOTENCY_KEY_BYTES_MAX`] bytes, each `0x21..=0x7E`. Cheap to clone.
/// - Source: SPEC of Largesse, "Idempotent" (ours).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(Arc<str>);

/// Why a text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdempotencyKeyError {
    /// It is empty.
    #[error(
        "the idempotency key is empty; it needs 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters"
    )]
    Empty,
    /// It is too long.
    #[error("the idempotency key has {bytes} bytes; at most {IDEMPOTENCY_KEY_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A byte that is not visible ASCII.
    #[error(
        "the idempotency key has the byte {byte:#04x} at {at}; only visible ASCII (0x21 to 0x7e) is allowed"
    )]
    ForbiddenByte {
        /// The byte.
        byte: u8,
        /// Where it is, from 0.
        at: usize,
    },
}

impl IdempotencyKey {
    /// Checks a key.
    ///
    /// # Errors
    /// [`IdempotencyKeyError`], which locates the offending byte.
    pub fn parse(raw: &str) -> Result<Self, IdempotencyKeyError> {
        if raw.is_empty() {
            return Err(IdempotencyKeyError::Empty);
        }
        if raw.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            return Err(IdempotencyKeyError::TooLong { bytes: raw.len() });
        }
        match raw.bytes().enumerate().find(|(_, byte)| !byte.is_ascii_graphic()) {
            Some((at, byte)) => Err(IdempotencyKeyError::ForbiddenByte { byte, at }),
            None => Ok(Self(raw.into())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
