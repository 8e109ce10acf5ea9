//! Taking the steps that stand in a segment: when they are written, and again at a start.
//!
//! Invariants: both ways take a step just the same; what an append wrote is entered into the segment's index
//! when it was taken, and passed over for ever when it was refused. Does not write.

use largesse_log::{
    Append, AppendError, Appended, NewEvent, Position, StreamName, Sweep,
    state::{LogState, Slot, Stepped},
};

use crate::{
    command::Command,
    index::{Entry, Growing, LifeId, Mark, OutOfOrder},
    scan::EventSpot,
    segments::{Index, Segment},
    step::{Ask, What},
};

/// A step that is written, or about to be.
pub(crate) struct Planned {
    pub(crate) ask: Ask,
    pub(crate) slot: Slot,
    /// For an append: where its head stands in the group.
    pub(crate) head: usize,
    /// And the first of its events.
    pub(crate) events: usize,
}

/// What a step wrote, for the index.
struct Written<'a> {
    stream: &'a StreamName,
    slot: Slot,
    head_at: u64,
    spots: Vec<(EventSpot, u64)>,
}

/// Takes a step that stands in the segment; gives what is left to do when the state is unlocked.
pub(crate) fn take(
    state: &mut LogState,
    segment: &Segment,
    planned: Planned,
    at: u64,
    rings: &mut Vec<(StreamName, Position)>,
) -> Box<dyn FnOnce()> {
    let Planned { ask: Ask { now: _, what }, slot, head, events } = planned;
    match what {
        What::Append { append, encoded, tell } => {
            let spots = spots(at + events as u64, &append.events, encoded.frames());
            let stream = append.stream.clone();
            let written = Written { stream: &stream, slot, head_at: at + head as u64, spots };
            let answer = append_step(state, segment, slot, append, &written, rings);
            Box::new(move || _ = tell.send(answer))
        }
        What::Claim { stream, key, tell } => {
            let answer = state.claim(slot, &stream, &key);
            Box::new(move || _ = tell.send(answer))
        }
        What::Put { stream, put, tell } => {
            let answer = state.put(slot, &stream, &put);
            Box::new(move || _ = tell.send(answer))
        }
        What::Delete { stream, tell } => {
            let Stepped { answer, ring } = state.delete(slot, &stream);
            rings.extend(ring.map(|position| (stream, position)));
            Box::new(move || _ = tell.send(Ok(answer)))
        }
        What::Damage { stream, position, tell } => {
            state.damage(Some(slot), &stream, position);
            Box::new(move || _ = tell.send(Ok(())))
        }
        What::Sweep { steps, tell } => {
            let more = sweep(state, slot, steps);
            Box::new(move || _ = tell.send(Ok(more)))
        }
    }
}

/// Where events stand, and what each counts.
fn spots(mut at: u64, events: &[NewEvent], frames: &[u32]) -> Vec<(EventSpot, u64)> {
    let mut spot = |(event, bytes): (&NewEvent, &u32)| {
        let spot = EventSpot { at, bytes: *bytes };
        at += u64::from(*bytes);
        (spot, event.counted_bytes())
    };
    events.iter().zip(frames).map(&mut spot).collect()
}

fn append_step(
    state: &mut LogState,
    segment: &Segment,
    slot: Slot,
    append: Append,
    written: &Written<'_>,
    rings: &mut Vec<(StreamName, Position)>,
) -> Result<Appended, AppendError> {
    let positions = slot.base..slot.position_of(append.events.len());
    let Stepped { answer, ring } = state.append(slot, append);
    rings.extend(ring.map(|position| (written.stream.clone(), position)));
    // A repeat is answered with the first answer, whose positions are before.
    let is_taken = ring.is_some();
    match (is_taken, state.life_start(written.stream)) {
        (true, Some(life)) => enter(segment, LifeId(life), written),
        _ => segment.refuse(positions),
    }
    answer
}

/// Enters what a step wrote into the segment's index.
fn enter(segment: &Segment, life: LifeId, written: &Written<'_>) {
    let Index::Growing(growing) = &segment.index else { return };
    let mut growing = growing.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    let entered = try_enter(&mut growing, life, written);
    debug_assert_eq!(entered, Ok(()), "slots count up");
    segment.gained(written.spots.iter().map(|(_, counted)| counted).sum());
}

fn try_enter(growing: &mut Growing, life: LifeId, written: &Written<'_>) -> Result<(), OutOfOrder> {
    let Written { slot, head_at, spots, .. } = written;
    if spots.is_empty() {
        return Ok(());
    }
    growing.push_mark(Mark { position: slot.base, at: *head_at, time: slot.time })?;
    for (number, (spot, counted)) in spots.iter().enumerate() {
        growing.push(
            life,
            Entry {
                position: slot.position_of(number),
                at: spot.at,
                bytes: spot.bytes,
                counted_bytes: u32::try_from(*counted).unwrap_or(u32::MAX),
                time: slot.time,
            },
        )?;
    }
    Ok(())
}

/// Takes the steps of a sweep, each in the place of its own that follows.
fn sweep(state: &mut LogState, slot: Slot, steps: u32) -> Sweep {
    let mut more = Sweep::Done;
    let mut base = slot.base;
    for _ in 0..steps {
        more = state.sweep_step(Slot { base, ..slot });
        if more == Sweep::Done {
            break;
        }
        base = base.max(state.tail().next());
    }
    more
}

/// Takes a step again that stands in a segment.
pub(crate) fn replay(
    state: &mut LogState,
    segment: &Segment,
    command: Command,
    head_at: u64,
    spots: Vec<EventSpot>,
) {
    match command {
        Command::Append { slot, append } => {
            let stream = append.stream.clone();
            let counted = append.events.iter().map(NewEvent::counted_bytes);
            let spots = spots.into_iter().zip(counted).collect();
            let written = Written { stream: &stream, slot, head_at, spots };
            // What it answers was answered before.
            let _ = append_step(state, segment, slot, append, &written, &mut Vec::new());
        }
        Command::Claim { slot, stream, key } => _ = state.claim(slot, &stream, &key),
        Command::Put { slot, stream, put } => _ = state.put(slot, &stream, &put),
        Command::Delete { slot, stream } => _ = state.delete(slot, &stream).answer,
        Command::Sweep { slot, steps } => _ = sweep(state, slot, steps),
        Command::Damage { slot, stream, position } => state.damage(Some(slot), &stream, position),
        Command::Limits { limits, .. } => state.limit(limits),
    }
}
