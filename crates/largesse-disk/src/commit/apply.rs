//! Applying commands that stand in a segment: when they are written, and again at a recovery.
//!
//! Invariants: both go through [`Core::apply`]; the events of an append are entered into the segment's index after it was
//! applied, and passed over for ever when it was refused. Does not write, and does not know one verb from another.

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

/// Where a command's events stand in its segment.
pub(crate) struct Spots {
    /// The head before them.
    pub(crate) head_at: u64,
    /// The first of them.
    pub(crate) events_at: u64,
    /// The bytes of each frame; they stand one shifted_by the other.
    pub(crate) frames: Vec<u32>,
}

impl Spots {
    /// The same in a segment where what they are counted from stands at `at`.
    pub(crate) fn shifted_by(self, at: u64) -> Self {
        Self { head_at: self.head_at + at, events_at: self.events_at + at, ..self }
    }
}

/// What a command did.
pub(crate) struct AppliedCommand {
    pub(crate) reply: Reply,
    pub(crate) dirty: Option<(StreamName, Position)>,
    /// Its events, to be indexed: until then they are in memory.
    pub(crate) written: Option<Written>,
}

/// The events of one append that was applied, for the index.
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

/// A command that stands in a segment, while it is applied.
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

    /// Counts in the segment what the command did.
    pub(crate) fn applied(self, applied: Applied) -> AppliedCommand {
        let Self { segment, stamp, events, spots } = self;
        let Applied { reply, dirty, life, .. } = applied;
        // A repeat is answered with the first answer, whose positions are before.
        let written = life.map(|life| Written { life: StreamEpoch(life), stamp, spots });
        match &written {
            Some(written) => segment.gained(written.counted_bytes()),
            None if events > 0 => segment.add_void(stamp.base..stamp.position_of(events)),
            None => {}
        }
        AppliedCommand { reply, dirty, written }
    }
}

/// Applies a command again that stands in a segment. What it answers was answered before. Says why, where retention
/// could not go on.
pub(crate) fn replay(
    core: &Core,
    segment: &Segment,
    stamped: Stamped,
    head_at: u64,
    spots: &[EventSpot],
) -> Option<EngineError> {
    let spots = Spots {
        head_at,
        // Without events nobody asks.
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

/// Enters what commands wrote into the segment's index, in the order in which they stand there.
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
