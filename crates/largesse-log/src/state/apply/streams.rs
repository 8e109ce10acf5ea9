//! Making, configuring, deleting and looking at streams.
//!
//! Invariant: a stream that is looked at is not made. Does not read events.

use std::{
    num::NonZeroUsize,
    ops::Bound::{Excluded, Unbounded},
};

use crate::state::{Stepped, apply::Left, log::LogState, stamp::Stamp};
use crate::{AppendError, Deleted, EndReason, Made, Put, PutAnswer, StreamName, StreamState};

impl LogState {
    /// Makes or configures a stream. Takes no position beyond [`Stamp::end`]. What the answer says of the stream is
    /// replaced when retention is over.
    pub(in crate::state) fn put(
        &mut self,
        stamp: Stamp,
        stream: &StreamName,
        put: &Put,
    ) -> Stepped<Result<PutAnswer, AppendError>> {
        let bytes_before = self.bytes();
        let (answer, left) = match self.put_settings(stamp, stream, put) {
            Ok(made) => {
                let state = self.state(stream).expect("it is there, or was just made");
                let left = Left::Trim { stream: stream.clone(), stamp, pushed: 0, bytes_before };
                (Ok(PutAnswer { made, settings: state.settings, state }), left)
            }
            Err(error) => (Err(error), Left::Nothing),
        };
        Stepped { answer, ring: None, life: None, left }
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
        let start = self.take_position();
        self.make(stream, start, now, defaults.patched(&put.settings, &defaults));
        Ok(Made::Now)
    }

    /// Removes a stream and its events. Takes no position beyond [`Stamp::end`].
    pub(in crate::state) fn delete(&mut self, stamp: Stamp, stream: &StreamName) -> Stepped<Option<Deleted>> {
        if !self.lives.contains(stream) {
            return Stepped { answer: None, ring: None, life: None, left: Left::Nothing };
        }
        self.begin(stamp);
        let position = self.take_position();
        self.retire(stream, position, EndReason::Deleted, position);
        Stepped { answer: Some(Deleted { position }), ring: Some(position), life: None, left: Left::Nothing }
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
