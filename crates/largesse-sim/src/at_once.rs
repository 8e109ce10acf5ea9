//! Futures that wait for nobody: the memory engine's. They give the thread away at the most.

use std::task::{Context, Poll, Waker};

use largesse_log::Pending;

/// How often the engine may give the thread away in one call: far more than any log here makes it.
const YIELDS_MAX: usize = 10_000;

/// The answer of a future that is ready as soon as it is asked often enough.
pub(crate) fn at_once<T>(mut pending: Pending<'_, T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    (0..=YIELDS_MAX)
        .find_map(|_| match pending.as_mut().poll(&mut context) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        })
        .expect("the memory engine waits for nobody")
}
