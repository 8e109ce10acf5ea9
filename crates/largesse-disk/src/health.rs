//! Whether the threads of a log live.
//!
//! Invariants: a thread that panics ends through [`Health::watched`], so that it is known; the first failure stays, and
//! is traced once. A log that has failed is written no more: a start finds out what is there. Does not know who waits
//! for which thread: each is answered where the thread is started.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tokio::sync::watch;

/// The health of one log.
pub(crate) struct Health {
    failure: watch::Sender<Option<String>>,
}

/// What made a thread end that others wait for.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// Waits for a log to fail. Holds nothing of it.
#[derive(Clone, Debug)]
pub struct HealthWatch(watch::Receiver<Option<String>>);

impl Default for Health {
    fn default() -> Self {
        Self { failure: watch::Sender::new(None) }
    }
}

impl Health {
    /// Why the log has failed, if it has.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// For who wants to know.
    pub(crate) fn watch(&self) -> HealthWatch {
        HealthWatch(self.failure.subscribe())
    }

    /// Does a thread's work.
    ///
    /// # Errors
    /// It panicked. Then the log has failed, and whoever waits for the thread is to be answered.
    pub(crate) fn watched<T>(&self, thread: &str, work: impl FnOnce() -> T) -> Result<T, Failed> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
            let reason = format!("the thread that {thread} panicked: {}", words(&*panic));
            self.fail(&reason);
            Failed(reason)
        })
    }

    fn fail(&self, reason: &str) {
        let is_first = self.failure.send_if_modified(|failure| {
            let is_first = failure.is_none();
            if is_first {
                *failure = Some(reason.to_owned());
            }
            is_first
        });
        if is_first {
            tracing::error!(
                reason,
                "the log has failed; nothing more is published until the server is started again"
            );
        }
    }
}

impl HealthWatch {
    /// Why the log has failed, if it has: after its closing too.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Waits until one of the log's threads has ended other than by the log's closing, and says why: then nothing more
    /// can be published, and the log should be closed. Stays pending where that does not happen. Cancellation: loses
    /// nothing.
    pub async fn failed(&mut self) -> String {
        match self.0.wait_for(Option::is_some).await.map(|failure| failure.clone()) {
            Ok(Some(reason)) => reason,
            // It was closed.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_failure_is_the_one_that_is_told() {
        let health = Health::default();
        let mut watch = health.watch();
        assert_eq!((health.watched("counts", || 7).ok(), health.failure()), (Some(7), None));
        let whole =
            health.watched("writes", || std::panic::resume_unwind(Box::new("first"))).map(|()| "whole");
        assert!(whole.is_err());
        let second = String::from("second");
        assert!(health.watched("reads", || std::panic::resume_unwind(Box::new(second))).map(|()| 1).is_err());
        let want = "the thread that writes panicked: first";
        assert_eq!((watch.failed().await.as_str(), health.failure().as_deref()), (want, Some(want)));
    }
}
