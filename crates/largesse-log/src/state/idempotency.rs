//! What was published under which idempotency key.
//!
//! Invariants: both indexes have the same keys; there are at most `keys_max`; an expired key counts as
//! forgotten. Does not append.

pub(super) mod block;

use std::{collections::HashMap, sync::Arc, time::Duration};

use imbl::OrdMap;

use crate::state::idempotency::block::Blocks;
use crate::{Appended, Digest, IdempotencyKey, StreamName, UnixMs};

/// A key belongs to one stream.
pub(in crate::state) type KeyName = (StreamName, IdempotencyKey);

/// What a key was used for.
#[derive(Clone)]
pub(in crate::state) enum Use {
    /// One whole publish.
    Whole {
        digest: Digest,
        /// The first answer, which every repeat gets.
        answer: Appended,
    },
    /// A long publish, block by block.
    Blocks(Blocks),
}

/// A key's place in the order of expiry: its time, and a number that distinguishes equal times.
pub(in crate::state) type Due = (UnixMs, u64);

/// A key that was used, and for what.
pub(in crate::state) struct Used {
    pub(in crate::state) key: KeyName,
    pub(in crate::state) what: Use,
}

/// All keys of the log.
pub(in crate::state) struct Keys {
    by_name: HashMap<KeyName, Due>,
    /// A persistent map, so that a checkpoint can copy it at once.
    pub(in crate::state) by_due: OrdMap<Due, Arc<Used>>,
    keys_max: usize,
    ttl: Duration,
    pub(in crate::state) numbered: u64,
}

impl Keys {
    pub(in crate::state) fn new(keys_max: usize, ttl: Duration) -> Self {
        let (by_name, by_due) = (HashMap::new(), OrdMap::new());
        Self { by_name, by_due, keys_max: keys_max.max(1), ttl, numbered: 0 }
    }

    /// Sets the limits, from the next key on.
    pub(in crate::state) fn limit(&mut self, keys_max: usize, ttl: Duration) {
        (self.keys_max, self.ttl) = (keys_max.max(1), ttl);
    }

    /// A unique number: claims on a key that was forgotten in between stay distinct.
    pub(in crate::state) fn next_number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// What `key` was used for, unless it has expired.
    pub(in crate::state) fn find(&self, now: UnixMs, key: &KeyName) -> Option<&Use> {
        let due = self.by_name.get(key).filter(|(due, _)| *due > now)?;
        self.by_due.get(due).map(|used| &used.what)
    }

    /// Records the use of a key, and restarts its time to live.
    pub(in crate::state) fn keep(&mut self, now: UnixMs, key: KeyName, what: Use) {
        if let Some(due) = self.by_name.remove(&key) {
            self.by_due.remove(&due);
        }
        while self.by_name.len() >= self.keys_max && self.forget_first() {}
        let due = (now.saturating_add(self.ttl), self.next_number());
        self.restore(due, key, what);
    }

    /// Restores the use of a key as it was saved.
    pub(in crate::state) fn restore(&mut self, due: Due, key: KeyName, what: Use) {
        self.by_name.insert(key.clone(), due);
        self.by_due.insert(due, Arc::new(Used { key, what }));
    }

    pub(in crate::state) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Compares the indexes.
    pub(in crate::state) fn check_invariants(&self) {
        assert_eq!(self.by_name.len(), self.by_due.len());
        let is_indexed =
            |(name, due): (&KeyName, &Due)| self.by_due.get(due).is_some_and(|used| used.key == *name);
        assert!(self.by_name.iter().all(is_indexed), "each key is indexed by its time");
    }

    /// Whether a key has expired.
    pub(in crate::state) fn has_due(&self, now: UnixMs) -> bool {
        self.by_due.get_min().is_some_and(|((due, _), _)| *due <= now)
    }

    /// Forgets the key that expires first. Returns whether there was one.
    pub(in crate::state) fn forget_first(&mut self) -> bool {
        let Some((due, used)) = self.by_due.get_min().cloned() else { return false };
        self.by_due.remove(&due);
        self.by_name.remove(&used.key).is_some()
    }
}
