//! The parts that a server runs on, and which of them ends first.
//!
//! Invariant: whatever others wait for is watched here, so that the server never just looks alive. Stops nothing
//! itself: the caller does, in order.

use std::future::Future;

use largesse::http::Served;
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinSet},
};

use crate::terminal::Failure;

/// The tasks of a server, each in a set that owns it.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// Accepts connections.
    pub(super) serving: JoinSet<Served>,
    /// Drops what has expired.
    pub(super) sweeping: JoinSet<()>,
}

impl Tasks {
    /// Waits until the server is `asked` to stop, or a part ends that it can't do without.
    ///
    /// # Errors
    /// The part that ended.
    pub(super) async fn first_end(
        &mut self,
        asked: oneshot::Receiver<()>,
        log_failed: impl Future<Output = Failure>,
    ) -> Result<(), Failure> {
        tokio::select! {
            asked = asked => asked.map_err(|_| Failure("the task that waits for signals ended".to_owned())),
            failure = log_failed => Err(failure),
            Some(ended) = self.serving.join_next() => Err(ended_early("accepts connections", ended)),
            Some(ended) = self.sweeping.join_next() => Err(ended_early("drops expired events", ended)),
        }
    }
}

fn ended_early<T>(task: &str, ended: Result<T, JoinError>) -> Failure {
    let how = ended.err().map_or_else(String::new, |error| format!(": {error}"));
    Failure(format!("the task that {task} ended{how}"))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn panics<T: Send + 'static>(tasks: &mut JoinSet<T>) {
        tasks.spawn(async { std::panic::resume_unwind(Box::new("a bug")) });
    }

    #[tokio::test]
    async fn whatever_ends_first_is_named() {
        type Break = fn(&mut Tasks);
        let rows: [(Break, &str); 3] = [
            (|tasks| panics(&mut tasks.serving), "the task that accepts connections ended: "),
            (
                |tasks| _ = tasks.serving.spawn(async { Served { connections: 0, cut: 0 } }),
                "the task that accepts connections ended",
            ),
            (|tasks| panics(&mut tasks.sweeping), "the task that drops expired events ended: "),
        ];
        for (break_it, want) in rows {
            let mut tasks = Tasks::default();
            let (_stop, asked) = oneshot::channel();
            break_it(&mut tasks);
            let told = tasks.first_end(asked, pending()).await.unwrap_err().to_string();
            assert!(told.starts_with(want), "{told}");
        }
    }

    #[tokio::test]
    async fn a_log_that_has_failed_is_named_too() {
        let (_stop, asked) = oneshot::channel();
        let failed = async { Failure("the log has failed".to_owned()) };
        let told = Tasks::default().first_end(asked, failed).await.unwrap_err().to_string();
        assert_eq!(told, "the log has failed");
    }

    #[tokio::test]
    async fn being_asked_to_stop_is_not_a_failure_but_losing_the_signal_task_is() {
        let (stop, asked) = oneshot::channel();
        stop.send(()).unwrap();
        assert!(Tasks::default().first_end(asked, pending()).await.is_ok());
        let (stop, asked) = oneshot::channel();
        drop(stop);
        let told = Tasks::default().first_end(asked, pending()).await.unwrap_err().to_string();
        assert_eq!(told, "the task that waits for signals ended");
    }
}
