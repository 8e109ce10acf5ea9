//! A checkpoint replaces an older one while the disk fails: afterwards one of the two is there, whole.

use super::*;
use crate::io::Fault;

/// Power cuts per operation.
const SEEDS: u64 = 12;

fn cold() -> Checkpoint {
    let (head, items) = large(SALT);
    (CheckpointHead { replay_from: 1, ..head }, items)
}

fn new() -> Checkpoint {
    let (head, mut items) = large(SALT);
    items.truncate(600);
    (CheckpointHead { replay_from: 2, ..head }, items)
}

/// A disk with the old checkpoint, synced, and a leftover of an earlier crash.
fn begun(seed: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new(seed);
    written(&disk, &cold());
    disk.create(NEW_FILE).unwrap().write_at(b"LARGECKP", 0).unwrap();
    disk
}

fn try_new(disk: &SimulatedDisk) -> std::io::Result<u64> {
    let (head, items) = new();
    write_items(disk, &head, items.into_iter())
}

fn new_operations() -> u64 {
    let disk = begun(0);
    let before = disk.operations();
    try_new(&disk).unwrap();
    disk.operations() - before
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Cold,
    New,
}

#[track_caller]
fn found(disk: &SimulatedDisk) -> Found {
    match read(disk).unwrap().expect("there is always a checkpoint") {
        checkpoint if checkpoint == cold() => Found::Cold,
        checkpoint if checkpoint == new() => Found::New,
        (head, items) => panic!("{head:?} with {} items is neither", items.len()),
    }
}

#[test]
fn a_power_cut_leaves_the_old_checkpoint_or_the_new() {
    let mut all = Vec::new();
    for number in 0..new_operations() {
        let disk = begun(number);
        disk.fail_at(disk.operations() + number, Fault::PowerCut);
        try_new(&disk).unwrap_err();
        all.extend((0..SEEDS).map(|seed| found(&disk.after_power_cut(seed))));
    }
    assert!(all.contains(&Found::Cold) && all.contains(&Found::New));
}

#[test]
fn a_written_checkpoint_survives_a_power_cut() {
    let disk = begun(0);
    try_new(&disk).unwrap();
    for seed in 0..SEEDS {
        assert_eq!(found(&disk.after_power_cut(seed)), Found::New);
    }
}

#[test]
fn after_an_error_one_of_the_two_is_there_and_the_next_write_succeeds() {
    let operations = new_operations();
    for number in 0..operations {
        for fault in [Fault::Error, Fault::Full] {
            let disk = begun(number);
            disk.fail_at(disk.operations() + number, fault);
            try_new(&disk).unwrap_err();
            // Only the last operation, the sync of the names, comes after the rename.
            let want = if number == operations - 1 { Found::New } else { Found::Cold };
            assert_eq!(found(&disk), want, "{fault:?} at {number}");
            assert_eq!(disk.file_names(), [FILE], "{fault:?} at {number}");
            (0..SEEDS).for_each(|seed| _ = found(&disk.after_power_cut(seed)));
            try_new(&disk).unwrap();
            assert!((0..SEEDS).all(|seed| found(&disk.after_power_cut(seed)) == Found::New));
        }
    }
}

#[test]
fn on_a_full_disk_the_old_checkpoint_stays_and_nothing_is_left_over() {
    let disk = begun(0);
    disk.set_full(true);
    assert_eq!(try_new(&disk).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert_eq!((found(&disk), disk.file_names()), (Found::Cold, vec![FILE.to_owned()]));
    disk.set_full(false);
    try_new(&disk).unwrap();
    assert_eq!(found(&disk), Found::New);
}
