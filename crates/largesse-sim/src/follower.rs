//! A page that reads: what it has heard over all its connections, and whether it heard what it should have.
//!
//! Invariants it holds the hub to, block by block:
//! - an event comes once, in the order of the log, and is one of the log's;
//! - when it gets an id, everything in the selection up to it was heard, or told as lost;
//! - a loss is told once, an end is told once, and nothing false is told.
//!
//! It knows the truth from the oracle, not from the reader. It does not connect: the simulation does.

use std::collections::{BTreeMap, BTreeSet};

use largesse_hub::{BlockContent, Control, ControlEvents, OutBlock, ResetNotice, ResetReason};
use largesse_log::{
    Event, Form, Place, PlaceKind, Position, Selection, StartFrom, StreamName, WireId,
    conformance::model::{CallNumber, ModelEvent},
};
use largesse_wire::EventId;

use crate::oracle::{Knowledge, Oracle};

mod verdict;

/// What a page has been given so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has no id yet.
    Fresh,
    /// It has one.
    Placed,
    /// It was told the end.
    Ended,
}

/// What a page presents on its next connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presents {
    /// Its last id, if it has one.
    Last,
    /// Text that is not an id: the page must be told, and must forget what it has.
    Garbage,
}

#[derive(Debug)]
pub(crate) struct Follower {
    number: usize,
    pub(crate) selection: Selection,
    pub(crate) from: StartFrom,
    pub(crate) control: ControlEvents,
    pub(crate) standing: Standing,
    pub(crate) last_id: Option<EventId>,
    presented: Presents,
    /// The place of the last id.
    place: Place,
    /// Losses up to here happened before its time: certainly up to the first, the tail when it first asked; possibly
    /// up to the second.
    surely_knew: Position,
    knew: Position,
    /// The tail when it last connected.
    began: Position,
    heard: BTreeSet<Position>,
    ends_told: BTreeSet<(StreamName, Position)>,
    /// Up to which step each stream's losses were told; the second one applies to all streams.
    told: BTreeMap<StreamName, CallNumber>,
    told_all: Option<CallNumber>,
    /// Events of deleted streams that were passed over: an end must follow them.
    owed_ends: BTreeSet<(StreamName, Position)>,
}

impl Follower {
    pub(crate) fn new(number: usize, selection: Selection, from: StartFrom, control: ControlEvents) -> Self {
        Self {
            number,
            selection,
            from,
            control,
            standing: Standing::Fresh,
            last_id: None,
            presented: Presents::Last,
            place: Place::default(),
            surely_knew: Position::ZERO,
            knew: Position::ZERO,
            began: Position::ZERO,
            heard: BTreeSet::new(),
            ends_told: BTreeSet::new(),
            told: BTreeMap::new(),
            told_all: None,
            owed_ends: BTreeSet::new(),
        }
    }

    /// It is about to connect.
    pub(crate) fn connect(&mut self, presents: Presents, tail: Position) {
        self.presented = presents;
        self.began = tail;
        if self.standing == Standing::Fresh {
            self.forget();
        }
    }

    /// Forgets all it has heard, as a page that starts over must.
    fn forget(&mut self) {
        let Self { number, began, presented, .. } = *self;
        let new = Self::new(number, self.selection.clone(), self.from, self.control);
        *self = Self { began, presented, ..new };
    }

    /// It was answered that there is nothing more, ever.
    pub(crate) fn hear_stop(&mut self, oracle: &Oracle) {
        if self.control == ControlEvents::On {
            assert_eq!(self.standing, Standing::Ended, "{self}: stopped before it was told the end");
        } else {
            self.check_all_named_ended(oracle, oracle.model.tail());
        }
        self.standing = Standing::Ended;
    }

    /// Its connection was closed by the server.
    pub(crate) fn hear_close(&mut self, oracle: &Oracle) {
        if self.standing == Standing::Ended {
            return;
        }
        if oracle.disconnecting.iter().any(|stream| self.selection.matches(stream)) {
            return;
        }
        assert_eq!(self.control, ControlEvents::Off, "{self}: closed without a word");
        self.check_all_named_ended(oracle, oracle.model.tail());
    }

    pub(crate) fn hear(&mut self, block: &OutBlock, oracle: &Oracle) {
        assert_ne!(self.standing, Standing::Ended, "{self}: {block:?} after the end");
        if self.standing == Standing::Fresh {
            let seen = &oracle.seen[self.number];
            (self.place, self.knew) = (seen.origin, seen.origin.told_upto());
            self.surely_knew = self.knew;
            if !matches!(block.content, BlockContent::Control(Control::Begin { .. } | Control::Reset(_))) {
                // A loss before the first block is not told: it is as if the request came after it.
                self.knew = self.knew.max(seen.lost_known());
            }
        }
        let id = block.id.expect("each block of the hub has an id");
        match WireId::parse(id.as_str()).expect("an id given out is an id") {
            WireId::Place { kind, place, .. } => self.hear_at(&block.content, kind, place, oracle),
            WireId::End { position, selection, .. } => {
                assert_eq!(selection, self.selection.fingerprint(), "{self}: another's end");
                self.hear_end(&block.content, position, oracle);
            }
        }
        self.last_id = Some(id);
    }

    fn hear_at(&mut self, content: &BlockContent, kind: PlaceKind, place: Place, oracle: &Oracle) {
        match content {
            BlockContent::Event(event) => self.hear_event(event, place, oracle),
            BlockContent::Control(Control::Begin { .. }) => self.hear_begin(kind, place),
            BlockContent::Control(Control::Reset(notice)) => self.hear_reset(notice, place, oracle),
            BlockContent::Control(Control::Closed { stream, reason }) => {
                assert_eq!(self.selection.form(), Form::Many, "{self}: closed {stream}");
                self.note_end(stream, place.position(), reason.as_str(), oracle);
            }
            BlockContent::Control(Control::End { .. }) => panic_of(self, "an end without an end id"),
        }
        self.account(place.position(), oracle);
        if self.standing == Standing::Fresh {
            self.knew = self.knew.max(place.told_upto());
        }
        self.standing = Standing::Placed;
        self.place = place;
    }

    fn hear_event(&mut self, event: &Event, place: Place, oracle: &Oracle) {
        let position = event.position;
        assert_eq!(place.position(), position, "{self}: an event's id is its place");
        assert!(position > self.place.position(), "{self}: {event:?} again, or too late");
        assert!(self.selection.matches(&event.stream), "{self}: {event:?} was not asked for");
        let truth = &oracle.model.events;
        let found = truth.binary_search_by_key(&position, |event| event.position);
        let truth = found.ok().map(|index| &truth[index]);
        let want = truth.map(|truth| (&truth.stream, truth.data.as_str(), truth.time));
        assert_eq!(Some((&event.stream, event.data.as_str(), event.time)), want, "{self}: forged");
        self.heard.insert(position);
    }

    fn hear_begin(&mut self, kind: PlaceKind, place: Place) {
        assert_ne!(self.from, StartFrom::Start, "{self}: the same request finds the same place");
        assert_eq!(kind, PlaceKind::Begin, "{self}: begin's id says what it came with");
        assert!(self.heard.is_empty() && self.ends_told.is_empty(), "{self}: begins twice");
        assert!(place.position() >= self.place.position(), "{self}: begins before its place");
        // Whatever is before it was not requested.
        self.place = place;
    }

    fn hear_reset(&mut self, notice: &ResetNotice, place: Place, oracle: &Oracle) {
        if notice.reason != ResetReason::Trimmed {
            assert_eq!(self.presented, Presents::Garbage, "{self}: {notice:?}");
            self.forget();
            (self.place, self.knew, self.surely_knew) = (place, place.told_upto(), place.told_upto());
            return;
        }
        assert_eq!(self.standing, Standing::Placed, "{self}: a first request is told no loss");
        assert!(place.position() >= self.place.position(), "{self}: a reset goes back");
        let step = oracle.seen[self.number].step_of_loss(place.told_upto());
        let step = step.expect("a reset knows of a loss that was read");
        if oracle.knowledge == Knowledge::AtLeast {
            self.told_all = Some(step);
            return;
        }
        assert!(!notice.streams.is_empty(), "{self}: a loss of nothing");
        for stream in &notice.streams {
            let is_new = |event: &ModelEvent| {
                event.position > place.position() && self.is_untold_loss(event, stream, oracle)
            };
            assert!(
                oracle.model.events.iter().any(is_new),
                "{self}: nothing of {stream} is lost, or it was told"
            );
            self.told.insert(stream.clone(), step);
        }
    }

    fn is_untold_loss(&self, event: &ModelEvent, stream: &StreamName, oracle: &Oracle) -> bool {
        let is_new = |step: CallNumber| {
            oracle.model.is_news(step, self.surely_knew)
                && self.told.get(stream).is_none_or(|told| step >= *told)
        };
        event.stream == *stream && event.dropped.is_some_and(is_new)
    }

    fn note_end(&mut self, stream: &StreamName, position: Position, reason: &'static str, oracle: &Oracle) {
        let is_so = oracle.ends.contains(&(stream.clone(), position, reason));
        assert!(is_so && self.selection.has_name(stream), "{self}: {stream} did not end at {position:?}");
        let was_gone = oracle.was_removed(stream, position, self.first_asked(oracle));
        assert!(!was_gone, "{self}: {stream}, which ended at {position:?}, was never its own");
        let is_first = self.ends_told.insert((stream.clone(), position));
        assert!(is_first && position > self.place.position(), "{self}: the end of {stream} is told again");
    }

    fn hear_end(&mut self, content: &BlockContent, position: Position, oracle: &Oracle) {
        let BlockContent::Control(Control::End { reason }) = content else {
            return panic_of(self, "an end id on something else");
        };
        assert!(position >= self.place.position(), "{self}: the end goes back");
        self.check_all_named_ended(oracle, position);
        if let (Form::One, [name]) = (self.selection.form(), self.selection.names())
            && oracle.ends.contains(&(name.clone(), position, reason.as_str()))
        {
            self.ends_told.insert((name.clone(), position));
        }
        self.account(position, oracle);
        self.check_ends_owed();
        self.standing = Standing::Ended;
    }

    fn check_all_named_ended(&self, oracle: &Oracle, upto: Position) {
        assert!(self.selection.patterns().is_empty(), "{self}: a pattern never ends");
        for name in self.selection.names() {
            let asked = self.first_asked(oracle);
            let ended = oracle.ends.iter().any(|(ended, end, _)| {
                ended == name && *end <= upto && !oracle.was_removed(name, *end, asked)
            });
            assert!(ended, "{self}: {name} never ended");
        }
    }

    /// The tail when its first request was answered: what was gone by then was never its own.
    fn first_asked(&self, oracle: &Oracle) -> Position {
        match self.standing {
            Standing::Fresh => oracle.seen[self.number].origin.told_upto(),
            Standing::Placed | Standing::Ended => self.surely_knew,
        }
    }
}

impl std::fmt::Display for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, selection, place, standing, .. } = self;
        let names = selection.names().iter().map(ToString::to_string);
        let words: Vec<_> = names.chain(selection.patterns().iter().map(ToString::to_string)).collect();
        write!(f, "reader {number} of {} at {place:?}, {standing:?}", words.join(","))
    }
}

/// Fails on a breach that has no two values to compare.
#[track_caller]
fn panic_of(follower: &Follower, what: &str) {
    let nothing: Option<()> = None;
    assert!(nothing.is_some(), "{follower}: {what}");
}
