//! The fields of a checkpoint's frames.
//!
//! ```text
//! 16 Head    incarnation u64 | written u64 | reserved u64 | replay_from u64
//!            | limits | tail u64 | last_time optional u64 | low_watermark u64 | forgotten optional loss | numbered u64
//! 17 Life    stream | start u64 | made u64 | settings | events u64 | bytes u64 | first optional stub
//!            | last optional stub | end optional (position u64 | time u64) | trim optional loss
//! 18 Tombstone stream | end u64 | reason | at u64 | loss optional loss
//! 19 Key     due u64 | number u64 | stream | key | use
//! 20 Sealed  number u64 | generation u32 | first u64 | bytes u64 | live_bytes u64
//!            | skipped: how many u32, and as many (u64 | u64)
//! 21 End     segments u64 | lives u64 | tombstones u64 | keys u64 | heads u64
//! 22 Damaged stream | position u64
//!
//! loss       upto u64 | at u64
//! stub       position u64 | time u64 | counted_bytes u64
//! reason     0u8 closed, 1u8 deleted
//! use        0u8 whole | digest | answer
//!            1u8 blocks | generation u64 | done u64 | step u64
//!                | checkpoints: how many u32, and as many (number u64 | digest | position u64)
//!                | closed optional answer
//! answer     position u64 | count u64 | closed | outcome
//! closed     0u8 no, 1u8 yes
//! outcome    0u8 appended, 1u8 closed already
//! heads      the check over the heads of all frames before it, as over those of events (`frame/events.rs`)
//! ```
//!
//! Streams, keys, digests and optional fields are in `command/fields.rs`, limits and settings in
//! `command/settings.rs`. The salt is in the file's header.
//!
//! Invariants: those of [`Field`]. Does not know whether the values make sense together.

use largesse_log::{
    AppendOutcome, Appended, EndReason, Incarnation,
    state::{
        LifeEnd, Loss, SavedBlocks, SavedDamage, SavedHead, SavedKey, SavedLife, SavedTombstone, SavedUse,
        Stub,
    },
};

use super::{CheckpointHead, SealedSegment};
use crate::format::{
    command::{Field, Fields},
    frame::{EventsCheck, Fault, Salt, Sequence},
};

/// The counts of the items, and a checksum over all frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) segments: u64,
    pub(super) lives: u64,
    pub(super) tombstones: u64,
    pub(super) keys: u64,
    /// Of all frames before the end. Each also has a checksum of its own; this one finds a whole frame in the wrong
    /// place, as after a lost write over an older checkpoint's bytes.
    pub(super) heads: EventsCheck,
}

/// A struct: its fields in order.
macro_rules! all_of {
    ($($whole:ident { $($field:ident),+ })+) => {$(
        impl Field for $whole {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $($field.put(out);)+
            }

            fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
                Ok(Self { $($field: Field::take(from)?),+ })
            }
        }
    )+};
}

all_of! {
    Appended { position, count, closed, outcome }
    Stub { position, time, counted_bytes }
    Loss { upto, at }
    LifeEnd { position, time }
    SavedHead { limits, tail, last_time, low_watermark, forgotten, numbered }
    SavedLife { stream, start, made, settings, events, bytes, first, last, end, trim }
    SavedTombstone { stream, end, reason, at, loss }
    SavedKey { due, number, stream, key, what }
    SavedDamage { stream, position }
    SavedBlocks { generation, done, step, checkpoints, closed }
    SealedSegment { number, generation, first, bytes, live_bytes, void_ranges }
    End { segments, lives, tombstones, keys, heads }
}

/// A newtype of a number.
macro_rules! number {
    ($($number:ident),+) => {$(
        impl Field for $number {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
                Field::take(from).map(Self)
            }
        }
    )+};
}

number!(Incarnation, Sequence, EventsCheck);

/// An enum without data: one byte.
macro_rules! one_of {
    ($($value:ty { $($tag:literal $is:pat => $of:expr),+ })+) => {$(
        impl Field for $value {
            fn put(&self, out: &mut Vec<u8>) {
                match self { $($is => $tag),+ }.put(out);
            }

            fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
                match from.tag()? { $($tag => Ok($of),)+ tag => Err(Fault::Tag { tag }) }
            }
        }
    )+};
}

one_of! {
    bool { 0u8 false => false, 1u8 true => true }
    EndReason { 0u8 Self::Closed => Self::Closed, 1u8 Self::Deleted => Self::Deleted }
    AppendOutcome { 0u8 Self::Appended => Self::Appended, 1u8 Self::AlreadyClosed => Self::AlreadyClosed }
}

impl Field for SavedUse {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Whole { digest, answer } => {
                0u8.put(out);
                digest.put(out);
                answer.put(out);
            }
            Self::Blocks(blocks) => {
                1u8.put(out);
                blocks.put(out);
            }
        }
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(Self::Whole { digest: Field::take(from)?, answer: Field::take(from)? }),
            1 => SavedBlocks::take(from).map(Self::Blocks),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

impl<A: Field, B: Field, C: Field> Field for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok((A::take(from)?, B::take(from)?, C::take(from)?))
    }
}

impl CheckpointHead {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let Self { salt: _, incarnation, written, reserved, replay_from, log } = self;
        incarnation.put(out);
        written.put(out);
        reserved.put(out);
        replay_from.put(out);
        log.put(out);
    }

    pub(super) fn take(salt: Salt, from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self {
            salt,
            incarnation: Field::take(from)?,
            written: Field::take(from)?,
            reserved: Field::take(from)?,
            replay_from: Field::take(from)?,
            log: Field::take(from)?,
        })
    }
}
