//! Where a reader is in the log.
//!
//! Invariants: positions are dense enough to count up by one for each record and are never used for two
//! records; a place's mark, when it has one, is greater than its position. Does not know the text form of a
//! place: that is the wire id's (`wire_id.rs`).

/// A place in the log: the position of one record, or zero, the place before the first.
///
/// Source: SPEC of Largesse, "Positions" (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The place before the first record.
    pub const ZERO: Self = Self(0);

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

/// How far a reader has come, and which losses it already knows of.
///
/// Everything of the reader's selection at or before [`Place::position`] has been delivered (or was never
/// asked for). Trims and deletions recorded at or before [`Place::known`] were told to the reader, or
/// happened before it first asked, so they are not told again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    position: Position,
    mark: Option<Mark>,
}

/// What a place knows of beyond its position. Invariant: `known` is greater than the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(crate) known: Position,
    pub(crate) kind: MarkKind,
}

/// Where a mark comes from. It decides whether the ends of streams that are gone, between the position and
/// the mark, are still to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MarkKind {
    /// A first request: streams that were gone then were never the reader's.
    First,
    /// A loss that was told: an end after the position was not.
    Told,
}

impl Place {
    /// A place that knows of no loss but those before it.
    #[must_use]
    pub fn at(position: Position) -> Self {
        Self { position, mark: None }
    }

    /// The place of a first request: it knows of every loss, and of every stream that is gone, up to `known`.
    #[must_use]
    pub fn knowing(position: Position, known: Position) -> Self {
        Self::at(position).with_mark(Mark { known, kind: MarkKind::First })
    }

    /// The same place, after a loss was told ([`crate::Lost::known`]). Ends of streams that lie after the
    /// position are still to come, even if they were recorded before `known`.
    #[must_use]
    pub fn told(self, known: Position) -> Self {
        self.with_mark(Mark { known: known.max(self.known()), kind: MarkKind::Told })
    }

    /// Everything up to here is delivered.
    #[must_use]
    pub fn position(self) -> Position {
        self.position
    }

    /// Losses recorded up to here are known; never before [`Place::position`].
    #[must_use]
    pub fn known(self) -> Position {
        self.mark.map_or(self.position, |mark| mark.known)
    }

    /// Ends of streams that are gone are known when they were recorded up to here; never before
    /// [`Place::position`].
    #[must_use]
    pub fn known_gone(self) -> Position {
        match self.mark {
            Some(Mark { known, kind: MarkKind::First }) => known,
            _ => self.position,
        }
    }

    /// Moves on to `position`, keeping what is known. Never moves back.
    #[must_use]
    pub fn advanced_to(self, position: Position) -> Self {
        let moved = Self::at(position.max(self.position));
        self.mark.map_or(moved, |mark| moved.with_mark(mark))
    }

    /// The place as an id should carry it: the mark is of use only before `horizon`
    /// ([`crate::Batch::horizon`]).
    #[must_use]
    pub fn marked_before(self, horizon: Position) -> Self {
        if self.position < horizon { self } else { Self::at(self.position) }
    }

    /// A place with just this mark, or `None` when the mark is not after the position.
    pub(crate) fn marked(position: Position, mark: Mark) -> Option<Self> {
        (mark.known > position).then_some(Self { position, mark: Some(mark) })
    }

    pub(crate) fn mark(self) -> Option<Mark> {
        self.mark
    }

    fn with_mark(self, mark: Mark) -> Self {
        Self::marked(self.position, mark).unwrap_or(Self::at(self.position))
    }
}

#[cfg(test)]
mod tests;
