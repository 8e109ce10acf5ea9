//! What really happened in the log, recorded call by call beside the engine.
//!
//! Invariant: it changes at the same moment the engine acts, so the two never disagree in between.
//! It does not judge readers: followers do, against this.

use std::collections::{BTreeMap, BTreeSet};

use largesse_log::{
    Append, Batch, EndReason, Now, Place, Position, Put, Settings, Slow, StreamName, StreamState, Then,
    conformance::model::{CallNumber, Model},
};

/// How much the model knows of what the engine drops and tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// All of it.
    Exact,
    /// The engine may drop more (the log is small) and tell more (it forgot what is gone).
    AtLeast,
}

/// What a follower's connection last saw of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Where its first request started.
    pub(crate) origin: Place,
    /// Losses that its reads told of: up to where each is known then, and the step in progress.
    pub(crate) losses: Vec<(Position, CallNumber)>,
}

impl Seen {
    /// The step of the read that told of a loss known up to here.
    pub(crate) fn step_of_loss(&self, told_upto: Position) -> Option<CallNumber> {
        self.losses.iter().find(|(told, _)| *told == told_upto).map(|(_, step)| *step)
    }

    /// The highest position up to which losses are known.
    pub(crate) fn lost_known(&self) -> Position {
        self.losses.iter().map(|(told_upto, _)| *told_upto).max().unwrap_or(Position::ZERO)
    }
}

#[derive(Debug)]
pub(crate) struct Oracle {
    pub(crate) model: Model,
    pub(crate) knowledge: Knowledge,
    /// Every end there ever was.
    pub(crate) ends: BTreeSet<(StreamName, Position, &'static str)>,
    /// Ends of streams that have been removed since, and the tail after that.
    removed: BTreeMap<(StreamName, Position), Position>,
    /// Streams that ever let readers skip, or disconnected them.
    pub(crate) latest: BTreeSet<StreamName>,
    pub(crate) disconnecting: BTreeSet<StreamName>,
    /// By follower.
    pub(crate) seen: Vec<Seen>,
    /// The follower whose connection is being polled.
    pub(crate) current: Option<usize>,
    defaults: Settings,
}

impl Oracle {
    pub(crate) fn new(knowledge: Knowledge, defaults: Settings) -> Self {
        Self {
            model: Model::default(),
            knowledge,
            ends: BTreeSet::new(),
            removed: BTreeMap::new(),
            latest: BTreeSet::new(),
            disconnecting: BTreeSet::new(),
            seen: Vec::new(),
            current: None,
            defaults,
        }
    }

    /// The engine appended, up to `last`, and closed the stream if it is closed now.
    pub(crate) fn note_append(&mut self, now: Now, append: &Append, last: Position, end: Option<Position>) {
        let stream = &append.stream;
        if !self.model.lives.contains_key(stream) {
            self.model.make(stream, self.defaults);
            self.note_policy(stream, self.defaults.slow);
        }
        self.model.push(stream, now.time, &append.events, last);
        if append.then == Then::Close {
            let end = end.expect("a close closes");
            self.model.close(stream, now.time, end);
            self.ends.insert((stream.clone(), end, EndReason::Closed.as_str()));
        }
        self.model.retain(stream, now);
    }

    pub(crate) fn note_put(&mut self, now: Now, stream: &StreamName, put: &Put) {
        let before = self.model.lives.get(stream).map_or(self.defaults, |life| life.settings);
        let settings = before.patched(&put.settings, &self.defaults);
        match self.model.lives.get_mut(stream) {
            Some(life) => life.settings = settings,
            None => self.model.make(stream, settings),
        }
        self.note_policy(stream, settings.slow);
        self.model.retain(stream, now);
    }

    fn note_policy(&mut self, stream: &StreamName, slow: Slow) {
        match slow {
            Slow::CatchUp => {}
            Slow::Latest => drop(self.latest.insert(stream.clone())),
            Slow::Disconnect => drop(self.disconnecting.insert(stream.clone())),
        }
    }

    pub(crate) fn note_delete(&mut self, stream: &StreamName, end: Position) {
        self.model.retire(stream, end, EndReason::Deleted);
        self.ends.insert((stream.clone(), end, EndReason::Deleted.as_str()));
    }

    /// The call is over. Takes over, from the streams' states, what the engine dropped by itself.
    pub(crate) fn finish_step(&mut self, tail: Position, states: &[StreamState]) {
        if self.knowledge == Knowledge::AtLeast {
            states.iter().for_each(|state| self.model.drop_before(&state.name, state.first));
        }
        for state in states {
            let one = largesse_log::Selection::one(state.name.clone());
            assert_eq!(state.events, self.model.kept(&one).count() as u64, "events kept of {}", state.name);
        }
        let gone = self.ends.iter().filter(|(name, ..)| !self.model.lives.contains_key(name));
        for (name, end, _) in gone {
            self.removed.entry((name.clone(), *end)).or_insert(tail);
        }
        self.model.finish_call(tail);
    }

    /// Whether what ended there was removed when the tail was at `told_upto`.
    pub(crate) fn was_removed(&self, stream: &StreamName, end: Position, told_upto: Position) -> bool {
        self.removed.get(&(stream.clone(), end)).is_some_and(|at| *at <= told_upto)
    }

    pub(crate) fn note_locate(&mut self, place: Place) {
        if let Some(current) = self.current {
            self.seen[current].origin = place;
        }
    }

    pub(crate) fn note_read(&mut self, batch: &Batch) {
        if let (Some(current), Some(lost)) = (self.current, &batch.lost) {
            self.seen[current].losses.push((lost.told_upto, self.model.call()));
        }
    }
}
