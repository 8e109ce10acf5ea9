//! Settings, their patches and the limits of a log, in bytes.
//!
//! ```text
//! slow      0u8 catch up, 1u8 latest, 2u8 disconnect
//! settings  max_age optional duration | max_events optional u64 | max_bytes optional u64
//!           | ttl_after_close duration | slow
//! change    0u8 keep, 1u8 the default, or 2u8 | the value
//! patch     a change of each setting, in the same order
//! limits    log_bytes_max u64 | streams_max u64 | keys_max u64 | key_ttl duration | tombstones_max u64
//!           | settings (the defaults)
//! ```
//!
//! Durations are exact: a command that is taken again must give what it gave first. Does not check that the
//! values make sense: who sets them does.

use largesse_log::{Change, EngineLimits, Settings, SettingsPatch, Slow};

use super::fields::{Field, Fields};
use crate::frame::Fault;

impl Field for Slow {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::CatchUp => 0u8,
            Self::Latest => 1,
            Self::Disconnect => 2,
        }
        .put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(Self::CatchUp),
            1 => Ok(Self::Latest),
            2 => Ok(Self::Disconnect),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

impl Field for Settings {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { max_age, max_events, max_bytes, ttl_after_close, slow } = self;
        max_age.put(out);
        max_events.put(out);
        max_bytes.put(out);
        ttl_after_close.put(out);
        slow.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            max_age: Field::take(from)?,
            max_events: Field::take(from)?,
            max_bytes: Field::take(from)?,
            ttl_after_close: Field::take(from)?,
            slow: Field::take(from)?,
        })
    }
}

impl<T: Field> Field for Change<T> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Keep => 0u8.put(out),
            Self::Default => 1u8.put(out),
            Self::Set(value) => {
                2u8.put(out);
                value.put(out);
            }
        }
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(Self::Keep),
            1 => Ok(Self::Default),
            2 => T::take(from).map(Self::Set),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

impl Field for SettingsPatch {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { max_age, max_events, max_bytes, ttl_after_close, slow } = self;
        max_age.put(out);
        max_events.put(out);
        max_bytes.put(out);
        ttl_after_close.put(out);
        slow.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            max_age: Field::take(from)?,
            max_events: Field::take(from)?,
            max_bytes: Field::take(from)?,
            ttl_after_close: Field::take(from)?,
            slow: Field::take(from)?,
        })
    }
}

impl Field for EngineLimits {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { log_bytes_max, streams_max, keys_max, key_ttl, tombstones_max, defaults } = self;
        log_bytes_max.put(out);
        streams_max.put(out);
        keys_max.put(out);
        key_ttl.put(out);
        tombstones_max.put(out);
        defaults.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            log_bytes_max: Field::take(from)?,
            streams_max: Field::take(from)?,
            keys_max: Field::take(from)?,
            key_ttl: Field::take(from)?,
            tombstones_max: Field::take(from)?,
            defaults: Field::take(from)?,
        })
    }
}
