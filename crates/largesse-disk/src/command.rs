//! The commands of the log, and how they stand in a segment.
//!
//! Each command is one frame, but an append: that is a head (`command/head.rs`) and the frames of its events.
//! The bodies of the others begin with their slot, and go on with what makes the command what it is:
//!
//! ```text
//! 4 Claim   slot | stream | key
//! 5 Put     slot | stream | patch
//! 6 Delete  slot | stream
//! 7 Sweep   slot | steps u32; not written any more
//! 8 Limits  slot | limits
//! 10 Damage slot | stream | position
//! 11 Due    slot | list of stream
//! ```
//!
//! What a slot, a stream, a key, a patch and limits are in bytes is in `command/fields.rs` and
//! `command/settings.rs`.
//!
//! Invariants: each command has one encoding, and each encoding that is accepted is of one command. Does not
//! take the steps that commands ask for.

use largesse_log::{Append, EngineLimits, IdempotencyKey, NewEvent, Position, Put, StreamName, state::Slot};

use crate::frame::{EncodedEvents, Fault, Kind, Salt, TooLarge, write_frame};

mod fields;
mod head;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use fields::{Field, Fields};
pub use head::KeptHead;
pub(crate) use head::{AppendHead, EventsHead};

/// One change of the log, as it stands in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// [`largesse_log::Engine::append`].
    Append {
        /// Where and when.
        slot: Slot,
        /// What.
        append: Append,
    },
    /// [`largesse_log::Engine::claim`].
    Claim {
        /// Where and when.
        slot: Slot,
        /// The stream to publish to.
        stream: StreamName,
        /// The key to take over.
        key: IdempotencyKey,
    },
    /// [`largesse_log::Engine::put`].
    Put {
        /// Where and when.
        slot: Slot,
        /// The stream to make or to configure.
        stream: StreamName,
        /// Its settings.
        put: Put,
    },
    /// [`largesse_log::Engine::delete`].
    Delete {
        /// Where and when.
        slot: Slot,
        /// The stream to remove.
        stream: StreamName,
    },
    /// Steps of [`largesse_log::Engine::sweep`] on these streams, in this order.
    Due {
        /// Where and when.
        slot: Slot,
        /// The streams that time may take something from.
        streams: Vec<StreamName>,
    },
    /// Steps of a sweep that chose its streams itself. After a checkpoint it may choose others, so it is not written any
    /// more.
    Sweep {
        /// Where and when.
        slot: Slot,
        /// How many steps.
        steps: u32,
    },
    /// An event turned out to be broken: it is told as lost.
    Damage {
        /// Where and when.
        slot: Slot,
        /// The stream it was on.
        stream: StreamName,
        /// Its position.
        position: Position,
    },
    /// What the log may hold from here on.
    Limits {
        /// Where and when.
        slot: Slot,
        /// The limits.
        limits: EngineLimits,
    },
}

impl Command {
    /// Writes all frames of the command to the end of `out`. A writer that has the frames of an append's events
    /// already uses [`encode_append_head`] instead.
    ///
    /// # Errors
    /// [`TooLarge`], as [`EncodedEvents::new`]; then nothing is written.
    pub fn encode(&self, out: &mut Vec<u8>, salt: Salt) -> Result<(), TooLarge> {
        match self {
            Self::Append { slot, append } => {
                let events = EncodedEvents::new(salt, &append.events)?;
                encode_append_head(out, salt, *slot, append, &events);
                out.extend_from_slice(events.bytes());
            }
            Self::Claim { slot, stream, key } => write_frame(out, salt, Kind::Claim, |out| {
                slot.put(out);
                stream.put(out);
                key.put(out);
            }),
            Self::Put { slot, stream, put } => write_frame(out, salt, Kind::Put, |out| {
                slot.put(out);
                stream.put(out);
                put.settings.put(out);
            }),
            Self::Delete { slot, stream } => write_frame(out, salt, Kind::Delete, |out| {
                slot.put(out);
                stream.put(out);
            }),
            Self::Due { slot, streams } => write_frame(out, salt, Kind::Due, |out| {
                slot.put(out);
                streams.put(out);
            }),
            Self::Sweep { slot, steps } => write_frame(out, salt, Kind::Sweep, |out| {
                slot.put(out);
                steps.put(out);
            }),
            Self::Damage { slot, stream, position } => write_frame(out, salt, Kind::Damage, |out| {
                slot.put(out);
                stream.put(out);
                position.put(out);
            }),
            Self::Limits { slot, limits } => write_frame(out, salt, Kind::Limits, |out| {
                slot.put(out);
                limits.put(out);
            }),
        }
        Ok(())
    }

    /// Where and when the command is taken.
    #[must_use]
    pub fn slot(&self) -> Slot {
        match self {
            Self::Append { slot, .. }
            | Self::Claim { slot, .. }
            | Self::Put { slot, .. }
            | Self::Delete { slot, .. }
            | Self::Due { slot, .. }
            | Self::Sweep { slot, .. }
            | Self::Damage { slot, .. }
            | Self::Limits { slot, .. } => *slot,
        }
    }

    /// The append that a head and the events after it make.
    pub(crate) fn of_append(head: AppendHead, events: Vec<NewEvent>) -> Self {
        let AppendHead { slot, stream, then, author, once, .. } = head;
        Self::Append { slot, append: Append { stream, events, then, once, author } }
    }

    /// Reads the body of a command that is one frame.
    pub(crate) fn decode(kind: Kind, body: &[u8]) -> Result<Self, Fault> {
        let mut from = Fields::of(body);
        let from = &mut from;
        let command = match kind {
            Kind::Claim => {
                Self::Claim { slot: Field::take(from)?, stream: Field::take(from)?, key: Field::take(from)? }
            }
            Kind::Put => {
                let (slot, stream) = (Field::take(from)?, Field::take(from)?);
                Self::Put { slot, stream, put: Put { settings: Field::take(from)? } }
            }
            Kind::Delete => Self::Delete { slot: Field::take(from)?, stream: Field::take(from)? },
            Kind::Due => Self::Due { slot: Field::take(from)?, streams: Field::take(from)? },
            Kind::Sweep => Self::Sweep { slot: Field::take(from)?, steps: Field::take(from)? },
            Kind::Damage => {
                let (slot, stream) = (Field::take(from)?, Field::take(from)?);
                Self::Damage { slot, stream, position: Field::take(from)? }
            }
            Kind::Limits => Self::Limits { slot: Field::take(from)?, limits: Field::take(from)? },
            Kind::Group | Kind::Append | Kind::Event | Kind::Kept => return Err(Fault::Misplaced { kind }),
            Kind::Head | Kind::Life | Kind::Past | Kind::Key | Kind::Sealed | Kind::End | Kind::Damaged => {
                return Err(Fault::Misplaced { kind });
            }
        };
        from.end()?;
        Ok(command)
    }
}

/// Writes the head of an append to the end of `out`. The frames of `events`, which are those of the append, have
/// to follow it.
pub fn encode_append_head(
    out: &mut Vec<u8>,
    salt: Salt,
    slot: Slot,
    append: &Append,
    events: &EncodedEvents,
) {
    debug_assert_eq!(append.events.len(), events.frames().len(), "the events are the append's");
    write_frame(out, salt, Kind::Append, |out| {
        slot.put(out);
        EventsHead::of(events).put(out);
        append.stream.put(out);
        (append.then, append.author).put(out);
        append.once.put(out);
    });
}
