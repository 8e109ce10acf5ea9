//! The value of a `retry` line, as it is read: a number, or not one.
//!
//! Invariant: constant size, however long the line.
//!
//! It does not hold the digits.

/// What the value says so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Digits {
    /// No byte yet.
    #[default]
    Empty,
    /// ASCII digits only. Saturated at [`u64::MAX`].
    Number(u64),
    /// Some byte was not an ASCII digit: the line is ignored.
    Refused,
}

impl Digits {
    pub(super) fn extended(self, value: &[u8]) -> Self {
        value.iter().fold(self, |digits, &byte| digits.pushed(byte))
    }

    fn pushed(self, byte: u8) -> Self {
        if !byte.is_ascii_digit() {
            return Self::Refused;
        }
        let digit = u64::from(byte - b'0');
        match self {
            Self::Empty => Self::Number(digit),
            Self::Number(number) => Self::Number(number.saturating_mul(10).saturating_add(digit)),
            Self::Refused => Self::Refused,
        }
    }

    pub(super) fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Empty | Self::Refused => None,
        }
    }
}
