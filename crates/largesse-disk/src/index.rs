//! The index of one segment: which events of which life it has, and where in the file.
//!
//! There are two forms with the same interface, [`SegmentIndex`]: [`Growing`] is in memory, for the active segment;
//! [`Sealed`] is a file, for a segment that no longer changes ([`write_sealed`] makes it).
//!
//! Invariants: every page is verified when it is read from the disk; a lookup of one life costs O(log n) pages,
//! whatever else is in the segment. An index is derived: a broken one can be rebuilt from the segment. It does not
//! read segments, and does not know which events are still kept.

use std::{fmt, io};

use largesse_log::{Position, UnixMs};

mod growing;
mod layout;
mod pages;
mod sealed;
#[cfg(test)]
mod tests;
mod writing;

pub use growing::{Growing, OutOfOrder, SEEK_POINT_GAP_BYTES};
pub(crate) use layout::PAGE_BYTES;
pub use sealed::Sealed;
pub(crate) use writing::write_file;
pub use writing::write_sealed;

/// One life of a stream, from its creation to its removal, named by the position of its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamEpoch(pub Position);

/// Where one event of a life is in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event's position.
    pub position: Position,
    /// The offset of its frame in the segment.
    pub at: u64,
    /// The length of the whole frame.
    pub bytes: u32,
    /// What it counts for retention.
    pub counted_bytes: u32,
    /// When it was appended.
    pub time: UnixMs,
}

/// Where a scan in log order can begin: a head, and the first of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeekPoint {
    /// The first event's position.
    pub position: Position,
    /// The offset of the head's frame in the segment.
    pub at: u64,
    /// When its events were appended.
    pub time: UnixMs,
}

/// A posting list: the events of one life in the segment, as of the lookup.
#[derive(Clone, Copy, Debug)]
pub struct Postings {
    /// The life.
    pub life: StreamEpoch,
    /// How many events, at least one.
    pub count: u32,
    /// What they count for retention.
    pub counted_bytes: u64,
    /// The position of the first event.
    pub first: Position,
    /// The position of the last event.
    pub last: Position,
    home: Home,
}

/// Which index a posting list came from, and where it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Growing,
    /// The checksum of the index's header page identifies the index.
    Sealed {
        index: u64,
        first_entry: u32,
    },
}

/// The sums over all of a segment's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many lives have events here.
    pub lives: u32,
    /// How many events.
    pub events: u32,
    /// What they count for retention.
    pub counted_bytes: u64,
    /// Their first and last; `None` if there are no events.
    pub span: Option<Span>,
}

/// The first and the last event of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The position of the first event.
    pub first: Position,
    /// The position of the last event.
    pub last: Position,
    /// When the first event was appended.
    pub first_time: UnixMs,
    /// When the last event was appended.
    pub last_time: UnixMs,
}

/// Which segment of which log an index belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexOf {
    /// The segment's number.
    pub segment: u64,
    /// The random number of this log.
    pub salt: u64,
}

impl fmt::Display for IndexOf {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "segment {} of log {:016x}", self.segment, self.salt)
    }
}

/// Why an index can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The disk failed. The file may be whole.
    #[error("the disk failed")]
    Io(#[from] io::Error),
    /// A page is broken. Other pages may still be whole.
    #[error("page {page} is broken (at byte {})", page * layout::PAGE_BYTES as u64)]
    Corrupt {
        /// Which page of the file, from 0.
        page: u64,
    },
    /// The file was truncated, or something was appended to it.
    #[error("the file has {bytes} bytes and should have {expected}")]
    Length {
        /// How many bytes it has.
        bytes: u64,
        /// How many it should have; for a file without a whole header page, the length of that page.
        expected: u64,
    },
    /// The file is whole, and was written by another version.
    #[error("the format is {format}, and this version reads {}", layout::FORMAT)]
    Format {
        /// The file's format.
        format: u32,
    },
    /// The file is whole, and is the index of something else.
    #[error("it is the index of {found}")]
    Foreign {
        /// What it is the index of.
        found: IndexOf,
    },
}

impl IndexError {
    /// Whether the index is missing, broken, or of another segment, and so has to be rebuilt from its segment.
    pub(crate) fn is_rebuildable(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() == io::ErrorKind::NotFound,
            Self::Corrupt { .. } | Self::Length { .. } | Self::Foreign { .. } => true,
            Self::Format { .. } => false,
        }
    }
}

/// A segment's index, in memory or in a file. Threads can use it concurrently.
///
/// # Errors
/// Every method that returns a result fails with [`IndexError::Io`] and [`IndexError::Corrupt`]. An index in memory
/// never fails.
pub trait SegmentIndex: Send + Sync {
    /// The sums over all events.
    fn totals(&self) -> Totals;

    /// A life's posting list; `None` if it has no events here.
    ///
    /// # Errors
    /// See the trait.
    fn postings(&self, life: StreamEpoch) -> Result<Option<Postings>, IndexError>;

    /// The posting lists from this life on, in the order of lives. Ends after the first error.
    fn all_postings(&self, from: StreamEpoch) -> Box<dyn Iterator<Item = Result<Postings, IndexError>> + '_>;

    /// How many of a posting list's events are at or before `position`.
    ///
    /// A posting list from another index, for example from before the segment was sealed, is looked up again.
    ///
    /// # Errors
    /// See the trait.
    fn upto(&self, postings: &Postings, position: Position) -> Result<u32, IndexError>;

    /// The entries of a posting list in log order, from its `from`-th (counted from 0): at most `entries_max`, and
    /// fewer only if the posting list ends.
    ///
    /// A posting list from another index is looked up again.
    ///
    /// # Errors
    /// See the trait.
    fn entries(&self, postings: &Postings, from: u32, entries_max: usize) -> Result<Vec<Entry>, IndexError>;

    /// How many seek points there are.
    fn seek_point_count(&self) -> u32;

    /// The `number`-th seek point in log order, counted from 0.
    ///
    /// # Errors
    /// See the trait.
    fn seek_point(&self, number: u32) -> Result<Option<SeekPoint>, IndexError>;

    /// The number of the last seek point at or before `position`.
    ///
    /// # Errors
    /// See the trait.
    fn seek_point_number_upto(&self, position: Position) -> Result<Option<u32>, IndexError>;

    /// The number of the last seek point whose time is before `time`.
    ///
    /// # Errors
    /// See the trait.
    fn seek_point_number_before_time(&self, time: UnixMs) -> Result<Option<u32>, IndexError>;

    /// The last seek point at or before `position`.
    ///
    /// # Errors
    /// See the trait.
    fn seek_point_upto(&self, position: Position) -> Result<Option<SeekPoint>, IndexError> {
        self.seek_point_number_upto(position)?.map_or(Ok(None), |number| self.seek_point(number))
    }

    /// The last seek point whose time is before `time`.
    ///
    /// # Errors
    /// See the trait.
    fn seek_point_before_time(&self, time: UnixMs) -> Result<Option<SeekPoint>, IndexError> {
        self.seek_point_number_before_time(time)?.map_or(Ok(None), |number| self.seek_point(number))
    }
}
