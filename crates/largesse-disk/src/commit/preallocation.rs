//! The preallocated segment: a file filled with zeros ahead of need, to become the next segment.
//!
//! Overwriting existing bytes syncs sooner than making a file longer: with the latter, the file system also has to
//! write the new length and the new extents to its journal. The maintenance thread makes the preallocated segment,
//! and the writer uses it when it begins a segment. Nobody waits for it: without one, a segment is a file that
//! grows.
//!
//! Invariants:
//! - It does not have a segment's name. When it gets one, its header is written and synced.
//! - It is used only once all its zeros are synced. A start removes one that it finds: how far it got is unknown.
//! - The writer opens it again. Linux reports a failed write-back once per open file description, so a sync of the
//!   maintenance thread must not hide an error from the writer. A failed sync of the preallocated segment stops all
//!   writing, like any other ([`crate::io::Watched`]): a disk that loses zeros loses events, too.
//!
//! Does not know when a segment is full, nor what is in one.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use largesse_log::{Incarnation, Position};

use crate::{
    format::{
        frame::Salt,
        segment::{HEADER_BYTES, SegmentHeader},
    },
    index::Growing,
    io::{Disk, DiskFile, is_out_of_files, remove_if_there},
    segments::{Index, Segment, SegmentId},
};

/// The file's name.
pub(crate) const FILE: &str = "spare";

/// Zeros are synced in pieces of this size, so that the writer's own sync never waits long.
const PIECE_BYTES: u64 = 256 * 1024;
/// It takes at most one part in this many of the free space, so that publishers never miss it.
const FREE_PART: u64 = 16;

/// The state of the preallocated segment, shared by the writer and the maintenance thread.
#[derive(Default)]
pub(crate) struct Preallocation(Mutex<Stage>);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    None,
    /// The writer wants one of this size.
    Ordered { bytes: u64 },
    /// The maintenance thread is making it.
    Making,
    /// All of it is synced.
    Ready,
    /// The log is being closed: no more are wanted.
    Over,
}

impl Preallocation {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Orders one of this size. Returns whether the maintenance thread has something to do, which it has not while
    /// there is one.
    pub(crate) fn order(&self, bytes: u64) -> bool {
        let mut stage = self.stage();
        let is_free = matches!(*stage, Stage::None | Stage::Ordered { .. });
        if is_free {
            *stage = Stage::Ordered { bytes };
        }
        is_free
    }

    /// Makes the one that was ordered. After an error there is none, and the writer may order another.
    pub(crate) fn make(&self, disk: &dyn Disk) {
        let bytes = {
            let mut stage = self.stage();
            let Stage::Ordered { bytes } = *stage else { return };
            *stage = Stage::Making;
            bytes
        };
        let is_made = fill(disk, bytes, || *self.stage() == Stage::Making).unwrap_or_else(|error| {
            tracing::info!(%error, bytes, "no preallocated segment could be made; the next one grows as it is written");
            false
        });
        if !is_made {
            remove(disk);
        }
        let mut stage = self.stage();
        if *stage == Stage::Making {
            *stage = if is_made { Stage::Ready } else { Stage::None };
        }
    }

    /// Turns the preallocated segment into a segment of that name, with its header. `None` if there is none to use:
    /// the caller creates the file then.
    ///
    /// # Errors
    /// A sync failed, or no descriptor is left.
    pub(crate) fn begin(
        &self,
        disk: &dyn Disk,
        name: &str,
        header: &[u8],
    ) -> io::Result<Option<Arc<dyn DiskFile>>> {
        if *self.stage() != Stage::Ready {
            return Ok(None);
        }
        *self.stage() = Stage::None;
        let given_up = |error: io::Error| {
            tracing::info!(%error, "the preallocated segment could not be used");
            remove(disk);
            Ok(None)
        };
        let headed = disk.open(FILE).and_then(|file| file.write_at(header, 0).map(|()| file));
        let file = match headed {
            Ok(file) => file,
            Err(error) if is_out_of_files(&error) => {
                // It is untouched, and can be used once a descriptor is free.
                *self.stage() = Stage::Ready;
                return Err(error);
            }
            Err(error) => return given_up(error),
        };
        file.sync()?;
        if let Err(error) = disk.rename(FILE, name) {
            return given_up(error);
        }
        disk.sync_names()?;
        // Reopened, so that later errors name the file by its new name.
        Ok(Some(disk.open(name).unwrap_or(file)))
    }

    /// No more are wanted. One that is being made is abandoned at the next piece.
    pub(crate) fn stop(&self) {
        *self.stage() = Stage::Over;
    }
}

/// Removes the file, if it exists. If that fails, it takes space until the next one is made, or until a start.
pub(crate) fn remove(disk: &dyn Disk) {
    if let Err(error) = remove_if_there(disk, FILE) {
        tracing::warn!(%error, "the file {FILE:?} could not be removed");
    }
}

/// Makes the file with this many zeros, all synced. Returns whether it is complete: not if it is no longer wanted,
/// or would take too much of the free space.
fn fill(disk: &dyn Disk, bytes: u64, is_wanted: impl Fn() -> bool) -> io::Result<bool> {
    let free_bytes = disk.free_bytes()?;
    if bytes > free_bytes / FREE_PART {
        tracing::debug!(bytes, free_bytes, "too little is free on the disk for a preallocated segment");
        return Ok(false);
    }
    remove_if_there(disk, FILE)?;
    let file = disk.create(FILE)?;
    // A piece fits in memory.
    let zeros = vec![0; PIECE_BYTES.min(bytes) as usize];
    let mut at = 0;
    while at < bytes {
        if !is_wanted() {
            return Ok(false);
        }
        let piece = &zeros[..PIECE_BYTES.min(bytes - at) as usize];
        file.write_at(piece, at)?;
        file.sync()?;
        at += piece.len() as u64;
    }
    Ok(true)
}

/// Makes a segment's file, synced and with its name; from the preallocated segment, if one is ready.
pub(crate) fn begin_segment(
    disk: &dyn Disk,
    preallocation: &Preallocation,
    number: u64,
    first: Position,
    incarnation: Incarnation,
    salt: Salt,
) -> io::Result<Arc<Segment>> {
    let id = SegmentId::written(number);
    let header = SegmentHeader { salt, incarnation, first_position: first, number }.encode();
    let file = match preallocation.begin(disk, &id.file_name(), &header)? {
        Some(file) => file,
        None => begin_file(disk, &id.file_name(), &header)?,
    };
    let index = Index::Growing(std::sync::RwLock::new(Growing::new()));
    Ok(Arc::new(Segment::new(id, first, file, index, HEADER_BYTES as u64)))
}

fn begin_file(disk: &dyn Disk, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
    // A crash may have left one that nothing was written to.
    remove_if_there(disk, name)?;
    let file = disk.create(name)?;
    file.write_at(header, 0)?;
    file.sync()?;
    disk.sync_names()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::{Act, Fault, SimulatedDisk};

    const BYTES: u64 = PIECE_BYTES * 5 / 2;
    const NAME: &str = "000000000002-0.segment";

    fn is_there(disk: &SimulatedDisk, name: &str) -> bool {
        disk.file_names().iter().any(|is| is == name)
    }

    fn made(disk: &SimulatedDisk) -> Preallocation {
        let preallocation = Preallocation::default();
        assert!(preallocation.order(BYTES));
        preallocation.make(disk);
        preallocation
    }

    #[test]
    fn it_is_filled_with_zeros_in_pieces_each_synced_before_the_next_is_written() {
        let disk = SimulatedDisk::new(1);
        let preallocation = made(&disk);
        let acts: Vec<_> = disk.record().into_iter().map(|operation| operation.act).collect();
        let name = || FILE.to_owned();
        let piece = |number: u64, bytes| {
            [Act::Write { name: name(), at: number * PIECE_BYTES, bytes }, Act::Sync { name: name() }]
        };
        let pieces = [piece(0, PIECE_BYTES), piece(1, PIECE_BYTES), piece(2, PIECE_BYTES / 2)].concat();
        // The first removes what may have been there.
        assert_eq!(acts[1..], [&[Act::Create { name: name() }][..], &pieces].concat());
        let file = preallocation.begin(&disk, NAME, b"header").unwrap().expect("it is ready");
        assert_eq!(file.bytes().unwrap(), BYTES);
        assert!(preallocation.begin(&disk, NAME, b"header").unwrap().is_none(), "there was one");
        for seed in 0..20 {
            let contents = disk.after_power_cut(seed).contents(NAME).expect("its name is synced");
            assert!(contents.starts_with(b"header\0") && contents.len() as u64 == BYTES);
        }
    }

    #[test]
    fn there_is_one_at_a_time_and_the_last_order_counts() {
        let disk = SimulatedDisk::new(1);
        let preallocation = Preallocation::default();
        assert!(preallocation.order(10) && preallocation.order(20));
        preallocation.make(&disk);
        preallocation.make(&disk);
        assert_eq!(disk.contents(FILE), Some(vec![0; 20]));
        assert!(!preallocation.order(30));
        preallocation.begin(&disk, NAME, b"").unwrap().unwrap();
        assert!(preallocation.order(30));
    }

    /// Whatever fails, there is no preallocated segment, or a usable one; and a file with a segment's name has a
    /// header.
    #[test]
    fn each_operation_fails_and_no_segment_is_begun_in_an_incomplete_file() {
        for fault in [Fault::Error, Fault::Full, Fault::PowerCut] {
            for number in 0.. {
                let disk = SimulatedDisk::new(number);
                disk.fail_at(number, fault);
                let preallocation = made(&disk);
                let begun = preallocation.begin(&disk, NAME, b"header");
                let was_reached = disk.operations() > number;
                let failed = disk.record().into_iter().find(|operation| operation.number == number);
                let context = format!("{fault:?} at {number}, {failed:?}");
                let found = disk.after_power_cut(number);
                if let Some(contents) = found.contents(NAME) {
                    assert!(contents.starts_with(b"header\0"), "{context}");
                    assert_eq!(contents.len() as u64, BYTES, "{context}");
                }
                let is_of_names = failed.is_some_and(|failed| failed.act == Act::SyncNames);
                if fault != Fault::PowerCut && !is_of_names {
                    let is_begun = matches!(begun, Ok(Some(_)));
                    assert_eq!(is_there(&disk, NAME), is_begun, "{context}");
                }
                if !was_reached {
                    break;
                }
            }
        }
    }

    #[test]
    fn one_that_could_not_be_made_is_removed_and_can_be_ordered_again() {
        let disk = SimulatedDisk::new(1);
        disk.fail_at(6, Fault::Full);
        let preallocation = made(&disk);
        assert!(!is_there(&disk, FILE));
        assert!(preallocation.begin(&disk, NAME, b"header").unwrap().is_none());
        assert!(preallocation.order(BYTES));
        preallocation.make(&disk);
        assert!(preallocation.begin(&disk, NAME, b"header").unwrap().is_some());
    }

    #[test]
    fn the_last_free_space_of_a_disk_is_left_to_publishers() {
        let disk = SimulatedDisk::new(1);
        disk.set_full(true);
        let preallocation = made(&disk);
        let is_write = |act: &Act| matches!(act, Act::Create { .. } | Act::Write { .. });
        assert!(disk.record().iter().all(|operation| !is_write(&operation.act)), "{:?}", disk.record());
        disk.set_full(false);
        assert!(preallocation.order(BYTES), "it is tried again");
    }

    #[test]
    fn when_the_log_is_closed_none_is_made_and_one_in_the_making_is_abandoned() {
        let disk = SimulatedDisk::new(1);
        let preallocation = Preallocation::default();
        assert!(preallocation.order(BYTES));
        preallocation.stop();
        preallocation.make(&disk);
        assert!(disk.record().is_empty() && !preallocation.order(BYTES));
        assert!(preallocation.begin(&disk, NAME, b"header").unwrap().is_none());
        let asked = std::cell::Cell::new(0);
        let is_wanted = || asked.replace(asked.get() + 1) == 0;
        assert!(!fill(&disk, BYTES, is_wanted).unwrap());
        assert_eq!(disk.contents(FILE).map(|contents| contents.len() as u64), Some(PIECE_BYTES));
    }
}
