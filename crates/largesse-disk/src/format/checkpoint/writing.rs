//! Writes a checkpoint: to a new file, synced, and then renamed over the old one.
//!
//! Invariant: whatever fails, and whenever the power goes, [`FILE`] is the old checkpoint or the new one, whole.
//! Does not read the old one.

use std::{io, sync::Arc};

use largesse_log::state::Snapshot;

use super::{CheckpointHead, FILE, Item, NEW_FILE, SealedSegment, header, layout::FrameOrder};
use crate::{
    format::{
        command::Field,
        frame::{FrameHead, Kind, Salt, write_frame},
    },
    io::{Disk, DiskFile},
};

/// The buffer is flushed once it has this many bytes, so a write is larger by at most one frame.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Writes a checkpoint over the old one, and returns its length. Blocks until the whole state is written and
/// synced.
///
/// # Errors
/// Those of the disk. The new file is removed again if possible, and the old checkpoint stays; but if only the last
/// sync of the names failed, the new one has already replaced it, and after a power cut it may be either of the
/// two. So files that either of them lists must stay until a later checkpoint is written.
pub(crate) fn write(
    disk: &dyn Disk,
    head: &CheckpointHead,
    segments: impl Iterator<Item = SealedSegment>,
    snapshot: &Snapshot,
) -> io::Result<u64> {
    let streams = snapshot.lives().map(Item::Life).chain(snapshot.tombstones().map(Item::Tombstone));
    let others = snapshot.keys().map(Item::Key).chain(snapshot.damages().map(Item::Damage));
    let items = segments.map(Item::Segment).chain(streams).chain(others);
    write_items(disk, head, items)
}

/// Like [`write()`]; the items come in file order.
pub(super) fn write_items(
    disk: &dyn Disk,
    head: &CheckpointHead,
    items: impl Iterator<Item = Item>,
) -> io::Result<u64> {
    let written = write_new(disk, head, items).and_then(|bytes| put_in_place(disk).map(|()| bytes));
    if written.is_err() {
        // The first error is reported. A leftover does no harm: the next write removes it.
        let _ = disk.remove(NEW_FILE);
    }
    written
}

fn write_new(disk: &dyn Disk, head: &CheckpointHead, items: impl Iterator<Item = Item>) -> io::Result<u64> {
    match disk.remove(NEW_FILE) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut frames = Frames::begin(disk.create(NEW_FILE)?, head.salt);
    frames.push(Kind::Head, |out| head.put(out))?;
    for item in items {
        frames.push(item.kind(), |out| item.put(out))?;
    }
    frames.finish()
}

fn put_in_place(disk: &dyn Disk) -> io::Result<()> {
    disk.rename(NEW_FILE, FILE)?;
    disk.sync_names()
}

impl Item {
    fn kind(&self) -> Kind {
        match self {
            Self::Segment(_) => Kind::Sealed,
            Self::Life(_) => Kind::Life,
            Self::Tombstone(_) => Kind::Tombstone,
            Self::Key(_) => Kind::Key,
            Self::Damage(_) => Kind::Damaged,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Segment(segment) => segment.put(out),
            Self::Life(life) => life.put(out),
            Self::Tombstone(tombstone) => tombstone.put(out),
            Self::Key(key) => key.put(out),
            Self::Damage(damage) => damage.put(out),
        }
    }
}

/// The file while it is being written.
struct Frames {
    file: Arc<dyn DiskFile>,
    salt: Salt,
    order: FrameOrder,
    /// How many bytes are written, and the bytes to write next.
    at: u64,
    buffer: Vec<u8>,
}

impl Frames {
    fn begin(file: Arc<dyn DiskFile>, salt: Salt) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES);
        buffer.extend_from_slice(&header::encode(salt));
        Self { file, salt, order: FrameOrder::nothing(salt), at: 0, buffer }
    }

    fn push(&mut self, kind: Kind, body: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let start = self.buffer.len();
        write_frame(&mut self.buffer, self.salt, kind, body);
        let head = FrameHead::of(&self.buffer[start..]).expect("a frame has a head");
        let passed = self.order.pass(kind, &head);
        debug_assert_eq!(passed, Ok(()), "items come in the order of the file");
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the end, and syncs the file.
    fn finish(mut self) -> io::Result<u64> {
        let end = self.order.end();
        self.push(Kind::End, |out| end.put(out))?;
        self.flush()?;
        self.file.sync()?;
        Ok(self.at)
    }
}
