//! How many files a log has open, however many segments it has.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, num::NonZeroUsize, path::Path, sync::Arc};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, SyncRule, inspect::OfflineLog, io::Folder};
use largesse_log::{
    Append, Author, EngineExt, EngineLimits, Incarnation, NewEvent, Once, Place, ReadLimits, Selection,
    Selector, Stopped, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;
use support::TempFolder;

const EVENTS: usize = 400;
const LIMITS: ReadLimits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };

/// Each segment has a few events, and none are in memory.
fn settings(open_files_max: usize) -> DiskSettings {
    DiskSettings {
        sync: SyncRule::Interval(std::time::Duration::from_secs(3_600)),
        segment_bytes: 1_000,
        hot_bytes_max: 0,
        open_files_max: NonZeroUsize::new(open_files_max).unwrap(),
    }
}

fn opened(folder: &Path, settings: DiskSettings) -> DiskEngine {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(Folder::open(folder).unwrap()), EngineLimits::default(), settings, new).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn everything() -> Selection {
    Selection::many(vec![Selector::parse("**").unwrap()]).unwrap()
}

fn read_all(engine: &DiskEngine) -> usize {
    let (mut place, mut events) = (Place::default(), 0);
    loop {
        let batch = wait(engine.read(&everything(), place, LIMITS)).unwrap();
        events += batch.records.len();
        place = place.advanced_to(batch.upto);
        if batch.stopped == Stopped::Tail {
            return events;
        }
    }
}

fn publish(engine: &DiskEngine) {
    for number in 0..EVENTS {
        let events = vec![NewEvent { name: None, data: EventData::parse(&"x".repeat(400)).unwrap() }];
        let stream = StreamName::parse("a").unwrap();
        let append =
            Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source };
        wait(engine.append(UnixMs(1_000 + number as u64).into(), append)).unwrap();
    }
}

fn count(folder: &Path, ending: &str) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().ends_with(ending)).count()
}

/// How many files this process has open in a folder. Source: proc_pid_fd(5).
fn open_files(folder: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap();
    let open = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
    open.filter(|path| path.starts_with(folder)).count()
}

#[test]
fn a_log_of_many_segments_has_few_files_open() {
    const OPEN_FILES_MAX: usize = 6;
    let folder = TempFolder::new();
    let settings = settings(OPEN_FILES_MAX);
    let engine = opened(folder.path(), settings);
    publish(&engine);
    assert_eq!(read_all(&engine), EVENTS);
    assert!(open_files(folder.path()) <= settings.files_max());
    drop(engine);
    let segments = count(folder.path(), ".segment");
    assert!(segments > settings.files_max() && count(folder.path(), ".index") == segments, "{segments}");
    assert_eq!(open_files(folder.path()), 0);

    let engine = opened(folder.path(), settings);
    for _ in 0..2 {
        assert_eq!(read_all(&engine), EVENTS);
        assert!(open_files(folder.path()) <= settings.files_max());
    }
    drop(engine);
    let log = OfflineLog::load(Arc::new(Folder::open_to_read(folder.path()).unwrap())).unwrap();
    let read =
        log.read(&everything(), Place::default(), LIMITS, &mut |error| unreachable!("{error}")).unwrap();
    assert!(!read.records.is_empty());
    assert!(open_files(folder.path()) <= DiskSettings::DEFAULT.files_max());
}

#[test]
fn an_index_whose_file_was_removed_is_rebuilt_while_the_log_is_open() {
    let folder = TempFolder::new();
    let engine = opened(folder.path(), settings(2));
    publish(&engine);
    drop(engine);
    let engine = opened(folder.path(), settings(2));
    let first = folder.path().join("000000000001-0.index");
    let name = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let index = name.filter(|path| path.extension().is_some_and(|end| end == "index")).min().unwrap_or(first);
    fs::remove_file(&index).unwrap();
    // It is found missing, and rebuilt at the next checkpoint, at the latest when the log is closed.
    publish(&engine);
    drop(engine);
    assert!(index.exists());
    let engine = opened(folder.path(), settings(2));
    assert_eq!(read_all(&engine), EVENTS * 2);
}
