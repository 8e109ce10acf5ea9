//! The choices of one run, shared by everything that makes some.
//!
//! Invariant: nothing in a simulation is chosen but here, so the same seed makes the same run.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use largesse_log::conformance::dice::Dice;

/// Shared dice, and how patient the run is.
#[derive(Clone, Debug)]
pub(crate) struct Luck {
    dice: Arc<Mutex<Dice>>,
    /// How many times a call of the engine is interrupted at most, before it acts and after.
    pauses_max: u64,
}

impl Luck {
    pub(crate) fn new(mut dice: Dice) -> Self {
        let pauses_max = dice.pick(&[2, 0, 1, 4]);
        Self { dice: Arc::new(Mutex::new(dice)), pauses_max }
    }

    /// A number less than `end`, which is not zero.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.dice().below(end)
    }

    /// One of these; there is at least one.
    pub(crate) fn pick<T: Clone>(&self, from: &[T]) -> T {
        self.dice().pick(from)
    }

    /// Rarely: once in so many times. Never once the dice are spent.
    pub(crate) fn once_in(&self, times: u64) -> bool {
        self.below(times) == times - 1
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.dice().is_spent()
    }

    /// Lets others go first, as often as the dice say.
    pub(crate) async fn pause(&self) {
        for _ in 0..self.below(self.pauses_max + 1) {
            yield_once().await;
        }
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
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
