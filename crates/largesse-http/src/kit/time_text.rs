//! Times as text: RFC 3339, in UTC, with milliseconds.
//!
//! Invariant: every time of the log has a text; those beyond the calendar are held at its end. Does not ask a clock.

use jiff::Timestamp;
use largesse_log::UnixMs;

/// Such as `2026-11-20T08:00:00.000Z`.
#[must_use]
pub fn rfc3339(time: UnixMs) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    format!("{time:.3}")
}

/// The time of a text that says its offset from UTC, in milliseconds since 1970; negative before. The log has none of
/// those.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_milliseconds() {
        assert_eq!(rfc3339(UnixMs(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(UnixMs(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
        assert!(rfc3339(UnixMs(u64::MAX)).starts_with("9999-12-3"));
    }

    #[test]
    fn a_time_that_is_read_says_its_offset() {
        let rows = [
            ("1970-01-01T00:00:01.5Z", Some(1_500)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1_000)),
            ("1970-01-01T00:00:00", None),
            ("1970-01-01T01:00:00 01:00", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_rfc3339(text), want, "{text}");
        }
    }
}
