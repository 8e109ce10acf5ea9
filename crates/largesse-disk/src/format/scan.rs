//! Reading a segment from one frame to the next.
//!
//! - [`Scan`] gives the groups with their commands: for a start, and for a check.
//! - [`EventScan`] gives where events stand, in log order, without looking at their text.
//! - [`read_event`] reads one event whose place is known.
//! - [`is_torn_tail`] tells an end that was never safe from one that was; [`find_group`] goes on behind what is broken.
//!
//! A segment may be filled with zeros ahead of what is written (`preallocation.rs`). A walk up to the end of a file can
//! be told to take them for the end ([`Scan::ending_at_zeros`]). A walk up to where something was written takes no
//! zeros.
//!
//! Invariants: no bytes make any of these panic; none holds more than one group (or one head's list of places)
//! and a read-ahead of [`READ_AHEAD_BYTES`], grown only for a frame that is larger and whole in the file; what
//! was not checked is not given out. Does not know what commands do, nor which events are still kept.

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

/// Where the frame of an event stands in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSpot {
    /// The byte at which it begins.
    pub at: u64,
    /// The bytes of the whole frame.
    pub bytes: u32,
}

/// What a walk comes to next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned<T> {
    /// This, and it is whole.
    Next(T),
    /// The end.
    End,
    /// Something that is not whole. The walk does not go past it.
    Broken(Broken),
}

/// What is not whole in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frame at byte {at} is broken: {what}")]
pub struct Broken {
    /// Everything of the walk before this byte is whole. Here the group begins that is not, or the head.
    pub whole_upto: u64,
    /// The byte at which the frame begins that is broken.
    pub at: u64,
    /// What is wrong with it.
    pub what: Fault,
}

/// A group as it stands in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The byte at which its first frame begins.
    pub at: u64,
    /// The byte after its last.
    pub end: u64,
    /// What its first frame says.
    pub head: GroupHead,
    /// Its commands, in order.
    pub commands: Vec<PlacedCommand>,
}

/// A command, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedCommand {
    /// The byte at which its first frame begins.
    pub at: u64,
    /// The command.
    pub command: Stamped,
    /// Of an append: where its events stand, one for each.
    pub spots: Vec<EventSpot>,
    /// Those of its events that are broken, in order. In their places are blanks that count as much.
    pub broken: Vec<BrokenEvent>,
}

/// An event whose text is broken, and whose place is known all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenEvent {
    /// Which of its append, from 0.
    pub number: usize,
    /// The byte at which its frame begins.
    pub at: u64,
    /// What is wrong with it.
    pub what: Fault,
}

impl Group {
    /// The events that are broken: their streams and positions, and what is wrong.
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

/// A walk along the groups of a segment.
pub struct Scan {
    window: Window,
    salt: Salt,
    at: u64,
    expected: Option<Sequence>,
}

impl Scan {
    /// Begins at the byte `from`, where a group begins, and ends at `upto`: the end of the file, or of what is
    /// to be read of it. A file that ends before `upto` is broken there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn new(file: Arc<dyn DiskFile>, salt: Salt, from: u64, upto: u64) -> io::Result<Self> {
        Ok(Self { window: Window::new(file, upto)?, salt, at: from, expected: None })
    }

    /// Takes no other group for the first than this one. Without it, any is the first, and the others count on
    /// from there.
    #[must_use]
    pub fn expecting(mut self, first: Sequence) -> Self {
        self.expected = Some(first);
        self
    }

    /// Zeros from between two groups up to the end are the end, too: nothing was written there yet. Only for who walks
    /// up to the end of the file.
    #[must_use]
    pub fn ending_at_zeros(mut self) -> Self {
        self.window.set_zeros(Zeros::End);
        self
    }

    /// The next group, once all of it is read and whole. After anything but a group, the answer stays.
    ///
    /// # Errors
    /// Those of the disk. The walk stays where it is, and may be tried again.
    pub fn next_group(&mut self) -> io::Result<Scanned<Group>> {
        self.next(Texts::Whole)
    }

    /// The group that [`Scan::next_group`] found broken, when nothing of it is but the texts of some events, so that
    /// the place of everything in it is known. Otherwise what is broken besides.
    ///
    /// # Errors
    /// Those of the disk, as for [`Scan::next_group`].
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

    /// Reads the command at `next`, and moves on behind it.
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
        // Only with the right lengths do the events have the positions that they had.
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

/// Which texts events have to have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Whole,
    /// Any, where the heads of the frames say which were written.
    Any,
}

impl Fault {
    /// Whether the length of what is broken may still be right.
    fn is_within(self) -> bool {
        !matches!(self, Self::Cut | Self::Length { .. } | Self::PastGroup | Self::Misplaced { .. })
    }
}

impl EventsHead {
    /// Whether the events that were found are the head's.
    fn hold(self, found: EventsCheck) -> Result<(), Fault> {
        if self.check == found { Ok(()) } else { Err(Fault::Events) }
    }
}
