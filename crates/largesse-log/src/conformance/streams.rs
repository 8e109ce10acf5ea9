//! Making, configuring and listing streams.

use super::world::{KEEP_ALL, Make, World};
use crate::{Made, Position, SettingChange, Settings, SettingsPatch, UnixMs};

/// A put makes a stream, uses a position, and returns all settings in force.
pub fn a_put_makes_a_stream(make: Make) {
    let world = World::new(make);
    let max_events = SettingChange::Set(Some(5));
    let answer = world.at(1234).put("a", SettingsPatch { max_events, ..SettingsPatch::default() });
    let settings = Settings { max_events: Some(5), ..KEEP_ALL };
    assert_eq!((answer.made, answer.settings), (Made::Now, settings));
    assert_eq!((answer.state.events, answer.state.closed), (0, None));
    assert_eq!((answer.state.first, answer.state.last, answer.state.last_time), (None, None, None));
    assert_eq!((answer.state.made, answer.state.settings), (UnixMs(1234), settings));
    assert_eq!(world.state("a"), Some(answer.state));
    assert!(world.tail() > Position::ZERO);
}

/// A patch changes only what it names; the default is the configured one.
pub fn a_put_changes_only_what_it_names(make: Make) {
    let world = World::with(make, |limits| limits.defaults.max_events = Some(9));
    world.publish("a", &["1"]);
    let put = |max_events| {
        let answer = world.put("a", SettingsPatch { max_events, ..SettingsPatch::default() });
        assert_eq!(answer.made, Made::Before);
        answer.settings.max_events
    };
    assert_eq!(put(SettingChange::Keep), Some(9));
    assert_eq!(put(SettingChange::Set(Some(3))), Some(3));
    assert_eq!(put(SettingChange::Keep), Some(3));
    assert_eq!(put(SettingChange::Set(None)), None);
    assert_eq!(put(SettingChange::Default), Some(9));
}

/// A deleted stream that is made again has the defaults.
pub fn a_stream_made_again_has_the_default_settings(make: Make) {
    let world = World::new(make);
    world.keep_events("a", 1);
    world.delete("a");
    world.publish("a", &["1", "2"]);
    assert_eq!(world.state("a").map(|state| (state.settings, state.events)), Some((KEEP_ALL, 2)));
}

/// The state says what is kept.
pub fn a_state_says_what_is_kept(make: Make) {
    let world = World::new(make);
    let first = world.at(2000).publish("a", &["1"]).position;
    let last = world.at(3000).publish("a", &["22"]).position;
    let state = world.state("a").expect("a exists");
    assert_eq!((state.name.as_str(), state.events, state.closed), ("a", 2, None));
    assert_eq!((state.first, state.last, state.last_time), (Some(first), Some(last), Some(UnixMs(3000))));
    assert_eq!(state.made, UnixMs(2000));
    assert_eq!(world.state("b"), None);
}

/// Streams are listed by name, in pages; those that are gone are not.
pub fn streams_are_listed_by_name(make: Make) {
    let world = World::new(make);
    for name in ["b", "a/2", "a", "c", "a/1", "B"] {
        world.publish(name, &["1"]);
    }
    world.delete("c");
    let names = |after, states_max| -> Vec<String> {
        world.list(after, states_max).iter().map(|state| state.name.to_string()).collect()
    };
    assert_eq!(names(None, 9), ["B", "a", "a/1", "a/2", "b"]);
    assert_eq!(names(None, 2), ["B", "a"]);
    assert_eq!(names(Some("a"), 2), ["a/1", "a/2"]);
    assert_eq!(names(Some("a/1x"), 9), ["a/2", "b"]);
    assert_eq!(names(Some("b"), 9), Vec::<String>::new());
}
