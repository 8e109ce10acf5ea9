//! Space is freed: dropped events leave the disk, and kept ones stay readable.

use largesse_log::{
    Append, Author, NewEvent, Once, Put, SettingChange, SettingsPatch, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;

use super::world::{Action, Answer, SETTINGS, World, limits};
use crate::io::SimulatedDisk;

fn append(stream: &str, number: usize) -> Action {
    let text = format!("{number} {}", "x".repeat(100));
    let events = vec![NewEvent { name: None, data: EventData::parse(&text).unwrap() }];
    let stream = StreamName::parse(stream).unwrap();
    Action::Append(Append {
        stream,
        events,
        then: Then::StayOpen,
        once: Once::Unkeyed,
        author: Author::Source,
    })
}

fn bytes_of_segments(disk: &SimulatedDisk) -> usize {
    let names = disk.file_names().into_iter().filter(|name| name.ends_with(".segment"));
    names.filter_map(|name| disk.contents(&name)).map(|contents| contents.len()).sum()
}

fn apply(world: &mut World, action: &Action) {
    assert!(matches!(world.apply(UnixMs(1), action), Answer::Applied(_)));
}

#[test]
fn trimmed_events_leave_the_disk_while_publishing_continues() {
    let disk = SimulatedDisk::new(1);
    let mut world = World::open(&disk).unwrap();
    for number in 0..2_000 {
        apply(&mut world, &append(["a", "b", "c/1"][number % 3], number));
    }
    world.roll();
    // Three streams of at most six events of about 170 bytes, and segments of 1,200.
    let bytes = bytes_of_segments(&disk);
    assert!(bytes < 12_000, "{bytes} bytes are on the disk");
    assert_eq!(world.seen(), World::open(&disk.after_power_cut(1)).unwrap().seen());
}

#[test]
fn an_event_that_is_kept_forever_does_not_keep_its_neighbours() {
    let disk = SimulatedDisk::new(2);
    let mut world = World::open(&disk).unwrap();
    apply(&mut world, &append("b", 0));
    for number in 1..500 {
        apply(&mut world, &append("a", number));
    }
    apply(&mut world, &Action::Delete(StreamName::parse("a").unwrap()));
    for _ in 0..3 {
        world.roll();
    }
    let bytes = bytes_of_segments(&disk);
    assert!(bytes < 1_000, "{bytes} bytes are on the disk");
    let seen = world.seen();
    assert_eq!(seen, World::open(&disk.after_exit()).unwrap().seen());
}

/// A little more than half of each segment is kept for long: too much to compact it while there is space.
#[test]
fn the_files_of_a_full_log_take_little_more_than_its_limit() {
    let disk = SimulatedDisk::new(5);
    let mut world = World::open(&disk).unwrap();
    let keep = |events_max| {
        let max_events = SettingChange::Set(events_max);
        Put { settings: SettingsPatch { max_events, ..SettingsPatch::default() } }
    };
    apply(&mut world, &Action::Put(StreamName::parse("a").unwrap(), keep(None)));
    apply(&mut world, &Action::Put(StreamName::parse("b").unwrap(), keep(Some(1))));
    let mut most = 0;
    for number in 0..1_500 {
        apply(&mut world, &append(["a", "b", "a", "b", "a"][number % 5], number));
        most = most.max(bytes_of_segments(&disk));
    }
    let bytes_max = limits().log_bytes_max as usize;
    assert!(most > bytes_max * 3 / 4, "{most}: the log is not full, so this proves nothing");
    // Plus the active segment, and one before it is compacted.
    let segment_bytes = SETTINGS.segment_bytes as usize + 300;
    assert!(most < bytes_max + 2 * segment_bytes, "{most} bytes were on the disk");
}

#[test]
fn a_small_segment_that_is_broken_keeps_nobody_busy_and_its_neighbours_are_compacted() {
    let disk = SimulatedDisk::new(3);
    let mut world = World::open(&disk).unwrap();
    apply(&mut world, &append("b", 7_777));
    world.roll();
    let (name, at) = place_of(&disk, b"7777 ");
    disk.flip_bit(&name, at, 1);
    for number in 0..500 {
        apply(&mut world, &append("a", number));
        if number % 5 == 0 {
            world.roll();
        }
    }
    for _ in 0..3 {
        world.roll();
    }
    assert!(!world.has_garbage(), "there is nothing left that could be compacted");
    let bytes = bytes_of_segments(&disk);
    assert!(bytes < 4_000, "{bytes} bytes are on the disk");
}

/// The segment that has a text, and its offset.
fn place_of(disk: &SimulatedDisk, text: &[u8]) -> (String, u64) {
    let names = disk.file_names().into_iter().filter(|name| name.ends_with(".segment"));
    let mut places = names.filter_map(|name| {
        let contents = disk.contents(&name)?;
        let at = contents.windows(text.len()).position(|bytes| bytes == text)?;
        Some((name, at as u64))
    });
    places.next().unwrap()
}

#[test]
fn an_index_with_a_page_that_breaks_while_the_log_is_open_is_rebuilt() {
    let disk = SimulatedDisk::new(4);
    let mut world = World::open(&disk).unwrap();
    for number in 0..30 {
        apply(&mut world, &append(["a", "b", "c/1"][number % 3], number));
    }
    world.roll();
    let seen = world.seen();
    let indexes: Vec<_> = disk.file_names().into_iter().filter(|name| name.ends_with(".index")).collect();
    for name in &indexes {
        // The page of posting lists.
        disk.flip_bit(name, 2 * 4_096 + 5, 1);
    }
    assert!(!indexes.is_empty() && !world.indexes_answer());
    assert!(world.has_garbage(), "the maintenance has something to do");
    world.roll();
    assert!(world.indexes_answer());
    assert_eq!(world.seen(), seen);
    assert_eq!(World::open(&disk.after_exit()).unwrap().seen(), seen);
}
