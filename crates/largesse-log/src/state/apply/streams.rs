//! Making, configuring, deleting and listing streams.
//!
//! Invariant: asking for a stream's state does not make it. Does not read events.

use std::{
    num::NonZeroUsize,
    ops::Bound::{Excluded, Unbounded},
};

use crate::state::{Begun, apply::PendingRetention, log::LogState, stamp::Stamp};
use crate::{AppendError, Deleted, EndReason, Made, Put, PutAnswer, StreamName, StreamState};

impl LogState {
    /// Makes or configures a stream. Uses no position beyond [`Stamp::end`]. The state in the answer is replaced when
    /// retention is done.
    pub(in crate::state) fn put(
        &mut self,
        stamp: Stamp,
        stream: &StreamName,
        put: &Put,
    ) -> Begun<Result<PutAnswer, AppendError>> {
        let bytes_before = self.bytes();
        let (answer, pending) = match self.put_settings(stamp, stream, put) {
            Ok(made) => {
                let state = self.state(stream).expect("the stream exists, or was just made");
                let pending =
                    PendingRetention::TrimStream { stream: stream.clone(), stamp, pushed: 0, bytes_before };
                (Ok(PutAnswer { made, settings: state.settings, state }), pending)
            }
            Err(error) => (Err(error), PendingRetention::Nothing),
        };
        Begun { answer, dirty: None, life: None, pending }
    }

    fn put_settings(&mut self, stamp: Stamp, stream: &StreamName, put: &Put) -> Result<Made, AppendError> {
        let now = stamp.now;
        let defaults = self.limits.defaults;
        if let Some(life) = self.life_mut(stream) {
            life.settings = life.settings.patched(&put.settings, &defaults);
            self.begin(stamp);
            return Ok(Made::Before);
        }
        self.check_fits(stream, None, 0)?;
        self.begin(stamp);
        let start = self.allocate_position();
        self.make(stream, start, now, defaults.patched(&put.settings, &defaults));
        Ok(Made::Now)
    }

    /// Removes a stream and its events. Uses no position beyond [`Stamp::end`].
    pub(in crate::state) fn delete(&mut self, stamp: Stamp, stream: &StreamName) -> Begun<Option<Deleted>> {
        if !self.lives.contains(stream) {
            return Begun { answer: None, dirty: None, life: None, pending: PendingRetention::Nothing };
        }
        self.begin(stamp);
        let position = self.allocate_position();
        self.retire(stream, position, EndReason::Deleted, position);
        Begun {
            answer: Some(Deleted { position }),
            dirty: Some(position),
            life: None,
            pending: PendingRetention::Nothing,
        }
    }

    /// A stream's state.
    #[must_use]
    pub fn state(&self, stream: &StreamName) -> Option<StreamState> {
        self.lives.get(stream).map(|life| life.state(stream))
    }

    /// Streams after `after`, by name.
    #[must_use]
    pub fn list(&self, after: Option<&StreamName>, states_max: NonZeroUsize) -> Vec<StreamState> {
        let names = self.lives.names_from(after.map_or(Unbounded, |after| Excluded(after.as_str())));
        let states = names.filter_map(|name| self.state(name));
        states.take(states_max.get()).collect()
    }
}
