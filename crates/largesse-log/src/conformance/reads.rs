//! Reads: their limits, their order, and places that the log has not reached.

use std::num::NonZeroUsize;

use super::{
    reader::{Reader, check_heard, text_of},
    world::{ALL, Make, World, selection},
};
use crate::{
    EngineError, Place, Position, ReadLimits, Record, SettingChange, SettingsPatch, Slow, StartFrom, Stopped,
};

fn limits(records_max: usize, bytes_max: u64) -> ReadLimits {
    ReadLimits { records_max: NonZeroUsize::new(records_max).expect("at least one"), bytes_max }
}

/// As many records as fit, but at least one, and whether there are more.
pub fn a_read_stops_at_its_limits(make: Make) {
    let world = World::new(make);
    let at: Vec<_> = ["1", "22", "333"].map(|data| world.publish("a", &[data]).position).into();
    let tail = (world.tail(), Stopped::Tail);
    for (limits, want, upto) in [
        (limits(3, u64::MAX), 3, tail),
        (limits(2, u64::MAX), 2, (at[1], Stopped::Limits)),
        (limits(9, 6), 3, tail),
        (limits(9, 5), 2, (at[1], Stopped::Limits)),
        (limits(9, 0), 1, (at[0], Stopped::Limits)),
    ] {
        let batch = world.read(&selection("a"), Place::default(), limits);
        assert_eq!(batch.records.len(), want, "{limits:?}");
        assert_eq!((batch.upto, batch.stopped), upto, "{limits:?}");
    }
}

/// All events of one append become readable at once.
pub fn an_append_is_seen_whole(make: Make) {
    let world = World::new(make);
    let answer = world.publish("a", &["1", "2", "3"]);
    let batch = world.read(&selection("a"), Place::default(), ALL);
    let positions: Vec<_> = batch.records.iter().map(Record::position).collect();
    let last = answer.position.0;
    assert_eq!(positions, [last - 2, last - 1, last].map(Position), "they are adjacent in the log");
}

/// A missing stream can be read: nothing comes, and nothing is made.
pub fn reading_a_missing_stream_makes_nothing(make: Make) {
    let world = World::new(make);
    world.publish("other", &["1"]);
    let batch = world.read(&selection("a"), Place::default(), ALL);
    assert_eq!((batch.records.len(), batch.upto, batch.stopped), (0, world.tail(), Stopped::Tail));
    assert_eq!((batch.lost, world.state("a")), (None, None));
}

/// A place that this log has not reached is refused, by its position and by its mark.
pub fn a_place_beyond_the_tail_is_refused(make: Make) {
    let world = World::new(make);
    let tail = world.publish("a", &["1"]).position;
    let beyond = tail.next();
    let refused = Err(EngineError::BeyondTail { position: beyond, tail });
    for place in [Place::at(beyond), Place::knowing(tail, beyond), Place::at(tail).told(beyond)] {
        assert_eq!(world.try_read(&selection("a"), place, ALL), refused, "{place:?}");
    }
    world.try_read(&selection("a"), Place::at(tail), ALL).expect("the tail is reached");
}

/// An event that a name and patterns cover comes once.
pub fn an_event_selected_twice_comes_once(make: Make) {
    let world = World::new(make);
    world.publish("a/b", &["1"]);
    world.publish("a/c", &["2"]);
    check_heard(&world, Reader::at("a/b,a/*,a/**,**", Position::ZERO), &["a/b:1", "a/c:2"]);
    for _ in 0..20 {
        world.publish("a/d", &["3"]);
    }
    let heard = Reader::at("a/b,a/*,a/**,**", Position::ZERO).hear(&world, ALL);
    assert_eq!(heard.len(), 22, "even with more records than streams");
}

/// A pattern over many streams finds the same events as the names would, in order, from any place.
pub fn many_streams_are_read_in_log_order(make: Make) {
    let world = World::new(make);
    let streams = 1500;
    for number in 0..streams {
        world.publish(&format!("s/{number}/x"), &["1"]);
        if number % 100 == 0 {
            world.publish("t", &["1"]);
        }
    }
    world.publish("s/7/x", &["2"]);
    world.close("t");
    for (records_max, seen) in [(usize::MAX, 1), (100, 1), (7, 3)] {
        let mut reader = Reader::at("s/*/x,t", Position::ZERO);
        let heard = reader.hear(&world, limits(records_max, u64::MAX));
        assert_eq!(heard.len(), streams + streams / 100 + 2, "{records_max} at once, read {seen}");
        assert_eq!(&heard[..3], ["s/0/x:1", "t:1", "s/1/x:1"]);
        assert_eq!(&heard[heard.len() - 2..], ["s/7/x:2", "t!closed"]);
    }
    check_heard(
        &world,
        Reader::first(&world, "s/*/x,t", StartFrom::Last(2)),
        &["s/1499/x:1", "s/7/x:2", "t!closed"],
    );
    let tail = world.tail();
    let late = world.read(&selection("**"), Place::at(Position(tail.0 - 2)), ALL);
    assert_eq!(late.records.iter().map(text_of).collect::<Vec<_>>(), ["s/7/x:2"]);
}

/// Each event comes with its stream's current policy for slow readers.
pub fn the_policy_for_slow_readers_is_the_current_one(make: Make) {
    let world = World::new(make);
    world.publish("a", &["1"]);
    let slow = SettingChange::Set(Slow::Latest);
    world.put("a", SettingsPatch { slow, ..SettingsPatch::default() });
    for streams in ["a", "*"] {
        let batch = world.read(&selection(streams), Place::default(), ALL);
        assert!(matches!(batch.records[0], Record::Event { slow: Slow::Latest, .. }), "{streams}");
    }
}
