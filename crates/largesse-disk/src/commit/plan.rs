//! Chooses which waiting commands can share a group.
//!
//! A group is checked as a whole before it is written, against the state before it. So commands whose replies
//! depend on each other don't share a group: the later one is deferred to the next.
//!
//! Invariants: commands on one stream keep their order; a group is never empty if a command waits. Does not know
//! positions.

use std::collections::HashMap;

use largesse_log::{IdempotencyKey, StreamName, Touch};

use crate::commit::request::{Request, Requests};

/// Splits waiting requests into those of the group and the deferred ones, both in order.
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

/// The streams and keys that the group's commands, and the deferred ones, touch.
#[derive(Default)]
struct Touched<'a> {
    streams: HashMap<&'a StreamName, Manner>,
    keys: std::collections::HashSet<(&'a StreamName, &'a IdempotencyKey)>,
}

/// How a stream is touched so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// By commands in the group.
    Group(Touch),
    /// By a deferred command: all later ones are deferred, too.
    Deferred,
}

impl<'a> Touched<'a> {
    /// Whether a command can join the group, after those that were passed before.
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
