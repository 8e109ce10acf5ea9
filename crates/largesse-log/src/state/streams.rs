//! Making, configuring, deleting and looking at streams.
//!
//! Invariant: a stream that is looked at is not made. Does not read events.

use std::{
    num::NonZeroUsize,
    ops::Bound::{Excluded, Unbounded},
};

use super::{Stepped, log::LogState, stamp::Stamp};
use crate::{AppendError, Deleted, EndReason, Made, Put, PutAnswer, StreamName, StreamState};

impl LogState {
    /// Makes or configures a stream. Takes no position beyond [`Stamp::end`].
    ///
    /// # Errors
    /// When there are too many streams.
    pub(super) fn put(
        &mut self,
        stamp: Stamp,
        stream: &StreamName,
        put: &Put,
    ) -> Result<PutAnswer, AppendError> {
        let now = stamp.now;
        let defaults = self.limits.defaults;
        let made = match self.life_mut(stream) {
            Some(life) => {
                life.settings = life.settings.patched(&put.settings, &defaults);
                self.begin(stamp);
                Made::Before
            }
            None => {
                self.check_fits(stream, None, 0)?;
                self.begin(stamp);
                let start = self.take_position();
                self.make(stream, start, now, defaults.patched(&put.settings, &defaults));
                Made::Now
            }
        };
        self.trim_stream(stream, stamp, 0);
        self.trim_log();
        self.schedule(stream);
        let state = self.lives.get(stream).expect("it is there, or was just made").state(stream);
        Ok(PutAnswer { made, settings: state.settings, state })
    }

    /// Removes a stream and its events. Takes no position beyond [`Stamp::end`].
    pub(super) fn delete(&mut self, stamp: Stamp, stream: &StreamName) -> Stepped<Option<Deleted>> {
        if !self.lives.contains(stream) {
            return Stepped { answer: None, ring: None, life: None };
        }
        self.begin(stamp);
        let position = self.take_position();
        self.retire(stream, position, EndReason::Deleted, position);
        Stepped { answer: Some(Deleted { position }), ring: Some(position), life: None }
    }

    /// A stream's state.
    #[must_use]
    pub fn state(&self, stream: &StreamName) -> Option<StreamState> {
        self.lives.get(stream).map(|life| life.state(stream))
    }

    /// Streams by name, those after `after`.
    #[must_use]
    pub fn list(&self, after: Option<&StreamName>, states_max: NonZeroUsize) -> Vec<StreamState> {
        let names = self.lives.names_from(after.map_or(Unbounded, |after| Excluded(after.as_str())));
        let states = names.filter_map(|name| self.state(name));
        states.take(states_max.get()).collect()
    }
}
