//! What was published under which idempotency key.
//!
//! Invariants: both indexes have the same keys; there are at most `keys_max`; a key past its time is as good
//! as forgotten. Does not append.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::block::Blocks;
use crate::{Appended, Digest, IdempotencyKey, StreamName, UnixMs};

/// A key counts on its stream only.
pub(super) type KeyName = (StreamName, IdempotencyKey);

/// What a key was used for.
pub(super) enum Use {
    /// One whole publish.
    Whole {
        digest: Digest,
        /// The first answer, which every repeat gets.
        answer: Appended,
    },
    /// A long publish, block by block.
    Blocks(Blocks),
}

/// A key's place in the order of forgetting: its time, and a number that tells equal times apart.
type Due = (UnixMs, u64);

/// All keys of the log.
pub(super) struct Keys {
    uses: HashMap<KeyName, (Due, Use)>,
    by_due: BTreeMap<Due, KeyName>,
    keys_max: usize,
    ttl: Duration,
    numbered: u64,
}

impl Keys {
    pub(super) fn new(keys_max: usize, ttl: Duration) -> Self {
        let keys_max = keys_max.max(1);
        Self { uses: HashMap::new(), by_due: BTreeMap::new(), keys_max, ttl, numbered: 0 }
    }

    /// A number that no other call answers: claims on a key that was forgotten in between stay apart.
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// What `key` was used for, unless it is past its time.
    pub(super) fn find(&mut self, now: UnixMs, key: &KeyName) -> Option<&mut Use> {
        let ((due, _), found) = self.uses.get_mut(key)?;
        (*due > now).then_some(found)
    }

    /// Keeps what a key was used for, from now on for its whole time.
    pub(super) fn keep(&mut self, now: UnixMs, key: KeyName, what: Use) {
        self.remove(&key);
        while self.uses.len() >= self.keys_max && self.forget_first() {}
        let due = (now.saturating_add(self.ttl), self.next_number());
        self.by_due.insert(due, key.clone());
        self.uses.insert(key, (due, what));
    }

    /// Takes a key out, to be kept again after a change.
    pub(super) fn remove(&mut self, key: &KeyName) -> Option<Use> {
        let (due, what) = self.uses.remove(key)?;
        self.by_due.remove(&due);
        Some(what)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.uses.len(), self.by_due.len());
        self.uses.len()
    }

    /// Whether a key is past its time.
    pub(super) fn has_due(&self, now: UnixMs) -> bool {
        self.by_due.first_key_value().is_some_and(|((due, _), _)| *due <= now)
    }

    /// Forgets the key that is due first. Answers whether there was one.
    pub(super) fn forget_first(&mut self) -> bool {
        match self.by_due.pop_first() {
            Some((_, key)) => self.uses.remove(&key).is_some(),
            None => false,
        }
    }
}
