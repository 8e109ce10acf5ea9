//! Waits for an engine's answer on the spot: an answer takes a thread of the engine's own, or no time at all.
//!
//! The run's tokio does not see this wait, so no time passes and no other task runs.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Far longer than any call here takes.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A future that only yields is polled again at once, this often; tokio may hold its waker back.
const TURNS_AT_ONCE: usize = 20;
const LOOK_EVERY: Duration = Duration::from_millis(1);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The result of an engine's future.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut pending = Box::pin(tokio::task::unconstrained(future));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let begun = Instant::now();
    let mut turns = 0;
    loop {
        if let Poll::Ready(answer) = pending.as_mut().poll(&mut context) {
            return answer;
        }
        turns += 1;
        if turns > TURNS_AT_ONCE {
            thread::park_timeout(LOOK_EVERY);
        }
        assert!(begun.elapsed() < WAIT_MAX, "the engine never answers");
    }
}
