//! Futures that do not wait: the memory engine's.

use std::task::{Context, Poll, Waker};

use largesse_log::Pending;

/// The answer of a future that is ready when first asked.
pub(crate) fn at_once<T>(mut pending: Pending<'_, T>) -> T {
    match pending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
    .expect("the memory engine answers at once")
}
