//! The answers of an engine, waited for on the spot: what it waits for is a thread of its own, or nothing.
//!
//! The tokio of a run knows nothing of it, so no time passes and nobody else has a turn.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Far longer than any call here takes.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A future that only gives its turn away is asked again at once, so often; its waker may be held back by tokio.
const TURNS_AT_ONCE: usize = 20;
const LOOK_EVERY: Duration = Duration::from_millis(1);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The answer of a future of an engine.
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
