//! The memory that all bodies in flight share: those that are read as a whole, and unfinished blocks.
//!
//! Invariant: `taken` is the sum of all live [`Share`]s, and `taken <= bytes_max`. Does not know requests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The budget of all bodies, in bytes.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    bytes_max: usize,
    taken: AtomicUsize,
}

/// What one body has taken. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<BodyBudget>,
    bytes: usize,
}

/// The budget has no room for these bytes now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl BodyBudget {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, taken: AtomicUsize::new(0) })
    }

    /// A share with nothing in it yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Share {
    /// Takes more, all or nothing.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        let bytes_max = self.budget.bytes_max;
        let add = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= bytes_max);
        let added = self.budget.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.map_err(|_| Full)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes more, all or nothing, or gives back, so that this share is `bytes`.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Full> {
        if bytes >= self.bytes {
            return self.take(bytes - self.bytes);
        }
        let left_over = self.bytes - bytes;
        self.bytes = bytes;
        let before = self.budget.taken.fetch_sub(left_over, Ordering::Relaxed);
        debug_assert!(before >= left_over, "what is given back was taken");
        Ok(())
    }

    /// Gives back all that was taken.
    pub(crate) fn give_back(&mut self) {
        // Shrinking never fails.
        let _ = self.hold(0);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_together_stay_within_the_limit() {
        let budget = BodyBudget::new(10);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert_eq!((one.take(6), two.take(4)), (Ok(()), Ok(())));
        assert_eq!((one.take(1), two.take(usize::MAX), two.take(0)), (Err(Full), Err(Full), Ok(())));
        drop(one);
        assert_eq!((two.take(6), two.take(1)), (Ok(()), Err(Full)));
        two.give_back();
        assert_eq!((two.take(10), budget.share().take(1)), (Ok(()), Err(Full)));
    }

    #[test]
    fn a_share_grows_and_shrinks_to_what_is_held() {
        let budget = BodyBudget::new(10);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert_eq!((one.hold(8), one.hold(3), two.hold(7)), (Ok(()), Ok(()), Ok(())));
        assert_eq!((one.hold(4), one.hold(3), two.hold(8)), (Err(Full), Ok(()), Err(Full)));
        drop((one, two));
        assert_eq!((budget.share().hold(11), budget.share().hold(10)), (Err(Full), Ok(())));
    }
}
