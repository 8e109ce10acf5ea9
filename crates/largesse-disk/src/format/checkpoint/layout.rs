//! The order of a checkpoint's frames, and the counts so far.
//!
//! Invariant: the writer and the reader count with the same code, so the end that one writes is the end that the
//! other expects. Does not know bodies.

use super::fields::End;
use crate::format::frame::{EventsCheck, Fault, FrameHead, Kind, Salt};

/// The frames so far, while writing or reading.
pub(super) struct FrameOrder {
    /// The kind of the last frame.
    last: Option<Kind>,
    /// The end frame that would have to follow.
    end: End,
}

impl FrameOrder {
    pub(super) fn nothing(salt: Salt) -> Self {
        let heads = EventsCheck::start(salt);
        Self { last: None, end: End { segments: 0, lives: 0, tombstones: 0, keys: 0, heads } }
    }

    /// The end frame that would have to follow here.
    pub(super) fn end(&self) -> End {
        self.end
    }

    /// Counts a frame, if its kind may follow here.
    pub(super) fn pass(&mut self, kind: Kind, head: &FrameHead) -> Result<(), Fault> {
        if !self.may_be_followed_by(kind) {
            return Err(Fault::Misplaced { kind });
        }
        self.last = Some(kind);
        match kind {
            Kind::Sealed => self.end.segments += 1,
            Kind::Life => self.end.lives += 1,
            Kind::Tombstone => self.end.tombstones += 1,
            Kind::Key => self.end.keys += 1,
            _ => {}
        }
        if kind != Kind::End {
            self.end.heads.push(head);
        }
        Ok(())
    }

    fn may_be_followed_by(&self, kind: Kind) -> bool {
        let last = self.last.and_then(rank);
        match (last, rank(kind)) {
            (None, rank) => rank == Some(HEAD),
            (Some(_), None | Some(HEAD)) => false,
            (Some(last), Some(rank)) => last <= rank && last != END,
        }
    }
}

const HEAD: u8 = 0;
const END: u8 = 6;

/// A kind's rank in the order, if it has one.
fn rank(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Head => Some(HEAD),
        Kind::Sealed => Some(1),
        Kind::Life => Some(2),
        Kind::Tombstone => Some(3),
        Kind::Key => Some(4),
        Kind::Damaged => Some(5),
        Kind::End => Some(END),
        _ => None,
    }
}
