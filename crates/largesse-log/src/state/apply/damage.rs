//! Events that are kept but can't be read any more.
//!
//! Invariants: the loss of each is recorded once, however often the event is met again, even after a restart; so its
//! readers are told once. The event stays in place and keeps counting until retention drops it. Does not know how the
//! damage was found.

use crate::state::{log::LogState, retention::losses::Loss, stamp::Stamp};
use crate::{Position, StreamName};

impl LogState {
    /// Records that a kept event can never be read again: readers before it are told of a loss. Uses no position
    /// beyond [`Stamp::end`].
    ///
    /// Without a stamp the loss is recorded at the tail: readers of a log that can't be written are still told,
    /// except those that know of a loss there.
    pub fn damage(&mut self, stamp: Option<Stamp>, stream: &StreamName, position: Position) {
        if self.damaged.contains_key(&position) {
            return;
        }
        let Some(life) = self.lives.get(stream).filter(|life| life.keeps(position)) else { return };
        let upto = life.trim.map_or(position, |trim| trim.upto.max(position));
        let at = match stamp {
            Some(stamp) => {
                self.begin(stamp);
                self.allocate_position()
            }
            None => self.tail,
        };
        self.damaged.insert(position, self.kept_name(stream.clone()));
        self.record_trim(stream, Loss { upto, at });
    }

    /// The events with a recorded loss of this kind, of those that were kept when the log was restored, and since.
    pub fn damaged(&self) -> impl Iterator<Item = Position> + '_ {
        self.damaged.keys().copied()
    }
}
