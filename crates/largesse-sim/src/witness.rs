//! The engine of a run: one of ours, with a witness that writes down what it does.
//!
//! Its futures wait at random before and after they act, and its reads stop short at random, as an engine over
//! a disk or a network may. Invariant: what it answers is what that engine answered, or a shorter read
//! that keeps the engine's promises.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use largesse_log::{
    Append, AppendError, Appended, Batch, Claim, Deleted, Ends, Engine, EngineError, IdempotencyKey,
    Incarnation, Located, Now, Pending, Place, Position, Put, PutAnswer, ReadLimits, Record, Selection,
    Settings, StartFrom, Stopped, StreamName, StreamState, Sweep, TailListener,
};

use crate::{at_once::at_once, ledger::Ledger, luck::Luck, rings::Rings};

pub(crate) struct Witness {
    inner: Arc<dyn Engine>,
    ledger: Arc<Mutex<Ledger>>,
    luck: Luck,
    rings: Arc<Rings>,
}

impl Witness {
    pub(crate) fn new(
        inner: Arc<dyn Engine>,
        ledger: Arc<Mutex<Ledger>>,
        luck: Luck,
        rings: Arc<Rings>,
    ) -> Arc<Self> {
        Arc::new(Self { inner, ledger, luck, rings })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, acts in one moment, waits.
    fn act<'a, T: Send + 'a>(&'a self, act: impl FnOnce(&Self) -> T + Send + 'a) -> Pending<'a, T> {
        Box::pin(async move {
            self.luck.pause().await;
            let answer = act(self);
            self.luck.pause().await;
            answer
        })
    }

    fn finish_step(&self, ledger: &mut Ledger) {
        let states = at_once(self.inner.list(None, NonZeroUsize::MAX)).expect("the engine works");
        ledger.finish_step(self.inner.tail(), &states);
    }

    fn append_now(&self, now: Now, append: &Append) -> Result<Appended, AppendError> {
        let mut ledger = self.ledger();
        let before = self.inner.tail();
        let answer = at_once(self.inner.append(now, append.clone()));
        let moved = self.inner.tail() > before;
        match &answer {
            Ok(answer) if moved => {
                let state = at_once(self.inner.state(&append.stream)).expect("the engine works");
                let end = state.and_then(|state| state.closed);
                ledger.note_append(now, append, answer.position, end);
            }
            Ok(_) => {}
            Err(error) => assert!(!moved, "an append that fails appends nothing: {error}"),
        }
        self.finish_step(&mut ledger);
        answer
    }

    fn put_now(&self, now: Now, stream: &StreamName, put: &Put) -> Result<PutAnswer, AppendError> {
        let mut ledger = self.ledger();
        let answer = at_once(self.inner.put(now, stream, put.clone()));
        if answer.is_ok() {
            ledger.note_put(now, stream, put);
        }
        self.finish_step(&mut ledger);
        answer
    }

    fn delete_now(&self, now: Now, stream: &StreamName) -> Result<Option<Deleted>, EngineError> {
        let mut ledger = self.ledger();
        let answer = at_once(self.inner.delete(now, stream));
        if let Ok(Some(deleted)) = &answer {
            ledger.note_delete(stream, deleted.position);
        }
        self.finish_step(&mut ledger);
        answer
    }

    fn sweep_now(&self, now: Now, budget: NonZeroUsize) -> Result<Sweep, EngineError> {
        let mut ledger = self.ledger();
        let answer = at_once(self.inner.sweep(now, budget));
        assert_eq!(answer, Ok(Sweep::Done), "the streams of a run fit into one sweep");
        ledger.model.sweep(now);
        self.finish_step(&mut ledger);
        answer
    }

    fn read_now(
        &self,
        selection: &Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Result<Batch, EngineError> {
        let mut ledger = self.ledger();
        let mut batch = at_once(self.inner.read(selection, place, limits))?;
        if self.luck.once_in(4) {
            self.shorten(&mut batch, place);
        }
        ledger.note_read(&batch);
        Ok(batch)
    }

    /// Stops a read earlier; it still moves on.
    fn shorten(&self, batch: &mut Batch, place: Place) {
        let positions: Vec<Position> = batch.records.iter().map(Record::position).collect();
        let Some(first) = positions.first() else { return };
        let keep = self.luck.below(positions.len() as u64) as usize;
        let upto = match keep {
            0 => Position(first.0 - 1),
            some => positions[some - 1],
        };
        if upto > place.position() {
            batch.records.truncate(keep);
            (batch.upto, batch.stopped) = (upto, Stopped::Limits);
        }
    }
}

impl Engine for Witness {
    fn incarnation(&self) -> Incarnation {
        self.inner.incarnation()
    }

    fn tail(&self) -> Position {
        self.inner.tail()
    }

    fn defaults(&self) -> Settings {
        self.inner.defaults()
    }

    fn listen(&self, listener: Arc<dyn TailListener>) {
        self.rings.connect(listener);
        self.inner.listen(Arc::clone(&self.rings) as Arc<dyn TailListener>);
    }

    fn claim<'a>(
        &'a self,
        now: Now,
        stream: &'a StreamName,
        key: &'a IdempotencyKey,
    ) -> Pending<'a, Result<Claim, AppendError>> {
        self.act(move |witness| at_once(witness.inner.claim(now, stream, key)))
    }

    fn append(&self, now: Now, append: Append) -> Pending<'_, Result<Appended, AppendError>> {
        self.act(move |witness| witness.append_now(now, &append))
    }

    fn put<'a>(
        &'a self,
        now: Now,
        stream: &'a StreamName,
        put: Put,
    ) -> Pending<'a, Result<PutAnswer, AppendError>> {
        self.act(move |witness| witness.put_now(now, stream, &put))
    }

    fn delete<'a>(
        &'a self,
        now: Now,
        stream: &'a StreamName,
    ) -> Pending<'a, Result<Option<Deleted>, EngineError>> {
        self.act(move |witness| witness.delete_now(now, stream))
    }

    fn state<'a>(&'a self, stream: &'a StreamName) -> Pending<'a, Result<Option<StreamState>, EngineError>> {
        self.act(move |witness| at_once(witness.inner.state(stream)))
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a StreamName>,
        states_max: NonZeroUsize,
    ) -> Pending<'a, Result<Vec<StreamState>, EngineError>> {
        self.act(move |witness| at_once(witness.inner.list(after, states_max)))
    }

    fn locate<'a>(
        &'a self,
        selection: &'a Selection,
        from: StartFrom,
    ) -> Pending<'a, Result<Located, EngineError>> {
        self.act(move |witness| {
            let located = at_once(witness.inner.locate(selection, from))?;
            witness.ledger().note_locate(located.place);
            Ok(located)
        })
    }

    fn ended_at<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
    ) -> Pending<'a, Result<Ends, EngineError>> {
        self.act(move |witness| at_once(witness.inner.ended_at(selection, place)))
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Pending<'a, Result<Batch, EngineError>> {
        self.act(move |witness| witness.read_now(selection, place, limits))
    }

    fn sweep(&self, now: Now, budget: NonZeroUsize) -> Pending<'_, Result<Sweep, EngineError>> {
        self.act(move |witness| witness.sweep_now(now, budget))
    }
}
