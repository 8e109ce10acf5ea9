//! Which of the steps that wait can be written together.
//!
//! A group is judged as a whole before it is written, against the state before it. So steps whose answers
//! depend on each other are not in one group: the later one is held for the next.
//!
//! Invariants: steps on one stream stay in their order; a group is never empty when there is a step. Does not
//! know positions.

use std::collections::HashMap;

use largesse_log::{IdempotencyKey, Once, StreamName, Then};

use crate::step::{Ask, Asks, What};

/// Parts the steps that wait into those that go together and those that are held, both in their order.
pub(crate) fn part(asks: Asks) -> (Asks, Asks) {
    if asks.iter().all(|ask| is_plain(ask)) {
        return (asks, Vec::new());
    }
    let admitted: Vec<bool> = {
        let mut touched = Touched::default();
        asks.iter().map(|ask| touched.admits(ask)).collect()
    };
    let mut admitted = admitted.into_iter();
    asks.into_iter().partition(|_| admitted.next().unwrap_or_default())
}

/// Whether no other plain step depends on it: most are.
fn is_plain(ask: &Ask) -> bool {
    matches!(&ask.what, What::Append { append, .. } if append.once == Once::Unkeyed && append.then == Then::StayOpen)
}

/// What the steps of a group, and those held, touch.
#[derive(Default)]
struct Touched<'a> {
    streams: HashMap<&'a StreamName, Manner>,
    keys: std::collections::HashSet<(&'a StreamName, &'a IdempotencyKey)>,
}

/// How a stream is touched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// By publishes that leave it open: any number of them go together, in their order.
    Shared,
    /// By a step that others on the stream may depend on.
    Alone,
    /// By a step that is held: all later ones are, too.
    Held,
}

impl<'a> Touched<'a> {
    /// Whether a step goes into the group, after those that were asked about before.
    fn admits(&mut self, ask: &'a Ask) -> bool {
        let Some((stream, key, manner)) = touch(ask) else { return true };
        let earlier = self.streams.get(stream).copied();
        let is_alone = match (earlier, manner) {
            (None, _) | (Some(Manner::Shared), Manner::Shared) => false,
            (Some(_), _) => true,
        };
        let is_known_key = key.is_some_and(|key| !self.keys.insert((stream, key)));
        let is_held = is_alone || is_known_key;
        let now = if is_held { Manner::Held } else { manner };
        self.streams.insert(stream, now);
        !is_held
    }
}

/// Which stream a step touches, and how. A sweep takes away only what is due; nobody waits for it to stay.
fn touch(ask: &Ask) -> Option<(&StreamName, Option<&IdempotencyKey>, Manner)> {
    match &ask.what {
        What::Append { append, .. } => {
            let manner = if append.then == Then::Close { Manner::Alone } else { Manner::Shared };
            let key = match &append.once {
                Once::Unkeyed => None,
                Once::Whole { key, .. } => Some(key),
                Once::Block { claim, .. } => Some(&claim.key),
            };
            Some((&append.stream, key, manner))
        }
        What::Claim { stream, key, .. } => Some((stream, Some(key), Manner::Shared)),
        What::Put { stream, .. } | What::Delete { stream, .. } | What::Damage { stream, .. } => {
            Some((stream, None, Manner::Alone))
        }
        What::Sweep { .. } => None,
    }
}
