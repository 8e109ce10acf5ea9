//! Reads a checkpoint: its head, and then its items one by one.
//!
//! Invariants: nothing is returned before its checksum is verified; that nothing is missing is known only at the
//! end. No bytes make it panic. Does not assemble the state.

use std::io;

use super::{
    CheckpointHead, FILE, Item,
    error::{CheckpointError, Flaw},
    fields::End,
    header::{self, HEADER_BYTES},
    layout::FrameOrder,
};
use crate::{
    format::{
        command::{Field, Fields},
        frame::{FRAME_HEAD_BYTES, Fault, Kind, Salt},
        scan::{READ_AHEAD_BYTES, Stop, Window},
    },
    io::{Disk, DiskFile},
};

/// A checkpoint whose head was read.
#[must_use = "whether a checkpoint is whole is known once its items are read"]
pub(crate) struct CheckpointReader {
    head: CheckpointHead,
    frames: Frames,
}

/// Opens the checkpoint. `None` if there is none.
///
/// # Errors
/// [`CheckpointError`].
pub(crate) fn open(disk: &dyn Disk) -> Result<Option<CheckpointReader>, CheckpointError> {
    let file = match disk.open(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let salt = read_header(&*file)?;
    let bytes = file.bytes()?;
    let window = Window::new(file, bytes)?;
    let mut frames = Frames { window, salt, at: HEADER_BYTES as u64, order: FrameOrder::nothing(salt) };
    let head = frames.next(|kind, body| match kind {
        Kind::Head => whole(body, |from| CheckpointHead::take(salt, from)),
        _ => Err(Fault::Misplaced { kind }),
    })?;
    Ok(Some(CheckpointReader { head, frames }))
}

fn read_header(file: &dyn DiskFile) -> Result<Salt, CheckpointError> {
    let mut bytes = [0; HEADER_BYTES];
    match file.read_at(&mut bytes, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(CheckpointError::broken(0, Flaw::Frame(Fault::Cut)))
        }
        read => {
            read?;
            header::decode(&bytes)
        }
    }
}

impl CheckpointReader {
    /// Everything except the items.
    pub(crate) fn head(&self) -> &CheckpointHead {
        &self.head
    }

    /// Passes all items to `take`, in file order: segments, lives, tombstones, keys, damages.
    ///
    /// # Errors
    /// [`CheckpointError`]. Discard the items passed until then: they are not all.
    pub(crate) fn items(mut self, take: &mut dyn FnMut(Item)) -> Result<(), CheckpointError> {
        loop {
            let (at, expected) = (self.frames.at, self.frames.order.end());
            match self.frames.next(decode)? {
                Part::Item(item) => take(item),
                Part::End(end) if end != expected => return Err(CheckpointError::broken(at, Flaw::Others)),
                Part::End(_) => return self.frames.finish(),
            }
        }
    }
}

/// A frame that follows the head.
#[expect(clippy::large_enum_variant, reason = "none is stored: each is taken apart at once")]
pub(super) enum Part {
    Item(Item),
    End(End),
}

/// Reads the body of a frame that follows the head.
pub(super) fn decode(kind: Kind, body: &[u8]) -> Result<Part, Fault> {
    match kind {
        Kind::Sealed => whole(body, Field::take).map(Item::Segment).map(Part::Item),
        Kind::Life => whole(body, Field::take).map(Item::Life).map(Part::Item),
        Kind::Tombstone => whole(body, Field::take).map(Item::Tombstone).map(Part::Item),
        Kind::Key => whole(body, Field::take).map(Item::Key).map(Part::Item),
        Kind::Damaged => whole(body, Field::take).map(Item::Damage).map(Part::Item),
        Kind::End => whole(body, Field::take).map(Part::End),
        _ => Err(Fault::Misplaced { kind }),
    }
}

/// Reads a body from its first byte to its last.
fn whole<T>(body: &[u8], take: impl FnOnce(&mut Fields<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let mut from = Fields::of(body);
    let value = take(&mut from)?;
    from.end()?;
    Ok(value)
}

/// The frames of the file, from one to the next.
struct Frames {
    window: Window,
    salt: Salt,
    at: u64,
    order: FrameOrder,
}

impl Frames {
    fn next<T>(&mut self, decode: impl FnOnce(Kind, &[u8]) -> Result<T, Fault>) -> Result<T, Stop> {
        let (at, end) = (self.at, self.window.end());
        let stopped = |what| Stop::broken(at, what);
        let head = self.window.frame_head(at, end)?;
        // Not verified yet, but enough to bound the memory for such a frame.
        let kind = head.kind().map_err(stopped)?;
        let frame_bytes = head.frame_bytes().map_err(stopped)?;
        if frame_bytes > frame_bytes_max(kind) {
            return Err(stopped(Fault::Length { body_bytes: frame_bytes - FRAME_HEAD_BYTES as u32 }));
        }
        let frame = self.window.frame(at, end, self.salt)?;
        self.order.pass(frame.kind, &frame.head).map_err(stopped)?;
        self.at += frame.bytes();
        decode(frame.kind, frame.body).map_err(stopped)
    }

    /// Checks that nothing follows.
    fn finish(&self) -> Result<(), CheckpointError> {
        if self.at == self.window.end() { Ok(()) } else { Err(CheckpointError::broken(self.at, Flaw::Rest)) }
    }
}

/// The maximum length of a frame. Names, keys and a key's blocks are bounded, far below this; the void ranges of a
/// segment are bounded by the segment.
fn frame_bytes_max(kind: Kind) -> u32 {
    if kind == Kind::Sealed { u32::MAX } else { READ_AHEAD_BYTES as u32 }
}
