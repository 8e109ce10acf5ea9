//! Where a reader is in the log.
//!
//! Invariants: positions are dense enough to count up by one for each record and are never used for two
//! records; a place's mark, if there is one, adds something to its position. Does not know the text form of a
//! place: that is the wire id's (`wire_id.rs`).

/// A place in the log: the position of one record, or zero, the place before the first.
///
/// Source: SPEC of Largesse, "Positions" (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The place before the first record.
    pub const ZERO: Self = Self(0);

    /// After every record there can ever be.
    pub const MAX: Self = Self(u64::MAX);

    /// The position after this one. A log that appends a billion records a second needs 500 years to use up
    /// the range, so an overflow is a bug.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("2^64 positions cannot be used up"))
    }
}

/// Which log a position belongs to: drawn at random when a log is made, imported or restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation(pub u64);

/// How far a reader has come, and what it already knows.
///
/// Everything of the reader's selection at or before [`Place::position`] has been delivered (or was never
/// asked for). The reader was told of trims and deletions recorded at or before [`Place::told_upto`], or they
/// happened before its first request, so it is not told again. Streams that were gone at
/// [`Place::asked_at`] were gone before its first request: for this reader they never existed.
///
/// Invariants: `position <= told_upto`, `asked_at <= told_upto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    position: Position,
    told_upto: Position,
    asked_at: Position,
}

/// What a place knows beyond its position. Never empty: `told_upto` is after the position, or `asked_at`
/// is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(crate) told_upto: Position,
    pub(crate) asked_at: Position,
}

impl Place {
    /// A place that knows only of losses before it.
    #[must_use]
    pub fn at(position: Position) -> Self {
        Self { position, told_upto: position, asked_at: Position::ZERO }
    }

    /// The place of a first request: it knows of every loss, and of every stream that is gone, up to `told_upto`.
    #[must_use]
    pub fn knowing(position: Position, told_upto: Position) -> Self {
        Self { position, told_upto: told_upto.max(position), asked_at: told_upto }
    }

    /// The same place, once its reader was told of a loss ([`crate::Lost::told_upto`]). Ends of streams after the
    /// position are still to come, even if they were recorded before `told_upto`; streams that were gone before
    /// the first request stay gone.
    #[must_use]
    pub fn told(self, told_upto: Position) -> Self {
        Self { told_upto: told_upto.max(self.told_upto), ..self }
    }

    /// Everything up to here is delivered.
    #[must_use]
    pub fn position(self) -> Position {
        self.position
    }

    /// Losses recorded up to here are known; never before [`Place::position`].
    #[must_use]
    pub fn told_upto(self) -> Position {
        self.told_upto
    }

    /// Streams whose removal was recorded up to here were gone before the reader's first request. Does not
    /// change when the reader moves on; zero where no such stream matters.
    #[must_use]
    pub fn asked_at(self) -> Position {
        self.asked_at
    }

    /// Moves on to `position`, keeping what is known. Never moves back.
    #[must_use]
    pub fn advanced_to(self, position: Position) -> Self {
        let position = position.max(self.position);
        Self { position, told_upto: self.told_upto.max(position), ..self }
    }

    /// The place as an id should carry it: the mark matters only before `horizon`
    /// ([`crate::Batch::horizon`]).
    #[must_use]
    pub fn marked_before(self, horizon: Position) -> Self {
        if self.position < horizon { self } else { Self::at(self.position) }
    }

    /// A place with exactly this mark, or `None` if the mark does not fit the position.
    pub(crate) fn marked(position: Position, mark: Mark) -> Option<Self> {
        let place = Self { position, told_upto: mark.told_upto, asked_at: mark.asked_at };
        let is_right = mark.told_upto >= position && mark.told_upto >= mark.asked_at;
        (is_right && place.mark().is_some()).then_some(place)
    }

    /// What the place knows beyond its position, if anything.
    pub(crate) fn mark(self) -> Option<Mark> {
        let Self { position, told_upto, asked_at } = self;
        (told_upto > position || asked_at > Position::ZERO).then_some(Mark { told_upto, asked_at })
    }
}

#[cfg(test)]
mod tests;
