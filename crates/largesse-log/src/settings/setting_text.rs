//! The text forms of settings, in JSON and in TOML: `"7d"`, `"64 MiB"`, `"unlimited"`.
//!
//! Invariant: the text form is read back as the same value. Does not know which settings there are.

use std::{fmt, str::FromStr, time::Duration};

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The word for "no limit".
const UNLIMITED: &str = "unlimited";

/// A duration: `"15m"`, `"24h"`, `"7d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationText(pub Duration);

/// A limit of age: a duration of at least 1 ms, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeLimit(pub Option<Duration>);

/// A number of bytes, at least 1: `"64 MiB"`, or an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesText(pub u64);

/// A limit of bytes: [`BytesText`], or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesLimit(pub Option<u64>);

/// A limit of a count: an integer, at least 1, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountLimit(pub Option<u64>);

/// Why a text or a number is not a setting's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingTextError {
    /// It has the wrong form.
    #[error("{found:?} is not {wanted}")]
    Malformed {
        /// What was there.
        found: Box<str>,
        /// What would be right.
        wanted: &'static str,
    },
    /// It is below the minimum.
    #[error("{found:?} is too small: at least {least}")]
    TooSmall {
        /// What was there.
        found: Box<str>,
        /// The minimum.
        least: &'static str,
    },
}

/// What all forms share.
trait SettingText: Sized + fmt::Display {
    /// What is expected, for errors.
    const WANTED: &'static str;

    fn from_text(raw: &str) -> Result<Self, SettingTextError>;

    /// Durations have no bare number: it would have no unit.
    fn from_integer(raw: u64) -> Result<Self, SettingTextError> {
        Err(malformed::<Self>(&raw.to_string()))
    }

    fn to_integer(&self) -> Option<u64> {
        None
    }
}

impl SettingText for DurationText {
    const WANTED: &'static str = "a duration like \"90s\", \"15m\", \"24h\" or \"7d\"";

    fn from_text(raw: &str) -> Result<Self, SettingTextError> {
        humantime::parse_duration(raw.trim()).map(Self).map_err(|_| malformed::<Self>(raw))
    }
}

impl SettingText for AgeLimit {
    const WANTED: &'static str = "a duration like \"24h\" or \"7d\", or \"unlimited\"";

    fn from_text(raw: &str) -> Result<Self, SettingTextError> {
        if raw.trim() == UNLIMITED {
            return Ok(Self(None));
        }
        let DurationText(age) = DurationText::from_text(raw).map_err(|_| malformed::<Self>(raw))?;
        if age < Duration::from_millis(1) {
            return Err(SettingTextError::TooSmall { found: raw.into(), least: "1ms" });
        }
        Ok(Self(Some(age)))
    }
}

impl SettingText for BytesText {
    const WANTED: &'static str = "a number of bytes like \"64 MiB\", \"10 GiB\" or 1048576";

    fn from_text(raw: &str) -> Result<Self, SettingTextError> {
        let text = raw.trim();
        // Units are read as floating point; bare digits are exact.
        if let Ok(bytes) = text.parse() {
            return at_least_one(bytes, raw).map(Self);
        }
        let ByteSize(bytes) = text.parse().map_err(|_| malformed::<Self>(raw))?;
        at_least_one(bytes, raw).map(Self)
    }

    fn from_integer(raw: u64) -> Result<Self, SettingTextError> {
        at_least_one(raw, &raw.to_string()).map(Self)
    }

    fn to_integer(&self) -> Option<u64> {
        binary_unit(self.0).is_none().then_some(self.0)
    }
}

impl SettingText for BytesLimit {
    const WANTED: &'static str = "a number of bytes like \"64 MiB\" or 1048576, or \"unlimited\"";

    fn from_text(raw: &str) -> Result<Self, SettingTextError> {
        if raw.trim() == UNLIMITED {
            return Ok(Self(None));
        }
        match BytesText::from_text(raw) {
            Ok(BytesText(bytes)) => Ok(Self(Some(bytes))),
            Err(SettingTextError::Malformed { .. }) => Err(malformed::<Self>(raw)),
            Err(error) => Err(error),
        }
    }

    fn from_integer(raw: u64) -> Result<Self, SettingTextError> {
        at_least_one(raw, &raw.to_string()).map(|bytes| Self(Some(bytes)))
    }

    fn to_integer(&self) -> Option<u64> {
        self.0.and_then(|bytes| BytesText(bytes).to_integer())
    }
}

impl SettingText for CountLimit {
    const WANTED: &'static str = "a whole number, at least 1, or \"unlimited\"";

    fn from_text(raw: &str) -> Result<Self, SettingTextError> {
        let text = raw.trim();
        if text == UNLIMITED {
            return Ok(Self(None));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed::<Self>(raw));
        }
        Self::from_integer(text.parse().map_err(|_| malformed::<Self>(raw))?)
    }

    fn from_integer(raw: u64) -> Result<Self, SettingTextError> {
        at_least_one(raw, &raw.to_string()).map(|count| Self(Some(count)))
    }

    fn to_integer(&self) -> Option<u64> {
        self.0
    }
}

fn malformed<T: SettingText>(raw: &str) -> SettingTextError {
    SettingTextError::Malformed { found: raw.into(), wanted: T::WANTED }
}

fn at_least_one(number: u64, raw: &str) -> Result<u64, SettingTextError> {
    if number == 0 {
        return Err(SettingTextError::TooSmall { found: raw.into(), least: "1" });
    }
    Ok(number)
}

impl fmt::Display for DurationText {
    /// In the largest unit that divides it; in days only from two on, so that a day is `24h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u128, &str); 4] = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        const DAY_MS: u128 = 86_400_000;
        let ms = self.0.as_millis();
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        if !self.0.subsec_nanos().is_multiple_of(1_000_000) {
            return humantime::format_duration(self.0).fmt(f);
        }
        if ms.is_multiple_of(DAY_MS) && ms > DAY_MS {
            return write!(f, "{}d", ms / DAY_MS);
        }
        match UNITS.iter().find(|(unit_ms, _)| ms.is_multiple_of(*unit_ms)) {
            Some((unit_ms, unit)) => write!(f, "{}{unit}", ms / unit_ms),
            None => write!(f, "{ms}ms"),
        }
    }
}

impl fmt::Display for BytesText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match binary_unit(self.0) {
            Some((unit_bytes, unit)) => write!(f, "{} {unit}", self.0 / unit_bytes),
            None => self.0.fmt(f),
        }
    }
}

/// The largest binary unit that divides a number of bytes.
fn binary_unit(bytes: u64) -> Option<(u64, &'static str)> {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS.into_iter().find(|(unit_bytes, _)| bytes > 0 && bytes.is_multiple_of(*unit_bytes))
}

impl fmt::Display for AgeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str(UNLIMITED),
            Some(age) => DurationText(age).fmt(f),
        }
    }
}

impl fmt::Display for BytesLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str(UNLIMITED),
            Some(bytes) => BytesText(bytes).fmt(f),
        }
    }
}

impl fmt::Display for CountLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str(UNLIMITED),
            Some(count) => count.fmt(f),
        }
    }
}

/// Reads a text or an integer; JSON and TOML have both.
struct TextVisitor<T>(std::marker::PhantomData<T>);

impl<T: SettingText> de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WANTED)
    }

    fn visit_str<E: de::Error>(self, raw: &str) -> Result<T, E> {
        T::from_text(raw).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, raw: u64) -> Result<T, E> {
        T::from_integer(raw).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, raw: i64) -> Result<T, E> {
        match u64::try_from(raw) {
            Ok(raw) => T::from_integer(raw).map_err(E::custom),
            Err(_) => Err(E::custom(malformed::<T>(&raw.to_string()))),
        }
    }
}

macro_rules! text_form {
    ($($form:ty),+) => {$(
        impl FromStr for $form {
            type Err = SettingTextError;

            fn from_str(raw: &str) -> Result<Self, SettingTextError> {
                Self::from_text(raw)
            }
        }

        impl Serialize for $form {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.to_integer() {
                    Some(integer) => serializer.serialize_u64(integer),
                    None => serializer.collect_str(self),
                }
            }
        }

        impl<'de> Deserialize<'de> for $form {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextVisitor(std::marker::PhantomData))
            }
        }
    )+};
}

text_form!(DurationText, AgeLimit, BytesText, BytesLimit, CountLimit);

#[cfg(test)]
mod tests;
