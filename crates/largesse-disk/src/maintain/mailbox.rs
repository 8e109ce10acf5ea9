//! Mailbox from the writer to maintenance: a checkpoint request, and a preallocation request.
//!
//! Invariants: at most one checkpoint request is pending, and the writer leaves none while one is being processed;
//! so slow maintenance makes segments longer, not more numerous. The maintenance thread regularly checks by itself
//! whether a compaction would free space.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use largesse_log::EngineError;

use crate::core::CheckpointRequest;

/// The next task of the maintenance thread.
pub(crate) enum Task {
    /// Make this checkpoint.
    Checkpoint(Box<CheckpointRequest>),
    /// Make the preallocated segment that was ordered.
    Preallocate,
    /// Check whether the log's files are still there.
    CheckFiles,
}

/// How often the maintenance thread checks for garbage.
const GARBAGE_EVERY: Duration = Duration::from_secs(2);
/// How often it checks whether the log's files are still there, unless it is busy.
const FILES_EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct MailboxState {
    checkpoint_request: Option<CheckpointRequest>,
    is_checkpointing: bool,
    wants_checkpoint: bool,
    is_preallocation_ordered: bool,
    /// Why the last checkpoint failed, if it did.
    error: Option<EngineError>,
    is_stopping: bool,
    /// When the files were last checked.
    checked_at: Option<Instant>,
}

/// The mailbox.
#[derive(Default)]
pub(crate) struct Mailbox {
    waiting: Mutex<MailboxState>,
    changed: Condvar,
}

impl Mailbox {
    pub(crate) fn new(checkpoint_request: Option<CheckpointRequest>) -> Self {
        Self {
            waiting: Mutex::new(MailboxState { checkpoint_request, ..MailboxState::default() }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, MailboxState> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the maintenance thread would process a checkpoint request at once.
    pub(crate) fn is_free(&self) -> bool {
        let waiting = self.lock();
        waiting.checkpoint_request.is_none() && !waiting.is_checkpointing
    }

    /// Whether the maintenance thread wants a checkpoint request, to compact.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.lock().wants_checkpoint
    }

    /// Leaves a checkpoint request.
    pub(crate) fn put(&self, checkpoint_request: CheckpointRequest) {
        let mut waiting = self.lock();
        (waiting.checkpoint_request, waiting.wants_checkpoint) = (Some(checkpoint_request), false);
        drop(waiting);
        self.changed.notify_all();
    }

    /// Requests a preallocated segment.
    pub(crate) fn order_preallocation(&self) {
        self.lock().is_preallocation_ordered = true;
        self.changed.notify_all();
    }

    /// Leaves the last checkpoint request, which replaces a pending one.
    pub(crate) fn stop(&self, last: Option<CheckpointRequest>) {
        let mut waiting = self.lock();
        waiting.is_stopping = true;
        waiting.checkpoint_request = last.or(waiting.checkpoint_request.take());
        drop(waiting);
        self.changed.notify_all();
    }

    /// The next task, or `None` once the log is closed. A checkpoint goes before a preallocation. If there is
    /// garbage, the writer is nudged to leave a checkpoint request.
    pub(crate) fn next(&self, has_garbage: impl Fn() -> bool, nudge: impl Fn()) -> Option<Task> {
        let mut waiting = self.lock();
        loop {
            if !waiting.is_stopping && waiting.checked_at.is_none_or(|at| at.elapsed() >= FILES_EVERY) {
                waiting.checked_at = Some(Instant::now());
                return Some(Task::CheckFiles);
            }
            if waiting.error.is_none() || waiting.is_stopping {
                if let Some(checkpoint_request) = waiting.checkpoint_request.take() {
                    waiting.is_checkpointing = true;
                    return Some(Task::Checkpoint(Box::new(checkpoint_request)));
                }
                if waiting.is_stopping {
                    return None;
                }
                if mem::take(&mut waiting.is_preallocation_ordered) {
                    return Some(Task::Preallocate);
                }
            }
            let waited =
                self.changed.wait_timeout(waiting, GARBAGE_EVERY).unwrap_or_else(PoisonError::into_inner);
            waiting = waited.0;
            if waited.1.timed_out() && waiting.error.take().is_some() {
                continue;
            }
            if waited.1.timed_out() && !waiting.wants_checkpoint {
                drop(waiting);
                let has_garbage = has_garbage();
                self.lock().wants_checkpoint = has_garbage;
                if has_garbage {
                    nudge();
                }
                waiting = self.lock();
            }
        }
    }

    /// The checkpoint was made.
    pub(crate) fn done(&self) {
        self.lock().is_checkpointing = false;
        self.changed.notify_all();
    }

    /// The checkpoint failed. It is retried after a while, unless the log is closed.
    pub(crate) fn failed(&self, checkpoint_request: CheckpointRequest, error: EngineError) {
        let mut waiting = self.lock();
        waiting.is_checkpointing = false;
        if !waiting.is_stopping {
            waiting.checkpoint_request = Some(checkpoint_request);
            waiting.error = Some(error);
        }
        drop(waiting);
        self.changed.notify_all();
    }

    /// The cause of the last failure may be gone: retries at once.
    pub(crate) fn retry(&self) {
        self.lock().error = None;
        self.changed.notify_all();
    }

    /// Maintenance has ended, for this reason.
    pub(crate) fn abandon(&self, reason: String) {
        self.lock().error = Some(EngineError::Unwritable { reason });
        self.changed.notify_all();
    }

    /// Waits until the maintenance thread would process a checkpoint request, or has failed; returns the error.
    pub(crate) fn wait_until_free(&self) -> Option<EngineError> {
        let mut waiting = self.lock();
        while waiting.error.is_none() && (waiting.checkpoint_request.is_some() || waiting.is_checkpointing) {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.error.clone()
    }
}
