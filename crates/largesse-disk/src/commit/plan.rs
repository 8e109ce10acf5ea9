//! Which of the steps that wait can be written together.
//!
//! A group is judged as a whole before it is written, against the state before it. So steps whose answers
//! depend on each other are not in one group: the later one is held for the next.
//!
//! Invariants: steps on one stream stay in their order; a group is never empty when there is a step. Does not
//! know positions.

use std::collections::HashMap;

use largesse_log::{IdempotencyKey, StreamName, Touch};

use crate::commit::request::{Request, Requests};

/// Parts the requests that wait into those that go together and those that are held, both in their order.
pub(crate) fn partition(requests: Requests) -> (Requests, Requests) {
    if requests.iter().all(|request| request.command.is_plain()) {
        return (requests, Vec::new());
    }
    let admitted: Vec<bool> = {
        let mut touched = Touched::default();
        requests.iter().map(|request| touched.admits(request)).collect()
    };
    let mut admitted = admitted.into_iter();
    requests.into_iter().partition(|_| admitted.next().unwrap_or_default())
}

/// What the steps of a group, and those held, touch.
#[derive(Default)]
struct Touched<'a> {
    streams: HashMap<&'a StreamName, Manner>,
    keys: std::collections::HashSet<(&'a StreamName, &'a IdempotencyKey)>,
}

/// How a stream is touched so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// By commands of the group.
    Group(Touch),
    /// By a command that is held: all later ones are, too.
    Deferred,
}

impl<'a> Touched<'a> {
    /// Whether a step goes into the group, after those that were asked about before.
    fn admits(&mut self, request: &'a Request) -> bool {
        let Some((stream, key, touch)) = request.command.touch() else { return true };
        let earlier = self.streams.get(stream).copied();
        let is_alone = match (earlier, touch) {
            (None, _) | (Some(Manner::Group(Touch::Shared)), Touch::Shared) => false,
            (Some(_), _) => true,
        };
        let is_known_key = key.is_some_and(|key| !self.keys.insert((stream, key)));
        let is_deferred = is_alone || is_known_key;
        let now = if is_deferred { Manner::Deferred } else { Manner::Group(touch) };
        self.streams.insert(stream, now);
        !is_deferred
    }
}
