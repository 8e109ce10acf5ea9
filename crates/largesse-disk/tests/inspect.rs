//! Inspecting a log that no server has open: a flipped bit is found wherever it is, and nothing is changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]

use std::sync::Arc;

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog,
    inspect::{Checked, Defect, OfflineLog, check_watched, files, is_log},
    io::SimulatedDisk,
};
use largesse_log::{
    Append, Author, Engine, EngineExt, EngineLimits, Incarnation, NewEvent, Once, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;

fn open(disk: &SimulatedDisk) -> DiskEngine {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(disk.clone()), EngineLimits::default(), DiskSettings::default(), new).unwrap()
}

fn publish(engine: &DiskEngine, stream: &str, data: &str) {
    let stream = StreamName::parse(stream).unwrap();
    let events = vec![NewEvent { name: None, data: EventData::parse(data).unwrap() }];
    let append = Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(engine.append(UnixMs(1_000).into(), append)).unwrap();
}

/// A log that was cleanly stopped this many times, with events in each segment.
fn stopped(times: usize) -> SimulatedDisk {
    let disk = SimulatedDisk::new(5);
    for time in 0..times {
        let engine = open(&disk);
        publish(&engine, "a", &format!("event {time}"));
        publish(&engine, "b/c", "another");
    }
    disk
}

fn checked(disk: &SimulatedDisk) -> (Checked, Vec<Defect>) {
    let (mut defects, mut looked_at) = (Vec::new(), 0);
    let mut tell = |defect| defects.push(defect);
    let checked = check_watched(disk, &mut tell, &mut |bytes| looked_at += bytes).unwrap();
    // Progress never exceeds the total.
    assert!(looked_at <= files(disk).unwrap().bytes, "{looked_at} bytes");
    (checked, defects)
}

/// Flips a bit of each byte of each file in turn.
#[track_caller]
fn check_each_byte(disk: &SimulatedDisk) {
    let (whole, defects) = checked(disk);
    assert_eq!((defects, whole.torn, whole.left_over), (vec![], None, vec![]));
    for name in disk.file_names() {
        let bytes = disk.contents(&name).unwrap().len() as u64;
        // The check treats all pages alike.
        let step = if bytes > 4096 { 13 } else { 1 };
        for byte in (0..bytes).step_by(step) {
            disk.flip_bit(&name, byte, 4);
            let (_, defects) = checked(disk);
            let found = defects.iter().find(|defect| defect.file == name);
            assert!(
                found.is_some_and(|defect| defect.at.is_none_or(|at| at <= byte)),
                "{name} {byte}: {defects:?}"
            );
            disk.flip_bit(&name, byte, 4);
        }
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_any_file_is_reported_with_its_file_and_offset() {
    let disk = stopped(1);
    assert!(disk.file_names().contains(&"000000000001-0.segment".to_owned()), "{:?}", disk.file_names());
    check_each_byte(&disk);
}

#[test]
fn a_flipped_bit_in_a_compacted_segment_is_reported_too() {
    let disk = stopped(8);
    let is_compacted = |name: &String| name.ends_with(".segment") && !name.ends_with("-0.segment");
    assert!(disk.file_names().iter().any(is_compacted), "{:?}", disk.file_names());
    check_each_byte(&disk);
}

#[test]
fn a_missing_file_is_reported() {
    use largesse_disk::io::Disk;
    let disk = stopped(8);
    disk.remove("checkpoint").unwrap();
    assert_eq!(
        checked(&disk).1.iter().map(|defect| defect.file.as_str()).collect::<Vec<_>>(),
        ["checkpoint"]
    );
    for name in stopped(1).file_names() {
        let disk = stopped(1);
        disk.remove(&name).unwrap();
        let (_, defects) = checked(&disk);
        // Without a checkpoint everything is in the first segment, and its index is not needed.
        let is_needed = name != "checkpoint";
        assert_eq!(defects.iter().any(|defect| defect.file == name), is_needed, "{name}: {defects:?}");
    }
}

#[test]
fn bytes_after_the_end_of_a_sealed_segment_are_reported_unless_they_are_zeros() {
    use largesse_disk::io::Disk;
    let disk = stopped(1);
    let name = "000000000001-0.segment";
    let file = disk.open(name).unwrap();
    let end = file.bytes().unwrap();
    file.write_at(&[0; 5000], end).unwrap();
    assert_eq!(checked(&disk), (Checked { bytes: checked(&disk).0.bytes, ..checked(&stopped(1)).0 }, vec![]));
    file.write_at(b"x", end + 4999).unwrap();
    let (found, defects) = checked(&disk);
    assert_eq!((found.trailing, defects), (vec![(name.to_owned(), end)], vec![]));
}

#[test]
fn after_a_crash_an_inspection_finds_what_a_start_would_and_changes_nothing() {
    let disk = stopped(2);
    let engine = open(&disk);
    publish(&engine, "a", "one more");
    let tail = engine.tail();
    for seed in 0..20 {
        let crashed = disk.after_power_cut(seed);
        let before: Vec<_> = crashed.file_names().iter().map(|name| crashed.contents(name)).collect();
        assert!(is_log(&crashed).unwrap());
        let log = OfflineLog::load(Arc::new(crashed.clone())).unwrap();
        assert_eq!((log.tail(), log.incarnation()), (tail, Incarnation(7)), "seed {seed}");
        assert!(log.left_out().is_empty());
        assert_eq!(checked(&crashed).1, []);
        let after: Vec<_> = crashed.file_names().iter().map(|name| crashed.contents(name)).collect();
        assert_eq!(before, after, "seed {seed}");
    }
}
