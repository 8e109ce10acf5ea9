//! Events that are kept and can't be read any more.
//!
//! Invariants: the loss of each is recorded once, whoever meets it again, also over restarts; so its readers are told
//! once. It stays where it is, and goes on to count until retention drops it. Does not know how it was found.

use crate::state::{log::LogState, retention::losses::Loss, stamp::Stamp};
use crate::{Position, StreamName};

impl LogState {
    /// An event that is kept can't be read any more, and never will: readers before it are told of a loss. Takes no
    /// position beyond [`Stamp::end`].
    ///
    /// Without a stamp the loss is recorded at the tail: a log that can't be written still tells it, but not to a
    /// reader that knows of a loss there.
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

    /// The events whose loss is recorded so, of those that were kept when the log was restored, and since.
    pub fn damaged(&self) -> impl Iterator<Item = Position> + '_ {
        self.damaged.keys().copied()
    }
}
