//! The budget of one operation under the lock, for events and names that it visits but does not return.
//!
//! Invariant: whatever the selection and the log are, an operation spends at most [`WORK_MAX`], plus what it returns.
//! Does not say what happens when the budget is used up: each caller decides that.

use crate::{Selection, StreamName};

/// Units of one operation: some milliseconds under the lock.
pub(in crate::state) const WORK_MAX: u64 = 65_536;
/// Events that one command drops, beyond those that its own publish pushes out.
pub(in crate::state) const DROPS_MAX: usize = 1_024;
/// Bytes of a name whose comparison costs about one unit.
const UNIT_BYTES: usize = 16;

/// The rest of a budget.
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

    /// Spends the cost of matching a name against each pattern of a selection.
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
