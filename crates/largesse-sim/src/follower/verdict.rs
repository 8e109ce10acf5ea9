//! A page's books: what it passed over, and what it still has coming.
//!
//! Hears nothing itself: it compares what was heard with the truth.

use largesse_hub::ControlEvents;
use largesse_log::{Place, Position, conformance::model::ModelEvent};

use super::{Follower, Standing};
use crate::oracle::{Knowledge, Oracle};

impl Follower {
    /// Everything in the selection from the last place up to this one was heard, or told as lost.
    pub(super) fn account(&mut self, upto: Position, oracle: &Oracle) {
        let from = self.place.position();
        let events = &oracle.model.events;
        let first = events.partition_point(|event| event.position <= from);
        for event in events[first..].iter().take_while(|event| event.position <= upto) {
            let is_ours = self.selection.matches(&event.stream) && !self.heard.contains(&event.position);
            if is_ours && !self.may_skip(event, oracle) {
                self.account_for_loss(event, oracle);
            }
        }
        if self.control == ControlEvents::Off || oracle.knowledge == Knowledge::AtLeast {
            return;
        }
        for (end, name, _) in oracle.model.ends(&self.selection, self.owed_from(self.place, oracle)) {
            let is_told = end > upto || self.ends_told.contains(&(name.clone(), end));
            assert!(is_told, "{self}: the end of {name} at {end:?} was passed over on the way to {upto:?}");
        }
    }

    fn account_for_loss(&mut self, event: &ModelEvent, oracle: &Oracle) {
        assert!(event.dropped.is_some(), "{self}: {event:?} was passed over");
        let Some(step) = event.dropped else { return };
        let told = self.told.get(&event.stream).copied().max(self.told_all);
        let is_told = told.is_some_and(|told| step < told);
        let was_before = self.standing == Standing::Fresh || !oracle.model.is_news(step, self.knew);
        if is_told || was_before || self.control == ControlEvents::Off {
            return;
        }
        let by_end = self.selection.has_name(&event.stream);
        assert!(by_end, "{self}: {event:?} was lost without a word");
        self.owed_ends.insert((event.stream.clone(), event.position));
    }

    /// An event of a stream that lets readers skip, with a newer one after it, both while we were connected.
    fn may_skip(&self, event: &ModelEvent, oracle: &Oracle) -> bool {
        let is_newer = |other: &ModelEvent| other.stream == event.stream && other.position > event.position;
        oracle.latest.contains(&event.stream)
            && event.position > self.began
            && oracle.model.events.iter().any(is_newer)
    }

    /// Losses that were left to the end of a deleted stream have been told by one.
    pub(super) fn check_ends_owed(&self) {
        for (stream, lost) in &self.owed_ends {
            let told = self.ends_told.iter().any(|(ended, end)| ended == stream && end > lost);
            assert!(told, "{self}: {stream} at {lost:?} was lost without a word, and no end came");
        }
    }

    /// Everything is quiet, and every wake has arrived: there is nothing left for a connected page to hear.
    pub(crate) fn check_settled(&self, oracle: &Oracle, number: usize) {
        if self.standing == Standing::Ended {
            return;
        }
        let place = match self.standing {
            Standing::Fresh => {
                // It has read on from there, and was told nothing of what was lost by then.
                let seen = &oracle.seen[number];
                seen.origin.told(seen.lost_known())
            }
            Standing::Placed | Standing::Ended => self.place,
        };
        for event in oracle.model.kept(&self.selection).filter(|event| event.position > place.position()) {
            assert!(self.may_skip(event, oracle), "{self}: {event:?} waits, and nobody was woken");
        }
        if self.control == ControlEvents::Off || oracle.knowledge == Knowledge::AtLeast {
            return;
        }
        let truth = self.owed_from(place, oracle);
        let ends: Vec<_> = oracle.model.ends(&self.selection, truth).collect();
        assert!(ends.is_empty(), "{self}: {ends:?} wait, and nobody was woken");
        self.check_ends_owed();
        self.check_told_all(place, oracle);
        let ended = oracle.model.ended_at(&self.selection, truth);
        assert_eq!(ended, oracle.model.ended_at(&self.selection, place), "{self}: a resume finds other ends");
        let is_over =
            self.selection.patterns().is_empty() && ended.ended.len() == self.selection.names().len();
        assert!(!is_over, "{self}: all has ended, and nobody said so");
    }

    /// The place with the mark of a reader that knows what was gone before its first request, whatever its id says:
    /// those ends are not owed.
    fn owed_from(&self, place: Place, oracle: &Oracle) -> Place {
        Place::knowing(place.position(), self.first_asked(oracle))
    }

    fn check_told_all(&self, place: Place, oracle: &Oracle) {
        if self.standing == Standing::Placed {
            let silent = oracle.model.lost(&self.selection, place);
            assert!(silent.is_empty(), "{self}: {silent:?} lost events, and nobody said so");
        }
    }
}
