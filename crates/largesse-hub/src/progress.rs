//! A reader's state: where it is, what it has been told, and what it does next.
//!
//! Pure: it takes what was read from the log and answers what to do; it has no task, lock or clock.
//!
//! Invariants:
//! - The place never goes back, and every id it gives out is a true place: everything in the selection
//!   up to it has been delivered or reported as lost.
//! - Nothing waits here but the blocks of one read.
//! - After `end` nothing follows.

use std::{collections::BTreeMap, sync::Arc};

use largesse_log::{
    Batch, EndReason, Ends, Event, Form, Incarnation, Lost, Place, PlaceKind, Position, Record, Repeat,
    Selection, Slow, Stopped, StreamName, UnixMs, WireId,
};
use largesse_wire::EventId;

use crate::{
    BlockContent, Control, ControlEvents, HubLimits, OutBlock, ResetReason,
    control::ResetNotice,
    lookahead::{Filter, Lag, Lookahead, Verdict},
    start::{Standing, Start},
};

/// What a reader does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Give these blocks to the door.
    Emit(Vec<OutBlock>),
    /// Read the log from here and call [`Progress::handle_batch`].
    Read(Place),
    /// Ask the log what has ended here ([`largesse_log::EngineExt::ended_at`]) and call [`Progress::handle_ends`].
    AskEnds(Place),
    /// Wait until woken, then call [`Progress::handle_woken`].
    Wait,
    /// Close the connection.
    Finish,
}

/// The pure state of one reader.
#[derive(Debug)]
pub struct Progress {
    selection: Selection,
    incarnation: Incarnation,
    control: ControlEvents,
    place: Place,
    standing: Standing,
    /// Before this position an id needs what `place` knows ([`Batch::horizon`]).
    horizon: Position,
    /// Named streams whose end was met up to `place`, and why. One that was made anew since, but has no event yet,
    /// may still be here: the log is asked before the reader says that everything has ended.
    ended: BTreeMap<StreamName, EndReason>,
    requested: String,
    out: Vec<OutBlock>,
    phase: Phase,
    lag: Lag,
    /// What a reader that fell behind skips, up to the position it had looked ahead to.
    filter: Filter,
}

#[derive(Debug)]
enum Phase {
    Reading,
    AtTail,
    /// A read was full and its streams do not let readers fall behind: look ahead before delivering it.
    LookingAhead(Box<Lookahead>),
    /// Everything read so far has ended, the last for this reason.
    Ending(EndReason),
    /// The reader fell too far behind. It may come back: nothing has ended.
    SentOff,
    Finished,
}

impl Progress {
    /// A reader that begins at `start`.
    #[must_use]
    pub fn new(
        selection: Selection,
        incarnation: Incarnation,
        control: ControlEvents,
        limits: &HubLimits,
        start: Start,
    ) -> Self {
        let mut progress = Self {
            selection,
            incarnation,
            control,
            place: start.place,
            standing: start.standing,
            // Until the first read says otherwise, any id may need its mark.
            horizon: Position::MAX,
            ended: start.ended,
            requested: start.requested,
            out: Vec::new(),
            phase: Phase::Reading,
            lag: Lag::new(start.tail, limits),
            filter: Filter::default(),
        };
        if let Some(notice) = start.reset {
            let id = progress.id_here(PlaceKind::Event);
            progress.tell(Control::Reset(notice), Some(id));
        }
        if start.repeat == Repeat::AnotherPlace {
            let id = progress.id_here(PlaceKind::Begin);
            let selection = progress.selection.clone();
            progress.tell(Control::Begin { selection }, Some(id));
        }
        if progress.has_ended() {
            // The log was asked at just this place: a stream made anew after it comes too late, as it did for
            // whoever was connected here.
            let reason = progress.ended.values().next_back().copied().unwrap_or(EndReason::Closed);
            progress.finish(reason);
        }
        progress
    }

    /// What to do next. Returned blocks are handed over for good.
    pub fn poll(&mut self) -> Need {
        if let Some(place) = self.reads_from() {
            return Need::Read(place);
        }
        if let Some(place) = self.asks_ends_at() {
            return Need::AskEnds(place);
        }
        if !self.out.is_empty() {
            return Need::Emit(std::mem::take(&mut self.out));
        }
        match self.phase {
            Phase::AtTail => Need::Wait,
            _ => Need::Finish,
        }
    }

    /// Where to read from before anything else is done, if reading is next.
    pub(crate) fn reads_from(&self) -> Option<Place> {
        match &self.phase {
            Phase::LookingAhead(ahead) => Some(ahead.place()),
            // The first blocks go out with what the first read finds, which does not wait for anything.
            Phase::Reading if self.out.is_empty() || self.is_unread() => Some(self.place),
            _ => None,
        }
    }

    /// Where to ask the log for ends before anything else is done, if that is next.
    pub(crate) fn asks_ends_at(&self) -> Option<Place> {
        matches!(self.phase, Phase::Ending(_)).then_some(self.place)
    }

    /// Takes what a read from the place of [`Need::Read`] found.
    pub fn handle_batch(&mut self, batch: Batch, now: UnixMs) {
        let before = self.place;
        match std::mem::replace(&mut self.phase, Phase::Reading) {
            Phase::LookingAhead(ahead) => self.handle_ahead(*ahead, &batch),
            _ => self.handle_read(batch, now),
        }
        if cfg!(debug_assertions) {
            assert!(before.position() <= self.place.position(), "the place never goes back");
            self.check_invariants();
        }
    }

    /// Takes what the log knows of ends at the place of [`Need::AskEnds`]. For a stream that the log has forgotten,
    /// the end that was read counts.
    pub fn handle_ends(&mut self, ends: &Ends) {
        let Phase::Ending(reason) = self.phase else { return };
        let is_ended = |name: &StreamName| {
            ends.ended.iter().any(|ended| ended.name == *name) || ends.unknown.contains(name)
        };
        self.ended.retain(|name, _| is_ended(name));
        if self.has_ended() {
            self.finish(reason);
        } else {
            // Made anew, or deleted a second time: its next end comes farther on.
            self.phase = Phase::Reading;
        }
        if cfg!(debug_assertions) {
            self.check_invariants();
        }
    }

    /// Checks what holds between two calls. Builds with debug assertions do after each.
    ///
    /// # Panics
    /// When something does not hold, which is a bug.
    pub fn check_invariants(&self) {
        assert!(self.ended.keys().all(|name| self.selection.has_name(name)), "only named streams end a read");
        match &self.phase {
            Phase::LookingAhead(ahead) => {
                assert!(self.place.position() <= ahead.place().position(), "it looks ahead of the place");
                ahead.check_invariants();
            }
            Phase::Ending(_) => assert!(self.has_ended(), "a read ends when all its streams have"),
            Phase::Finished if self.control == ControlEvents::On => {
                let is_end =
                    |block: &OutBlock| matches!(block.content, BlockContent::Control(Control::End { .. }));
                assert!(self.out.last().is_none_or(is_end), "nothing follows the end");
            }
            Phase::Reading | Phase::AtTail | Phase::SentOff | Phase::Finished => {}
        }
        self.filter.check_invariants();
    }

    /// The tail moved.
    pub fn handle_woken(&mut self) {
        if matches!(self.phase, Phase::AtTail) {
            self.phase = Phase::Reading;
        }
    }

    /// Whether everything has ended, and nothing is left to deliver. A reader that was disconnected is not finished.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.out.is_empty() && matches!(self.phase, Phase::Finished)
    }

    /// Whether this reader reads a stream that disconnects readers which fall behind.
    #[must_use]
    pub fn disconnects(&self) -> bool {
        self.lag.disconnects()
    }

    /// What is read.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    fn is_unread(&self) -> bool {
        !self.lag.has_read()
    }

    fn handle_read(&mut self, batch: Batch, now: UnixMs) {
        match self.lag.judge(&batch, &self.filter, now) {
            Verdict::Go => self.take(batch),
            Verdict::LookAhead => {
                self.phase = Phase::LookingAhead(Box::new(Lookahead::new(batch, self.place, &self.lag)));
            }
            Verdict::TooFarBehind => self.phase = Phase::SentOff,
        }
    }

    fn handle_ahead(&mut self, mut ahead: Lookahead, batch: &Batch) {
        match ahead.handle_batch(batch) {
            Verdict::LookAhead => self.phase = Phase::LookingAhead(Box::new(ahead)),
            Verdict::TooFarBehind => self.phase = Phase::SentOff,
            Verdict::Go => {
                let (held, filter) = ahead.into_parts();
                self.filter = filter;
                self.take(held);
            }
        }
    }

    /// Turns one read into blocks, and moves on.
    fn take(&mut self, batch: Batch) {
        if let Some(lost) = batch.lost {
            self.take_loss(lost);
        }
        self.horizon = batch.horizon;
        for record in batch.records {
            self.take_record(record);
            if matches!(self.phase, Phase::Ending(_)) {
                return;
            }
        }
        self.place = self.place.advanced_to(batch.upto);
        if batch.stopped == Stopped::Tail {
            self.phase = Phase::AtTail;
        }
    }

    fn take_loss(&mut self, lost: Lost) {
        self.place = self.place.told(lost.told_upto);
        if self.standing == Standing::Fresh {
            return;
        }
        // The id must include this loss, or the next request would be told of it again.
        self.horizon = lost.told_upto;
        let id = self.id_here(PlaceKind::Event);
        let requested = std::mem::take(&mut self.requested);
        let notice = ResetNotice { reason: ResetReason::Trimmed, streams: lost.streams, requested };
        self.tell(Control::Reset(notice), Some(id));
    }

    fn take_record(&mut self, record: Record) {
        match record {
            Record::Event { event, slow } => {
                self.ended.remove(&event.stream);
                if slow != Slow::Latest || self.filter.passes(&event) {
                    self.take_event(event);
                }
            }
            Record::End { stream, position, reason } => self.take_end(stream, position, reason),
        }
    }

    fn take_event(&mut self, event: Arc<Event>) {
        self.place = self.place.advanced_to(event.position);
        self.standing = Standing::Placed;
        let id = self.id_here(PlaceKind::Event);
        self.out.push(OutBlock { content: BlockContent::Event(event), id: Some(id) });
    }

    fn take_end(&mut self, stream: StreamName, position: Position, reason: EndReason) {
        self.place = self.place.advanced_to(position);
        self.ended.insert(stream.clone(), reason);
        if self.selection.form() == Form::Many {
            let id = self.id_here(PlaceKind::Event);
            self.tell(Control::Closed { stream, reason }, Some(id));
        }
        if self.has_ended() {
            self.phase = Phase::Ending(reason);
        }
    }

    /// A read with a pattern never ends: a matching stream may always be made.
    fn has_ended(&self) -> bool {
        self.selection.patterns().is_empty()
            && self.selection.names().iter().all(|name| self.ended.contains_key(name))
    }

    fn finish(&mut self, reason: EndReason) {
        let id = WireId::End {
            incarnation: self.incarnation,
            position: self.place.position(),
            selection: self.selection.fingerprint(),
        };
        self.tell(Control::End { reason }, Some(id.encode()));
        self.phase = Phase::Finished;
    }

    fn tell(&mut self, control: Control, id: Option<EventId>) {
        if self.control == ControlEvents::On {
            self.standing = Standing::Placed;
            self.out.push(OutBlock { content: BlockContent::Control(control), id });
        }
    }

    fn id_here(&self, kind: PlaceKind) -> EventId {
        let place = self.place.marked_before(self.horizon);
        WireId::Place { kind, incarnation: self.incarnation, place }.encode()
    }
}

#[cfg(test)]
mod tests;
