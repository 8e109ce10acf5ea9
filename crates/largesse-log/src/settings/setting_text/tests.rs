//! The text forms: valid and invalid, read and written.

use std::{fmt, str::FromStr, time::Duration};

use proptest::prelude::*;

use super::{AgeLimit, BytesLimit, BytesText, CountLimit, DurationText};

#[track_caller]
fn check<T>(raw: &str, want: T)
where
    T: FromStr<Err: fmt::Debug> + fmt::Debug + PartialEq,
{
    assert_eq!((raw, raw.parse::<T>().ok()), (raw, Some(want)));
}

#[track_caller]
fn check_refused<T: FromStr<Err: fmt::Display> + fmt::Debug>(raw: &str, want: &str) {
    assert_eq!(raw.parse::<T>().unwrap_err().to_string(), want);
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn durations_have_units() {
    check("7d", DurationText(seconds(7 * 86_400)));
    check("24h", DurationText(seconds(86_400)));
    check(" 1h 30m ", DurationText(seconds(5_400)));
    check("0s", DurationText(Duration::ZERO));
    let wanted = "is not a duration like \"90s\", \"15m\", \"24h\" or \"7d\"";
    for raw in ["", "7", "d", "-1s", "1 fortnight", "99999999999999999999d"] {
        check_refused::<DurationText>(raw, &format!("{raw:?} {wanted}"));
    }
}

#[test]
fn ages_may_be_unlimited_but_not_zero() {
    check("unlimited", AgeLimit(None));
    check("1ms", AgeLimit(Some(Duration::from_millis(1))));
    check_refused::<AgeLimit>("0s", "\"0s\" is too small: at least 1ms");
    let wanted = "\"ever\" is not a duration like \"24h\" or \"7d\", or \"unlimited\"";
    check_refused::<AgeLimit>("ever", wanted);
}

#[test]
fn bytes_have_binary_units_or_none() {
    check("64 MiB", BytesText(64 << 20));
    check("10GiB", BytesText(10 << 30));
    check("1048576", BytesText(1 << 20));
    check("18446744073709551615", BytesText(u64::MAX));
    check("unlimited", BytesLimit(None));
    check("1 KiB", BytesLimit(Some(1024)));
    check_refused::<BytesLimit>("0", "\"0\" is too small: at least 1");
    check_refused::<BytesText>(
        "much",
        "\"much\" is not a number of bytes like \"64 MiB\", \"10 GiB\" or 1048576",
    );
}

#[test]
fn counts_are_whole_numbers() {
    check("5", CountLimit(Some(5)));
    check("unlimited", CountLimit(None));
    check_refused::<CountLimit>("0", "\"0\" is too small: at least 1");
    for raw in ["", "-1", "+5", "1.5", "5 events", "99999999999999999999"] {
        let want = format!("{raw:?} is not a whole number, at least 1, or \"unlimited\"");
        check_refused::<CountLimit>(raw, &want);
    }
}

#[test]
fn values_are_written_as_people_write_them() {
    for (written, want) in [
        (DurationText(seconds(7 * 86_400)).to_string(), "7d"),
        (DurationText(seconds(86_400)).to_string(), "24h"),
        (DurationText(seconds(900)).to_string(), "15m"),
        (DurationText(seconds(90)).to_string(), "90s"),
        (DurationText(Duration::from_millis(1500)).to_string(), "1500ms"),
        (DurationText(Duration::ZERO).to_string(), "0s"),
        (BytesText(64 << 20).to_string(), "64 MiB"),
        (BytesText(1000).to_string(), "1000"),
        (AgeLimit(None).to_string(), "unlimited"),
        (CountLimit(Some(3)).to_string(), "3"),
    ] {
        assert_eq!(written, want);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(ns in any::<u64>(), secs in 0..1_u64 << 40, number in 1..u64::MAX, shift in 0..64_u32) {
        for duration in [Duration::from_nanos(ns), Duration::from_secs(secs)] {
            prop_assert_eq!(DurationText(duration).to_string().parse(), Ok(DurationText(duration)));
        }
        for bytes in [number, number >> shift << shift].map(|bytes: u64| bytes.max(1)) {
            prop_assert_eq!(BytesText(bytes).to_string().parse(), Ok(BytesText(bytes)));
        }
        prop_assert_eq!(CountLimit(Some(number)).to_string().parse(), Ok(CountLimit(Some(number))));
    }
}
