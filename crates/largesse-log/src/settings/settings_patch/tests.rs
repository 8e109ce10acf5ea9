//! Patches from JSON and TOML, what they change, and settings back as text.

use std::time::Duration;

use serde_json::json;

use super::{SettingChange, SettingsPatch};
use crate::{ControlNames, FromSetting, Settings, Slow};

fn last(events: u64) -> FromSetting {
    format!("-{events}").parse().unwrap()
}

fn patch(value: serde_json::Value) -> Result<SettingsPatch, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[track_caller]
fn check_refused(value: serde_json::Value, want: &str) {
    assert_eq!(patch(value), Err(want.to_owned()));
}

#[test]
fn absent_null_and_a_value_are_three_things() {
    let found = patch(json!({ "max_age": null, "max_events": 7, "max_bytes": "unlimited" })).unwrap();
    let want = SettingsPatch {
        max_age: SettingChange::Default,
        max_events: SettingChange::Set(Some(7)),
        max_bytes: SettingChange::Set(None),
        ttl_after_close: SettingChange::Keep,
        slow: SettingChange::Keep,
        from: SettingChange::Keep,
        control_names: SettingChange::Keep,
    };
    assert_eq!(found, want);
    assert_eq!(patch(json!({})), Ok(SettingsPatch::default()));
}

#[test]
fn every_setting_has_its_form() {
    let found = patch(json!({
        "max_age": "15m",
        "max_events": "unlimited",
        "max_bytes": 1048576,
        "ttl_after_close": "0s",
        "slow": "latest",
        "from": "-100",
        "control_names": "shared",
    }));
    let want = SettingsPatch {
        max_age: SettingChange::Set(Some(Duration::from_secs(900))),
        max_events: SettingChange::Set(None),
        max_bytes: SettingChange::Set(Some(1 << 20)),
        ttl_after_close: SettingChange::Set(Duration::ZERO),
        slow: SettingChange::Set(Slow::Latest),
        from: SettingChange::Set(last(100)),
        control_names: SettingChange::Set(ControlNames::Shared),
    };
    assert_eq!(found, Ok(want));
}

#[test]
fn errors_name_what_is_wrong() {
    check_refused(json!({ "max_events": 0 }), "\"0\" is too small: at least 1");
    check_refused(json!({ "max_bytes": 0 }), "\"0\" is too small: at least 1");
    check_refused(json!({ "max_bytes": "0 MiB" }), "\"0 MiB\" is too small: at least 1");
    check_refused(json!({ "max_events": -1 }), "\"-1\" is not a whole number, at least 1, or \"unlimited\"");
    check_refused(
        json!({ "max_age": 60 }),
        "\"60\" is not a duration like \"24h\" or \"7d\", or \"unlimited\"",
    );
    check_refused(
        json!({ "ttl_after_close": "unlimited" }),
        "\"unlimited\" is not a duration like \"90s\", \"15m\", \"24h\" or \"7d\"",
    );
    let unknown = patch(json!({ "max_evnts": 5 })).unwrap_err();
    assert!(unknown.contains("`max_evnts`") && unknown.contains("`max_events`"), "{unknown}");
    let slow = patch(json!({ "slow": "fast" })).unwrap_err();
    assert!(slow.contains("\"fast\"") && slow.contains("\"catch-up\""), "{slow}");
    assert!(patch(json!({ "slow": { "latest": null } })).is_err(), "it is a text");
    let from = patch(json!({ "from": "-N" })).unwrap_err();
    assert!(from.contains("\"-N\"") && from.contains("\"-100\""), "{from}");
    let names = patch(json!({ "control_names": "free" })).unwrap_err();
    assert!(names.contains("\"free\"") && names.contains("\"shared\""), "{names}");
    for value in [json!({ "from": true }), json!({ "from": 100 }), json!({ "control_names": true })] {
        assert!(patch(value.clone()).is_err(), "{value}");
    }
    for value in [json!({ "max_age": true }), json!({ "max_events": 1.5 }), json!({ "slow": 1 }), json!([1])]
    {
        assert!(patch(value.clone()).is_err(), "{value}");
    }
}

#[test]
fn a_patch_changes_only_what_it_names() {
    let defaults = Settings { max_events: Some(9), ..Settings::default() };
    let kept = Settings { max_events: Some(3), slow: Slow::Disconnect, ..Settings::default() };
    let change =
        |max_events| kept.patched(&SettingsPatch { max_events, ..SettingsPatch::default() }, &defaults);
    assert_eq!(change(SettingChange::Keep), kept);
    assert_eq!(change(SettingChange::Default), Settings { max_events: Some(9), ..kept });
    assert_eq!(change(SettingChange::Set(None)), Settings { max_events: None, ..kept });
    let shared = Settings { control_names: ControlNames::Shared, from: FromSetting::Now, ..kept };
    let back = SettingsPatch {
        from: SettingChange::Default,
        control_names: SettingChange::Default,
        ..SettingsPatch::default()
    };
    assert_eq!(shared.patched(&back, &defaults), kept);
    assert_eq!(shared.patched(&SettingsPatch::default(), &defaults), shared);
}

#[test]
fn written_settings_are_read_back_as_a_patch() {
    let odd = Settings {
        max_age: None,
        max_events: Some(3),
        max_bytes: Some(1_000),
        ttl_after_close: Duration::from_millis(1_500),
        slow: Slow::Disconnect,
        from: last(7),
        control_names: ControlNames::Shared,
    };
    for settings in [Settings::default(), odd] {
        let written = serde_json::to_value(settings).unwrap();
        let read = patch(written.clone()).unwrap();
        let other = Settings { max_age: Some(Duration::from_secs(1)), slow: Slow::Latest, ..odd };
        assert_eq!(other.patched(&read, &other), settings, "{written}");
        let read: SettingsPatch = toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        assert_eq!(other.patched(&read, &other), settings, "as TOML");
    }
    let written = serde_json::to_value(Settings::default()).unwrap();
    let want = json!({
        "max_age": "7d", "max_events": "unlimited", "max_bytes": "64 MiB", "ttl_after_close": "24h", "slow": "catch-up",
        "from": "start", "control_names": "reserved",
    });
    assert_eq!(written, want);
}
