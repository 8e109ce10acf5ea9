//! Taking the steps that stand in a segment: when they are written, and again at a start.
//!
//! Invariants: both ways take a step just the same; what an append wrote is entered into the segment's index
//! after it was taken, and passed over for ever when it was refused. Does not write.

use largesse_log::{
    Append, AppendError, Appended, Claim, Deleted, EngineError, Position, PutAnswer, StreamName, Sweep,
    state::{LogState, Slot, Stepped},
};

use crate::{
    command::Command,
    frame::counted_bytes_of,
    index::{Entry, Growing, LifeId, Mark, OutOfOrder},
    scan::EventSpot,
    segments::{Index, Segment},
    step::{Ask, Tell, What},
};

/// A step that is written, or about to be.
pub(crate) struct Planned {
    pub(crate) ask: Box<Ask>,
    pub(crate) slot: Slot,
    /// For an append: where its head stands in the group.
    pub(crate) head: usize,
    /// And the first of its events.
    pub(crate) events: usize,
}

/// A step that was taken. Its events are filed later (`filing.rs`): until then they are in memory.
pub(crate) struct Taken {
    pub(crate) answer: Answer,
    pub(crate) written: Option<Written>,
}

/// An answer, and who waits for it.
pub(crate) enum Answer {
    Append(Tell<Result<Appended, AppendError>>, Result<Appended, AppendError>),
    Claim(Tell<Result<Claim, AppendError>>, Result<Claim, AppendError>),
    Put(Tell<Result<PutAnswer, AppendError>>, Box<Result<PutAnswer, AppendError>>),
    Delete(Tell<Result<Option<Deleted>, EngineError>>, Option<Deleted>),
    Sweep(Tell<Result<Sweep, EngineError>>, Sweep),
    Damage(Tell<Result<(), EngineError>>),
}

impl Answer {
    pub(crate) fn tell(self) {
        // Nobody may wait for it any more.
        match self {
            Self::Append(tell, answer) => _ = tell.send(answer),
            Self::Claim(tell, answer) => _ = tell.send(answer),
            Self::Put(tell, answer) => _ = tell.send(*answer),
            Self::Delete(tell, answer) => _ = tell.send(Ok(answer)),
            Self::Sweep(tell, answer) => _ = tell.send(Ok(answer)),
            Self::Damage(tell) => _ = tell.send(Ok(())),
        }
    }
}

/// The events of one append that was taken, for the index.
pub(crate) struct Written {
    life: LifeId,
    slot: Slot,
    head_at: u64,
    events_at: u64,
    /// The bytes of each frame; they stand one behind the other.
    frames: Vec<u32>,
}

impl Written {
    fn counted_bytes(&self) -> u64 {
        self.frames.iter().map(|bytes| u64::from(counted_bytes_of(*bytes))).sum()
    }
}

/// Takes a step that stands in the segment.
pub(crate) fn take(
    state: &mut LogState,
    segment: &Segment,
    planned: Planned,
    at: u64,
    rings: &mut Vec<(StreamName, Position)>,
) -> Taken {
    let Planned { ask, slot, head, events } = planned;
    let only = |answer| Taken { answer, written: None };
    match ask.what {
        What::Append { append, encoded, tell } => {
            let spots = Spots {
                head_at: at + head as u64,
                events_at: at + events as u64,
                frames: encoded.into_frames(),
            };
            let stream = append.stream.clone();
            let (answer, written, ring) = append_step(state, segment, slot, append, spots);
            rings.extend(ring.map(|position| (stream, position)));
            Taken { answer: Answer::Append(tell, answer), written }
        }
        What::Claim { stream, key, tell } => only(Answer::Claim(tell, state.claim(slot, &stream, &key))),
        What::Put { stream, put, tell } => only(Answer::Put(tell, Box::new(state.put(slot, &stream, &put)))),
        What::Delete { stream, tell } => {
            let Stepped { answer, ring, .. } = state.delete(slot, &stream);
            rings.extend(ring.map(|position| (stream, position)));
            only(Answer::Delete(tell, answer))
        }
        What::Damage { stream, position, tell } => {
            state.damage(Some(slot), &stream, position);
            only(Answer::Damage(tell))
        }
        What::Sweep { steps, streams, tell } => {
            only(Answer::Sweep(tell, sweep(state, slot, steps, &streams)))
        }
    }
}

/// Where an append stands in its segment.
struct Spots {
    head_at: u64,
    events_at: u64,
    frames: Vec<u32>,
}

fn append_step(
    state: &mut LogState,
    segment: &Segment,
    slot: Slot,
    append: Append,
    spots: Spots,
) -> (Result<Appended, AppendError>, Option<Written>, Option<Position>) {
    let positions = slot.base..slot.position_of(append.events.len());
    let Stepped { answer, ring, life } = state.append(slot, append);
    let Spots { head_at, events_at, frames } = spots;
    // A repeat is answered with the first answer, whose positions are before.
    let written = life.map(|life| Written { life: LifeId(life), slot, head_at, events_at, frames });
    match &written {
        Some(written) => segment.gained(written.counted_bytes()),
        None => segment.refuse(positions),
    }
    (answer, written, ring)
}

/// Enters what steps wrote into the segment's index, in the order in which they stand there.
pub(crate) fn enter(segment: &Segment, written: impl IntoIterator<Item = Written>) {
    let Index::Growing(growing) = &segment.index else { return };
    let mut growing = growing.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    for written in written {
        let entered = try_enter(&mut growing, &written);
        debug_assert_eq!(entered, Ok(()), "slots count up");
    }
}

fn try_enter(growing: &mut Growing, written: &Written) -> Result<(), OutOfOrder> {
    let Written { life, slot, head_at, events_at, frames } = written;
    if frames.is_empty() {
        return Ok(());
    }
    growing.push_mark(Mark { position: slot.base, at: *head_at, time: slot.time })?;
    let mut at = *events_at;
    for (number, bytes) in frames.iter().enumerate() {
        let entry = Entry {
            position: slot.position_of(number),
            at,
            bytes: *bytes,
            counted_bytes: counted_bytes_of(*bytes),
            time: slot.time,
        };
        growing.push(*life, entry)?;
        at += u64::from(*bytes);
    }
    Ok(())
}

/// Takes the steps of a sweep, each in the place of its own that follows: one on each of the streams, which are at most
/// `steps`, and the rest on none.
fn sweep(state: &mut LogState, slot: Slot, steps: u32, streams: &[StreamName]) -> Sweep {
    let mut more = Sweep::Done;
    let mut base = slot.base;
    let mut streams = streams.iter();
    for _ in 0..steps {
        let stream = streams.next();
        if stream.is_none() && !state.has_due_at(slot) {
            break;
        }
        more = state.sweep_step_on(Slot { base, ..slot }, stream);
        base = base.max(state.tail().next());
    }
    more
}

/// Takes the steps of a sweep that chose its streams itself.
fn sweep_of_its_own(state: &mut LogState, slot: Slot, steps: u32) {
    let mut base = slot.base;
    for _ in 0..steps {
        if state.sweep_step(Slot { base, ..slot }) == Sweep::Done {
            break;
        }
        base = base.max(state.tail().next());
    }
}

/// Takes a step again that stands in a segment.
pub(crate) fn replay(
    state: &mut LogState,
    segment: &Segment,
    command: Command,
    head_at: u64,
    spots: &[EventSpot],
) {
    state.go_back_before(command.slot());
    match command {
        Command::Append { slot, append } => {
            let spots = Spots {
                head_at,
                // Without events nobody asks.
                events_at: spots.first().map_or(head_at, |spot| spot.at),
                frames: spots.iter().map(|spot| spot.bytes).collect(),
            };
            // What it answers was answered before.
            let (_, written, _) = append_step(state, segment, slot, append, spots);
            enter(segment, written);
        }
        Command::Claim { slot, stream, key } => _ = state.claim(slot, &stream, &key),
        Command::Put { slot, stream, put } => _ = state.put(slot, &stream, &put),
        Command::Delete { slot, stream } => _ = state.delete(slot, &stream).answer,
        Command::Due { slot, streams } => _ = sweep(state, slot, streams.len() as u32, &streams),
        Command::Sweep { slot, steps } => sweep_of_its_own(state, slot, steps),
        Command::Damage { slot, stream, position } => state.damage(Some(slot), &stream, position),
        Command::Limits { limits, .. } => state.limit(limits),
    }
}
