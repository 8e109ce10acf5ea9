//! A flipped bit in an event: it is never shown, its readers are told of a loss, and everything else is read.

use std::{num::NonZeroUsize, sync::Arc};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, SyncRule, io::SimulatedDisk};
use largesse_log::{
    Append, Author, Batch, Engine, EngineExt, EngineLimits, Incarnation, NewEvent, Once, Place, ReadLimits,
    Record, Selection, Selector, Stopped, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;

const LIMITS: ReadLimits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };

/// Nothing stays in memory.
fn open(disk: &SimulatedDisk, segment_bytes: u64) -> DiskEngine {
    let settings =
        DiskSettings { sync: SyncRule::Always, segment_bytes, hot_bytes_max: 0, ..DiskSettings::DEFAULT };
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(disk.clone()), EngineLimits::default(), settings, new)
        .expect("a whole disk opens")
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime for the test").block_on(future)
}

fn publish(engine: &DiskEngine, stream: &str, data: &str) {
    let stream = StreamName::parse(stream).expect("tests use right names");
    let events = vec![NewEvent { name: None, data: EventData::parse(data).expect("tests use right data") }];
    let append = Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source };
    wait(engine.append(UnixMs(1_000).into(), append)).expect("the disk works");
}

/// Flips a bit in the only occurrence of `text` in any segment.
fn damage(disk: &SimulatedDisk, text: &str) {
    let is_there = |name: &String| name.ends_with(".segment") && place_of(disk, name, text).is_some();
    let names: Vec<_> = disk.file_names().into_iter().filter(is_there).collect();
    assert_eq!(names.len(), 1, "{text} is in {names:?}");
    let name = &names[0];
    let place = place_of(disk, name, text).expect("it is there");
    disk.flip_bit(name, place as u64, 3);
}

fn place_of(disk: &SimulatedDisk, name: &str, text: &str) -> Option<usize> {
    let contents = disk.contents(name)?;
    contents.windows(text.len()).position(|bytes| bytes == text.as_bytes())
}

/// What a reader gets: events, and `!` with the streams of each loss.
fn heard(engine: &DiskEngine, selectors: &str) -> Vec<String> {
    let selectors = selectors.split(',').map(Selector::parse).collect::<Result<Vec<_>, _>>();
    let selection = Selection::many(selectors.expect("tests use right selectors")).expect("they are few");
    let (mut place, mut heard) = (Place::default(), Vec::new());
    loop {
        let Batch { records, upto, stopped, lost, .. } =
            wait(engine.read(&selection, place, LIMITS)).expect("the rest is read");
        if let Some(lost) = lost {
            let streams: Vec<_> = lost.streams.iter().map(StreamName::as_str).collect();
            heard.push(format!("!{}", streams.join(" ")));
            place = place.told(lost.told_upto);
        }
        heard.extend(records.iter().filter_map(|record| match record {
            Record::Event { event, .. } => Some(event.data.as_str().to_owned()),
            Record::End { .. } => None,
        }));
        place = place.advanced_to(upto);
        if stopped == Stopped::Tail {
            return heard;
        }
    }
}

#[track_caller]
fn check(segment_bytes: u64) {
    let disk = SimulatedDisk::new(1);
    let engine = open(&disk, segment_bytes);
    for number in 0..6 {
        publish(&engine, "a", &format!("of a {number}"));
        publish(&engine, "b", &format!("of b {number}"));
    }
    damage(&disk, "of a 2");
    damage(&disk, "of a 4");
    assert_eq!(heard(&engine, "b"), ["of b 0", "of b 1", "of b 2", "of b 3", "of b 4", "of b 5"]);
    let of_a = ["!a", "of a 0", "of a 1", "of a 3", "of a 5"];
    assert_eq!(heard(&engine, "a"), of_a);
    assert_eq!(heard(&engine, "a"), of_a, "a second reader is told, too");
    let by_pattern = heard(&engine, "*");
    assert_eq!(by_pattern.len(), 11, "{by_pattern:?}");
    assert_eq!(by_pattern[0], "!a");
    publish(&engine, "a", "of a 6");
    drop(engine);
    let engine = open(&disk, segment_bytes);
    let tail = engine.tail();
    assert_eq!(heard(&engine, "a").last().map(String::as_str), Some("of a 6"), "after a restart");
    assert!(heard(&engine, "a").contains(&"!a".to_owned()), "after a restart");
    assert_eq!(engine.tail(), tail, "the losses were recorded, and are not recorded again");
}

#[test]
fn a_broken_event_in_the_last_segment_is_reported_as_lost() {
    check(1024 * 1024);
}

#[test]
fn a_broken_event_in_a_sealed_segment_is_reported_as_lost() {
    check(500);
}
