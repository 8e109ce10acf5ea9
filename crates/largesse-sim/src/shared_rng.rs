//! The random choices of one run, shared by everything that makes some.
//!
//! Invariant: nothing in a simulation makes a random choice except through this, so the same seed makes the same run.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use largesse_log::conformance::rng::Rng;

/// The shared source of choices, and how patient the run is.
#[derive(Clone, Debug)]
pub(crate) struct SharedRng {
    rng: Arc<Mutex<Rng>>,
    /// How often a call of the engine is interrupted, at most, before it acts and after.
    pauses_max: u64,
}

impl SharedRng {
    pub(crate) fn new(mut rng: Rng) -> Self {
        let pauses_max = rng.pick(&[2, 0, 1, 4]);
        Self { rng: Arc::new(Mutex::new(rng)), pauses_max }
    }

    /// A number less than `end`, which is not zero.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.rng().below(end)
    }

    /// One of these; there is at least one.
    pub(crate) fn pick<T: Clone>(&self, from: &[T]) -> T {
        self.rng().pick(from)
    }

    /// Rarely: once in this many times. Never once the choices are used up.
    pub(crate) fn once_in(&self, times: u64) -> bool {
        self.below(times) == times - 1
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.rng().is_spent()
    }

    /// Lets others run first, a random number of times.
    pub(crate) async fn pause(&self) {
        for _ in 0..self.below(self.pauses_max + 1) {
            yield_once().await;
        }
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn yield_once() {
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
