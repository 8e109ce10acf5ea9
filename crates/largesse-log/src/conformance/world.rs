//! An engine under test and its current time, with short helpers for cases.
//!
//! Invariant: only this file knows how the engine is called. Does not check answers.

use std::{cell::Cell, num::NonZeroUsize, sync::Arc, time::Duration};

use largesse_wire::{EventData, EventName};

use crate::{
    Append, AppendError, Appended, Author, Batch, Claim, Digest, DigestBuilder, Ends, Engine, EngineError,
    EngineExt, EngineLimits, IdempotencyKey, Located, NewEvent, Now, Once, Place, Position, Put, PutAnswer,
    ReadLimits, Selection, Selector, SettingChange, Settings, SettingsPatch, StartFrom, StreamName,
    StreamState, Sweep, TailListener, Then, UnixMs,
};

/// Makes an empty log with these limits.
pub type Make = fn(EngineLimits) -> Arc<dyn Engine>;

/// Settings of streams in the suite: nothing is dropped by retention.
pub(super) const KEEP_ALL: Settings = Settings {
    max_age: None,
    max_events: None,
    max_bytes: None,
    ttl_after_close: Duration::from_millis(1000),
    slow: crate::Slow::CatchUp,
    from: crate::FromSetting::Start,
    control_names: crate::ControlNames::Reserved,
};

/// A read without limits.
pub(super) const ALL: ReadLimits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };

/// An empty log.
pub(super) struct World {
    pub(super) engine: Arc<dyn Engine>,
    runtime: tokio::runtime::Runtime,
    now: Cell<Now>,
}

pub(super) fn name(text: &str) -> StreamName {
    StreamName::parse(text).expect("cases use valid names")
}

pub(super) fn event_name(text: &str) -> EventName {
    EventName::parse(text).expect("cases use valid names")
}

pub(super) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("cases use valid keys")
}

pub(super) fn digest(text: &str) -> Digest {
    let mut builder = DigestBuilder::default();
    builder.push(text.as_bytes());
    builder.digest()
}

/// `a` is one stream; `a,b/*` are several selectors.
pub(super) fn selection(text: &str) -> Selection {
    let selectors = text.split(',').map(Selector::parse).collect::<Result<Vec<_>, _>>();
    let selectors = selectors.expect("cases use valid selectors");
    match selectors.as_slice() {
        [Selector::Name(name)] => Selection::one(name.clone()),
        _ => Selection::many(selectors).expect("cases use few selectors"),
    }
}

pub(super) fn event(data: &str) -> NewEvent {
    NewEvent { name: None, data: EventData::parse(data).expect("cases use valid data") }
}

/// An append of these events, without a key.
pub(super) fn append(stream: &str, data: &[&str], then: Then) -> Append {
    let events = data.iter().map(|data| event(data)).collect();
    Append { stream: name(stream), events, then, once: Once::Unkeyed, author: Author::Source }
}

/// The same under a key; the body is its own digest.
pub(super) fn keyed(stream: &str, data: &[&str], then: Then, key_text: &str) -> Append {
    let body = format!("{data:?} {then:?}");
    let once = Once::Whole { key: key(key_text), digest: digest(&body) };
    Append { once, ..append(stream, data, then) }
}

impl World {
    /// A log with roomy limits whose streams keep everything.
    pub(super) fn new(make: Make) -> Self {
        Self::with(make, |_| {})
    }

    pub(super) fn with(make: Make, change: impl FnOnce(&mut EngineLimits)) -> Self {
        let mut limits = EngineLimits { defaults: KEEP_ALL, ..EngineLimits::default() };
        change(&mut limits);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime for the case");
        let engine = {
            let _inside = runtime.enter();
            make(limits)
        };
        Self { engine, runtime, now: Cell::new(UnixMs(1000).into()) }
    }

    pub(super) fn wait<T>(&self, pending: impl Future<Output = T>) -> T {
        self.runtime.block_on(pending)
    }

    /// The runtime of the engine's futures, for cases with threads of their own.
    pub(super) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    pub(super) fn now(&self) -> Now {
        self.now.get()
    }

    /// Sets the time.
    pub(super) fn at(&self, ms: u64) -> &Self {
        self.at_ages(ms, ms)
    }

    /// Sets the time, and the time by which ages are measured.
    pub(super) fn at_ages(&self, ms: u64, age_ms: u64) -> &Self {
        self.now.set(Now { time: UnixMs(ms), age: UnixMs(age_ms) });
        self
    }

    pub(super) fn tail(&self) -> Position {
        self.engine.tail()
    }

    pub(super) fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.wait(self.engine.append(self.now(), append))
    }

    #[track_caller]
    pub(super) fn publish(&self, stream: &str, data: &[&str]) -> Appended {
        self.append(append(stream, data, Then::StayOpen)).expect("the publish is valid")
    }

    #[track_caller]
    pub(super) fn close(&self, stream: &str) -> Appended {
        self.append(append(stream, &[], Then::Close)).expect("the close is valid")
    }

    pub(super) fn claim(&self, stream: &str, key_text: &str) -> Result<Claim, AppendError> {
        self.wait(self.engine.claim(self.now(), &name(stream), &key(key_text)))
    }

    pub(super) fn try_put(&self, stream: &str, settings: SettingsPatch) -> Result<PutAnswer, AppendError> {
        self.wait(self.engine.put(self.now(), &name(stream), Put { settings }))
    }

    #[track_caller]
    pub(super) fn put(&self, stream: &str, settings: SettingsPatch) -> PutAnswer {
        self.try_put(stream, settings).expect("the put is valid")
    }

    /// Limits a stream to this many events.
    #[track_caller]
    pub(super) fn keep_events(&self, stream: &str, events_max: u64) {
        let max_events = SettingChange::Set(Some(events_max));
        self.put(stream, SettingsPatch { max_events, ..SettingsPatch::default() });
    }

    #[track_caller]
    pub(super) fn delete(&self, stream: &str) -> Option<Position> {
        let deleted = self.wait(self.engine.delete(self.now(), &name(stream)));
        deleted.expect("the engine works").map(|deleted| deleted.position)
    }

    #[track_caller]
    pub(super) fn state(&self, stream: &str) -> Option<StreamState> {
        self.wait(self.engine.state(&name(stream))).expect("the engine works")
    }

    #[track_caller]
    pub(super) fn list(&self, after: Option<&str>, states_max: usize) -> Vec<StreamState> {
        let after = after.map(name);
        let states_max = NonZeroUsize::new(states_max).expect("cases list at least one");
        self.wait(self.engine.list(after.as_ref(), states_max)).expect("the engine works")
    }

    #[track_caller]
    pub(super) fn locate(&self, selection: &Selection, from: StartFrom) -> Located {
        self.wait(self.engine.locate(selection, from)).expect("the engine works")
    }

    #[track_caller]
    pub(super) fn ended_at(&self, selection: &Selection, place: Place) -> Ends {
        self.wait(self.engine.ended_at(selection, place)).expect("the engine works")
    }

    pub(super) fn try_read(
        &self,
        selection: &Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Result<Batch, EngineError> {
        self.wait(self.engine.read(selection, place, limits))
    }

    #[track_caller]
    pub(super) fn read(&self, selection: &Selection, place: Place, limits: ReadLimits) -> Batch {
        self.try_read(selection, place, limits).expect("the place is valid")
    }

    /// Sweeps until nothing more is due.
    #[track_caller]
    pub(super) fn sweep(&self) {
        while self.sweep_some(64) == Sweep::More {}
    }

    #[track_caller]
    pub(super) fn sweep_some(&self, budget: usize) -> Sweep {
        let budget = NonZeroUsize::new(budget).expect("cases sweep at least one");
        self.wait(self.engine.sweep(self.now(), budget)).expect("the engine works")
    }

    pub(super) fn listen(&self, listener: Arc<dyn TailListener>) {
        self.engine.listen(listener);
    }
}
