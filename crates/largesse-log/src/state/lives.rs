//! The streams that exist, by name.
//!
//! Invariants: both indexes have the same names. Lookup by name is the most frequent operation of commands, so it
//! is by hash; a second index has the names in order. The map is persistent and copied at once, so that a checkpoint
//! can be written while the log goes on. Does not know what a life is.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use imbl::HashMap;

use super::life::Life;
use crate::StreamName;

/// All lives of existing streams.
#[derive(Default)]
pub(super) struct Lives {
    by_name: HashMap<StreamName, Arc<Life>>,
    names: BTreeSet<StreamName>,
}

impl Lives {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn contains(&self, name: &StreamName) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn get(&self, name: &StreamName) -> Option<&Life> {
        self.by_name.get(name).map(|life| &**life)
    }

    pub(super) fn life_mut(&mut self, name: &StreamName) -> Option<&mut Life> {
        self.by_name.get_mut(name).map(Arc::make_mut)
    }

    /// A life, and its name as stored here, so that all users of the name share one text.
    pub(super) fn kept(&self, name: &StreamName) -> Option<(&StreamName, &Life)> {
        self.by_name.get_key_value(name).map(|(name, life)| (name, &**life))
    }

    pub(super) fn insert(&mut self, name: &StreamName, life: Life) {
        self.names.insert(name.clone());
        self.by_name.insert(name.clone(), Arc::new(life));
    }

    pub(super) fn remove(&mut self, name: &StreamName) -> Option<(StreamName, Life)> {
        let (name, life) = self.by_name.remove_with_key(name)?;
        self.names.remove(&name);
        Some((name, Arc::unwrap_or_clone(life)))
    }

    /// The names in order, from a bound on.
    pub(super) fn names_from<'a>(&'a self, from: Bound<&'a str>) -> impl Iterator<Item = &'a StreamName> {
        self.names.range::<str, _>((from, Bound::Unbounded))
    }

    /// The lives in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&StreamName, &Life)> {
        self.names.iter().map(|name| (name, &*self.by_name[name]))
    }

    /// The lives as they are now, in no order.
    pub(super) fn copied(&self) -> HashMap<StreamName, Arc<Life>> {
        self.by_name.clone()
    }
}
