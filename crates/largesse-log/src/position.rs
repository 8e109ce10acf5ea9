//! Where a reader is in the log.
//!
//! Invariants: positions are dense enough to count up by one for each record and are never used for two
//! records; a place's mark, when it has one, says more than its position. Does not know the text form of a
//! place: that is the wire id's (`wire_id.rs`).

/// A place in the log: the position of one record, or zero, the place before the first.
///
/// Source: SPEC of Largesse, "Positions" (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The place before the first record.
    pub const ZERO: Self = Self(0);

    /// After every record there will ever be.
    pub const MAX: Self = Self(u64::MAX);

    /// The position after this one. A log that counts a billion records a second takes 500 years to the end
    /// of the range, so running out is a bug.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("2^64 positions cannot be used up"))
    }
}

/// Which log a position belongs to: drawn at random when a log is made, imported or restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation(pub u64);

/// How far a reader has come, and what it already knows of.
///
/// Everything of the reader's selection at or before [`Place::position`] has been delivered (or was never
/// asked for). Trims and deletions recorded at or before [`Place::known`] were told to the reader, or
/// happened before it first asked, so they are not told again. Streams that were gone at
/// [`Place::known_gone`] were gone before it first asked: to this reader they are new, and never ended.
///
/// Invariants: `position <= known`, `known_gone <= known`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    position: Position,
    known: Position,
    known_gone: Position,
}

/// What a place knows of beyond its position. Says something: `known` is after the position, or `known_gone`
/// is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(crate) known: Position,
    pub(crate) known_gone: Position,
}

impl Place {
    /// A place that knows of no loss but those before it.
    #[must_use]
    pub fn at(position: Position) -> Self {
        Self { position, known: position, known_gone: Position::ZERO }
    }

    /// The place of a first request: it knows of every loss, and of every stream that is gone, up to `known`.
    #[must_use]
    pub fn knowing(position: Position, known: Position) -> Self {
        Self { position, known: known.max(position), known_gone: known }
    }

    /// The same place, after a loss was told ([`crate::Lost::known`]). Ends of streams that lie after the
    /// position are still to come, even if they were recorded before `known`; those that were gone before the
    /// first request stay so.
    #[must_use]
    pub fn told(self, known: Position) -> Self {
        Self { known: known.max(self.known), ..self }
    }

    /// Everything up to here is delivered.
    #[must_use]
    pub fn position(self) -> Position {
        self.position
    }

    /// Losses recorded up to here are known; never before [`Place::position`].
    #[must_use]
    pub fn known(self) -> Position {
        self.known
    }

    /// Streams whose removal was recorded up to here were gone before the reader first asked. Stays as it was
    /// when the reader moves on; zero where no such stream matters.
    #[must_use]
    pub fn known_gone(self) -> Position {
        self.known_gone
    }

    /// Moves on to `position`, keeping what is known. Never moves back.
    #[must_use]
    pub fn advanced_to(self, position: Position) -> Self {
        let position = position.max(self.position);
        Self { position, known: self.known.max(position), ..self }
    }

    /// The place as an id should carry it: the mark is of use only before `horizon`
    /// ([`crate::Batch::horizon`]).
    #[must_use]
    pub fn marked_before(self, horizon: Position) -> Self {
        if self.position < horizon { self } else { Self::at(self.position) }
    }

    /// A place with just this mark, or `None` when it has no such mark.
    pub(crate) fn marked(position: Position, mark: Mark) -> Option<Self> {
        let place = Self { position, known: mark.known, known_gone: mark.known_gone };
        let is_right = mark.known >= position && mark.known >= mark.known_gone;
        (is_right && place.mark().is_some()).then_some(place)
    }

    /// What is to be said beyond the position, if anything is.
    pub(crate) fn mark(self) -> Option<Mark> {
        let Self { position, known, known_gone } = self;
        (known > position || known_gone > Position::ZERO).then_some(Mark { known, known_gone })
    }
}

#[cfg(test)]
mod tests;
