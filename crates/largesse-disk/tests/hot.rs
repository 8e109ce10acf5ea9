//! With some events hot and the older ones cold: each is counted and read once, wherever the boundary is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{num::NonZeroUsize, sync::Arc};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, SyncRule, io::SimulatedDisk};
use largesse_log::{
    Append, Author, Engine, EngineExt, EngineLimits, Incarnation, NewEvent, Once, Place, Position,
    ReadLimits, Record, Selection, Selector, StartFrom, Stopped, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;

const EVENTS: usize = 12;
/// The counted bytes of one event, at least.
const EVENT_BYTES: u64 = 128;

fn open(hot_bytes_max: u64, segment_bytes: u64) -> DiskEngine {
    let settings =
        DiskSettings { sync: SyncRule::Always, segment_bytes, hot_bytes_max, ..DiskSettings::DEFAULT };
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(SimulatedDisk::new(1)), EngineLimits::default(), settings, new).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn selection(selectors: &str) -> Selection {
    let selectors = selectors.split(',').map(Selector::parse).collect::<Result<Vec<_>, _>>();
    Selection::many(selectors.unwrap()).unwrap()
}

/// Positions after a place, in as many reads as needed.
fn read_on(engine: &DiskEngine, selection: &Selection, mut place: Place) -> Vec<Position> {
    let limits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };
    let mut positions = Vec::new();
    loop {
        let batch = wait(engine.read(selection, place, limits)).unwrap();
        positions.extend(batch.records.iter().map(Record::position));
        place = place.advanced_to(batch.upto);
        if batch.stopped == Stopped::Tail {
            return positions;
        }
    }
}

#[track_caller]
fn check(selectors: &str, streams: &[&str]) {
    for hot in 0..=EVENTS as u64 {
        for segment_bytes in [200, 500, 1024 * 1024] {
            let engine = open(hot * (EVENT_BYTES + 2), segment_bytes);
            let mut published = Vec::new();
            for number in 0..EVENTS {
                let stream = ["a", "b", "c"][number % 3];
                let events = vec![NewEvent { name: None, data: EventData::parse("x").unwrap() }];
                let name = StreamName::parse(stream).unwrap();
                let append = Append {
                    stream: name,
                    events,
                    then: Then::StayOpen,
                    once: Once::Unkeyed,
                    author: Author::Source,
                };
                let answer = wait(engine.append(UnixMs(1_000 + number as u64).into(), append)).unwrap();
                published.extend(streams.contains(&stream).then_some(answer.position));
            }
            for last in 0..=published.len() {
                let from = StartFrom::Last(last as u64);
                let located = wait(engine.locate(&selection(selectors), from)).unwrap();
                let heard = read_on(&engine, &selection(selectors), located.place);
                let wanted = &published[published.len() - last..];
                assert_eq!(heard, wanted, "the last {last} of {selectors}, {hot} in memory, {segment_bytes}");
            }
        }
    }
}

#[test]
fn the_last_events_of_one_stream_are_counted_once() {
    check("a", &["a"]);
}

#[test]
fn the_last_events_of_several_streams_are_counted_once() {
    check("a,c", &["a", "c"]);
}

#[test]
fn the_last_events_of_a_pattern_are_counted_once() {
    check("*", &["a", "b", "c"]);
}

/// Concurrent publishers, so that groups are large and indexed on the indexing thread, and readers that begin at
/// any place meanwhile.
#[test]
fn readers_miss_nothing_and_get_nothing_twice_while_events_leave_memory() {
    const ROUNDS: usize = 80;
    const AT_ONCE: usize = 48;
    let engine = open(2 * EVENT_BYTES, 8 * 1024);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let engine = Arc::new(engine);
    let publishers: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let engine = Arc::clone(&engine);
            runtime.spawn(async move {
                for round in 0..ROUNDS {
                    // The other streams are too many for a pattern: a read of all of them scans the log.
                    let other = format!("s/{number}/{round}");
                    let stream = StreamName::parse(["a", "b", &other][number % 3]).unwrap();
                    let events = vec![NewEvent { name: None, data: EventData::parse("x").unwrap() }];
                    let append = Append {
                        stream,
                        events,
                        then: Then::StayOpen,
                        once: Once::Unkeyed,
                        author: Author::Source,
                    };
                    engine.append(UnixMs(1).into(), append).await.unwrap();
                }
            })
        })
        .collect();
    let mut heard = Vec::new();
    while !publishers.iter().all(tokio::task::JoinHandle::is_finished) {
        for selectors in ["a,b", "**"] {
            let from = Position(engine.tail().0 / 2);
            heard.push((selectors, from, read_on(&engine, &selection(selectors), Place::at(from))));
        }
    }
    publishers.into_iter().for_each(|publisher| runtime.block_on(publisher).unwrap());
    let [few, all] = ["a,b", "**"].map(|of| read_on(&engine, &selection(of), Place::default()));
    assert_eq!((few.len(), all.len()), (ROUNDS * AT_ONCE * 2 / 3, ROUNDS * AT_ONCE));
    for (selectors, from, heard) in heard {
        let all = if selectors == "**" { &all } else { &few };
        let after = &all[all.partition_point(|position| *position <= from)..];
        let missed = after.iter().zip(&heard).find(|(wanted, heard)| wanted != heard);
        assert_eq!(missed, None, "{selectors} from {from:?}");
        assert!(heard.len() <= after.len(), "{selectors} from {from:?}");
    }
}
