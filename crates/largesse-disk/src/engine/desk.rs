//! Where the writer leaves a milestone for the keeper, or word that a spare is ordered.
//!
//! Invariants: at most one milestone lies here, and the writer leaves none while one is being kept; so a
//! keeper that is slow makes segments longer, and not many. The keeper looks by itself now and then whether a
//! cleaning would win something.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use largesse_log::EngineError;

use crate::keeper::Milestone;

/// What the keeper is to do next.
pub(super) enum Task {
    /// Keep this.
    Keep(Box<Milestone>),
    /// Make the spare that was ordered.
    MakeSpare,
    /// Look whether the log's files are still there.
    Look,
}

/// How often the keeper looks whether there is something to clean.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it looks whether the log's files are still there, unless it is busy.
const FILES_EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Lying {
    milestone: Option<Milestone>,
    is_keeping: bool,
    wants_one: bool,
    is_spare_ordered: bool,
    /// Why the last milestone could not be kept, if it could not.
    trouble: Option<EngineError>,
    is_stopping: bool,
    /// When it last looked whether the files are there.
    looked_at: Option<Instant>,
}

/// The desk.
#[derive(Default)]
pub(super) struct Desk {
    lying: Mutex<Lying>,
    bell: Condvar,
}

impl Desk {
    pub(super) fn new(milestone: Option<Milestone>) -> Self {
        Self { lying: Mutex::new(Lying { milestone, ..Lying::default() }), bell: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Lying> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the keeper would take a milestone at once.
    pub(super) fn is_free(&self) -> bool {
        let lying = self.lock();
        lying.milestone.is_none() && !lying.is_keeping
    }

    /// Whether the keeper has something to clean.
    pub(super) fn wants_milestone(&self) -> bool {
        self.lock().wants_one
    }

    /// Leaves a milestone.
    pub(super) fn put(&self, milestone: Milestone) {
        let mut lying = self.lock();
        (lying.milestone, lying.wants_one) = (Some(milestone), false);
        drop(lying);
        self.bell.notify_all();
    }

    /// Leaves word that a spare is ordered.
    pub(super) fn order_spare(&self) {
        self.lock().is_spare_ordered = true;
        self.bell.notify_all();
    }

    /// Leaves the last milestone, in the place of one that was not taken.
    pub(super) fn stop(&self, last: Option<Milestone>) {
        let mut lying = self.lock();
        lying.is_stopping = true;
        lying.milestone = last.or(lying.milestone.take());
        drop(lying);
        self.bell.notify_all();
    }

    /// The next task, or `None` when the log is closed. A milestone goes before a spare. When there is garbage, the
    /// writer is nudged to leave a milestone.
    pub(super) fn next(&self, has_garbage: impl Fn() -> bool, nudge: impl Fn()) -> Option<Task> {
        let mut lying = self.lock();
        loop {
            if !lying.is_stopping && lying.looked_at.is_none_or(|at| at.elapsed() >= FILES_EVERY) {
                lying.looked_at = Some(Instant::now());
                return Some(Task::Look);
            }
            if lying.trouble.is_none() || lying.is_stopping {
                if let Some(milestone) = lying.milestone.take() {
                    lying.is_keeping = true;
                    return Some(Task::Keep(Box::new(milestone)));
                }
                if lying.is_stopping {
                    return None;
                }
                if mem::take(&mut lying.is_spare_ordered) {
                    return Some(Task::MakeSpare);
                }
            }
            let waited = self.bell.wait_timeout(lying, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner);
            lying = waited.0;
            if waited.1.timed_out() && lying.trouble.take().is_some() {
                continue;
            }
            if waited.1.timed_out() && !lying.wants_one {
                drop(lying);
                let has_garbage = has_garbage();
                self.lock().wants_one = has_garbage;
                if has_garbage {
                    nudge();
                }
                lying = self.lock();
            }
        }
    }

    /// The milestone is kept.
    pub(super) fn done(&self) {
        self.lock().is_keeping = false;
        self.bell.notify_all();
    }

    /// The milestone could not be kept. It is tried again in a while, unless the log is closed.
    pub(super) fn failed(&self, milestone: Milestone, trouble: EngineError) {
        let mut lying = self.lock();
        lying.is_keeping = false;
        if !lying.is_stopping {
            lying.milestone = Some(milestone);
            lying.trouble = Some(trouble);
        }
        drop(lying);
        self.bell.notify_all();
    }

    /// What kept the last milestone from being kept is over: it is tried again at once.
    pub(super) fn retry(&self) {
        self.lock().trouble = None;
        self.bell.notify_all();
    }

    /// Nobody keeps any more, for this reason.
    pub(super) fn abandon(&self, reason: String) {
        self.lock().trouble = Some(EngineError::Unwritable { reason });
        self.bell.notify_all();
    }

    /// Waits until the keeper would take a milestone, or is in trouble; answers the trouble.
    pub(super) fn wait_until_free(&self) -> Option<EngineError> {
        let mut lying = self.lock();
        while lying.trouble.is_none() && (lying.milestone.is_some() || lying.is_keeping) {
            lying = self.bell.wait(lying).unwrap_or_else(PoisonError::into_inner);
        }
        lying.trouble.clone()
    }
}
