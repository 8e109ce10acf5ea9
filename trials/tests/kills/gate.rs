//! Whether the server listens, how much it acknowledged, and when it is enough.
//!
//! Invariant: nobody waits here longer than [`WAIT_MAX`].

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use largesse_trials::{WAIT_MAX, fail};

/// The time between one start of the server and its kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run(u64);

#[derive(Debug)]
struct State {
    run: Run,
    is_up: bool,
    /// Acknowledged in this run.
    acks: u64,
    /// Requests whose answer never came.
    cut: u64,
    publishers_stop: bool,
    /// When the readers must have heard everything.
    readers_until: Option<Instant>,
    /// Somebody panicked: nobody waits any more.
    is_broken: bool,
}

#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    bell: Condvar,
}

/// Breaks the gate when its owner panics, so that the trial fails at once and not after a long wait.
pub(crate) struct Guard<'a>(&'a Gate);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.change(|state| state.is_broken = true);
        }
    }
}

impl Gate {
    /// The server is up.
    pub(crate) fn new() -> Self {
        let state = State {
            run: Run(1),
            is_up: true,
            acks: 0,
            cut: 0,
            publishers_stop: false,
            readers_until: None,
            is_broken: false,
        };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics in here")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.bell.notify_all();
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, mut is_it: impl FnMut(&State) -> Option<T>) -> T {
        let until = Instant::now() + WAIT_MAX;
        let mut state = self.lock();
        loop {
            if let Some(it) = is_it(&state) {
                return it;
            }
            let (broken, left) = (state.is_broken, until.saturating_duration_since(Instant::now()));
            if broken || left.is_zero() {
                drop(state);
                assert!(!broken, "somebody else failed");
                fail(&format!("never {what}"));
            }
            state = self.bell.wait_timeout(state, left).expect("nobody panics in here").0;
        }
    }

    pub(crate) fn is_down(&self) {
        self.change(|state| state.is_up = false);
    }

    pub(crate) fn is_up(&self) {
        self.change(|state| {
            state.run = Run(state.run.0 + 1);
            state.is_up = true;
            state.acks = 0;
        });
    }

    /// Waits for a run after this one, and returns it.
    #[track_caller]
    pub(crate) fn next_run(&self, after: Option<Run>) -> Run {
        self.wait("up again", |state| (state.is_up && Some(state.run) > after).then_some(state.run))
    }

    pub(crate) fn acked(&self) {
        self.change(|state| state.acks += 1);
    }

    pub(crate) fn cut(&self) {
        self.change(|state| state.cut += 1);
    }

    /// How many requests were never answered.
    pub(crate) fn cuts(&self) -> u64 {
        self.lock().cut
    }

    /// Waits until this much was acknowledged since the server was started.
    #[track_caller]
    pub(crate) fn wait_for_acks(&self, acks: u64) {
        self.wait("enough acknowledgements", |state| (state.acks >= acks).then_some(()));
    }

    pub(crate) fn stop_publishers(&self) {
        self.change(|state| state.publishers_stop = true);
    }

    pub(crate) fn has_stopped_publishers(&self) -> bool {
        self.lock().publishers_stop
    }

    pub(crate) fn stop_readers(&self) {
        self.change(|state| state.readers_until = Some(Instant::now() + WAIT_MAX));
    }

    /// Whether a reader has waited too long for what it has not heard.
    pub(crate) fn is_too_late(&self) -> bool {
        let state = self.lock();
        state.is_broken || state.readers_until.is_some_and(|until| until <= Instant::now())
    }
}
