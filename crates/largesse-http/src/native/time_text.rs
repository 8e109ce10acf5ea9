//! Times as text: RFC 3339, in UTC, with milliseconds.
//!
//! Invariant: every time of the log has a text, the ones beyond the calendar too (they are held at its end).
//! Does not ask a clock.

use jiff::Timestamp;
use largesse_log::UnixMs;

/// Such as `2026-11-20T08:00:00.000Z`.
pub(crate) fn rfc3339(time: UnixMs) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    format!("{time:.3}")
}

/// A time with its offset from UTC. Times before 1970 count as 1970: the log has none.
///
/// A plus that was not escaped in a query comes as a space. There is no other reason for a space after the
/// `T`, so it is taken for one.
pub(crate) fn parse(text: &str) -> Option<UnixMs> {
    let (date, time) = text.split_once(['T', 't'])?;
    let whole = format!("{date}T{}", time.replace(' ', "+"));
    let ms = whole.parse::<Timestamp>().ok()?.as_millisecond();
    Some(UnixMs(u64::try_from(ms).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<u64>) {
        assert_eq!(parse(text).map(|time| time.0), want, "{text}");
    }

    #[test]
    fn a_time_needs_its_offset() {
        check("1970-01-01T00:00:01Z", Some(1_000));
        check("1970-01-01T00:00:01.5Z", Some(1_500));
        check("1970-01-01T01:00:00+01:00", Some(0));
        check("1970-01-01T01:00:00 01:00", Some(0));
        check("1969-12-31T23:00:00-02:00", Some(3_600_000));
        check("1960-01-01T00:00:00Z", Some(0));
        check("1970-01-01T00:00:00", None);
        check("1970-01-01", None);
        check("yesterday", None);
        check("", None);
    }

    #[test]
    fn a_time_is_written_with_milliseconds() {
        assert_eq!(rfc3339(UnixMs(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(UnixMs(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
        assert!(rfc3339(UnixMs(u64::MAX)).starts_with("9999-12-3"));
    }
}
