//! Formats: a folder of format 1 is read and continued, and this version's format can be reported from it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]

mod support;

use std::{fs, path::Path, sync::Arc};

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog, OpenError, format::segment::HEADER_BYTES, inspect::OfflineLog,
    io::Folder,
};
use largesse_log::{
    Append, Author, ControlNames, EngineExt, EngineLimits, FromSetting, Incarnation, NewEvent, Once, Put,
    SettingChange, Settings, SettingsPatch, StreamName, StreamState, Then, UnixMs,
};
use largesse_wire::EventData;
use support::TempFolder;

fn try_open(folder: &Path) -> Result<DiskEngine, OpenError> {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    let disk = Arc::new(Folder::open(folder).unwrap());
    DiskEngine::open(disk, EngineLimits::default(), DiskSettings::default(), new)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn name() -> StreamName {
    StreamName::parse("a").unwrap()
}

fn publish(engine: &DiskEngine, author: Author) {
    let events = vec![NewEvent { name: None, data: EventData::parse("x").unwrap() }];
    let append = Append { stream: name(), events, then: Then::StayOpen, once: Once::Unkeyed, author };
    run(engine.append(UnixMs(1_000).into(), append)).unwrap();
}

fn state(engine: &DiskEngine) -> StreamState {
    run(engine.state(&name())).unwrap().unwrap()
}

fn load(folder: &Path) -> OfflineLog {
    OfflineLog::load(Arc::new(Folder::open(folder).unwrap())).unwrap()
}

/// The files with a format number.
fn formatted(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| fs::read(path).unwrap().starts_with(b"LARGE")).collect()
}

/// Changes their format number.
fn set_format(folder: &Path, format: u8) {
    for path in formatted(folder) {
        let mut bytes = fs::read(&path).unwrap();
        if bytes.starts_with(b"LARGEIDX") {
            continue;
        }
        bytes[8] = format;
        let check = xxhash_rust::xxh3::xxh3_64(&bytes[..HEADER_BYTES - 8]);
        bytes[HEADER_BYTES - 8..HEADER_BYTES].copy_from_slice(&check.to_le_bytes());
        fs::write(&path, bytes).unwrap();
    }
}

/// What format 1 has is encoded the same way in this one: `command/tests/bytes.rs` and `checkpoint/tests/bytes.rs`
/// check the bytes.
#[test]
fn a_folder_of_the_first_format_is_read_and_continued_in_this_one() {
    let folder = TempFolder::new();
    let engine = try_open(folder.path()).unwrap();
    publish(&engine, Author::Source);
    drop(engine);
    set_format(folder.path(), 1);
    assert_eq!(load(folder.path()).files().format, 1);

    let engine = try_open(folder.path()).unwrap();
    assert_eq!((state(&engine).events, state(&engine).settings), (1, Settings::default()));
    let settings = SettingsPatch {
        from: SettingChange::Set(FromSetting::Now),
        control_names: SettingChange::Set(ControlNames::Shared),
        ..SettingsPatch::default()
    };
    let put = run(engine.put(UnixMs(2_000).into(), &name(), Put { settings })).unwrap();
    publish(&engine, Author::Publisher);
    drop(engine);
    for _ in 0..2 {
        // First from the segments, then from the checkpoint.
        let engine = try_open(folder.path()).unwrap();
        assert_eq!((state(&engine).events, state(&engine).settings), (2, put.settings));
    }
    let log = load(folder.path());
    assert!(log.left_out().is_empty());
    assert_eq!(log.files().format, 2, "what was written since has this version's");
}

/// So an older version reports a newer format, too, and does not mistake it for corruption.
#[test]
fn a_later_format_is_reported_with_its_number() {
    let folder = TempFolder::new();
    let engine = try_open(folder.path()).unwrap();
    publish(&engine, Author::Publisher);
    drop(engine);
    assert!(formatted(folder.path()).iter().all(|path| fs::read(path).unwrap()[8] <= 2));
    set_format(folder.path(), 3);
    let reported = try_open(folder.path()).unwrap_err().to_string();
    assert!(reported.contains("segment") || reported.contains("checkpoint"), "{reported}");
    let error = try_open(folder.path()).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(
        format!("{reported} {source}").contains("the format 3; this version reads 1 to 2"),
        "{reported} {source}"
    );
}
