//! Index files that are missing, truncated or broken, in a real folder: a start rebuilds them from their segments
//! exactly as they were, and an inspection does without.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]

mod support;

use std::{collections::BTreeMap, fs, num::NonZeroUsize, path::Path, sync::Arc};

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog, OpenError,
    inspect::{OfflineLog, check},
    io::Folder,
};
use largesse_log::{
    Append, Author, Batch, EngineExt, EngineLimits, Incarnation, NewEvent, Once, Place, Position, ReadLimits,
    Record, Selection, Selector, Settings, Stopped, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;
use support::TempFolder;

const LIMITS: ReadLimits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };

fn open(folder: &Path) -> Result<DiskEngine, OpenError> {
    // Nothing stays in memory, and a segment is soon full.
    let settings = DiskSettings { segment_bytes: 3_000, hot_bytes_max: 0, ..DiskSettings::default() };
    let defaults = Settings { max_events: Some(30), ..Settings::default() };
    let limits = EngineLimits { defaults, ..EngineLimits::default() };
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(Folder::open(folder).unwrap()), limits, settings, new)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn name(raw: &str) -> StreamName {
    StreamName::parse(raw).unwrap()
}

fn publish(engine: &DiskEngine, stream: &str, number: u64) {
    let event = |part| {
        let data = EventData::parse(&format!("{stream} {number} {part} {}", "x".repeat(50))).unwrap();
        NewEvent { name: None, data }
    };
    let events = (0..1 + number % 3).map(event).collect();
    let append = Append {
        stream: name(stream),
        events,
        then: Then::StayOpen,
        once: Once::Unkeyed,
        author: Author::Source,
    };
    wait(engine.append(UnixMs(1_000 + number).into(), append)).unwrap();
}

/// A log of several sealed segments, closed in order.
fn closed(folder: &Path) {
    let engine = open(folder).unwrap();
    for number in 0..60 {
        publish(&engine, ["a", "b", "c"][number as usize % 3], number);
    }
}

type Heard = Vec<(Position, String)>;

fn heard(mut read: impl FnMut(&Selection, Place) -> Batch, selector: &str) -> Heard {
    let selection = Selection::many(vec![Selector::parse(selector).unwrap()]).unwrap();
    let (mut place, mut heard) = (Place::default(), Vec::new());
    loop {
        let batch = read(&selection, place);
        heard.extend(batch.records.iter().filter_map(|record| match record {
            Record::Event { event, .. } => Some((event.position, event.data.as_str().to_owned())),
            Record::End { .. } => None,
        }));
        place = place.advanced_to(batch.upto);
        if batch.stopped == Stopped::Tail {
            return heard;
        }
    }
}

fn all(engine: &DiskEngine) -> Vec<Heard> {
    let read = |selection: &Selection, place| wait(engine.read(selection, place, LIMITS)).unwrap();
    ["a", "b", "c", "**"].map(|selector| heard(read, selector)).into()
}

fn indexes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let indexes = names.filter(|name| name.ends_with(".index"));
    indexes.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

/// Breaks all index files in one way.
#[track_caller]
fn check_rebuilt(break_it: fn(&Path, Vec<u8>)) {
    let folder = TempFolder::new();
    let folder = folder.path();
    closed(folder);
    let engine = open(folder).unwrap();
    let want = all(&engine);
    drop(engine);
    let before = indexes(folder);
    assert!(before.len() > 2, "{:?}", before.keys());
    for (name, bytes) in &before {
        break_it(&folder.join(name), bytes.clone());
    }
    let broken = indexes(folder);
    assert_ne!(broken, before);

    let log = OfflineLog::load(Arc::new(Folder::open(folder).unwrap())).unwrap();
    let read = |selection: &Selection, place| log.read(selection, place, LIMITS, &mut |_| {}).unwrap();
    assert_eq!(heard(read, "**"), want[3]);
    assert_eq!(indexes(folder), broken, "an inspection changes nothing");
    let mut defects = 0;
    check(&Folder::open(folder).unwrap(), &mut |_| defects += 1).unwrap();
    assert_eq!(defects, before.len());

    let engine = open(folder).unwrap();
    assert_eq!(indexes(folder), before, "they are rebuilt as they were");
    assert_eq!(all(&engine), want);
    for number in 60..120 {
        publish(&engine, "a", number);
    }
    assert_eq!(heard(|selection, place| wait(engine.read(selection, place, LIMITS)).unwrap(), "a").len(), 30);
}

#[test]
fn a_missing_index_is_rebuilt() {
    check_rebuilt(|path, _| fs::remove_file(path).unwrap());
}

#[test]
fn a_truncated_index_is_rebuilt() {
    check_rebuilt(|path, bytes| fs::write(path, &bytes[..bytes.len() - 1]).unwrap());
    check_rebuilt(|path, _| fs::write(path, b"").unwrap());
}

#[test]
fn an_index_of_another_segment_is_rebuilt() {
    check_rebuilt(|path, bytes| {
        let folder = path.parent().unwrap();
        let other = indexes(folder).into_values().find(|other| *other != bytes).unwrap();
        fs::write(path, other).unwrap();
    });
}

#[test]
fn an_index_with_a_broken_header_or_fence_is_rebuilt() {
    fn flip(path: &Path, mut bytes: Vec<u8>, at: usize) {
        bytes[at] ^= 8;
        fs::write(path, bytes).unwrap();
    }
    check_rebuilt(|path, bytes| flip(path, bytes, 3));
    check_rebuilt(|path, bytes| flip(path, bytes, 40));
    check_rebuilt(|path, bytes| flip(path, bytes, 4_100));
}

#[test]
fn an_index_of_dropped_events_is_rebuilt_and_their_space_is_freed() {
    let folder = TempFolder::new();
    let folder = folder.path();
    let engine = open(folder).unwrap();
    for number in 0..60 {
        publish(&engine, ["a", "b", "c"][number % 3], number as u64);
    }
    wait(engine.delete(UnixMs(2_000).into(), &name("b"))).unwrap();
    publish(&engine, "b", 60);
    let want = all(&engine);
    drop(engine);
    for name in indexes(folder).keys() {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let engine = open(folder).unwrap();
    assert_eq!(all(&engine), want);
    wait(engine.delete(UnixMs(2_000).into(), &name("a"))).unwrap();
    wait(engine.delete(UnixMs(2_000).into(), &name("c"))).unwrap();
    drop(engine);
    drop(open(folder).unwrap());
    let bytes: u64 = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".segment"))
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(bytes < 1_000, "{bytes} bytes are left for one event");
}
