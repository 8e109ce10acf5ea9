//! A read whose first part is on the disk. It runs on a thread that may wait for the disk.
//!
//! Cold events come before all hot ones, so the batch is filled with cold records first, by the same merge as a read in
//! memory, and then with the records that follow in memory.
//!
//! Invariants: the batch is a snapshot of one moment: the state is locked once to see which events are kept and what
//! follows in memory, before reading for a merge and after it for a scan. What was dropped between a place and that
//! moment is reported as lost, never skipped. One read is bounded by its limits and by
//! [`SCAN_EVENTS_MAX`].

use std::{collections::VecDeque, ops::ControlFlow, slice};

use super::{
    batch_builder::{BatchBuilder, Fit, Found},
    cold::{ColdEvent, ColdEvents, ColdRange},
    merge::{Source, merge},
};
use crate::{
    Batch, EVENT_OVERHEAD_BYTES, Lost, Place, Position, ReadLimits, Record, Selection, Slow, Stopped,
    StreamName,
};

/// The most events of one life that are looked up at once.
const RUN_MAX: usize = 256;
/// How many bytes are read ahead, for all lives together.
const BUFFERED_BYTES_MAX: u64 = 256 * 1024;
/// How many events one scan visits. Few in tests, so that they reach the limit.
const SCAN_EVENTS_MAX: usize = if cfg!(test) { 16 } else { 16 * 1024 };
/// The most rounds of one scan: another round follows when events were evicted meanwhile. The next read goes on.
const ROUNDS_MAX: usize = 8;
/// A scan collects this many more events than a read may return, because some may not be kept any more.
const NOT_KEPT: usize = if cfg!(test) { 2 } else { 256 };
/// The same in bytes.
const NOT_KEPT_BYTES: u64 = if cfg!(test) { 500 } else { 32 * 1024 };

/// A read of which a part is on the disk.
#[derive(Debug)]
pub(in crate::state) struct ColdRead {
    plan: ColdPlan,
    limits: ReadLimits,
}

/// How the records are found.
#[derive(Debug)]
enum ColdPlan {
    /// Those of a few lives, merged.
    Merge(ColdBatch),
    /// By a scan along the log.
    Scan { selection: Selection, place: Place },
}

/// What the state said about a few lives.
#[derive(Debug)]
pub(super) struct ColdBatch {
    /// The ranges to read.
    pub(super) lives: Vec<ColdLife>,
    /// Ends up to `evicted_upto`, in log order.
    pub(super) ends: VecDeque<Record>,
    /// At or below it, only the disk has events.
    pub(super) evicted_upto: Position,
    /// What follows in memory, up to the limits of a read.
    pub(super) rest: Found,
    /// As in [`Batch`].
    pub(super) lost: Option<Lost>,
    /// As in [`Batch`].
    pub(super) horizon: Position,
}

/// The wanted cold events of one life.
#[derive(Debug)]
pub(super) struct ColdLife {
    pub(super) stream: StreamName,
    pub(super) slow: Slow,
    pub(super) range: ColdRange,
}

/// What the state says after a scan.
pub(super) struct ResolvedScan {
    /// For each scanned event: its stream's policy, if it is kept.
    pub(super) kept: Vec<Option<Slow>>,
    /// Ends between the place and the end of the scan, in log order.
    pub(super) ends: VecDeque<Record>,
    /// As in [`Batch`].
    pub(super) lost: Option<Lost>,
    /// As in [`Batch`].
    pub(super) horizon: Position,
    /// What follows in memory, up to the limits of a read; `None` if the scan did not reach the hot events.
    pub(super) rest: Option<Found>,
}

impl ColdRead {
    pub(super) fn merge(batch: ColdBatch, limits: ReadLimits) -> Self {
        Self { plan: ColdPlan::Merge(batch), limits }
    }

    pub(super) fn scan(selection: &Selection, place: Place, limits: ReadLimits) -> Self {
        Self { plan: ColdPlan::Scan { selection: selection.clone(), place }, limits }
    }

    /// Runs the read.
    pub(in crate::state) fn run<C: ColdEvents>(self, cold: &C) -> Result<Batch, C::Error> {
        match self.plan {
            ColdPlan::Merge(batch) => merge_cold(cold, batch, self.limits),
            ColdPlan::Scan { selection, place } => scan_cold(cold, &selection, place, self.limits),
        }
    }
}

fn merge_cold<C: ColdEvents>(cold: &C, batch: ColdBatch, limits: ReadLimits) -> Result<Batch, C::Error> {
    let ColdBatch { lives, mut ends, evicted_upto, rest, lost, horizon } = batch;
    let run_max = limits.records_max.get().min(RUN_MAX / lives.len().clamp(1, RUN_MAX) + 8);
    let buffered_max = BUFFERED_BYTES_MAX / lives.len().max(1) as u64;
    let events = |life| LifeEvents::new(cold, life, run_max, buffered_max);
    let mut lives: Vec<_> = lives.into_iter().map(events).collect();
    let mut builder = BatchBuilder::new(limits);
    let fit = merge(&mut lives, &mut ends, &mut builder)?;
    let found = followed(fit, ends, builder, evicted_upto, Some(rest));
    Ok(Batch { records: found.records, upto: found.upto, stopped: found.stopped, lost, horizon })
}

fn scan_cold<C: ColdEvents>(
    cold: &C,
    selection: &Selection,
    place: Place,
    limits: ReadLimits,
) -> Result<Batch, C::Error> {
    let mut scan = ColdScan::<C>::from(place, limits);
    let mut reach = cold.state().evicted_upto();
    let mut rounds_left = ROUNDS_MAX;
    let resolved = loop {
        scan.advance(cold, selection, reach)?;
        rounds_left -= 1;
        let state = cold.state();
        if state.evicted_upto() == reach || scan.is_full() || rounds_left == 0 {
            break state.resolve_scan(selection, place, scan.events(), scan.upto, limits);
        }
        // During the scan, events were evicted from memory after its end.
        reach = state.evicted_upto();
    };
    let ResolvedScan { kept, mut ends, lost, horizon, rest } = resolved;
    let events = scan.met.into_iter().zip(kept);
    let events =
        events.filter_map(|((stream, event), slow)| Some(ScannedEvent { stream, slow: slow?, event }));
    let mut events = ScannedEvents { cold, events: events.collect(), buffer: C::Buffer::default() };
    let mut builder = BatchBuilder::new(limits);
    let fit = merge(slice::from_mut(&mut events), &mut ends, &mut builder)?;
    let found = followed(fit, ends, builder, scan.upto, rest);
    Ok(Batch { records: found.records, upto: found.upto, stopped: found.stopped, lost, horizon })
}

/// Finishes a read that added the cold events up to `upto`, if it is not full: adds the ends after the last of them,
/// and what follows.
fn followed(
    fit: Fit,
    mut ends: VecDeque<Record>,
    mut builder: BatchBuilder,
    upto: Position,
    rest: Option<Found>,
) -> Found {
    if fit == Fit::Full || builder.push_ends(&mut ends, upto.next()) == Fit::Full {
        return builder.full();
    }
    match rest {
        Some(rest) => builder.followed_by(rest),
        None => builder.upto(upto, Stopped::Limits),
    }
}

/// The cold events of one life.
struct LifeEvents<'a, C: ColdEvents> {
    cold: &'a C,
    life: ColdLife,
    run: VecDeque<ColdEvent<C::Spot>>,
    /// Events up to here were looked up.
    reached: Position,
    run_max: usize,
    buffer: C::Buffer,
    buffered_max: u64,
}

impl<'a, C: ColdEvents> LifeEvents<'a, C> {
    fn new(cold: &'a C, life: ColdLife, run_max: usize, buffered_max: u64) -> Self {
        let (run, reached) = (VecDeque::new(), life.range.after);
        Self { cold, life, run, reached, run_max, buffer: C::Buffer::default(), buffered_max }
    }
}

impl<C: ColdEvents> Source for LifeEvents<'_, C> {
    type Error = C::Error;

    fn next_position(&mut self) -> Result<Option<Position>, C::Error> {
        let ColdRange { life, upto, .. } = self.life.range;
        if self.run.is_empty() && self.reached < upto {
            let run = self.cold.run(life, self.reached, self.run_max)?;
            self.reached = run.last().map_or(upto, |last| last.stub.position);
            self.run.extend(run.into_iter().filter(|event| event.stub.position <= upto));
        }
        Ok(self.run.front().map(|event| event.stub.position))
    }

    fn next_record(&mut self, bytes_left: u64) -> Result<Option<Record>, C::Error> {
        let Some(next) = self.run.pop_front() else { return Ok(None) };
        let bytes_max = bytes_left.min(self.buffered_max);
        let event =
            self.cold.event(&self.life.stream, &next, self.run.iter(), &mut self.buffer, bytes_max)?;
        Ok(event.map(|event| Record::Event { event, slow: self.life.slow }))
    }
}

/// The events of a selection that a scan found.
struct ColdScan<C: ColdEvents> {
    met: Vec<(StreamName, ColdEvent<C::Spot>)>,
    /// Everything up to here was visited.
    upto: Position,
    looks_left: usize,
    matches_max: usize,
    /// The budget for the text of the events it found.
    bytes_left: u64,
}

impl<C: ColdEvents> ColdScan<C> {
    /// Begins at a place.
    fn from(place: Place, limits: ReadLimits) -> Self {
        Self {
            met: Vec::new(),
            upto: place.position(),
            looks_left: SCAN_EVENTS_MAX,
            matches_max: limits.records_max.get().saturating_add(NOT_KEPT),
            bytes_left: limits.bytes_max.saturating_add(NOT_KEPT_BYTES),
        }
    }

    fn events(&self) -> impl Iterator<Item = (&StreamName, Position)> {
        self.met.iter().map(|(stream, event)| (stream, event.stub.position))
    }

    /// Whether it has found or visited as much as one scan may.
    fn is_full(&self) -> bool {
        self.looks_left == 0 || self.met.len() >= self.matches_max || self.bytes_left == 0
    }

    /// Scans on, up to `reach` or until it is full.
    fn advance(&mut self, cold: &C, selection: &Selection, reach: Position) -> Result<(), C::Error> {
        let mut is_cut = false;
        cold.scan(self.upto, |stream, event| {
            let position = event.stub.position;
            if position > reach {
                return ControlFlow::Break(());
            }
            if self.is_full() {
                is_cut = true;
                return ControlFlow::Break(());
            }
            self.looks_left -= 1;
            self.upto = position;
            if selection.matches(&stream) {
                let text_bytes = event.stub.counted_bytes.saturating_sub(EVENT_OVERHEAD_BYTES);
                self.bytes_left = self.bytes_left.saturating_sub(text_bytes);
                self.met.push((stream, event));
            }
            ControlFlow::Continue(())
        })?;
        if !is_cut {
            self.upto = reach;
        }
        Ok(())
    }
}

/// The events of a scan that are kept.
struct ScannedEvents<'a, C: ColdEvents> {
    cold: &'a C,
    events: VecDeque<ScannedEvent<C::Spot>>,
    buffer: C::Buffer,
}

struct ScannedEvent<S> {
    stream: StreamName,
    slow: Slow,
    event: ColdEvent<S>,
}

impl<C: ColdEvents> Source for ScannedEvents<'_, C> {
    type Error = C::Error;

    fn next_position(&mut self) -> Result<Option<Position>, C::Error> {
        Ok(self.events.front().map(|next| next.event.stub.position))
    }

    fn next_record(&mut self, bytes_left: u64) -> Result<Option<Record>, C::Error> {
        let Some(ScannedEvent { stream, slow, event }) = self.events.pop_front() else { return Ok(None) };
        let next = self.events.iter().map(|next: &ScannedEvent<_>| &next.event);
        let event = self.cold.event(&stream, &event, next, &mut self.buffer, bytes_left)?;
        Ok(event.map(|event| Record::Event { event, slow }))
    }
}
