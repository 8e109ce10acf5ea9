//! The commands of the log, as encoded in a segment.
//!
//! Each command is one frame, except an append: that is a head (`command/head.rs`) and the frames of its events.
//! The bodies of the others begin with their stamp, followed by their fields:
//!
//! ```text
//! 4 Claim   stamp | stream | key
//! 5 Put     stamp | stream | patch
//! 6 Delete  stamp | stream
//! 8 Limits  stamp | limits
//! 10 Damage stamp | stream | position
//! 11 Sweep  stamp | list of stream
//! ```
//!
//! The bytes of a stamp, a stream, a key, a patch and limits are in `command/fields.rs` and `command/settings.rs`.
//!
//! Invariants: each command has exactly one encoding, and each accepted encoding is that of one command. Does not
//! apply them.

use largesse_log::{Append, Command, NewEvent, Put, state::Stamp};

use crate::format::frame::{EncodedEvents, Fault, Kind, Salt, TooLarge, write_frame};

mod fields;
mod head;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use fields::{Field, Fields};
pub use head::KeptHead;
pub(crate) use head::{AppendHead, EventsHead};

/// A command as it is in a segment, with its stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Its positions and time.
    pub stamp: Stamp,
    /// The command.
    pub command: Command,
}

impl Stamped {
    /// Writes all frames of the command to the end of `out`.
    ///
    /// # Errors
    /// [`TooLarge`], like [`EncodedEvents::new`]; nothing is written then.
    pub fn encode(&self, out: &mut Vec<u8>, salt: Salt) -> Result<(), TooLarge> {
        let events = match &self.command {
            Command::Append(append) => EncodedEvents::new(salt, &append.events)?,
            _ => EncodedEvents::empty(salt),
        };
        encode_head(out, salt, self.stamp, &self.command, &events);
        out.extend_from_slice(events.bytes());
        Ok(())
    }

    /// The append of a head and the events after it.
    pub(crate) fn of_append(head: AppendHead, events: Vec<NewEvent>) -> Self {
        let AppendHead { stamp, stream, then, author, once, .. } = head;
        Self { stamp, command: Command::Append(Append { stream, events, then, once, author }) }
    }

    /// Reads the body of a command that is one frame.
    pub(crate) fn decode(kind: Kind, body: &[u8]) -> Result<Self, Fault> {
        let read: fn(&mut Fields<'_>) -> Result<Command, Fault> = match kind {
            Kind::Claim => |from| Ok(Command::Claim { stream: Field::take(from)?, key: Field::take(from)? }),
            Kind::Put => |from| {
                let stream = Field::take(from)?;
                Ok(Command::Put { stream, put: Put { settings: Field::take(from)? } })
            },
            Kind::Delete => |from| Ok(Command::Delete { stream: Field::take(from)? }),
            Kind::Sweep => |from| Ok(Command::Sweep { streams: Field::take(from)? }),
            Kind::Damage => {
                |from| Ok(Command::Damage { stream: Field::take(from)?, position: Field::take(from)? })
            }
            Kind::Limits => |from| Ok(Command::Limits(Field::take(from)?)),
            _ => return Err(Fault::Misplaced { kind }),
        };
        let mut from = Fields::of(body);
        let stamped = Self { stamp: Field::take(&mut from)?, command: read(&mut from)? };
        from.end()?;
        Ok(stamped)
    }
}

/// Writes a command to the end of `out`, except for its events: their frames have to follow.
pub fn encode_head(out: &mut Vec<u8>, salt: Salt, stamp: Stamp, command: &Command, events: &EncodedEvents) {
    debug_assert_eq!(command.events(), events.frames().len(), "the events are the command's");
    write_frame(out, salt, kind_of(command), |out| {
        stamp.put(out);
        match command {
            Command::Append(Append { stream, then, once, author, .. }) => {
                EventsHead::of(events).put(out);
                stream.put(out);
                (*then, *author).put(out);
                once.put(out);
            }
            Command::Claim { stream, key } => {
                stream.put(out);
                key.put(out);
            }
            Command::Put { stream, put } => {
                stream.put(out);
                put.settings.put(out);
            }
            Command::Delete { stream } => stream.put(out),
            Command::Sweep { streams } => streams.put(out),
            Command::Damage { stream, position } => {
                stream.put(out);
                position.put(out);
            }
            Command::Limits(limits) => limits.put(out),
        }
    });
}

fn kind_of(command: &Command) -> Kind {
    match command {
        Command::Append(_) => Kind::Append,
        Command::Claim { .. } => Kind::Claim,
        Command::Put { .. } => Kind::Put,
        Command::Delete { .. } => Kind::Delete,
        Command::Sweep { .. } => Kind::Sweep,
        Command::Damage { .. } => Kind::Damage,
        Command::Limits(_) => Kind::Limits,
    }
}
