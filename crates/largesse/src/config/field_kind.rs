//! What may be written for a key, and the field it goes to.
//!
//! Invariant: a value is put only when it is right; a wrong one leaves the field as it was. Texts for people
//! say what would be right.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use largesse::{
    http::{Authority, Origin},
    log::{ControlNames, FromSetting, Slow},
};
use tracing::level_filters::LevelFilter;

use super::{Config, SyncWord, TraceFormat, raw::Raw, values};
use crate::gallery::GalleryRule;

/// A field of the configuration.
type Field<T> = fn(&mut Config) -> &mut T;

/// A kind of value, its bounds, and its field.
#[derive(Debug)]
pub(crate) enum FieldKind {
    /// Socket addresses.
    Addresses(Field<Vec<SocketAddr>>),
    /// A folder, by its path.
    Folder(Field<PathBuf>),
    /// Origins of pages.
    Origins(Field<Vec<Origin>>),
    /// Hosts, with or without a port.
    Hosts(Field<Vec<Authority>>),
    /// A size.
    Bytes { within: RangeInclusive<u64>, field: Field<u64> },
    /// A size, or what fits.
    BytesOrAuto { within: RangeInclusive<u64>, field: Field<Option<u64>> },
    /// A size of at least one byte, or none.
    BytesOrUnlimited { field: Field<Option<u64>> },
    /// A whole number.
    Count { within: RangeInclusive<u64>, field: Field<u64> },
    /// A whole number of at least one, or none.
    CountOrUnlimited { field: Field<Option<u64>> },
    /// A whole number, or what fits.
    CountOrAuto { within: RangeInclusive<u64>, field: Field<Option<u64>> },
    /// A time span.
    Duration { within: RangeInclusive<Duration>, field: Field<Duration> },
    /// A time span, or none.
    DurationOrUnlimited { within: RangeInclusive<Duration>, field: Field<Option<Duration>> },
    /// What happens to readers that fall behind.
    Slow(Field<Slow>),
    /// Where a reader begins that does not say where.
    From(Field<FromSetting>),
    /// Who may use the names of control events.
    ControlNames(Field<ControlNames>),
    /// Whether the gallery is there.
    Gallery(Field<GalleryRule>),
    /// When what was published is made safe.
    Sync(Field<SyncWord>),
    /// A level of the trace.
    Level(Field<LevelFilter>),
    /// A form of the trace.
    Format(Field<TraceFormat>),
}

const SLOW: &[(&str, Slow)] =
    &[("catch-up", Slow::CatchUp), ("latest", Slow::Latest), ("disconnect", Slow::Disconnect)];

const CONTROL_NAMES: &[(&str, ControlNames)] =
    &[("reserved", ControlNames::Reserved), ("shared", ControlNames::Shared)];

const GALLERY: &[(&str, GalleryRule)] = &[("on", GalleryRule::On), ("off", GalleryRule::Off)];

const SYNC: &[(&str, SyncWord)] = &[("always", SyncWord::Always), ("interval", SyncWord::Interval)];

const LEVELS: &[(&str, LevelFilter)] = &[
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

const FORMATS: &[(&str, TraceFormat)] = &[("text", TraceFormat::Text), ("json", TraceFormat::Json)];

impl FieldKind {
    /// Whether several values may be given.
    pub(crate) fn takes_a_list(&self) -> bool {
        matches!(self, Self::Addresses(_) | Self::Origins(_) | Self::Hosts(_))
    }

    /// Puts a value into its field.
    ///
    /// # Errors
    /// What would be right; the field is as before.
    pub(crate) fn put(&self, config: &mut Config, raw: &Raw) -> Result<(), String> {
        match self {
            Self::Addresses(field) => *field(config) = values::addresses(raw)?,
            Self::Folder(field) => *field(config) = values::folder(raw)?,
            Self::Origins(field) => *field(config) = values::origins(raw)?,
            Self::Hosts(field) => *field(config) = values::hosts(raw)?,
            Self::Bytes { within, field } => *field(config) = values::bytes(raw, within)?,
            Self::BytesOrAuto { within, field } => {
                *field(config) = values::or("auto", raw, |raw| values::bytes(raw, within))?;
            }
            Self::BytesOrUnlimited { field } => {
                *field(config) = values::or("unlimited", raw, |raw| values::bytes(raw, &(1..=u64::MAX)))?;
            }
            Self::Count { within, field } => *field(config) = values::count(raw, within)?,
            Self::CountOrUnlimited { field } => {
                *field(config) = values::or("unlimited", raw, |raw| values::count(raw, &(1..=u64::MAX)))?;
            }
            Self::CountOrAuto { within, field } => {
                *field(config) = values::or("auto", raw, |raw| values::count(raw, within))?;
            }
            Self::Duration { within, field } => *field(config) = values::duration(raw, within)?,
            Self::DurationOrUnlimited { within, field } => {
                *field(config) = values::or("unlimited", raw, |raw| values::duration(raw, within))?;
            }
            Self::Slow(field) => *field(config) = values::word(raw, SLOW)?,
            Self::From(field) => *field(config) = values::beginning(raw)?,
            Self::ControlNames(field) => *field(config) = values::word(raw, CONTROL_NAMES)?,
            Self::Gallery(field) => *field(config) = values::word(raw, GALLERY)?,
            Self::Sync(field) => *field(config) = values::word(raw, SYNC)?,
            Self::Level(field) => *field(config) = values::word(raw, LEVELS)?,
            Self::Format(field) => *field(config) = values::word(raw, FORMATS)?,
        }
        Ok(())
    }
}
