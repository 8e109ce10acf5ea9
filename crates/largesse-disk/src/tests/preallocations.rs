//! Preallocated segments: zeros after the last group are not a loss, and a lost group is not mistaken for them.

use largesse_log::{Append, Author, NewEvent, Once, StreamName, Then, UnixMs};
use largesse_wire::EventData;

use super::world::{Action, Answer, SETTINGS, World, actions};
use crate::{
    OpenError,
    commit::preallocation,
    format::{
        scan::{Scan, Scanned},
        segment::{HEADER_BYTES, SegmentHeader},
    },
    inspect,
    io::{Act, Disk, SimulatedDisk},
};

fn append(world: &mut World, text: &str) {
    let events = vec![NewEvent { name: None, data: EventData::parse(text).unwrap() }];
    let stream = StreamName::parse("a").unwrap();
    let append = Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source };
    assert!(matches!(world.apply(UnixMs(1), &Action::Append(append)), Answer::Applied(_)));
}

/// A log whose last segment was preallocated, and has some groups followed by zeros; and that segment's name.
fn with_zeros(seed: u64) -> (SimulatedDisk, World, String) {
    let disk = SimulatedDisk::new(seed);
    let mut world = World::open(&disk).unwrap();
    let mut appended = 0;
    while begun(&disk).0 == 0 {
        append(&mut world, &format!("before {appended} {}", "x".repeat(60)));
        appended += 1;
        assert!(appended < 1_000, "no segment is begun in a preallocation");
    }
    for number in 0..3 {
        append(&mut world, &format!("event {number}"));
    }
    let last = segments(&disk).pop().unwrap();
    assert!(disk.contents(&last).unwrap().ends_with(&[0; 300]), "{last} has no zeros");
    (disk, world, last)
}

fn segments(disk: &SimulatedDisk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with("-0.segment")).collect()
}

/// How many segments were preallocated, and how many are files that grow.
fn begun(disk: &SimulatedDisk) -> (usize, usize) {
    let record = disk.record();
    let is_preallocation = |act: &Act| matches!(act, Act::Rename { from, .. } if from == preallocation::FILE);
    let is_plain = |act: &Act| matches!(act, Act::Create { name } if name.ends_with("-0.segment"));
    let count = |is: &dyn Fn(&Act) -> bool| record.iter().filter(|operation| is(&operation.act)).count();
    (count(&is_preallocation), count(&is_plain))
}

fn bytes_of(disk: &SimulatedDisk, name: &str) -> usize {
    disk.contents(name).unwrap_or_default().len()
}

/// Where the groups of a segment end.
fn ends(disk: &SimulatedDisk, name: &str) -> Vec<u64> {
    let bytes = disk.contents(name).unwrap();
    let header = SegmentHeader::decode(bytes.first_chunk().unwrap()).unwrap();
    let scan = Scan::new(disk.open(name).unwrap(), header.salt, HEADER_BYTES as u64, bytes.len() as u64);
    let (mut scan, mut ends) = (scan.unwrap().ending_at_zeros(), Vec::new());
    loop {
        match scan.next_group().unwrap() {
            Scanned::Next(group) => ends.push(group.end),
            Scanned::End => return ends,
            Scanned::Broken(broken) => panic!("{broken}"),
        }
    }
}

/// Zeros durable bytes, like a disk that lost them.
fn lose(disk: &SimulatedDisk, name: &str, bytes: std::ops::Range<u64>) {
    let file = disk.open(name).unwrap();
    file.write_at(&vec![0; (bytes.end - bytes.start) as usize], bytes.start).unwrap();
    file.sync().unwrap();
}

/// Otherwise these tests would prove nothing.
#[test]
fn the_workload_of_the_crash_tests_fills_preallocated_segments_and_also_does_without() {
    for seed in [0, 10, 20, 30, 40] {
        let disk = SimulatedDisk::new(seed);
        let mut world = World::open(&disk).unwrap();
        for (now, action) in actions(seed, 60) {
            world.apply(now, &action);
        }
        let (renamed, created) = begun(&disk);
        assert!(renamed >= 2 && created >= 2, "seed {seed}: {renamed} in a preallocation, {created} not");
    }
}

#[test]
fn after_a_crash_a_log_continues_without_the_zeros_and_frees_their_space() {
    for seed in 0..20 {
        let (disk, world, last) = with_zeros(seed);
        let seen = world.seen();
        for disk in [disk.after_power_cut(seed), disk.after_exit()] {
            assert!(disk.contents(&last).unwrap().ends_with(&[0; 300]));
            let written = *ends(&disk, &last).last().unwrap();
            let mut defects = Vec::new();
            let checked = inspect::check(&disk, &mut |defect| defects.push(defect)).unwrap();
            assert_eq!((defects, checked.torn), (vec![], None), "seed {seed}");
            let again = World::open(&disk).unwrap();
            assert_eq!(again.seen(), seen, "seed {seed}");
            let acts: Vec<_> = disk.record().into_iter().map(|operation| operation.act).collect();
            let cut =
                acts.iter().position(|act| *act == Act::Truncate { name: last.clone(), bytes: written });
            let begun = acts
                .iter()
                .position(|act| matches!(act, Act::Create { name } if name.ends_with("-0.segment")));
            assert!(cut.is_some() && cut < begun, "seed {seed}: before the next is begun");
            if disk.file_names().contains(&last) {
                assert_eq!(bytes_of(&disk, &last) as u64, written, "seed {seed}");
            }
        }
    }
}

#[test]
fn durable_groups_that_became_zeros_are_broken_if_one_follows() {
    let (disk, _, last) = with_zeros(1);
    let ends = ends(&disk, &last);
    assert!(ends.len() >= 3);
    for from in 0..ends.len() - 1 {
        for to in from + 1..ends.len() {
            let begin = if from == 0 { HEADER_BYTES as u64 } else { ends[from - 1] };
            let disk = disk.after_exit();
            lose(&disk, &last, begin..ends[to - 1]);
            let opened = World::open(&disk).map(|_| ()).unwrap_err();
            let OpenError::Broken { file, broken } = opened else { panic!("{opened}") };
            assert_eq!((file, broken.whole_upto), (last.clone(), begin), "groups {from}..{to}");
            let mut defects = Vec::new();
            inspect::check(&disk, &mut |defect| defects.push(defect)).unwrap();
            assert!(
                defects.iter().any(|defect| defect.at == Some(begin)),
                "groups {from}..{to}: {defects:?}"
            );
        }
    }
}

/// The end of a segment that is not the last was durable. Its loss shows where the next one begins.
#[test]
fn a_lost_end_of_a_segment_that_is_not_the_last_is_found() {
    let disk = SimulatedDisk::new(3);
    let mut world = World::open(&disk).unwrap();
    (0..3).for_each(|number| append(&mut world, &format!("one {number}")));
    // Without a checkpoint, so that a start replays both.
    world.roll_without_checkpoint();
    (0..3).for_each(|number| append(&mut world, &format!("two {number}")));
    let names = segments(&disk);
    let [first, second] = &names[..] else { panic!("{names:?}") };
    assert_eq!(World::open(&disk.after_exit()).unwrap().seen(), world.seen());
    let ends = ends(&disk, first);
    for lost_from in 0..ends.len() - 1 {
        let disk = disk.after_exit();
        lose(&disk, first, ends[lost_from]..ends[ends.len() - 1]);
        let opened = World::open(&disk).map(|_| ()).unwrap_err();
        let OpenError::Broken { file, .. } = &opened else { panic!("{opened}") };
        assert_eq!(file, second, "{opened}");
        let mut defects = Vec::new();
        inspect::check(&disk, &mut |defect| defects.push(defect)).unwrap();
        assert!(defects.iter().any(|defect| defect.file == *second), "{defects:?}");
    }
}

#[test]
fn recovery_removes_a_leftover_preallocated_segment_whatever_is_in_it() {
    let (disk, world, last) = with_zeros(4);
    let disk = disk.after_exit();
    let segment = disk.contents(&last).unwrap();
    let _ = disk.remove(preallocation::FILE);
    let left = disk.create(preallocation::FILE).unwrap();
    left.write_at(&segment, 0).unwrap();
    left.sync().unwrap();
    disk.sync_names().unwrap();
    let checked = inspect::check(&disk, &mut |defect| panic!("{defect:?}")).unwrap();
    assert_eq!(checked.left_over, [preallocation::FILE]);
    let again = World::open(&disk).unwrap();
    assert!(!disk.file_names().contains(&preallocation::FILE.to_owned()));
    assert_eq!(again.seen(), world.seen());
}

#[test]
fn after_a_clean_stop_no_file_has_more_than_was_written() {
    let (disk, mut world, last) = with_zeros(5);
    // The next one is preallocated when the segment is half full.
    while !disk.file_names().contains(&preallocation::FILE.to_owned()) {
        append(&mut world, &"x".repeat(40));
    }
    let written = *ends(&disk, &last).last().unwrap();
    assert_eq!(bytes_of(&disk, preallocation::FILE) as u64, SETTINGS.segment_bytes);
    world.close();
    assert!(!disk.file_names().contains(&preallocation::FILE.to_owned()), "{:?}", disk.file_names());
    assert!(bytes_of(&disk, &last) as u64 <= written);
}

#[test]
fn a_stop_makes_no_segment_that_was_ordered() {
    let disk = SimulatedDisk::new(7);
    let mut world = World::open(&disk).unwrap();
    // The second is made late.
    while world.preallocations() < 2 {
        append(&mut world, "x");
    }
    let made = || {
        disk.record()
            .iter()
            .filter(|made| made.act == Act::Create { name: preallocation::FILE.to_owned() })
            .count()
    };
    let before = made();
    world.close();
    assert_eq!((before, made()), (1, 1));
}

#[test]
fn sealing_a_segment_frees_its_zeros() {
    let (disk, mut world, last) = with_zeros(6);
    let written = *ends(&disk, &last).last().unwrap();
    assert!((bytes_of(&disk, &last) as u64) > written);
    world.roll();
    assert!(bytes_of(&disk, &last) as u64 <= written, "{} bytes", bytes_of(&disk, &last));
}
