//! Copies of a data folder: whatever is restored, and whenever the power goes, no id is given out twice.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]

mod support;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog, OpenError,
    io::{Disk, DiskFile, Fault, FileIdentity, Folder, SimulatedDisk},
};
use largesse_log::{
    Append, Author, EngineExt, EngineLimits, Incarnation, NewEvent, Once, Place, Position, ReadLimits,
    Record, Selection, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;
use support::TempFolder;

/// How many positions a copy skips.
const JUMP: u64 = 1 << 40;
/// How many positions a start after a crash skips, at most.
const RESERVED: u64 = 1 << 21;

fn try_open(disk: impl Disk) -> Result<DiskEngine, OpenError> {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(disk), EngineLimits::default(), DiskSettings::default(), new)
}

fn open(folder: &Path) -> DiskEngine {
    try_open(Folder::open(folder).unwrap()).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn publish(engine: &DiskEngine, data: &str) -> u64 {
    let events = vec![NewEvent { name: None, data: EventData::parse(data).unwrap() }];
    let stream = StreamName::parse("a").unwrap();
    let append = Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source };
    run(engine.append(UnixMs(1_000).into(), append)).unwrap().position.0
}

/// The data that a reader gets after this position.
fn after(engine: &DiskEngine, position: u64) -> Vec<String> {
    let selection = Selection::one(StreamName::parse("a").unwrap());
    let limits = ReadLimits { records_max: 100.try_into().unwrap(), bytes_max: 1 << 20 };
    let batch = run(engine.read(&selection, Place::at(Position(position)), limits)).unwrap();
    assert_eq!(batch.lost, None);
    let data = |record: &Record| match record {
        Record::Event { event, .. } => Some(event.data.as_str().to_owned()),
        _ => None,
    };
    batch.records.iter().filter_map(data).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn in_place_of(copy_of: &Path, folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    fs::rename(copy_of, folder).unwrap();
}

/// Stops, copies, continues, restores the copy: ids differ, and old ids can still be read from.
#[track_caller]
fn check_put_back(put_back: fn(&Path, &Path)) {
    let temporary = TempFolder::new();
    let (folder, backup): (PathBuf, PathBuf) =
        (temporary.path().join("data"), temporary.path().join("backup"));
    let engine = open(&folder);
    let first = publish(&engine, "first");
    drop(engine);
    copy(&folder, &backup);

    let engine = open(&folder);
    let lost: Vec<_> = (0..3).map(|_| publish(&engine, "lost")).collect();
    assert!(lost.iter().all(|position| *position < first + RESERVED), "the original is not a copy: {lost:?}");
    drop(engine);
    put_back(&backup, &folder);

    let engine = open(&folder);
    let again = publish(&engine, "again");
    assert!(again > first + JUMP, "{first}, {lost:?}, {again}");
    assert_eq!(after(&engine, first), ["again"]);
    assert_eq!(after(&engine, lost[1]), ["again"]);
    drop(engine);

    // From now on it is an original.
    let engine = open(&folder);
    let more = publish(&engine, "more");
    assert!((again..again + RESERVED).contains(&more), "{again}, {more}");
    assert_eq!(after(&engine, 0), ["first", "again", "more"]);
}

#[test]
fn a_restored_copy_gives_out_no_id_twice() {
    check_put_back(in_place_of);
}

#[test]
fn nor_does_a_copy_written_over_the_files_of_the_original() {
    check_put_back(|backup, folder| {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            // Its segments are newer than the checkpoint of the copy, and would be replayed.
            if path.extension().is_some_and(|extension| extension == "segment") {
                fs::remove_file(path).unwrap();
            }
        }
        copy(backup, folder);
    });
}

#[test]
fn a_moved_folder_is_not_a_copy() {
    let temporary = TempFolder::new();
    let (here, there) = (temporary.path().join("here"), temporary.path().join("there"));
    let first = publish(&open(&here), "first");
    fs::rename(&here, &there).unwrap();
    let second = publish(&open(&there), "second");
    assert!(second < first + RESERVED, "{first}, {second}");
}

#[test]
fn a_copy_whose_server_died_before_it_published_still_skips_the_positions() {
    let temporary = TempFolder::new();
    let (here, there) = (temporary.path().join("here"), temporary.path().join("there"));
    let first = publish(&open(&here), "first");
    copy(&here, &there);
    // A server killed here leaves a segment with a header, and an identity that is not a copy's any more.
    let engine = open(&there);
    let killed = temporary.path().join("killed");
    copy(&there, &killed);
    drop(engine);
    fs::remove_dir_all(&there).unwrap();
    fs::rename(&killed, &there).unwrap();
    fs::remove_file(there.join("identity")).unwrap();
    let second = publish(&open(&there), "second");
    assert!(second > first + JUMP, "{first}, {second}");
}

/// A disk at a place, which gives its files their identity. The same disk at another place is a copy.
struct Placed(SimulatedDisk, u64);

impl Disk for Placed {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.0.create(name)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.0.open(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.sync_names()
    }

    fn identity(&self, _name: &str) -> io::Result<Option<FileIdentity>> {
        Ok(Some(FileIdentity { inode: self.1, born: Duration::ZERO }))
    }
}

#[test]
fn the_power_goes_at_each_operation_of_a_copys_first_start() {
    // A start, and a stop if it gets that far.
    const OPERATIONS: u64 = 60;
    for number in 0..OPERATIONS {
        let disk = SimulatedDisk::new(number);
        let first = publish(&try_open(Placed(disk.clone(), 1)).unwrap(), "first");
        disk.fail_at(disk.operations() + number, Fault::PowerCut);
        drop(try_open(Placed(disk.clone(), 2)));
        for seed in 0..4 {
            let disk = disk.after_power_cut(seed);
            let again = publish(&try_open(Placed(disk.clone(), 2)).unwrap(), "again");
            assert!(again > first + JUMP, "operation {number}, seed {seed}: {first}, {again}");
            // And then it is an original.
            let more = publish(&try_open(Placed(disk, 2)).unwrap(), "more");
            assert!((again..again + RESERVED).contains(&more), "{number}, {seed}: {again}, {more}");
        }
    }
}
