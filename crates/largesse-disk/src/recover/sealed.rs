//! Opens a segment that is not replayed, with its index.
//!
//! Invariant: a missing or broken index is rebuilt from the segment: in its file, or only in memory for an
//! inspection. Does not read events.

use std::{
    io,
    sync::{Arc, RwLock},
};

use largesse_log::state::LogState;

use super::{Damage, OpenError, io_of};
use crate::{
    format::{checkpoint::SealedSegment, frame::Salt},
    index::{IndexError, IndexOf, Sealed, write_file},
    io::{Disk, Watched, remove_if_there},
    maintain::reindex::{ReindexError, reindexed},
    segments::{Index, Segment, SegmentId},
};

/// Opens a segment that the checkpoint lists.
pub(super) fn open_sealed(
    disk: &Watched,
    listed: &SealedSegment,
    salt: Salt,
    state: &LogState,
    damage: &Damage,
) -> Result<Segment, OpenError> {
    let id = SegmentId { number: listed.number, generation: listed.generation };
    let name = id.file_name();
    let file = disk.open(&name).map_err(missing_or_io(&name))?;
    let bytes = file.bytes().map_err(io_of(&name))?;
    if bytes < listed.bytes {
        let source = io::Error::other(format!("it has {bytes} bytes, but should have {}", listed.bytes));
        return Err(OpenError::Io { file: name, source });
    }
    let file = disk.open_lazily(&name, file);
    let segment = |index| {
        let segment = Segment::new(id, listed.first, Arc::clone(&file), index, listed.bytes);
        segment.set_live(listed.live_bytes);
        listed.void_ranges.iter().for_each(|(from, before)| segment.add_void(*from..*before));
        segment
    };
    let name = id.index_name();
    let of = IndexOf { segment: id.number, salt: salt.0 };
    let opened = disk.open(&name).map_err(IndexError::from);
    let opened = opened.and_then(|index| Sealed::open(disk.open_lazily(&name, index), of));
    match opened {
        Ok(index) => Ok(segment(Index::Sealed(index))),
        Err(error) if error.is_rebuildable() => {
            let segment = segment(Index::Growing(RwLock::default()));
            let index = rebuilt(disk, &segment, of, &error, state, damage)?;
            Ok(segment.with_index(file, index))
        }
        Err(error) => Err(OpenError::Io { file: name, source: io::Error::other(error) }),
    }
}

/// Rebuilds the index of a segment whose index file can't be used.
fn rebuilt(
    disk: &Watched,
    segment: &Segment,
    of: IndexOf,
    error: &IndexError,
    state: &LogState,
    damage: &Damage,
) -> Result<Index, OpenError> {
    let file = segment.id.file_name();
    let unread = |source| OpenError::Io { file: file.clone(), source };
    let index = match reindexed(segment, Salt(of.salt), |stream| state.life_start(stream)) {
        Ok(index) => index,
        Err(ReindexError::Broken(broken)) => return Err(OpenError::Broken { file, broken }),
        Err(ReindexError::Io(source)) => return Err(unread(source)),
        Err(error @ ReindexError::OutOfOrder(_)) => return Err(unread(io::Error::other(error))),
    };
    if damage.is_read_only() {
        return Ok(Index::Growing(RwLock::new(index)));
    }
    let name = segment.id.index_name();
    tracing::warn!(file = name, why = %error, "an index can't be used; it is rebuilt from its segment");
    let written = remove_if_there(disk, &name).map_err(IndexError::from);
    let written = written.and_then(|()| write_file(disk, &name, &index, of));
    let written = written.and_then(|file| Sealed::open(disk.open_lazily(&name, file), of));
    written.map(Index::Sealed).map_err(|error| OpenError::Io { file: name, source: io::Error::other(error) })
}

fn missing_or_io(file: &str) -> impl FnOnce(io::Error) -> OpenError {
    let file = file.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::NotFound => OpenError::Missing { file },
        _ => OpenError::Io { file, source },
    }
}
