//! Settings, their patches and the limits of a log, in bytes.
//!
//! ```text
//! slow      0u8 catch up, 1u8 latest, 2u8 disconnect
//! settings  max_age optional duration | max_events optional u64 | max_bytes optional u64
//!           | ttl_after_close duration | slow
//!           and, where slow has 16 added: | from | names
//! from      0u8 the start, 1u8 now, 2u8 | how many of the last events u64, not 0
//! names     0u8 reserved, 1u8 shared
//! change    0u8 keep, 1u8 the default, or 2u8 | the value
//! patch     a change of each setting, in the same order; that of slow has 16 added where those of from and names
//!           follow
//! limits    log_bytes_max u64 | streams_max u64 | keys_max u64 | key_ttl duration | tombstones_max u64
//!           | settings (the defaults)
//! ```
//!
//! Settings with the format 1 meaning (from the start, names reserved), and patches that change neither, are
//! written exactly as in format 1. So the same code reads that format.
//!
//! Durations are exact: replaying a command must have the same result. Does not check that the values make sense:
//! that is done when they are set.

use std::num::NonZeroU64;

use largesse_log::{ControlNames, EngineLimits, FromSetting, SettingChange, Settings, SettingsPatch, Slow};

use super::fields::{Field, Fields};
use crate::format::frame::Fault;

/// Added to a tag that is followed by fields which format 1 did not have.
const MORE: u8 = 16;

/// A tag, and whether fields follow that format 1 did not have.
fn tag_and_more(from: &mut Fields<'_>) -> Result<(u8, bool), Fault> {
    let tag = from.tag()?;
    Ok(if tag & MORE == 0 { (tag, false) } else { (tag & !MORE, true) })
}

fn slow_of(tag: u8) -> Result<Slow, Fault> {
    match tag {
        0 => Ok(Slow::CatchUp),
        1 => Ok(Slow::Latest),
        2 => Ok(Slow::Disconnect),
        tag => Err(Fault::Tag { tag }),
    }
}

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
        slow_of(from.tag()?)
    }
}

impl Field for FromSetting {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Start => 0u8.put(out),
            Self::Now => 1u8.put(out),
            Self::Last(events) => {
                2u8.put(out);
                events.get().put(out);
            }
        }
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(Self::Start),
            1 => Ok(Self::Now),
            2 => NonZeroU64::new(u64::take(from)?).map(Self::Last).ok_or(Fault::Number),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

impl Field for ControlNames {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Reserved => 0u8,
            Self::Shared => 1,
        }
        .put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(Self::Reserved),
            1 => Ok(Self::Shared),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

/// Writes the fields that format 1 did not have, unless they have its meaning, and flags them in the tag at
/// `tag_at`.
fn put_more<F: Field + PartialEq, N: Field + PartialEq>(
    out: &mut Vec<u8>,
    tag_at: usize,
    (from, names): (&F, &N),
    first: &(F, N),
) {
    if (from, names) == (&first.0, &first.1) {
        return;
    }
    out[tag_at] |= MORE;
    from.put(out);
    names.put(out);
}

/// Reads what [`put_more`] wrote.
fn take_more<F: Field + PartialEq, N: Field + PartialEq>(
    from: &mut Fields<'_>,
    first: &(F, N),
) -> Result<(F, N), Fault> {
    let more = (F::take(from)?, N::take(from)?);
    if more == *first { Err(Fault::Tag { tag: MORE }) } else { Ok(more) }
}

impl Field for Settings {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { max_age, max_events, max_bytes, ttl_after_close, slow, from, control_names } = self;
        max_age.put(out);
        max_events.put(out);
        max_bytes.put(out);
        ttl_after_close.put(out);
        let tag_at = out.len();
        slow.put(out);
        put_more(out, tag_at, (from, control_names), &FIRST);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        let (max_age, max_events) = (Field::take(from)?, Field::take(from)?);
        let (max_bytes, ttl_after_close) = (Field::take(from)?, Field::take(from)?);
        let (tag, more) = tag_and_more(from)?;
        let slow = slow_of(tag)?;
        let (from, control_names) = if more { take_more(from, &FIRST)? } else { FIRST };
        Ok(Self { max_age, max_events, max_bytes, ttl_after_close, slow, from, control_names })
    }
}

/// The meaning of format 1.
const FIRST: (FromSetting, ControlNames) = (FromSetting::Start, ControlNames::Reserved);

impl<T: Field> Field for SettingChange<T> {
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
        let tag = from.tag()?;
        change_of(tag, from)
    }
}

fn change_of<T: Field>(tag: u8, from: &mut Fields<'_>) -> Result<SettingChange<T>, Fault> {
    match tag {
        0 => Ok(SettingChange::Keep),
        1 => Ok(SettingChange::Default),
        2 => T::take(from).map(SettingChange::Set),
        tag => Err(Fault::Tag { tag }),
    }
}

impl Field for SettingsPatch {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { max_age, max_events, max_bytes, ttl_after_close, slow, from, control_names } = self;
        max_age.put(out);
        max_events.put(out);
        max_bytes.put(out);
        ttl_after_close.put(out);
        let tag_at = out.len();
        slow.put(out);
        put_more(out, tag_at, (from, control_names), &(SettingChange::Keep, SettingChange::Keep));
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        let (max_age, max_events) = (Field::take(from)?, Field::take(from)?);
        let (max_bytes, ttl_after_close) = (Field::take(from)?, Field::take(from)?);
        let (tag, more) = tag_and_more(from)?;
        let slow = change_of(tag, from)?;
        let first = (SettingChange::Keep, SettingChange::Keep);
        let (from, control_names) = if more { take_more(from, &first)? } else { first };
        Ok(Self { max_age, max_events, max_bytes, ttl_after_close, slow, from, control_names })
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
