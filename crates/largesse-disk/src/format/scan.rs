//! Scans a segment, frame by frame.
//!
//! - [`Scan`] returns the groups with their commands: for recovery, and for a check.
//! - [`EventScan`] returns where events are, in log order, without reading their text.
//! - [`read_event`] reads one event at a known offset.
//! - [`is_torn_tail`] tells a torn write from corruption; [`find_group`] resumes after a broken part.
//!
//! A segment may be filled with zeros ahead of what is written (`preallocation.rs`). A scan up to the end of a file
//! can treat them as the end ([`Scan::ending_at_zeros`]). A scan up to a known length does not accept zeros.
//!
//! Invariants: no bytes make any of these panic; none holds more than one group (or one head's list of offsets) and
//! a read-ahead of [`READ_AHEAD_BYTES`], grown only for a larger frame that is entirely in the file; nothing is
//! returned before its checksum is verified. Does not know what commands do, nor which events are still kept.

use std::{io, sync::Arc};

use largesse_log::{Append, Command, NewEvent, Position, StreamName, state::Stamp};

use crate::{
    format::{
        command::{AppendHead, EventsHead, Stamped},
        frame::{
            EventsCheck, Fault, GROUP_FRAME_BYTES, GroupHead, Kind, Salt, Sequence, blank_event, decode_event,
        },
    },
    io::DiskFile,
};

mod events;
mod read;
#[cfg(test)]
mod tests;
mod torn;
mod window;
mod zeros;

pub use events::{EventScan, ScannedEvent};
pub(crate) use read::event_in;
pub use read::{ReadError, read_event, read_frame};
pub use torn::{find_group, is_torn_tail};
pub use window::READ_AHEAD_BYTES;
pub(crate) use window::{Stop, Window, Zeros};
pub(crate) use zeros::has_zeros;

/// Where an event's frame is in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSpot {
    /// Its offset.
    pub at: u64,
    /// Its length.
    pub bytes: u32,
}

/// The next item of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned<T> {
    /// A whole item.
    Next(T),
    /// The end.
    End,
    /// Something broken. The scan stops before it.
    Broken(Broken),
}

/// What is broken in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frame at byte {at} is broken: {what}")]
pub struct Broken {
    /// Everything scanned before this offset is whole: here the broken group or head begins.
    pub whole_upto: u64,
    /// The offset of the broken frame.
    pub at: u64,
    /// What is wrong with it.
    pub what: Fault,
}

/// A group as it is in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The offset of its first frame.
    pub at: u64,
    /// The offset of its end.
    pub end: u64,
    /// Its first frame.
    pub head: GroupHead,
    /// Its commands, in order.
    pub commands: Vec<PlacedCommand>,
}

/// A command, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedCommand {
    /// The offset of its first frame.
    pub at: u64,
    /// The command.
    pub command: Stamped,
    /// Where an append's events are, one spot for each.
    pub spots: Vec<EventSpot>,
    /// Its broken events, in order. `command` has placeholders for them, which count as much.
    pub broken: Vec<BrokenEvent>,
}

/// An event whose text is broken, but whose position is still known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenEvent {
    /// Its number in the append, from 0.
    pub number: usize,
    /// The offset of its frame.
    pub at: u64,
    /// What is wrong with it.
    pub what: Fault,
}

impl Group {
    /// The broken events, with their streams and positions.
    pub fn broken(&self) -> impl Iterator<Item = (&StreamName, Position, BrokenEvent)> {
        self.commands.iter().filter_map(PlacedCommand::append).flat_map(|(placed, stamp, append)| {
            placed.broken.iter().map(move |event| (&append.stream, stamp.position_of(event.number), *event))
        })
    }
}

impl PlacedCommand {
    fn append(&self) -> Option<(&Self, &Stamp, &Append)> {
        match &self.command.command {
            Command::Append(append) => Some((self, &self.command.stamp, append)),
            _ => None,
        }
    }
}

/// A scan over a segment's groups.
pub struct Scan {
    window: Window,
    salt: Salt,
    at: u64,
    expected: Option<Sequence>,
}

impl Scan {
    /// Scans from `from`, where a group begins, up to `upto`: the end of the file, or of the part to read. A file
    /// that ends before `upto` is broken there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn new(file: Arc<dyn DiskFile>, salt: Salt, from: u64, upto: u64) -> io::Result<Self> {
        Ok(Self { window: Window::new(file, upto)?, salt, at: from, expected: None })
    }

    /// Expects this group first. Without it, any group may be the first, and the others have to follow in sequence.
    #[must_use]
    pub fn expecting(mut self, first: Sequence) -> Self {
        self.expected = Some(first);
        self
    }

    /// Treats zeros from a group's end up to the end of the file as the end: nothing was written there yet. Only
    /// for scans up to the end of the file.
    #[must_use]
    pub fn ending_at_zeros(mut self) -> Self {
        self.window.set_zeros(Zeros::End);
        self
    }

    /// The next group, if all of it is whole. After anything else, further calls return the same.
    ///
    /// # Errors
    /// Those of the disk. The scan stays where it is, and can be retried.
    pub fn next_group(&mut self) -> io::Result<Scanned<Group>> {
        self.next(Texts::Whole)
    }

    /// The group that [`Scan::next_group`] found broken, if only the texts of some events in it are, so that all
    /// positions are known. Otherwise, what else is broken.
    ///
    /// # Errors
    /// Those of the disk, like [`Scan::next_group`].
    pub fn next_damaged(&mut self) -> io::Result<Scanned<Group>> {
        self.next(Texts::Any)
    }

    fn next(&mut self, texts: Texts) -> io::Result<Scanned<Group>> {
        if self.window.is_at_end(self.at) {
            return Ok(Scanned::End);
        }
        match self.read_group(self.at, texts) {
            Ok(group) => {
                self.at = group.end;
                self.expected = group.head.sequence.0.checked_add(1).map(Sequence);
                Ok(Scanned::Next(group))
            }
            Err(stop) => self.window.stopped(stop, self.at),
        }
    }

    fn read_group(&mut self, at: u64, texts: Texts) -> Result<Group, Stop> {
        let end = self.window.end();
        let frame = self.window.frame(at, end, self.salt)?;
        if frame.kind != Kind::Group {
            return Err(Stop::broken(at, Fault::Misplaced { kind: frame.kind }));
        }
        let head = GroupHead::decode(frame.body).map_err(|what| Stop::broken(at, what))?;
        if let Some(expected) = self.expected.filter(|expected| *expected != head.sequence) {
            return Err(Stop::broken(at, Fault::Sequence { expected, found: head.sequence }));
        }
        let mut next = at + GROUP_FRAME_BYTES as u64;
        let end = next + u64::from(head.group_bytes);
        if end > self.window.end() {
            return Err(Stop::broken(at, Fault::Cut));
        }
        let mut commands = Vec::new();
        while next < end {
            commands.push(self.read_command(&mut next, end, texts)?);
        }
        Ok(Group { at, end, head, commands })
    }

    /// Reads the command at `next`, and advances past it.
    fn read_command(&mut self, next: &mut u64, end: u64, texts: Texts) -> Result<PlacedCommand, Stop> {
        let at = *next;
        let frame = self.window.frame(at, end, self.salt)?;
        *next = at + frame.bytes();
        if frame.kind != Kind::Append {
            let command = Stamped::decode(frame.kind, frame.body).map_err(|what| Stop::broken(at, what))?;
            return Ok(PlacedCommand { at, command, spots: Vec::new(), broken: Vec::new() });
        }
        let head = AppendHead::decode(frame.body).map_err(|what| Stop::broken(at, what))?;
        let (mut events, mut spots, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        let mut check = EventsCheck::start(self.salt);
        while spots.len() < head.events.count as usize {
            let at = *next;
            let frame_head = self.window.frame_head(at, end)?;
            let bytes = frame_head.frame_bytes().map_err(|what| Stop::broken(at, what))?;
            check.push(&frame_head);
            match self.read_event(at, end) {
                Ok(event) => events.push(event),
                Err(Stop::Broken { what, .. }) if texts == Texts::Any && what.is_within() => {
                    broken.push(BrokenEvent { number: spots.len(), at, what });
                    events.push(blank_event(bytes));
                }
                Err(stop) => return Err(stop),
            }
            spots.push(EventSpot { at, bytes });
            *next = at + u64::from(bytes);
        }
        // Only if the lengths are right do the events have their original positions.
        head.events.hold(check).map_err(|what| {
            broken.first().map_or(Stop::broken(at, what), |event| Stop::broken(event.at, event.what))
        })?;
        Ok(PlacedCommand { at, command: Stamped::of_append(head, events), spots, broken })
    }

    fn read_event(&mut self, at: u64, end: u64) -> Result<NewEvent, Stop> {
        let frame = self.window.frame(at, end, self.salt)?;
        if frame.kind != Kind::Event {
            return Err(Stop::broken(at, Fault::Misplaced { kind: frame.kind }));
        }
        decode_event(frame.body).map_err(|what| Stop::broken(at, what))
    }
}

/// Which events' texts are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Whole,
    /// Any text, as long as the frames' heads are those that were written.
    Any,
}

impl Fault {
    /// Whether the broken frame's length may still be right.
    fn is_within(self) -> bool {
        !matches!(self, Self::Cut | Self::Length { .. } | Self::PastGroup | Self::Misplaced { .. })
    }
}

impl EventsHead {
    /// Checks that the events found are the head's.
    fn hold(self, found: EventsCheck) -> Result<(), Fault> {
        if self.check == found { Ok(()) } else { Err(Fault::Events) }
    }
}
