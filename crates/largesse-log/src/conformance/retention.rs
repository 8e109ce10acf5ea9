//! Retention: by number, size and age, and of the whole log.

use std::{num::NonZeroUsize, time::Duration};

use super::{
    reader::{Reader, check_heard},
    world::{Make, World, event, keyed},
};
use crate::{Position, SWEEP_STREAMS_MAX, SettingChange, SettingsPatch, Sweep, Then, UnixMs};

fn kept(world: &World, stream: &str) -> Option<u64> {
    world.state(stream).map(|state| state.events)
}

/// By number, at each append; the newest stay.
pub fn the_newest_events_are_kept(make: Make) {
    let world = World::new(make);
    world.keep_events("a", 2);
    for data in ["1", "2", "3"] {
        world.publish("a", &[data]);
    }
    check_heard(&world, Reader::at("a", Position::ZERO), &["lost a", "a:2", "a:3"]);
    world.publish("a", &["4", "5", "6"]);
    check_heard(&world, Reader::at("a", world.tail()), &[]);
    assert_eq!(kept(&world, "a"), Some(2), "the limit holds for one large publish too");
}

/// By size, as events count.
pub fn a_stream_keeps_no_more_bytes_than_its_limit(make: Make) {
    let world = World::new(make);
    let two = 2 * event("1").counted_bytes();
    let max_bytes = SettingChange::Set(Some(two));
    world.put("a", SettingsPatch { max_bytes, ..SettingsPatch::default() });
    for data in ["1", "2", "3"] {
        world.publish("a", &[data]);
    }
    let state = world.state("a").expect("a exists");
    assert_eq!((state.events, state.bytes), (2, two));
}

/// By age: an event of exactly the limit stays. At a sweep, and at an append to the stream.
pub fn events_past_their_age_are_dropped(make: Make) {
    let world = World::new(make);
    let max_age = SettingChange::Set(Some(Duration::from_millis(100)));
    for name in ["a", "b"] {
        world.at(1000).put(name, SettingsPatch { max_age, ..SettingsPatch::default() });
        world.publish(name, &["1"]);
    }
    for name in ["a", "b"] {
        world.at(1050).publish(name, &["2"]);
    }
    world.at(1100).sweep();
    assert_eq!((kept(&world, "a"), kept(&world, "b")), (Some(2), Some(2)));
    world.at(1101).publish("a", &["3"]);
    assert_eq!(kept(&world, "a"), Some(2));
    world.sweep();
    assert_eq!(kept(&world, "b"), Some(1));
    world.at(5000).sweep();
    assert_eq!((kept(&world, "a"), kept(&world, "b")), (Some(0), Some(0)), "the streams stay");
    check_heard(&world, Reader::at("a,b", Position::ZERO), &["lost a b"]);
}

/// Events are stamped with one time and aged by another: a leap of the clock does not make events old.
pub fn a_leap_of_the_clock_ages_nothing(make: Make) {
    const LEAP: u64 = 1_000_000;
    let world = World::new(make);
    let (max_age, ttl) = (SettingChange::Set(Some(Duration::from_millis(100))), Duration::from_millis(100));
    let settings =
        SettingsPatch { max_age, ttl_after_close: SettingChange::Set(ttl), ..SettingsPatch::default() };
    for name in ["a", "b", "closed"] {
        world.at(1000).put(name, settings);
        world.publish(name, &["young"]);
    }
    world.close("closed");
    let first = world.append(keyed("keyed", &["once"], Then::StayOpen, "k")).expect("the publish is valid");
    world.at_ages(LEAP, 1050).publish("a", &["stamped by the new time"]);
    world.sweep();
    assert_eq!((kept(&world, "a"), kept(&world, "b"), kept(&world, "closed")), (Some(2), Some(1), Some(1)));
    assert_eq!(world.state("a").and_then(|state| state.last_time), Some(UnixMs(LEAP)));
    assert_eq!(world.append(keyed("keyed", &["once"], Then::StayOpen, "k")), Ok(first), "keys are kept too");
    world.at_ages(LEAP + 60, 1110).publish("a", &["later"]);
    world.sweep();
    assert_eq!((kept(&world, "a"), kept(&world, "b"), kept(&world, "closed")), (Some(2), Some(0), None));
    world.at_ages(LEAP + 101, 1151).sweep();
    assert_eq!(kept(&world, "a"), Some(1), "events from after the leap age normally");
    world.at_ages(LEAP + 10_000, 11_050).sweep();
    assert_eq!(kept(&world, "a"), Some(0));
}

/// A sweep does a bounded amount, and reports whether more is due.
pub fn a_sweep_keeps_to_its_budget(make: Make) {
    let world = World::new(make);
    for number in 0..=2 * SWEEP_STREAMS_MAX {
        world.at(1000).close(&format!("s/{number}"));
    }
    world.at(2000);
    for (then, left) in [(Sweep::More, SWEEP_STREAMS_MAX + 1), (Sweep::More, 1), (Sweep::Done, 0)] {
        assert_eq!(world.sweep_some(SWEEP_STREAMS_MAX), then);
        assert_eq!(world.list(None, 99).len(), left);
    }
    let tail = world.tail();
    assert_eq!((world.sweep_some(1), world.tail()), (Sweep::Done, tail), "nothing is due");
}

/// Tighter settings apply from the request on.
pub fn new_settings_apply_at_once(make: Make) {
    let world = World::new(make);
    world.publish("a", &["1", "2", "3"]);
    let answer = {
        let max_events = SettingChange::Set(Some(1));
        world.put("a", SettingsPatch { max_events, ..SettingsPatch::default() })
    };
    assert_eq!(answer.state.events, 1);
    world.at(1000).close("a");
    let ttl_after_close = SettingChange::Set(Duration::ZERO);
    world.put("a", SettingsPatch { ttl_after_close, ..SettingsPatch::default() });
    world.sweep();
    assert_eq!(world.state("a"), None);
}

/// The whole log drops its oldest events first, whichever stream they are on, and readers are told; what was just
/// published stays.
pub fn a_full_log_drops_its_oldest_events(make: Make) {
    let world = World::with(make, |limits| limits.log_bytes_max = 20_000);
    let data = "x".repeat(1000);
    let streams = ["a", "b", "c"];
    for round in 0..20 {
        for name in streams {
            world.publish(name, &[&data]);
            let state = world.state(name).expect("the stream was made");
            assert!(state.events > 0, "round {round}: what was just published stays");
        }
        let first = streams.map(|name| world.state(name).expect("the stream was made").first);
        let spread = first.iter().flatten().max().map_or(0, |max| max.0)
            - first.iter().flatten().min().map_or(0, |min| min.0);
        assert!(spread <= 2 * streams.len() as u64, "round {round}: {first:?} are not the oldest");
    }
    let kept: u64 = streams.iter().map(|name| world.state(name).expect("the stream was made").bytes).sum();
    assert!((10_000..=20_000).contains(&kept), "{kept} bytes are kept");
    let mut reader = Reader::at("**", Position::ZERO);
    let records_max = NonZeroUsize::MIN;
    let heard = reader.hear(&world, crate::ReadLimits { records_max, bytes_max: u64::MAX });
    assert_eq!(heard.first().map(String::as_str), Some("lost a b c"));
}

/// A stream loses all its old events rather than that another's new ones are refused.
pub fn a_quiet_stream_gives_way_to_a_busy_one(make: Make) {
    let world = World::with(make, |limits| limits.log_bytes_max = 20_000);
    world.publish("quiet", &[&"x".repeat(5000)]);
    for _ in 0..30 {
        world.publish("busy", &[&"x".repeat(1000)]);
    }
    assert_eq!(kept(&world, "quiet"), Some(0));
    assert!(kept(&world, "busy") > Some(9));
}
