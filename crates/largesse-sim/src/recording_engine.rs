//! The engine of a run: one of ours, wrapped in a recorder that writes down what it does.
//!
//! Its futures wait at random before and after they act, and its reads stop short at random, as those of an engine on
//! a disk or a network may. Invariant: its answers are the inner engine's, or a shorter read
//! that keeps the engine's promises.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use largesse_log::{
    Batch, Command, Engine, EngineError, EngineExt, Incarnation, Now, Pending, Place, Position, Query,
    QueryAnswer, QueryReply, Record, Reply, Settings, Stopped, Sweep, TailListener,
};

use crate::{at_once::at_once, oracle::Oracle, shared_rng::SharedRng, wakes::Wakes};

pub(crate) struct RecordingEngine {
    inner: Arc<dyn Engine>,
    oracle: Arc<Mutex<Oracle>>,
    rng: SharedRng,
    wakes: Arc<Wakes>,
}

impl RecordingEngine {
    pub(crate) fn new(
        inner: Arc<dyn Engine>,
        oracle: Arc<Mutex<Oracle>>,
        rng: SharedRng,
        wakes: Arc<Wakes>,
    ) -> Arc<Self> {
        Arc::new(Self { inner, oracle, rng, wakes })
    }

    fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, acts in one moment, waits.
    fn act<'a, T: Send + 'a>(&'a self, act: impl FnOnce(&Self) -> T + Send + 'a) -> Pending<'a, T> {
        Box::pin(async move {
            self.rng.pause().await;
            let answer = act(self);
            self.rng.pause().await;
            answer
        })
    }

    fn finish_step(&self, oracle: &mut Oracle) {
        let states = at_once(self.inner.list(None, NonZeroUsize::MAX)).expect("the engine works");
        oracle.finish_step(self.inner.tail(), &states);
    }

    fn submit_now(&self, now: Now, command: &Command) -> Result<Reply, EngineError> {
        let mut oracle = self.oracle();
        let before = self.inner.tail();
        let mut reply = at_once(self.inner.submit(now, command.clone()))?;
        // The model sweeps all streams at once.
        while reply == Reply::Sweep(Sweep::More) {
            reply = at_once(self.inner.submit(now, command.clone()))?;
        }
        let moved = self.inner.tail() > before;
        match (command, &reply) {
            (Command::Append(append), Reply::Append(Ok(answer))) if moved => {
                let state = at_once(self.inner.state(&append.stream)).expect("the engine works");
                let end = state.and_then(|state| state.closed);
                self.wakes.await_call(answer.position);
                oracle.note_append(now, append, answer.position, end);
            }
            (Command::Append(_), Reply::Append(Err(error))) => {
                assert!(!moved, "an append that fails appends nothing: {error}");
            }
            (Command::Put { stream, put }, Reply::Put(Ok(_))) => oracle.note_put(now, stream, put),
            (Command::Delete { stream }, Reply::Delete(Some(deleted))) => {
                self.wakes.await_call(deleted.position);
                oracle.note_delete(stream, deleted.position);
            }
            (Command::Sweep { .. }, _) => oracle.model.sweep(now),
            _ => {}
        }
        if !matches!(command, Command::Claim { .. }) {
            self.finish_step(&mut oracle);
        }
        Ok(reply)
    }

    fn query_now(&self, query: Query<'_>) -> Result<QueryReply, EngineError> {
        let mut oracle = self.oracle();
        let mut reply = at_once(self.inner.query(query).done())?;
        match (query, &mut reply) {
            (Query::Locate { .. }, QueryReply::Located(located)) => oracle.note_locate(located.place),
            (Query::Read { place, .. }, QueryReply::Batch(batch)) => {
                if self.rng.once_in(4) {
                    self.shorten(batch, place);
                }
                oracle.note_read(batch);
            }
            _ => {}
        }
        Ok(reply)
    }

    /// Ends a read earlier; it still advances.
    fn shorten(&self, batch: &mut Batch, place: Place) {
        let positions: Vec<Position> = batch.records.iter().map(Record::position).collect();
        let Some(first) = positions.first() else { return };
        let keep = self.rng.below(positions.len() as u64) as usize;
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

impl Engine for RecordingEngine {
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
        self.wakes.connect(listener);
        self.inner.listen(Arc::clone(&self.wakes) as Arc<dyn TailListener>);
    }

    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>> {
        self.act(move |recorder| recorder.submit_now(now, &command))
    }

    fn query<'a>(&'a self, query: Query<'a>) -> QueryAnswer<'a> {
        QueryAnswer::Cold(self.act(move |recorder| recorder.query_now(query)))
    }
}
