//! The connection between the engine and the hub's subscriptions, with delays.
//!
//! A call of the listener may come late, twice, out of order, or for several records of a stream at once.
//! Invariant: the last call for a stream is never lost, only held until it is released.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use largesse_log::{Position, StreamName, TailListener};

use crate::shared_rng::SharedRng;

/// Far longer than an engine takes to call its listener.
const CALL_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Wakes {
    rng: SharedRng,
    state: Mutex<State>,
    has_called: Condvar,
}

#[derive(Default)]
struct State {
    listener: Option<Arc<dyn TailListener>>,
    held: Vec<(StreamName, Position)>,
    /// The last record that the engine called for.
    called_upto: Position,
}

impl Wakes {
    pub(crate) fn new(rng: SharedRng) -> Arc<Self> {
        Arc::new(Self { rng, state: Mutex::default(), has_called: Condvar::new() })
    }

    pub(crate) fn connect(&self, listener: Arc<dyn TailListener>) {
        self.state().listener = Some(listener);
    }

    /// Waits for the engine's call for a record: it may come from a thread of the engine, after its answer, and nothing
    /// else may happen in between if the seed is to determine the run.
    pub(crate) fn await_call(&self, position: Position) {
        let not_yet = |state: &mut State| state.called_upto < position;
        let waited = self.has_called.wait_timeout_while(self.state(), CALL_MAX, not_yet);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(state.called_upto >= position, "the engine never calls for {position:?}");
    }

    /// Releases one held call, if there is one.
    pub(crate) fn release_one(&self) {
        let held = self.state().held.len();
        if held > 0 {
            let index = self.rng.below(held as u64) as usize;
            let (stream, position) = self.state().held.swap_remove(index);
            self.pass(&stream, position);
        }
    }

    pub(crate) fn release_all(&self) {
        let held = std::mem::take(&mut self.state().held);
        for (stream, position) in held {
            self.pass(&stream, position);
        }
    }

    /// The hub's process has ended: nobody hears what was held.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.held.clear();
        state.listener = None;
    }

    fn hold(&self, stream: &StreamName, position: Position) {
        let mut state = self.state();
        if self.rng.below(2) == 0 {
            state.held.retain(|(held, _)| held != stream);
        }
        state.held.push((stream.clone(), position));
    }

    fn pass(&self, stream: &StreamName, position: Position) {
        let listener = self.state().listener.clone();
        if let Some(listener) = listener {
            listener.appended(stream, position);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TailListener for Wakes {
    fn appended(&self, stream: &StreamName, position: Position) {
        match self.rng.below(4) {
            0 | 1 => self.pass(stream, position),
            2 => self.hold(stream, position),
            _ => {
                self.pass(stream, position);
                self.hold(stream, position);
            }
        }
        let mut state = self.state();
        state.called_upto = state.called_upto.max(position);
        self.has_called.notify_all();
    }
}
