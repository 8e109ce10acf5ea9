//! Making, configuring, deleting and looking at streams.
//!
//! Invariant: a stream that is looked at is not made. Does not read events.

use std::{
    num::NonZeroUsize,
    ops::Bound::{Excluded, Unbounded},
};

use super::{Stepped, log::MemoryLog};
use crate::{AppendError, Deleted, EndReason, Made, Put, PutAnswer, StreamName, StreamState, UnixMs};

impl MemoryLog {
    pub(super) fn put(
        &mut self,
        now: UnixMs,
        stream: &StreamName,
        put: &Put,
    ) -> Result<PutAnswer, AppendError> {
        let defaults = self.limits.defaults;
        let made = match self.lives.get_mut(stream) {
            Some(life) => {
                life.settings = life.settings.patched(&put.settings, &defaults);
                Made::Before
            }
            None => {
                self.check_fits(stream, 0)?;
                let start = self.take_position();
                self.make(stream, start, now, defaults.patched(&put.settings, &defaults));
                Made::Now
            }
        };
        self.trim_stream(stream, now, 0);
        self.trim_log();
        self.schedule(stream);
        let state = self.lives[stream].state(stream);
        Ok(PutAnswer { made, settings: state.settings, state })
    }

    pub(super) fn delete(&mut self, stream: &StreamName) -> Stepped<Option<Deleted>> {
        if !self.lives.contains_key(stream) {
            return Stepped { answer: None, ring: None };
        }
        let position = self.take_position();
        self.retire(stream, position, EndReason::Deleted, position);
        Stepped { answer: Some(Deleted { position }), ring: Some(position) }
    }

    pub(super) fn state(&self, stream: &StreamName) -> Option<StreamState> {
        self.lives.get(stream).map(|life| life.state(stream))
    }

    pub(super) fn list(&self, after: Option<&StreamName>, states_max: NonZeroUsize) -> Vec<StreamState> {
        let from = after.map_or(Unbounded, Excluded);
        let streams = self.lives.range::<StreamName, _>((from, Unbounded));
        streams.take(states_max.get()).map(|(name, life)| life.state(name)).collect()
    }
}
