//! How long a reader waits before it connects again: the value of a `retry:` line.
//!
//! Invariant: `1 <= ms <= RETRY_MS_MAX`.
//!
//! It does not choose the time. Which value a connection gets is up to the door.

/// The longest [`Retry`], in milliseconds: one day.
pub const RETRY_MS_MAX: u32 = 86_400_000;

/// The value of a `retry:` line as we emit it, in milliseconds.
///
/// - Shape: `1..=`[`RETRY_MS_MAX`]. Never 0: some browsers then reconnect without a pause.
/// - Source: WHATWG HTML, "Interpreting an event stream"; the bounds are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Retry(u32);

impl Retry {
    /// `None` where `ms` is out of bounds.
    pub const fn from_ms(ms: u32) -> Option<Self> {
        if ms >= 1 && ms <= RETRY_MS_MAX { Some(Self(ms)) } else { None }
    }

    /// The time in milliseconds.
    pub const fn as_ms(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{RETRY_MS_MAX, Retry};

    #[test]
    fn a_retry_is_between_a_millisecond_and_a_day() {
        for (ms, want) in [
            (0, None),
            (1, Some(1)),
            (3000, Some(3000)),
            (RETRY_MS_MAX, Some(RETRY_MS_MAX)),
            (RETRY_MS_MAX + 1, None),
            (u32::MAX, None),
        ] {
            assert_eq!(Retry::from_ms(ms).map(Retry::as_ms), want, "{ms}");
        }
    }
}
