//! What happened in a run: a hash of all of it, and its last lines for whoever looks at a failure.

use std::{
    cell::RefCell,
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

/// How many lines a failure shows.
const LINES_SHOWN: usize = 60;

#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Rc<RefCell<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    /// Its keys are fixed, so the hash is the same in every process.
    hasher: DefaultHasher,
    last: VecDeque<String>,
}

impl Trace {
    pub(crate) fn line(&self, line: String) {
        let mut lines = self.0.borrow_mut();
        line.hash(&mut lines.hasher);
        if lines.last.len() == LINES_SHOWN {
            lines.last.pop_front();
        }
        lines.last.push_back(line);
    }

    /// The same for the same lines.
    pub(crate) fn hash(&self) -> u64 {
        self.0.borrow().hasher.finish()
    }

    pub(crate) fn last_lines(&self) -> String {
        self.0.borrow().last.iter().map(|line| format!("  {line}\n")).collect()
    }
}
