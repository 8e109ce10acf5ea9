//! Appending: order, times, ends, and refusals.

use super::{
    reader::{Reader, check_heard},
    world::{ALL, Make, World, append, selection},
};
use crate::{
    AppendError, AppendOutcome, Appended, EngineExt, Place, Position, Record, SettingChange, SettingsPatch,
    Then, UnixMs,
};

/// Positions are one sequence over all streams, for every kind of record.
pub fn positions_count_up_over_all_streams(make: Make) {
    let world = World::new(make);
    assert_eq!(world.tail(), Position::ZERO, "a new log has no record");
    let first = world.publish("a", &["1"]).position;
    let second = world.publish("b", &["1", "2"]).position;
    let third = world.publish("a", &["2"]).position;
    assert!(Position::ZERO < first && first < second && second < third);
    assert_eq!(world.tail(), third);
    let deleted = world.delete("b").expect("b exists");
    assert!(deleted > third && world.tail() >= deleted);
}

/// Clocks go back; events' times do not, across all streams.
pub fn times_never_go_back(make: Make) {
    let world = World::new(make);
    world.at(500).publish("a", &["late"]);
    world.at(100).publish("b", &["clock went back"]);
    world.at(700).publish("a", &["on"]);
    let batch = world.read(&selection("**"), Place::default(), ALL);
    let time_of = |record: &Record| match record {
        Record::Event { event, .. } => event.time.0,
        Record::End { .. } => 0,
    };
    assert_eq!(batch.records.iter().map(time_of).collect::<Vec<_>>(), [500, 500, 700]);
}

/// The answer has the last event's position and the count; the close comes after it.
pub fn an_append_that_closes_is_answered_with_its_last_event(make: Make) {
    let world = World::new(make);
    let answer = world.append(append("a", &["1", "2"], Then::Close)).expect("the publish is valid");
    let state = world.state("a").expect("the stream was made");
    let outcome = AppendOutcome::Appended;
    assert_eq!(Some(answer.position), state.last);
    assert_eq!(answer, Appended { position: answer.position, count: 2, closed: true, outcome });
    assert!(state.closed > state.last, "the end has a position of its own");
    check_heard(&world, Reader::at("a", Position::ZERO), &["a:1", "a:2", "a!closed"]);
}

/// Closing a missing stream makes an empty closed stream.
pub fn closing_a_missing_stream_makes_it_closed(make: Make) {
    let world = World::new(make);
    let answer = world.close("a");
    let state = world.state("a").expect("the stream was made");
    assert_eq!((state.closed, state.events), (Some(answer.position), 0));
    assert_eq!((answer.count, answer.closed, answer.outcome), (0, true, AppendOutcome::Appended));
}

/// A closed stream accepts no events; closing it again succeeds and writes nothing.
pub fn a_closed_stream_accepts_nothing_more(make: Make) {
    let world = World::new(make);
    let end = world.close("a").position;
    let tail = world.tail();
    assert_eq!(world.append(append("a", &["1"], Then::StayOpen)), Err(AppendError::Closed));
    assert_eq!(world.append(append("a", &["1"], Then::Close)), Err(AppendError::Closed));
    let outcome = AppendOutcome::AlreadyClosed;
    assert_eq!(world.close("a"), Appended { position: end, count: 0, closed: true, outcome });
    assert_eq!(world.tail(), tail);
}

/// Concurrent publishers get separate positions, and each append's events are adjacent.
pub fn concurrent_publishers_do_not_mix(make: Make) {
    let world = World::new(make);
    let publish = |writer: usize| {
        let engine = &world.engine;
        let each = (0..50).map(move |_| append(&format!("s/{writer}"), &["1", "2"], Then::StayOpen));
        each.map(|append| engine.append(UnixMs(1000).into(), append)).collect::<Vec<_>>()
    };
    let runtime = world.runtime();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let writers = [0, 1, 2, 3].map(|writer| {
            let appends = publish(writer);
            scope
                .spawn(move || appends.into_iter().map(|append| runtime.block_on(append)).collect::<Vec<_>>())
        });
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer only publishes")).collect()
    });
    let mut lasts: Vec<_> =
        answers.into_iter().map(|answer| answer.expect("the publish is valid").position).collect();
    lasts.sort_unstable();
    let batch = world.read(&selection("s/*"), Place::default(), ALL);
    let found: Vec<_> = batch.records.iter().map(Record::position).collect();
    let want: Vec<_> = lasts.iter().flat_map(|last| [Position(last.0 - 1), *last]).collect();
    assert_eq!((found.len(), found), (400, want));
    assert!(batch.records.chunks(2).all(|pair| pair[0].stream() == pair[1].stream()));
}

/// A write whose future is dropped is done completely or not at all.
pub fn a_dropped_append_is_whole_or_nothing(make: Make) {
    let world = World::new(make);
    drop(world.engine.append(world.now(), append("a", &["1", "2"], Then::Close)));
    let heard = Reader::at("a", Position::ZERO).hear(&world, ALL);
    assert!(heard.is_empty() || heard == ["a:1", "a:2", "a!closed"], "{heard:?}");
}

/// An empty publish makes nothing.
pub fn appending_nothing_makes_nothing(make: Make) {
    let world = World::new(make);
    let answer = world.append(append("a", &[], Then::StayOpen)).expect("nothing can't fail");
    assert_eq!((answer.count, answer.closed), (0, false));
    assert_eq!((world.state("a"), world.tail()), (None, Position::ZERO));
}

/// At the limit no stream is made; existing ones go on.
pub fn no_more_streams_are_made_than_the_limit(make: Make) {
    let world = World::with(make, |limits| limits.streams_max = 2);
    world.publish("a", &["1"]);
    world.close("b");
    let refused = AppendError::TooManyStreams { streams_max: 2 };
    let tail = world.tail();
    assert_eq!(world.append(append("c", &["1"], Then::StayOpen)), Err(refused.clone()));
    assert_eq!(world.try_put("c", SettingsPatch::default()), Err(refused));
    assert_eq!((world.tail(), world.state("c")), (tail, None));
    world.publish("a", &["2"]);
    world.delete("b");
    world.publish("c", &["1"]);
}

/// A publish that the stream could never keep is refused, and changes nothing.
pub fn a_publish_larger_than_its_stream_is_refused(make: Make) {
    let world = World::new(make);
    let one = append("a", &["x"], Then::StayOpen);
    let bytes = one.events[0].counted_bytes();
    let max_bytes = SettingChange::Set(Some(bytes));
    world.put("a", SettingsPatch { max_bytes, ..SettingsPatch::default() });
    world.append(one).expect("it just fits");
    let before = (world.tail(), world.state("a"));
    let refused = AppendError::TooLarge { bytes: 2 * bytes, bytes_max: bytes };
    assert_eq!(world.append(append("a", &["x", "y"], Then::Close)), Err(refused));
    assert_eq!((world.tail(), world.state("a")), before);
}

/// The same for the whole log.
pub fn a_publish_larger_than_the_log_is_refused(make: Make) {
    let world = World::with(make, |limits| limits.log_bytes_max = 10_000);
    world.publish("a", &["1"]);
    let large = "x".repeat(10_000);
    let before = world.tail();
    let answer = world.append(append("b", &[&large], Then::StayOpen));
    assert!(matches!(answer, Err(AppendError::TooLarge { bytes_max: ..=10_000, .. })), "{answer:?}");
    assert_eq!((world.tail(), world.state("b")), (before, None));
    check_heard(&world, Reader::at("**", Position::ZERO), &["a:1"]);
}
