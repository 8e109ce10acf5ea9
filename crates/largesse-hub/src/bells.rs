//! Who is woken when a stream's tail moves.
//!
//! Each reader has one waker, hung under every name and pattern of its selection. A waker keeps one ring
//! until it is waited for, so a ring between a read and the wait is not lost, and a thousand rings wake once.
//!
//! Invariants:
//! - A ring for a stream reaches the readers of that name and of the patterns that match it, and no others.
//! - Nothing is kept for a name or pattern that no reader asks for.
//! - Patterns take at most `segments_max` places in the index; patterns with a common beginning share it.
//! - No ring while the index is locked: readers may come and go during a long round.
//!
//! Does not know positions, places or the log.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use largesse_log::{Pattern, PatternSegment, Selection, StreamName};
use tokio::sync::Notify;

/// The index from streams to waiting readers.
#[derive(Debug)]
pub struct Bells {
    index: Mutex<Index>,
    segments_max: usize,
}

#[derive(Debug, Default)]
struct Index {
    names: HashMap<StreamName, Arc<Bell>>,
    patterns: Node,
    /// How many nodes there are below `patterns`; at most `segments_max`.
    nodes: usize,
}

/// The index has no room for more patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Patterns by segment. A node stands for the segments on the way to it.
#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    one: Option<Box<Node>>,
    /// Readers of the pattern that goes on with `**` here.
    rest: Option<Arc<Bell>>,
    /// Readers of the pattern that ends here.
    here: Option<Arc<Bell>>,
}

/// The readers of one name or pattern.
#[derive(Debug, Default)]
struct Bell {
    wakers: Mutex<HashMap<usize, Arc<Notify>>>,
}

/// A reader's waker, hung under its selection until this is dropped.
#[derive(Debug)]
pub struct Registration {
    bells: Arc<Bells>,
    selection: Selection,
    waker: Arc<Notify>,
}

impl Bells {
    /// An index whose patterns take at most `segments_max` places.
    #[must_use]
    pub fn new(segments_max: usize) -> Arc<Self> {
        Arc::new(Self { index: Mutex::default(), segments_max })
    }

    /// Hangs a waker under every name and pattern of `selection`.
    ///
    /// # Errors
    /// [`Full`], when the patterns might not fit; then nothing is hung.
    pub fn register(self: &Arc<Self>, selection: &Selection) -> Result<Registration, Full> {
        let waker = Arc::new(Notify::new());
        let segments: usize = selection.patterns().iter().map(|pattern| pattern.segments().count()).sum();
        let mut index = self.index();
        if index.nodes + segments > self.segments_max {
            return Err(Full);
        }
        for name in selection.names() {
            index.names.entry(name.clone()).or_default().hang(&waker);
        }
        for pattern in selection.patterns() {
            let Index { patterns, nodes, .. } = &mut *index;
            patterns.bell(pattern, nodes).hang(&waker);
        }
        drop(index);
        Ok(Registration { bells: Arc::clone(self), selection: selection.clone(), waker })
    }

    /// Wakes the readers of `stream`.
    pub fn ring(&self, stream: &StreamName) {
        let mut bells = Vec::new();
        {
            let index = self.index();
            bells.extend(index.names.get(stream).cloned());
            index.patterns.collect(stream, &mut bells);
        }
        for bell in bells {
            bell.ring();
        }
    }

    /// How many names and patterns are waited for.
    #[must_use]
    pub fn waited_for(&self) -> usize {
        let index = self.index();
        index.names.len() + index.patterns.bells()
    }

    /// Nothing in here is left half done by a panic: each change is one insert or remove.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unregister(&self, selection: &Selection, waker: &Arc<Notify>) {
        let mut index = self.index();
        for name in selection.names() {
            if index.names.get(name).is_some_and(|bell| bell.unhang(waker) == Left::Nobody) {
                index.names.remove(name);
            }
        }
        for pattern in selection.patterns() {
            let segments: Vec<_> = pattern.segments().collect();
            let Index { patterns, nodes, .. } = &mut *index;
            patterns.unhang(&segments, waker, nodes);
        }
    }
}

impl Registration {
    /// Waits for the next ring; one that came since the last wait counts.
    ///
    /// Cancellation: a ring that was taken by a dropped wait is kept for the next.
    pub async fn rung(&self) {
        self.waker.notified().await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.bells.unregister(&self.selection, &self.waker);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Somebody,
    Nobody,
}

impl Bell {
    fn hang(&self, waker: &Arc<Notify>) {
        self.wakers().insert(key(waker), Arc::clone(waker));
    }

    fn unhang(&self, waker: &Arc<Notify>) -> Left {
        let mut wakers = self.wakers();
        wakers.remove(&key(waker));
        if wakers.is_empty() { Left::Nobody } else { Left::Somebody }
    }

    fn ring(&self) {
        for waker in self.wakers().values() {
            waker.notify_one();
        }
    }

    fn wakers(&self) -> MutexGuard<'_, HashMap<usize, Arc<Notify>>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waker is known by its address, which is its own for as long as the registration holds it.
fn key(waker: &Arc<Notify>) -> usize {
    Arc::as_ptr(waker).addr()
}

impl Node {
    fn bell(&mut self, pattern: &Pattern, nodes: &mut usize) -> &Bell {
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

    /// Walks all branches that match, segment by segment, with a frontier instead of recursion.
    fn collect(&self, stream: &StreamName, bells: &mut Vec<Arc<Bell>>) {
        let mut frontier = vec![self];
        for segment in stream.segments() {
            let mut next = Vec::new();
            for node in frontier {
                bells.extend(node.rest.clone());
                next.extend(node.literals.get(segment));
                next.extend(node.one.as_deref());
            }
            frontier = next;
        }
        for node in frontier {
            bells.extend(node.here.clone());
        }
    }

    /// Takes the waker off, and the branches that nobody needs any more with it. As deep as a pattern has
    /// segments, at most half its bytes.
    fn unhang(&mut self, segments: &[PatternSegment<'_>], waker: &Arc<Notify>, nodes: &mut usize) {
        let off = |bell: &mut Option<Arc<Bell>>| {
            if bell.as_ref().is_some_and(|bell| bell.unhang(waker) == Left::Nobody) {
                *bell = None;
            }
        };
        let Some((first, others)) = segments.split_first() else { return off(&mut self.here) };
        match first {
            PatternSegment::Rest => off(&mut self.rest),
            PatternSegment::One => {
                if let Some(node) = &mut self.one {
                    node.unhang(others, waker, nodes);
                    if self.one.take_if(|node| node.is_bare()).is_some() {
                        *nodes -= 1;
                    }
                }
            }
            PatternSegment::Literal(text) => {
                if let Some(node) = self.literals.get_mut(*text) {
                    node.unhang(others, waker, nodes);
                    if node.is_bare() {
                        self.literals.remove(*text);
                        *nodes -= 1;
                    }
                }
            }
        }
    }

    fn is_bare(&self) -> bool {
        self.literals.is_empty() && self.one.is_none() && self.rest.is_none() && self.here.is_none()
    }

    fn bells(&self) -> usize {
        let own = usize::from(self.rest.is_some()) + usize::from(self.here.is_some());
        let below = self.literals.values().chain(self.one.as_deref()).map(Self::bells);
        own + below.sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
