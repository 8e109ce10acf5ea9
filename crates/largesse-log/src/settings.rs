//! What a stream keeps, and for how long.
//!
//! Invariant: every stream has all settings; a patch changes some. Does not apply them: the state machine does.

pub(crate) mod control_names;
pub(crate) mod engine_limits;
pub(crate) mod from_setting;
pub(crate) mod setting_text;
pub(crate) mod settings_patch;

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    ControlNames, FromSetting,
    settings::setting_text::{AgeLimit, BytesLimit, CountLimit, DurationText},
};

/// A stream's settings, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Events older than this are trimmed.
    #[serde(serialize_with = "age")]
    pub max_age: Option<Duration>,
    /// The most events kept.
    #[serde(serialize_with = "count")]
    pub max_events: Option<u64>,
    /// The most bytes kept, as [`crate::NewEvent::counted_bytes`] counts.
    #[serde(serialize_with = "bytes")]
    pub max_bytes: Option<u64>,
    /// How long a closed stream stays readable.
    #[serde(serialize_with = "duration")]
    pub ttl_after_close: Duration,
    /// What happens to readers that fall behind.
    pub slow: Slow,
    /// Where a first request without `from` begins.
    pub from: FromSetting,
    /// Whether publishers may use the names of control events.
    pub control_names: ControlNames,
}

impl Default for Settings {
    /// Source: SPEC of Largesse §2, "Defaults".
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_secs(7 * 24 * 60 * 60)),
            max_events: None,
            max_bytes: Some(64 * 1024 * 1024),
            ttl_after_close: Duration::from_secs(24 * 60 * 60),
            slow: Slow::CatchUp,
            from: FromSetting::Start,
            control_names: ControlNames::Reserved,
        }
    }
}

/// What a stream does about readers that fall behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub enum Slow {
    /// They read on from the log.
    #[default]
    CatchUp,
    /// They skip to the newest event of each name.
    Latest,
    /// They are disconnected, past a lag in bytes or seconds, and reconnect at their place.
    Disconnect,
}

impl TryFrom<String> for Slow {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "catch-up" => Ok(Self::CatchUp),
            "latest" => Ok(Self::Latest),
            "disconnect" => Ok(Self::Disconnect),
            _ => Err(format!("{text:?} is not one of \"catch-up\", \"latest\" and \"disconnect\"")),
        }
    }
}

fn age<S: Serializer>(limit: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    AgeLimit(*limit).serialize(serializer)
}

fn count<S: Serializer>(limit: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    CountLimit(*limit).serialize(serializer)
}

fn bytes<S: Serializer>(limit: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    BytesLimit(*limit).serialize(serializer)
}

fn duration<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    DurationText(*duration).serialize(serializer)
}
