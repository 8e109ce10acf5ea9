//! Something on a disk: its current state, its durable state, and the changes between the two.
//!
//! Invariant: `safe` with all `changes` applied in order is `now`. Does not know what is changed.

use fastrand::Rng;

/// One change of an `On`.
pub(super) trait Change {
    /// What it changes.
    type On: Clone;

    /// Applies it.
    fn make(&self, on: &mut Self::On);

    /// Applies a part of it, as after a power cut: anything from nothing to all.
    fn make_partly(&self, on: &mut Self::On, rng: &mut Rng);
}

/// What the disk did with unsynced changes before the power cut. Each seed picks one, so that the simple outcomes
/// occur however many changes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteBack {
    /// It wrote all.
    Eager,
    /// It wrote nothing.
    Lazy,
    /// It wrote the first few, one of them in part.
    InOrder,
    /// It wrote some, in any order.
    Unordered,
}

impl WriteBack {
    pub(super) fn any(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0 => Self::Eager,
            1 => Self::Lazy,
            2..=4 => Self::InOrder,
            _ => Self::Unordered,
        }
    }
}

/// Whether a change survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Perhaps: it is not synced yet.
    Unsynced,
    /// Perhaps, forever: its sync failed, and later syncs skip it.
    Doubtful,
    /// Yes, but an earlier one may not.
    Safe,
}

/// Something on a disk.
#[derive(Clone, Debug)]
pub(super) struct Layers<C: Change> {
    now: C::On,
    safe: C::On,
    /// The first one is not durable.
    changes: Vec<(C, Trust)>,
}

impl<C: Change> Layers<C> {
    /// All of it is durable.
    pub(super) fn safe(found: C::On) -> Self {
        Self { now: found.clone(), safe: found, changes: Vec::new() }
    }

    pub(super) fn now(&self) -> &C::On {
        &self.now
    }

    pub(super) fn change(&mut self, change: C) {
        change.make(&mut self.now);
        self.changes.push((change, Trust::Unsynced));
    }

    /// A successful sync: what is unsynced becomes durable, except what a failed sync left behind.
    pub(super) fn sync(&mut self) {
        self.trust_unsynced(Trust::Safe);
        let unsafe_from = self.changes.iter().position(|(_, trust)| *trust != Trust::Safe);
        for (change, _) in self.changes.drain(..unsafe_from.unwrap_or(self.changes.len())) {
            change.make(&mut self.safe);
        }
    }

    /// A failed sync.
    pub(super) fn fail_sync(&mut self) {
        self.trust_unsynced(Trust::Doubtful);
    }

    fn trust_unsynced(&mut self, with: Trust) {
        let unsynced = self.changes.iter_mut().filter(|(_, trust)| *trust == Trust::Unsynced);
        unsynced.for_each(|(_, trust)| *trust = with);
    }

    /// Changes it in all layers, as if it had always been so: damage can't be lost in a power cut.
    pub(super) fn damage(&mut self, on: impl Fn(&mut C::On), change: impl Fn(&mut C)) {
        on(&mut self.now);
        on(&mut self.safe);
        self.changes.iter_mut().for_each(|(each, _)| change(each));
    }

    /// The state after a power cut.
    pub(super) fn after_power_cut(&self, write_back: WriteBack, rng: &mut Rng) -> C::On {
        let unsafe_count = self.changes.iter().filter(|(_, trust)| *trust != Trust::Safe).count();
        let mut left = match write_back {
            WriteBack::Eager => usize::MAX,
            WriteBack::Lazy => 0,
            WriteBack::InOrder | WriteBack::Unordered => rng.usize(..=unsafe_count),
        };
        let mut found = self.safe.clone();
        for (change, trust) in &self.changes {
            if *trust == Trust::Safe {
                change.make(&mut found);
                continue;
            }
            match (write_back, left) {
                (WriteBack::Unordered, _) | (WriteBack::InOrder, 1) => change.make_partly(&mut found, rng),
                (_, 0) => {}
                _ => change.make(&mut found),
            }
            left = left.saturating_sub(1);
        }
        found
    }
}
