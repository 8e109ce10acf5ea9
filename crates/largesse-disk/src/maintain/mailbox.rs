//! Where the writer leaves a checkpoint request for the maintenance thread, or word that a preallocated segment is
//! ordered.
//!
//! Invariants: at most one checkpoint request lies here, and the writer leaves none while one is being kept; so a
//! maintenance thread that is slow makes segments longer, and not many. The maintenance thread looks by itself now and
//! then whether a compaction would win something.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use largesse_log::EngineError;

use crate::core::CheckpointRequest;

/// What the maintenance thread is to do next.
pub(crate) enum Task {
    /// Keep this.
    Checkpoint(Box<CheckpointRequest>),
    /// Make the preallocated segment that was ordered.
    Preallocate,
    /// Look whether the log's files are still there.
    CheckFiles,
}

/// How often the maintenance thread looks whether there is something to clean.
const GARBAGE_EVERY: Duration = Duration::from_secs(2);
/// How often it looks whether the log's files are still there, unless it is busy.
const FILES_EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct MailboxState {
    checkpoint_request: Option<CheckpointRequest>,
    is_checkpointing: bool,
    wants_checkpoint: bool,
    is_preallocation_ordered: bool,
    /// Why the last checkpoint request could not be kept, if it could not.
    error: Option<EngineError>,
    is_stopping: bool,
    /// When it last looked whether the files are there.
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

    /// Whether the maintenance thread would take a checkpoint request at once.
    pub(crate) fn is_free(&self) -> bool {
        let waiting = self.lock();
        waiting.checkpoint_request.is_none() && !waiting.is_checkpointing
    }

    /// Whether the maintenance thread has something to clean.
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

    /// Leaves word that a preallocated segment is ordered.
    pub(crate) fn order_preallocation(&self) {
        self.lock().is_preallocation_ordered = true;
        self.changed.notify_all();
    }

    /// Leaves the last checkpoint request, in the place of one that was not taken.
    pub(crate) fn stop(&self, last: Option<CheckpointRequest>) {
        let mut waiting = self.lock();
        waiting.is_stopping = true;
        waiting.checkpoint_request = last.or(waiting.checkpoint_request.take());
        drop(waiting);
        self.changed.notify_all();
    }

    /// The next task, or `None` when the log is closed. A checkpoint request goes before a preallocated segment. When
    /// there is garbage, the writer is nudged to leave a checkpoint request.
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

    /// The checkpoint request is kept.
    pub(crate) fn done(&self) {
        self.lock().is_checkpointing = false;
        self.changed.notify_all();
    }

    /// The checkpoint request could not be kept. It is tried again in a while, unless the log is closed.
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

    /// What kept the last checkpoint request from being kept is over: it is tried again at once.
    pub(crate) fn retry(&self) {
        self.lock().error = None;
        self.changed.notify_all();
    }

    /// Nobody keeps any more, for this reason.
    pub(crate) fn abandon(&self, reason: String) {
        self.lock().error = Some(EngineError::Unwritable { reason });
        self.changed.notify_all();
    }

    /// Waits until the maintenance thread would take a checkpoint request, or is in error; answers the error.
    pub(crate) fn wait_until_free(&self) -> Option<EngineError> {
        let mut waiting = self.lock();
        while waiting.error.is_none() && (waiting.checkpoint_request.is_some() || waiting.is_checkpointing) {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.error.clone()
    }
}
