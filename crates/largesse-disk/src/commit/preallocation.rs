//! The preallocated segment: a file that is filled with zeros ahead of need, to become the next segment.
//!
//! A write over bytes that are there is safe sooner than one that makes its file longer: with the latter, a file system
//! writes down the new length, and where the new bytes are, in its journal. The maintenance thread makes the
//! preallocated segment, and the writer takes it when it begins a segment. Nobody waits for it: without one, a segment
//! is a file that grows.
//!
//! Invariants:
//! - It has the name of no segment. When it gets one, the header is in it, and safe.
//! - It is taken only when all its zeros are safe. One that a start finds is removed: nobody knows how far it came.
//! - The writer opens it anew. Linux tells that something could not be written back once to each who has the file open,
//!   so no sync of the maintenance thread's may answer for the writer's. A sync of the preallocated segment that fails
//!   stops all writing, as any other does ([`crate::io::Watched`]): a disk that loses zeros loses events, too.
//!
//! Does not know when a segment is full, nor what stands in one.

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

/// So much is written between two syncs: the writer's own syncs go to the same disk, and may wait for one of these.
const PIECE_BYTES: u64 = 256 * 1024;
/// It takes at most this part of what is free on the disk, one in so many: publishers never miss its space.
const FREE_PART: u64 = 16;

/// What the writer and the maintenance thread know of the preallocated segment.
#[derive(Default)]
pub(crate) struct Preallocation(Mutex<Stage>);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    None,
    /// The writer wants one with so many bytes.
    Ordered { bytes: u64 },
    /// The maintenance thread is at it.
    Making,
    /// All of it is safe.
    Ready,
    /// The log is being closed: none is wanted any more.
    Over,
}

impl Preallocation {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Orders one with so many bytes. Whether the maintenance thread has something to do: it has not while there is
    /// one.
    pub(crate) fn order(&self, bytes: u64) -> bool {
        let mut stage = self.stage();
        let is_free = matches!(*stage, Stage::None | Stage::Ordered { .. });
        if is_free {
            *stage = Stage::Ordered { bytes };
        }
        is_free
    }

    /// Makes the one that was ordered. What fails leaves none, and the writer may order another.
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

    /// Begins a segment of that name in the preallocated segment, with its header. `None` where there is none to use:
    /// then the file is to be made.
    ///
    /// # Errors
    /// A sync that failed, or no file can be opened now.
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
                // It is as good as before, and may be used once a file can be opened.
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
        // So that what fails is told by the name that it has now.
        Ok(Some(disk.open(name).unwrap_or(file)))
    }

    /// None is wanted any more. What is being made is left at the next piece.
    pub(crate) fn stop(&self) {
        *self.stage() = Stage::Over;
    }
}

/// Removes the file, if it is there. Where that fails, it takes space until the next is made, or until a start.
pub(crate) fn remove(disk: &dyn Disk) {
    if let Err(error) = remove_if_there(disk, FILE) {
        tracing::warn!(%error, "the file {FILE:?} could not be removed");
    }
}

/// Makes the file with so many zeros, all safe. Whether it is whole: not when it is no longer wanted, or takes too much
/// of what is free.
fn fill(disk: &dyn Disk, bytes: u64, is_wanted: impl Fn() -> bool) -> io::Result<bool> {
    let free_bytes = disk.free_bytes()?;
    if bytes > free_bytes / FREE_PART {
        tracing::debug!(bytes, free_bytes, "too little is free on the disk for a preallocated segment");
        return Ok(false);
    }
    remove_if_there(disk, FILE)?;
    let file = disk.create(FILE)?;
    // A piece fits into memory.
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

/// Makes the file of a segment, safe and with its name. It is the preallocated segment, where one is ready.
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
    // What a crash left before anything was written into it.
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
    fn it_is_zeros_each_piece_of_which_is_safe_before_the_next_is_written() {
        let disk = SimulatedDisk::new(1);
        let preallocation = made(&disk);
        let acts: Vec<_> = disk.record().into_iter().map(|operation| operation.act).collect();
        let name = || FILE.to_owned();
        let piece = |number: u64, bytes| {
            [Act::Write { name: name(), at: number * PIECE_BYTES, bytes }, Act::Sync { name: name() }]
        };
        let pieces = [piece(0, PIECE_BYTES), piece(1, PIECE_BYTES), piece(2, PIECE_BYTES / 2)].concat();
        // The first is the removal of what may have been there.
        assert_eq!(acts[1..], [&[Act::Create { name: name() }][..], &pieces].concat());
        let file = preallocation.begin(&disk, NAME, b"header").unwrap().expect("it is ready");
        assert_eq!(file.bytes().unwrap(), BYTES);
        assert!(preallocation.begin(&disk, NAME, b"header").unwrap().is_none(), "there was one");
        for seed in 0..20 {
            let contents = disk.after_power_cut(seed).contents(NAME).expect("its name is safe");
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

    /// Whatever fails, there is no preallocated segment, or one that can be used; and a segment's name has its header.
    #[test]
    fn each_operation_fails_and_no_segment_is_begun_in_what_is_not_whole() {
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
    fn one_that_could_not_be_made_is_taken_away_and_can_be_ordered_again() {
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
    fn the_last_of_a_disk_is_left_to_the_publishers() {
        let disk = SimulatedDisk::new(1);
        disk.set_full(true);
        let preallocation = made(&disk);
        let is_write = |act: &Act| matches!(act, Act::Create { .. } | Act::Write { .. });
        assert!(disk.record().iter().all(|operation| !is_write(&operation.act)), "{:?}", disk.record());
        disk.set_full(false);
        assert!(preallocation.order(BYTES), "it is tried again");
    }

    #[test]
    fn when_the_log_is_closed_none_is_made_and_one_that_is_being_made_is_left() {
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
