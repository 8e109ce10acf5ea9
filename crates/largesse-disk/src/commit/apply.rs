//! Applies commands to the state, live and on recovery, by the same code.
//!
//! Invariants: both go through [`Core::apply`]; an append's events are indexed after it was applied, and void
//! forever if it was rejected. Does not write, and does not know one verb from another.

use largesse_log::{
    EngineError, Position, Reply, StreamName,
    state::{Applied, Stamp},
};

use crate::{
    core::Core,
    format::{command::Stamped, frame::counted_bytes_of, scan::EventSpot},
    index::{Entry, Growing, OutOfOrder, SeekPoint, StreamEpoch},
    segments::{Index, Segment},
};

/// Where a command's events are in its segment.
pub(crate) struct Spots {
    /// The head before them.
    pub(crate) head_at: u64,
    /// The first of them.
    pub(crate) events_at: u64,
    /// The length of each event's frame; the frames are contiguous.
    pub(crate) frames: Vec<u32>,
}

impl Spots {
    /// The same offsets, moved by `at`: from the group's start to the segment's.
    pub(crate) fn shifted_by(self, at: u64) -> Self {
        Self { head_at: self.head_at + at, events_at: self.events_at + at, ..self }
    }
}

/// A command that was applied.
pub(crate) struct AppliedCommand {
    pub(crate) reply: Reply,
    pub(crate) dirty: Option<(StreamName, Position)>,
    /// Its events, to be indexed; until then they stay in memory.
    pub(crate) written: Option<Written>,
}

/// The events of an applied append, for the index.
pub(crate) struct Written {
    life: StreamEpoch,
    stamp: Stamp,
    spots: Spots,
}

impl Written {
    fn counted_bytes(&self) -> u64 {
        self.spots.frames.iter().map(|bytes| u64::from(counted_bytes_of(*bytes))).sum()
    }
}

/// A written command while it is being applied.
pub(crate) struct Applying<'a> {
    segment: &'a Segment,
    stamp: Stamp,
    events: usize,
    spots: Spots,
}

impl<'a> Applying<'a> {
    pub(crate) fn new(segment: &'a Segment, stamped: &Stamped, spots: Spots) -> Self {
        Self { segment, stamp: stamped.stamp, events: stamped.command.events(), spots }
    }

    /// Records in the segment what the command did: live bytes, or a void range.
    pub(crate) fn applied(self, applied: Applied) -> AppliedCommand {
        let Self { segment, stamp, events, spots } = self;
        let Applied { reply, dirty, life, .. } = applied;
        // A repeat gets the first answer, whose positions are earlier ones.
        let written = life.map(|life| Written { life: StreamEpoch(life), stamp, spots });
        match &written {
            Some(written) => segment.gained(written.counted_bytes()),
            None if events > 0 => segment.add_void(stamp.base..stamp.position_of(events)),
            None => {}
        }
        AppliedCommand { reply, dirty, written }
    }
}

/// Applies a command that was read from a segment, and discards its reply: it was answered before. Returns the
/// error if retention could not read cold events.
pub(crate) fn replay(
    core: &Core,
    segment: &Segment,
    stamped: Stamped,
    head_at: u64,
    spots: &[EventSpot],
) -> Option<EngineError> {
    let spots = Spots {
        head_at,
        // Unused without events.
        events_at: spots.first().map_or(head_at, |spot| spot.at),
        frames: spots.iter().map(|spot| spot.bytes).collect(),
    };
    let applying = Applying::new(segment, &stamped, spots);
    let Stamped { stamp, command } = stamped;
    let mut state = core.state();
    state.rewind_before(stamp);
    let (state, applied, error) = core.apply(state, stamp, command);
    drop(state);
    enter(segment, applying.applied(applied).written);
    error
}

/// Indexes what commands wrote, in the order of the segment.
pub(crate) fn enter(segment: &Segment, written: impl IntoIterator<Item = Written>) {
    let Index::Growing(growing) = &segment.index else { return };
    let mut growing = growing.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    for written in written {
        let entered = try_enter(&mut growing, &written);
        debug_assert_eq!(entered, Ok(()), "stamps count up");
    }
}

fn try_enter(growing: &mut Growing, written: &Written) -> Result<(), OutOfOrder> {
    let Written { life, stamp, spots } = written;
    if spots.frames.is_empty() {
        return Ok(());
    }
    growing.push_seek_point(SeekPoint { position: stamp.base, at: spots.head_at, time: stamp.time })?;
    let mut at = spots.events_at;
    for (number, bytes) in spots.frames.iter().enumerate() {
        let entry = Entry {
            position: stamp.position_of(number),
            at,
            bytes: *bytes,
            counted_bytes: counted_bytes_of(*bytes),
            time: stamp.time,
        };
        growing.push(*life, entry)?;
        at += u64::from(*bytes);
    }
    Ok(())
}
