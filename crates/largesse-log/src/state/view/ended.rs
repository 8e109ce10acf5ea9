//! Which named streams have ended at a place.
//!
//! Does not know what a reader was told, only its place.

use crate::{EndReason, EndedStream, Ends, Place, Selection, StreamName, state::LogState};

impl LogState {
    /// Which of the selection's named streams have ended at `place`; see [`crate::Query::EndedAt`].
    #[must_use]
    pub fn ended_at(&self, selection: &Selection, place: Place) -> Ends {
        let is_unknown =
            |name: &StreamName| !self.lives.contains(name) && !self.tombstones.by_name.contains_key(name);
        let names = selection.names().iter();
        Ends {
            ended: names.clone().filter_map(|name| self.end_at(name, place)).collect(),
            unknown: names.filter(|name| is_unknown(name)).cloned().collect(),
        }
    }

    fn end_at(&self, name: &StreamName, place: Place) -> Option<EndedStream> {
        let position = place.position();
        let reason = match self.lives.get(name) {
            Some(life) if life.start <= position => {
                life.end.filter(|end| end.position <= position)?;
                EndReason::Closed
            }
            _ => {
                self.tombstones.by_name.get(name).filter(|tombstone| tombstone.end_was_met_by(place))?.reason
            }
        };
        Some(EndedStream { name: name.clone(), reason })
    }
}
