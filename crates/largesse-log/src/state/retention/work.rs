//! How much one step under the lock may look at without answering with it.
//!
//! Invariant: whatever the selection and the log are, a step spends at most [`WORK_MAX`] and what it returns.
//! Does not say what happens when the work is used up: each step says that itself.

use crate::{Selection, StreamName};

/// Units of one step: some milliseconds under the lock.
pub(in crate::state) const WORK_MAX: u64 = 65_536;
/// Events that one step drops, beyond what its own publish pushes out.
pub(in crate::state) const DROPS_MAX: usize = 1_024;
/// Bytes of a name that are compared for about the price of a unit.
const UNIT_BYTES: usize = 16;

/// What is left of it.
pub(in crate::state) struct Work {
    left: u64,
}

/// Whether there was enough left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::state) enum Spent {
    Enough,
    UsedUp,
}

impl Work {
    pub(in crate::state) fn new() -> Self {
        Self { left: WORK_MAX }
    }

    /// Spends a unit.
    pub(in crate::state) fn spend_one(&mut self) -> Spent {
        self.spend(1)
    }

    /// Spends what it takes to hold a name against each pattern of a selection.
    pub(in crate::state) fn spend_match(&mut self, selection: &Selection, name: &StreamName) -> Spent {
        let each = name.as_str().len() / UNIT_BYTES + 1;
        self.spend(1 + (selection.patterns().len() * each) as u64)
    }

    fn spend(&mut self, units: u64) -> Spent {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Spent::Enough
            }
            None => {
                self.left = 0;
                Spent::UsedUp
            }
        }
    }
}
