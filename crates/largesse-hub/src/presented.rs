//! The last event id that a request presents, and what it means for what the request reads.
//!
//! Invariant: whatever the text is, the answer is one of [`Meaning`]'s three; a bad id is never an error,
//! because a stock `EventSource` would stop for good. Does not look into the log: the caller that knows the tail
//! finds out whether a place is beyond it.

use largesse_log::{Incarnation, Place, Selection, WireId};

use crate::control::ResetReason;

/// How much of a presented id a `reset` repeats, in characters.
const REQUESTED_CHARS_MAX: usize = 128;

/// A last event id as a request presented it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    id: Option<WireId>,
    text: String,
}

/// What a presented id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Read on from there.
    Resume(Place),
    /// The reader was already told the end of exactly this selection: there is nothing more to say, ever.
    Ended,
    /// The id can't be used; read as for a first request and say why.
    Unusable(ResetReason),
}

impl Presented {
    /// Reads the text of a `Last-Event-ID`. `None` for the empty text, which is how browsers say "none"
    /// (WHATWG HTML, "The `Last-Event-ID` header").
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let shown = text.chars().take(REQUESTED_CHARS_MAX).collect();
        Some(Self { id: WireId::parse(text).ok(), text: shown })
    }

    /// The text, shortened to what a `reset` repeats.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What this id means to the log `own` for a reader of `selection`.
    ///
    /// An end id counts in any incarnation of the log: the page heard `end`, and a 204 is all that stops it.
    pub(crate) fn meaning(&self, own: Incarnation, selection: &Selection) -> Meaning {
        match self.id {
            None => Meaning::Unusable(ResetReason::UnknownId),
            Some(WireId::End { selection: ended, .. }) if ended == selection.fingerprint() => Meaning::Ended,
            Some(WireId::End { incarnation, position, .. }) if incarnation == own => {
                Meaning::Resume(Place::at(position))
            }
            Some(WireId::Place { incarnation, place, .. }) if incarnation == own => Meaning::Resume(place),
            Some(WireId::End { .. } | WireId::Place { .. }) => Meaning::Unusable(ResetReason::NewLog),
        }
    }
}
