//! Where readers of a stream begin if they don't say.
//!
//! Invariant: the text form is read back as the same value. A time is not allowed: a first request may ask for
//! one, but as a setting it would be a bound that `max_age` expresses better.

use std::{fmt, num::NonZeroU64, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::StartFrom;

/// Where a first request without `from` begins.
///
/// - Shape: the texts `start`, `now` and `-N`. `-0` is `now`; an N that does not fit is more than any log keeps.
/// - Source: SPEC of Largesse §3, "PUT" (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FromSetting {
    /// At the first event that is kept.
    #[default]
    Start,
    /// After the request.
    Now,
    /// At the n-th last event.
    Last(NonZeroU64),
}

/// What is expected, for errors.
const WANTED: &str = "\"start\", \"now\", or \"-N\" for the last N events, like \"-100\"";

/// A text that is not a valid `from`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {WANTED}")]
pub struct FromSettingError {
    found: Box<str>,
}

impl From<FromSetting> for StartFrom {
    fn from(setting: FromSetting) -> Self {
        match setting {
            FromSetting::Start => Self::Start,
            FromSetting::Now => Self::Now,
            FromSetting::Last(events) => Self::Last(events.get()),
        }
    }
}

impl FromStr for FromSetting {
    type Err = FromSettingError;

    fn from_str(raw: &str) -> Result<Self, FromSettingError> {
        match raw {
            "start" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            _ => match raw.strip_prefix('-') {
                Some(count) if !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Ok(Self::last(count.parse().unwrap_or(u64::MAX)))
                }
                _ => Err(FromSettingError { found: raw.into() }),
            },
        }
    }
}

impl FromSetting {
    fn last(events: u64) -> Self {
        NonZeroU64::new(events).map_or(Self::Now, Self::Last)
    }
}

impl fmt::Display for FromSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Now => f.write_str("now"),
            Self::Last(events) => write!(f, "-{events}"),
        }
    }
}

impl Serialize for FromSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FromSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FromVisitor)
    }
}

/// Reads a text, or a number below zero.
struct FromVisitor;

impl de::Visitor<'_> for FromVisitor {
    type Value = FromSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WANTED)
    }

    fn visit_str<E: de::Error>(self, raw: &str) -> Result<FromSetting, E> {
        raw.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, raw: i64) -> Result<FromSetting, E> {
        self.visit_str(&raw.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, want: Option<(FromSetting, &str)>) {
        let found = raw.parse::<FromSetting>().ok().map(|found| (found, found.to_string()));
        assert_eq!(found, want.map(|(value, text)| (value, text.to_owned())), "{raw}");
    }

    fn last(events: u64) -> FromSetting {
        FromSetting::Last(NonZeroU64::new(events).unwrap())
    }

    #[test]
    fn a_beginning_is_a_word_or_a_count_from_the_end() {
        check("start", Some((FromSetting::Start, "start")));
        check("now", Some((FromSetting::Now, "now")));
        check("-0", Some((FromSetting::Now, "now")));
        check("-1", Some((last(1), "-1")));
        check("-0100", Some((last(100), "-100")));
        check("-18446744073709551615", Some((last(u64::MAX), "-18446744073709551615")));
        check("-99999999999999999999999", Some((last(u64::MAX), "-18446744073709551615")));
    }

    #[test]
    fn anything_else_is_refused() {
        for raw in
            ["", "Start", "NOW", " now", "-", "--1", "-+1", "-1.5", "5", "100", "2026-11-20T08:00:00Z", "end"]
        {
            check(raw, None);
        }
    }

    #[test]
    fn in_json_a_count_may_be_a_number() {
        let read = |json: &str| serde_json::from_str::<FromSetting>(json).ok();
        assert_eq!(read("-100"), Some(last(100)));
        assert_eq!(read("\"-100\""), Some(last(100)));
        assert_eq!(serde_json::to_string(&last(100)).unwrap(), "\"-100\"");
        for json in ["0", "100", "-1.5", "true", "null", "[\"now\"]", "{\"now\":null}", "1e3"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
