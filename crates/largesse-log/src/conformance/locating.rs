//! Where first requests begin.

use super::{
    reader::{Reader, check_heard},
    world::{Make, World, selection},
};
use crate::{Position, Repeat, StartFrom, UnixMs};

#[track_caller]
fn check(world: &World, streams: &str, from: StartFrom, want: &[&str], repeat: Repeat) {
    assert_eq!(world.locate(&selection(streams), from).repeat, repeat, "{from:?}");
    check_heard(world, Reader::first(world, streams, from), want);
}

fn filled(make: Make) -> World {
    let world = World::new(make);
    for (time, stream, data) in
        [(100, "a", "1"), (200, "b", "1"), (200, "a", "2"), (300, "c/1", "1"), (400, "a", "3")]
    {
        world.at(time).publish(stream, &[data]);
    }
    world
}

/// Everything that is kept.
pub fn from_the_start_all_that_is_kept_follows(make: Make) {
    let world = filled(make);
    check(&world, "a", StartFrom::Start, &["a:1", "a:2", "a:3"], Repeat::SamePlace);
    check(&world, "never", StartFrom::Start, &[], Repeat::SamePlace);
}

/// No existing event.
pub fn from_now_no_existing_event_follows(make: Make) {
    let world = filled(make);
    check(&world, "**", StartFrom::Now, &[], Repeat::AnotherPlace);
    let mut reader = Reader::first(&world, "a", StartFrom::Now);
    world.publish("a", &["4"]);
    assert_eq!(reader.hear(&world, super::world::ALL), ["a:4"]);
}

/// Exactly the last events of the selection, counted over all its streams.
pub fn from_the_last_events_exactly_these_follow(make: Make) {
    let world = filled(make);
    let another = Repeat::AnotherPlace;
    check(&world, "a", StartFrom::Last(0), &[], another);
    check(&world, "a", StartFrom::Last(2), &["a:2", "a:3"], another);
    check(&world, "a,b", StartFrom::Last(3), &["b:1", "a:2", "a:3"], another);
    check(&world, "b,c/*", StartFrom::Last(1), &["c/1:1"], another);
    check(&world, "**", StartFrom::Last(4), &["b:1", "a:2", "c/1:1", "a:3"], another);
    check(&world, "a", StartFrom::Last(u64::MAX), &["a:1", "a:2", "a:3"], another);
    check(&world, "never", StartFrom::Last(5), &[], another);
    assert_eq!(world.locate(&selection("a"), StartFrom::Last(9)).place.position(), Position::ZERO);
}

/// From the first event of that time or later.
pub fn from_a_time_events_of_that_time_and_later_follow(make: Make) {
    let world = filled(make);
    let at = |ms| StartFrom::Time(UnixMs(ms));
    check(&world, "a", at(0), &["a:1", "a:2", "a:3"], Repeat::SamePlace);
    check(&world, "a", at(100), &["a:1", "a:2", "a:3"], Repeat::SamePlace);
    check(&world, "a", at(101), &["a:2", "a:3"], Repeat::SamePlace);
    check(&world, "**", at(200), &["b:1", "a:2", "c/1:1", "a:3"], Repeat::SamePlace);
    check(&world, "b", at(300), &[], Repeat::SamePlace);
    check(&world, "a", at(400), &["a:3"], Repeat::SamePlace);
    check(&world, "a", at(401), &[], Repeat::AnotherPlace);
    let mut reader = Reader::first(&world, "b", at(300));
    world.publish("b", &["2"]);
    assert_eq!(reader.hear(&world, super::world::ALL), ["b:2"]);
}

/// In an empty log every beginning is the same, and the first event is heard.
pub fn an_empty_log_has_a_beginning_too(make: Make) {
    for from in [StartFrom::Start, StartFrom::Now, StartFrom::Last(3), StartFrom::Time(UnixMs(0))] {
        let world = World::new(make);
        let mut reader = Reader::first(&world, "a", from);
        assert_eq!(reader.hear(&world, super::world::ALL), Vec::<String>::new());
        world.publish("a", &["1"]);
        assert_eq!(reader.hear(&world, super::world::ALL), ["a:1"], "{from:?}");
    }
}
