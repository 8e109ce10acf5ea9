//! Whether a log's threads are alive.
//!
//! Invariants: every thread runs in [`Health::watched`], so that its panic is noticed; the first failure is kept,
//! and traced once. Nothing more is written to a failed log: recovery finds out what is there. Does not know who
//! waits for which thread: they are answered where the thread is started.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tokio::sync::watch;

/// The health of one log.
pub(crate) struct Health {
    failure: watch::Sender<Option<String>>,
}

/// Why a thread ended.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// Waits for a log to fail, without keeping it open.
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

    /// A watch for the log's owner.
    pub(crate) fn watch(&self) -> HealthWatch {
        HealthWatch(self.failure.subscribe())
    }

    /// Runs a thread's work.
    ///
    /// # Errors
    /// It panicked. The log has failed then, and the caller has to answer those who wait for the thread.
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
    /// Why the log has failed, if it has. It can still be called once the log is closed.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Waits until one of the log's threads has panicked, and returns why: nothing more can be published then, and
    /// the log should be closed. Stays pending if that does not happen. Cancellation: loses nothing.
    pub async fn failed(&mut self) -> String {
        match self.0.wait_for(Option::is_some).await.map(|failure| failure.clone()) {
            Ok(Some(reason)) => reason,
            // It was closed.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

/// A panic's message.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_failure_is_the_one_that_is_reported() {
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
