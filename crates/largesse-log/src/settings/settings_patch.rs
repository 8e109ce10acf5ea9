//! A change of some of a stream's settings.
//!
//! Invariant: a setting that a patch does not name stays as it is. Does not apply settings to events:
//! the state machine does.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::{
    ControlNames, FromSetting, Settings, Slow,
    settings::setting_text::{AgeLimit, BytesLimit, CountLimit, DurationText},
};

/// What a patch does to one setting. In JSON: absent, `null`, or the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SettingChange<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes the configured default.
    Default,
    /// It becomes this.
    Set(T),
}

impl<T> SettingChange<T> {
    /// What `kept` becomes.
    fn apply(self, kept: T, default: T) -> T {
        match self {
            Self::Keep => kept,
            Self::Default => default,
            Self::Set(value) => value,
        }
    }
}

/// Changes to a stream's settings: the body of a PUT. Unknown keys are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsPatch {
    /// See [`Settings::max_age`]; `None` is unlimited.
    #[serde(deserialize_with = "max_age")]
    pub max_age: SettingChange<Option<Duration>>,
    /// See [`Settings::max_events`]; `None` is unlimited.
    #[serde(deserialize_with = "max_events")]
    pub max_events: SettingChange<Option<u64>>,
    /// See [`Settings::max_bytes`]; `None` is unlimited.
    #[serde(deserialize_with = "max_bytes")]
    pub max_bytes: SettingChange<Option<u64>>,
    /// See [`Settings::ttl_after_close`].
    #[serde(deserialize_with = "ttl_after_close")]
    pub ttl_after_close: SettingChange<Duration>,
    /// See [`Settings::slow`].
    #[serde(deserialize_with = "slow")]
    pub slow: SettingChange<Slow>,
    /// See [`Settings::from`].
    #[serde(deserialize_with = "from")]
    pub from: SettingChange<FromSetting>,
    /// See [`Settings::control_names`].
    #[serde(deserialize_with = "control_names")]
    pub control_names: SettingChange<ControlNames>,
}

impl Settings {
    /// These settings with a patch applied; `defaults` are the configured ones.
    #[must_use]
    pub fn patched(&self, patch: &SettingsPatch, defaults: &Self) -> Self {
        Self {
            max_age: patch.max_age.apply(self.max_age, defaults.max_age),
            max_events: patch.max_events.apply(self.max_events, defaults.max_events),
            max_bytes: patch.max_bytes.apply(self.max_bytes, defaults.max_bytes),
            ttl_after_close: patch.ttl_after_close.apply(self.ttl_after_close, defaults.ttl_after_close),
            slow: patch.slow.apply(self.slow, defaults.slow),
            from: patch.from.apply(self.from, defaults.from),
            control_names: patch.control_names.apply(self.control_names, defaults.control_names),
        }
    }
}

/// A field that is present: `null` or a value of the form `F`. Never called for an absent one.
fn change<'de, D, F, T>(deserializer: D, value: fn(F) -> T) -> Result<SettingChange<T>, D::Error>
where
    D: Deserializer<'de>,
    F: Deserialize<'de>,
{
    let found = Option::<F>::deserialize(deserializer)?;
    Ok(found.map_or(SettingChange::Default, |form| SettingChange::Set(value(form))))
}

fn max_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SettingChange<Option<Duration>>, D::Error> {
    change(deserializer, |AgeLimit(limit)| limit)
}

fn max_events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SettingChange<Option<u64>>, D::Error> {
    change(deserializer, |CountLimit(limit)| limit)
}

fn max_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SettingChange<Option<u64>>, D::Error> {
    change(deserializer, |BytesLimit(limit)| limit)
}

fn ttl_after_close<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SettingChange<Duration>, D::Error> {
    change(deserializer, |DurationText(ttl)| ttl)
}

fn slow<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SettingChange<Slow>, D::Error> {
    change(deserializer, |slow| slow)
}

fn from<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SettingChange<FromSetting>, D::Error> {
    change(deserializer, |from| from)
}

fn control_names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SettingChange<ControlNames>, D::Error> {
    change(deserializer, |names| names)
}

#[cfg(test)]
mod tests;
