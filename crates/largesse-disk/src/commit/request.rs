//! Requests to the writer, and who waits for the answers.
//!
//! Invariant: a request is answered once, or its caller learns that the engine stops. Does not know frames, nor
//! what a command means.

use largesse_log::{Command, EngineError, Now, Reply};
use tokio::sync::oneshot;

use crate::format::frame::EncodedEvents;

/// A command that somebody waits for.
pub(crate) struct Request {
    /// The caller's time.
    pub(crate) now: Now,
    pub(crate) command: Command,
    /// The frames of the command's events.
    pub(crate) encoded: EncodedEvents,
    pub(crate) waiter: Waiter,
}

/// Waiting requests. Each is boxed: it is large, and moved several times.
pub(crate) type Requests = Vec<Box<Request>>;

/// Who waits for an answer.
pub(crate) struct Waiter(oneshot::Sender<Result<Reply, EngineError>>);

/// Receives the answer.
pub(crate) type Answer = oneshot::Receiver<Result<Reply, EngineError>>;

impl Request {
    /// A request, and the receiver of its answer.
    pub(crate) fn new(now: Now, command: Command, encoded: EncodedEvents) -> (Box<Self>, Answer) {
        let (waiter, answer) = oneshot::channel();
        (Box::new(Self { now, command, encoded, waiter: Waiter(waiter) }), answer)
    }

    /// Answers that it did not happen, or that the outcome is unknown.
    pub(crate) fn refuse(self, error: EngineError) {
        self.waiter.answer(Err(error));
    }
}

impl Waiter {
    /// Answers, if the caller still waits.
    pub(crate) fn answer(self, answer: Result<Reply, EngineError>) {
        let _ = self.0.send(answer);
    }
}
