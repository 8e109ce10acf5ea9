//! The runs of the gallery's sources: started within a limit, joined at the end.
//!
//! Invariant: at most [`DEMO_RUNS_MAX`] run at once. Does not know what a run writes.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::task::{JoinError, JoinSet};

/// Runs at once. Anyone who sees the page can start one, so the limit is low; each is short.
pub(super) const DEMO_RUNS_MAX: usize = 64;

/// The owner of all runs.
#[derive(Debug, Default)]
pub(super) struct Runs {
    tasks: Mutex<JoinSet<()>>,
}

/// The limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyRuns;

impl Runs {
    /// Starts a run, unless the limit is reached.
    pub(super) fn start(&self, run: impl Future<Output = ()> + Send + 'static) -> Result<(), TooManyRuns> {
        let mut tasks = self.lock();
        while let Some(ended) = tasks.try_join_next() {
            trace_end(ended);
        }
        if tasks.len() >= DEMO_RUNS_MAX {
            return Err(TooManyRuns);
        }
        tasks.spawn(run);
        Ok(())
    }

    /// Ends all of them, and waits until they have ended. Cancellation: they end anyway.
    pub(super) async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.lock());
        tasks.shutdown().await;
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        // A set of tasks has no intermediate state that a panic could leave behind.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn trace_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a run of the gallery failed; this is a bug, please report it");
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn one_more_run_than_the_limit_is_refused_until_another_ends() {
        let runs = Runs::default();
        let (end, ended) = oneshot::channel::<()>();
        let (joined, mut seen) = tokio::sync::mpsc::channel(1);
        assert_eq!(
            runs.start(async move {
                let _ = ended.await;
                let _ = joined.send(()).await;
            }),
            Ok(())
        );
        for _ in 1..DEMO_RUNS_MAX {
            assert_eq!(runs.start(std::future::pending()), Ok(()));
        }
        assert_eq!(runs.start(std::future::pending()), Err(TooManyRuns));
        end.send(()).unwrap();
        seen.recv().await.unwrap();
        // The sender is dropped with the run, so from here on it has ended.
        assert_eq!(seen.recv().await, None);
        while runs.start(std::future::pending()) == Err(TooManyRuns) {
            tokio::task::yield_now().await;
        }
        assert_eq!(runs.start(std::future::pending()), Err(TooManyRuns));
    }

    #[tokio::test]
    async fn whoever_waits_for_a_run_that_panics_is_answered_and_its_place_is_free() {
        let runs = Runs::default();
        for _ in 0..2 * DEMO_RUNS_MAX {
            let (tell, told) = oneshot::channel::<()>();
            let run = async move {
                let _tell = tell;
                std::panic::resume_unwind(Box::new("a bug"))
            };
            assert_eq!(runs.start(run), Ok(()));
            assert!(told.await.is_err());
        }
    }

    #[tokio::test]
    async fn stopping_drops_every_run() {
        let runs = Runs::default();
        let (held, mut dropped) = tokio::sync::mpsc::channel::<()>(1);
        for _ in 0..3 {
            let held = held.clone();
            let run = async move {
                held.closed().await;
            };
            assert_eq!(runs.start(run), Ok(()));
        }
        drop(held);
        runs.stop().await;
        assert_eq!(dropped.recv().await, None);
    }
}
