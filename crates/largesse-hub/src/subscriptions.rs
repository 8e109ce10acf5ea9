//! Fan-out: who is woken when a stream's tail moves.
//!
//! Each reader has one waker, subscribed to every name and pattern of its selection. A waker keeps one wake
//! until its reader waits, so a wake between a read and the wait is not lost, and a thousand of them count as one.
//!
//! Waking has two halves. A writer only marks what is dirty ([`Subscriptions::mark`]), at a cost that does not
//! grow with the readers. Then one of the waiting readers wakes the others ([`Subscription::woken`]), on its own
//! thread: this needs no task of ours, and where nobody waits, nobody has to be woken.
//!
//! Invariants:
//! - A mark of a stream reaches the readers of that name and of the patterns that match it, and no others.
//! - Nothing is kept for a name or pattern that no reader wants. The dirty list is at most twice as long as the list of
//!   subscribed names and patterns, or [`DIRTY_UNPRUNED_MAX`], whichever is more.
//! - Patterns take at most `segments_max` nodes in the index; patterns with a common beginning share them.
//! - Nobody is woken while a lock is held: readers come and go, and streams are marked, while a million are woken.
//!
//! Does not know positions, places or the log.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    ops::Bound::{Excluded, Unbounded},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use largesse_log::{Pattern, PatternSegment, Selection, StreamName};
use tokio::sync::Notify;

/// When this many are dirty, those whose readers have all gone are dropped.
const DIRTY_UNPRUNED_MAX: usize = 1024;
/// How many wakers are taken from an audience at once.
const WOKEN_AT_ONCE: usize = 64;

/// The index from streams to waiting readers.
#[derive(Debug)]
pub struct Subscriptions {
    index: Mutex<Index>,
    segments_max: usize,
    /// The audiences to wake, each once.
    dirty: Mutex<Dirty>,
    /// Asks one waiting reader to wake the others.
    has_dirty: Notify,
}

/// The audiences to wake.
#[derive(Debug, Default)]
struct Dirty {
    audiences: Vec<Arc<Audience>>,
    /// At this many, those without readers are dropped.
    prune_at: usize,
}

#[derive(Debug, Default)]
struct Index {
    names: HashMap<StreamName, Arc<Audience>>,
    patterns: Node,
    /// How many nodes there are below `patterns`; at most `segments_max`.
    nodes: usize,
}

/// The index has no room for more patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Patterns by segment. A node stands for the segments on the path to it.
#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    one: Option<Box<Node>>,
    /// Readers of the pattern that goes on with `**` here.
    rest: Option<Arc<Audience>>,
    /// Readers of the pattern that ends here.
    here: Option<Arc<Audience>>,
}

/// The readers of one name or pattern.
#[derive(Debug, Default)]
struct Audience {
    /// By their addresses, so that waking can go on after one.
    wakers: Mutex<BTreeMap<usize, Arc<Notify>>>,
    /// Whether it is on the dirty list.
    is_dirty: AtomicBool,
}

/// A reader's waker, subscribed to its selection until this is dropped.
#[derive(Debug)]
pub struct Subscription {
    subscriptions: Arc<Subscriptions>,
    selection: Selection,
    waker: Arc<Notify>,
}

impl Subscriptions {
    /// An index whose patterns take at most `segments_max` nodes.
    #[must_use]
    pub fn new(segments_max: usize) -> Arc<Self> {
        Arc::new(Self {
            index: Mutex::default(),
            segments_max,
            dirty: Mutex::default(),
            has_dirty: Notify::new(),
        })
    }

    /// Subscribes a waker to every name and pattern of `selection`.
    ///
    /// # Errors
    /// [`Full`], if the patterns may not fit; then it subscribes to nothing.
    pub fn subscribe(self: &Arc<Self>, selection: &Selection) -> Result<Subscription, Full> {
        let waker = Arc::new(Notify::new());
        let segments: usize = selection.patterns().iter().map(|pattern| pattern.segments().count()).sum();
        let mut index = self.index();
        if index.nodes + segments > self.segments_max {
            return Err(Full);
        }
        for name in selection.names() {
            index.names.entry(name.clone()).or_default().add(&waker);
        }
        for pattern in selection.patterns() {
            let Index { patterns, nodes, .. } = &mut *index;
            patterns.audience(pattern, nodes).add(&waker);
        }
        drop(index);
        Ok(Subscription { subscriptions: Arc::clone(self), selection: selection.clone(), waker })
    }

    /// Has the readers of `stream` woken soon. Costs finding who subscribed to it, not waking them.
    pub fn mark(&self, stream: &StreamName) {
        let mut audiences = Vec::new();
        {
            let index = self.index();
            audiences.extend(index.names.get(stream).cloned());
            index.patterns.collect(stream, &mut audiences);
        }
        // An audience that is dirty already will be woken for this too: it becomes clean before its first reader wakes.
        audiences.retain(|audience| !audience.is_dirty.swap(true, Ordering::AcqRel));
        if !audiences.is_empty() {
            self.dirty().add(audiences);
            self.has_dirty.notify_one();
        }
    }

    /// Wakes every dirty audience.
    fn wake_dirty(&self) {
        let dirty = mem::take(&mut self.dirty().audiences);
        for audience in dirty {
            audience.is_dirty.store(false, Ordering::Release);
            audience.wake();
        }
    }

    fn dirty(&self) -> MutexGuard<'_, Dirty> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many names and patterns have subscribers.
    #[must_use]
    pub fn subscribed(&self) -> usize {
        let index = self.index();
        index.names.len() + index.patterns.audiences()
    }

    /// Checks the index against the limit, and that nothing is left in it that no reader wants.
    ///
    /// # Panics
    /// When something does not hold, which is a bug.
    pub fn check_invariants(&self) {
        let index = self.index();
        assert!(index.nodes <= self.segments_max, "patterns take at most as many nodes as the limit");
        assert_eq!(index.nodes, index.patterns.check_below(), "nodes are counted");
        let has_readers = |audience: &Arc<Audience>| !audience.wakers().is_empty();
        assert!(index.names.values().all(has_readers), "each name has a reader");
    }

    /// A panic leaves nothing in here half done: each change is one insert or remove.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unsubscribe(&self, selection: &Selection, waker: &Arc<Notify>) {
        let mut index = self.index();
        for name in selection.names() {
            if index.names.get(name).is_some_and(|audience| audience.remove(waker) == Left::Nobody) {
                index.names.remove(name);
            }
        }
        for pattern in selection.patterns() {
            let segments: Vec<_> = pattern.segments().collect();
            let Index { patterns, nodes, .. } = &mut *index;
            patterns.remove(&segments, waker, nodes);
        }
    }
}

impl Subscription {
    /// Waits for the next wake; one that came since the last wait counts. This reader may be the one that wakes the
    /// others meanwhile.
    ///
    /// Cancellation: a wake taken by a dropped wait is kept for the next one, and so is the request to wake the
    /// others.
    pub async fn woken(&self) {
        let mut woken = pin!(self.waker.notified());
        loop {
            tokio::select! {
                biased;
                () = self.subscriptions.has_dirty.notified() => self.subscriptions.wake_dirty(),
                () = &mut woken => return,
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscriptions.unsubscribe(&self.selection, &self.waker);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Somebody,
    Nobody,
}

impl Dirty {
    fn add(&mut self, audiences: Vec<Arc<Audience>>) {
        self.audiences.extend(audiences);
        if self.audiences.len() >= self.prune_at.max(DIRTY_UNPRUNED_MAX) {
            self.audiences.retain(|audience| !audience.wakers().is_empty());
            self.prune_at = self.audiences.len() * 2;
        }
    }
}

impl Audience {
    fn add(&self, waker: &Arc<Notify>) {
        self.wakers().insert(key(waker), Arc::clone(waker));
    }

    fn remove(&self, waker: &Arc<Notify>) -> Left {
        let mut wakers = self.wakers();
        wakers.remove(&key(waker));
        if wakers.is_empty() { Left::Nobody } else { Left::Somebody }
    }

    /// Wakes all who are subscribed when their turn comes. Whoever subscribes meanwhile reads the log after that, and
    /// needs no wake for what is there.
    fn wake(&self) {
        let mut next = Vec::with_capacity(WOKEN_AT_ONCE);
        let mut from = Unbounded;
        loop {
            next.extend(
                self.wakers()
                    .range((from, Unbounded))
                    .take(WOKEN_AT_ONCE)
                    .map(|(_, waker)| Arc::clone(waker)),
            );
            let Some(last) = next.last() else { return };
            from = Excluded(key(last));
            next.drain(..).for_each(|waker: Arc<Notify>| waker.notify_one());
        }
    }

    fn wakers(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<Notify>>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waker is identified by its address, which is unique for as long as its subscription holds it.
fn key(waker: &Arc<Notify>) -> usize {
    Arc::as_ptr(waker).addr()
}

impl Node {
    fn audience(&mut self, pattern: &Pattern, nodes: &mut usize) -> &Audience {
        let mut node = self;
        for segment in pattern.segments() {
            let mut made = || {
                *nodes += 1;
                Self::default()
            };
            node = match segment {
                PatternSegment::Literal(text) => node.literals.entry(text.into()).or_insert_with(made),
                PatternSegment::One => node.one.get_or_insert_with(|| Box::new(made())),
                PatternSegment::Rest => return node.rest.get_or_insert_default(),
            };
        }
        node.here.get_or_insert_default()
    }

    /// Visits all branches that match, segment by segment, with a frontier instead of recursion.
    fn collect(&self, stream: &StreamName, audiences: &mut Vec<Arc<Audience>>) {
        let mut frontier = vec![self];
        for segment in stream.segments() {
            let mut next = Vec::new();
            for node in frontier {
                audiences.extend(node.rest.clone());
                next.extend(node.literals.get(segment));
                next.extend(node.one.as_deref());
            }
            frontier = next;
        }
        for node in frontier {
            audiences.extend(node.here.clone());
        }
    }

    /// Removes the waker, and the branches that nobody needs any more with it. Recurses as deep as a pattern has
    /// segments, at most half its bytes.
    fn remove(&mut self, segments: &[PatternSegment<'_>], waker: &Arc<Notify>, nodes: &mut usize) {
        let off = |audience: &mut Option<Arc<Audience>>| {
            if audience.as_ref().is_some_and(|audience| audience.remove(waker) == Left::Nobody) {
                *audience = None;
            }
        };
        let Some((first, others)) = segments.split_first() else { return off(&mut self.here) };
        match first {
            PatternSegment::Rest => off(&mut self.rest),
            PatternSegment::One => {
                if let Some(node) = &mut self.one {
                    node.remove(others, waker, nodes);
                    if self.one.take_if(|node| node.is_bare()).is_some() {
                        *nodes -= 1;
                    }
                }
            }
            PatternSegment::Literal(text) => {
                if let Some(node) = self.literals.get_mut(*text) {
                    node.remove(others, waker, nodes);
                    if node.is_bare() {
                        self.literals.remove(*text);
                        *nodes -= 1;
                    }
                }
            }
        }
    }

    /// Checks that each node below is there for somebody, and counts them.
    fn check_below(&self) -> usize {
        let here = [&self.rest, &self.here].into_iter().flatten();
        assert!(here.into_iter().all(|audience| !audience.wakers().is_empty()), "each pattern has a reader");
        let below = || self.literals.values().chain(self.one.as_deref());
        assert!(below().all(|node| !node.is_bare()), "each node is on the way to a reader");
        below().map(|node| 1 + node.check_below()).sum()
    }

    fn is_bare(&self) -> bool {
        self.literals.is_empty() && self.one.is_none() && self.rest.is_none() && self.here.is_none()
    }

    fn audiences(&self) -> usize {
        let own = usize::from(self.rest.is_some()) + usize::from(self.here.is_some());
        let below = self.literals.values().chain(self.one.as_deref()).map(Self::audiences);
        own + below.sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
