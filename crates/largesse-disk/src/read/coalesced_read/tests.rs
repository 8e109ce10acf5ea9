//! Which events are read together, and that they are the file's bytes.

use std::sync::RwLock;

use largesse_log::Position;

use super::{COALESCED_BYTES_MAX, CoalescedRead, GAP_BYTES_MAX};
use crate::{
    format::scan::EventSpot,
    index::Growing,
    io::{Disk, SimulatedDisk},
    segments::{Index, Segment, SegmentId},
};

const FILE_BYTES: u64 = 3 * COALESCED_BYTES_MAX;

fn segment(disk: &SimulatedDisk, number: u64) -> Segment {
    let file = disk.create(&number.to_string()).unwrap();
    let byte = |at: u64| (at % 251) as u8 ^ number as u8;
    file.write_at(&(0..FILE_BYTES).map(byte).collect::<Vec<_>>(), 0).unwrap();
    let index = Index::Growing(RwLock::new(Growing::new()));
    Segment::new(SegmentId::written(number), Position(1), file, index, FILE_BYTES)
}

fn spot(at: u64, bytes: u32) -> EventSpot {
    EventSpot { at, bytes }
}

/// How many of these frames are here after a read of the first.
#[track_caller]
fn check(spots: &[EventSpot], bytes_max: u64, here: usize) {
    let disk = SimulatedDisk::new(1);
    let (segment, other) = (segment(&disk, 1), segment(&disk, 2));
    let mut coalesced = CoalescedRead::default();
    coalesced.read(&segment, spots[0], spots[1..].iter().copied(), bytes_max).unwrap();
    let found: Vec<_> = spots.iter().map_while(|spot| coalesced.frame(&segment, *spot)).collect();
    assert_eq!(found.len(), here, "{spots:?}");
    for (spot, frame) in spots.iter().zip(found) {
        let mut bytes = vec![0; spot.bytes as usize];
        segment.file.read_at(&mut bytes, spot.at).unwrap();
        assert_eq!(frame, bytes);
    }
    assert!(spots.iter().all(|spot| coalesced.frame(&other, *spot).is_none()), "it is of one segment");
}

#[test]
fn neighbours_are_read_together() {
    let far = GAP_BYTES_MAX + 1;
    check(&[spot(32, 100), spot(132, 100), spot(232, 50)], u64::MAX, 3);
    check(&[spot(32, 100), spot(132 + GAP_BYTES_MAX, 100)], u64::MAX, 2);
    check(&[spot(32, 100), spot(132, 100), spot(232 + far, 100)], u64::MAX, 2);
}

#[test]
fn a_frame_without_neighbours_is_left_to_a_read_of_its_own() {
    let far = GAP_BYTES_MAX + 1;
    check(&[spot(32, 100)], u64::MAX, 0);
    check(&[spot(32, 100), spot(132 + far, 100)], u64::MAX, 0);
    check(&[spot(500, 100), spot(32, 100)], u64::MAX, 0);
}

#[test]
fn no_more_is_read_than_is_wanted() {
    check(&[spot(0, 100), spot(100, 100), spot(200, 100)], 250, 2);
    check(&[spot(0, 100), spot(100, 100)], 0, 0);
    let large = COALESCED_BYTES_MAX as u32 - 100;
    check(&[spot(0, large), spot(large.into(), 100), spot(COALESCED_BYTES_MAX, 1)], u64::MAX, 2);
    check(&[spot(0, COALESCED_BYTES_MAX as u32), spot(COALESCED_BYTES_MAX, 1)], u64::MAX, 0);
    check(&[spot(0, 10), spot(u64::MAX - 5, u32::MAX)], u64::MAX, 0);
}

#[test]
fn after_a_failure_nothing_is_here() {
    let disk = SimulatedDisk::new(1);
    let segment = segment(&disk, 1);
    let mut coalesced = CoalescedRead::default();
    let near = [spot(0, 100), spot(100, 100)];
    coalesced.read(&segment, near[0], [near[1]].into_iter(), u64::MAX).unwrap();
    let behind = [spot(FILE_BYTES - 50, 100), spot(FILE_BYTES + 50, 100)];
    coalesced.read(&segment, behind[0], [behind[1]].into_iter(), u64::MAX).unwrap_err();
    assert!([near, behind].as_flattened().iter().all(|spot| coalesced.frame(&segment, *spot).is_none()));
}
