//! The suite's reader: it reads batch by batch, or disconnects and reconnects with an id.
//!
//! Invariant: what it heard is recorded as text, in order: `a:x` is an event of `a`, `a!closed` an end,
//! `lost a b` a loss. Does not wait.

use crate::{Batch, Place, PlaceKind, Position, ReadLimits, Record, Selection, StartFrom, Stopped, WireId};

use super::world::{World, selection};

pub(super) struct Reader {
    pub(super) selection: Selection,
    pub(super) place: Place,
    pub(super) horizon: Position,
}

impl Reader {
    /// A first request.
    #[track_caller]
    pub(super) fn first(world: &World, streams: &str, from: StartFrom) -> Self {
        let selection = selection(streams);
        let place = world.locate(&selection, from).place;
        Self { selection, place, horizon: Position::MAX }
    }

    /// A request that presents a bare id.
    pub(super) fn at(streams: &str, position: Position) -> Self {
        let place = Place::at(position);
        Self { selection: selection(streams), place, horizon: position }
    }

    /// Reads up to the tail, and returns what it heard.
    #[track_caller]
    pub(super) fn hear(&mut self, world: &World, limits: ReadLimits) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let batch = world.read(&self.selection, self.place, limits);
            let stopped = batch.stopped;
            let (before, records) = (self.place.position(), batch.records.len());
            heard.extend(self.take(&batch, records));
            if stopped == Stopped::Tail {
                return heard;
            }
            assert!(self.place.position() > before, "a full read advances");
        }
    }

    /// Consumes the loss and the first `records` records of a batch. With all of them, it advances to the batch's end.
    pub(super) fn take(&mut self, batch: &Batch, records: usize) -> Vec<String> {
        let mut heard = Vec::new();
        self.horizon = batch.horizon;
        if let Some(lost) = &batch.lost {
            self.place = self.place.told(lost.told_upto);
            let names: Vec<_> = lost.streams.iter().map(|name| format!(" {name}")).collect();
            heard.push(format!("lost{}", names.concat()));
        }
        for record in &batch.records[..records] {
            self.place = self.place.advanced_to(record.position());
            heard.push(text_of(record));
        }
        if records == batch.records.len() {
            self.place = self.place.advanced_to(batch.upto);
        }
        heard
    }

    /// Disconnects, and reconnects with its last id. The streams that have ended for it are the same before and after.
    #[track_caller]
    pub(super) fn reconnect(&mut self, world: &World) {
        let place = self.place.marked_before(self.horizon);
        let ended = |place| world.ended_at(&self.selection, place);
        assert_eq!(ended(place), ended(self.place), "at {place:?}, which was {:?}", self.place);
        let id = WireId::Place { kind: PlaceKind::Event, incarnation: world.engine.incarnation(), place };
        assert_eq!(WireId::parse(id.encode().as_str()), Ok(id), "an id is parsed as it was encoded");
        self.place = place;
    }
}

/// A record as cases write it.
pub(super) fn text_of(record: &Record) -> String {
    match record {
        Record::Event { event, .. } => format!("{}:{}", event.stream, event.data.as_str()),
        Record::End { stream, reason, .. } => format!("{stream}!{}", reason.as_str()),
    }
}

/// What a reader at a place hears.
#[track_caller]
pub(super) fn check_heard(world: &World, mut reader: Reader, want: &[&str]) {
    assert_eq!(reader.hear(world, super::world::ALL), want);
}
