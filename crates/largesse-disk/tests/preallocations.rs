//! Preallocation on a real disk and with the engine's threads: little for a small log, and nothing after a stop.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]

mod support;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, inspect, io::Folder};
use largesse_log::{
    Append, Author, Engine, EngineExt, EngineLimits, Incarnation, NewEvent, Once, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;
use support::TempFolder;

const MIB: u64 = 1024 * 1024;
/// A generous limit for something that takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(folder: &Path) -> DiskEngine {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    let disk = Arc::new(Folder::open(folder).unwrap());
    DiskEngine::open(disk, EngineLimits::default(), DiskSettings::default(), new).unwrap()
}

fn publish(engine: &DiskEngine, bytes: usize) {
    let events = vec![NewEvent { name: None, data: EventData::parse(&"x".repeat(bytes)).unwrap() }];
    let stream = StreamName::parse("a").unwrap();
    let append = Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(engine.append(UnixMs(1_000).into(), append)).unwrap();
}

fn bytes_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    // A file may be gone meanwhile.
    files.filter_map(|file| file.unwrap().metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn preallocation_bytes(folder: &Path) -> Option<u64> {
    std::fs::metadata(folder.join("spare")).ok().map(|metadata| metadata.len())
}

#[test]
fn a_log_takes_little_more_disk_space_than_its_contents() {
    let temporary = TempFolder::new();
    let folder = temporary.path();
    let engine = open(folder);
    (0..100).for_each(|_| publish(&engine, 100));
    assert!(bytes_of(folder) < 100 * 1024, "{}", bytes_of(folder));
    // Half of the first segment.
    (0..25).for_each(|_| publish(&engine, 90_000));
    let until = Instant::now() + PATIENCE;
    while preallocation_bytes(folder) != Some(8 * MIB) {
        assert!(Instant::now() < until, "there is no preallocation: {:?}", preallocation_bytes(folder));
        publish(&engine, 1);
    }
    assert!(bytes_of(folder) < 11 * MIB, "{}", bytes_of(folder));
    // The rest of it, and some into the preallocated segment.
    (0..25).for_each(|_| publish(&engine, 90_000));
    let tail = engine.tail();
    drop(engine);
    assert_eq!(preallocation_bytes(folder), None);
    assert!(bytes_of(folder) < 5 * MIB, "{}", bytes_of(folder));
    let checked = inspect::check(&Folder::open(folder).unwrap(), &mut |defect| panic!("{defect:?}"));
    assert_eq!((checked.unwrap().left_over, open(folder).tail()), (vec![], tail));
}
