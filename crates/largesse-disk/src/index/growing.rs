//! The index of the active segment, in memory.
//!
//! Invariants: entries of all lives come in log order; times don't go back; neighbouring seek points are at least
//! [`SEEK_POINT_GAP_BYTES`] apart in the segment. The lives are in a tree, not in a hash table, because they are
//! needed in order, and because a tree never rehashes all of them at once while the log waits. It does not bound
//! itself: an event takes 32 bytes, and a life about 100, so the segment has to be sealed in time.

use std::collections::BTreeMap;

use largesse_log::{Position, UnixMs};

use super::{Entry, Home, IndexError, Postings, SeekPoint, SegmentIndex, Span, StreamEpoch, Totals};

/// A seek point nearer to the previous one is dropped: this is the most to scan, besides one append, to find a
/// position.
pub const SEEK_POINT_GAP_BYTES: u64 = 16 * 1024;

/// Why a u32 is large enough for all counts here.
const FITS_U32: &str = "2^32 events would be a segment of at least 47 GB: a frame has 11 bytes";

/// The index in memory. Once the segment is full, nothing more is pushed, and it can still be read while
/// [`super::write_sealed`] writes it out.
#[derive(Debug, Default)]
pub struct Growing {
    lives: BTreeMap<StreamEpoch, LifeEntries>,
    seek_points: Vec<SeekPoint>,
    totals: Totals,
}

/// The entries of one life. Invariant: `entries` is not empty.
#[derive(Debug)]
struct LifeEntries {
    entries: Vec<Entry>,
    counted_bytes: u64,
}

/// A pushed entry does not come after the last one, in position, time or offset: the segment that it was read from
/// is broken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {} cannot follow position {}", position.0, last.0)]
pub struct OutOfOrder {
    /// What was pushed.
    pub position: Position,
    /// The last one before it.
    pub last: Position,
}

impl Growing {
    /// The index of a segment without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event of `life`, which has to come after all others.
    ///
    /// # Errors
    /// [`OutOfOrder`]; nothing changed.
    pub fn push(&mut self, life: StreamEpoch, entry: Entry) -> Result<(), OutOfOrder> {
        let span = self.totals.span.unwrap_or(Span {
            first: entry.position,
            last: Position::ZERO,
            first_time: entry.time,
            last_time: UnixMs(0),
        });
        if entry.position <= span.last || entry.time < span.last_time {
            return Err(OutOfOrder { position: entry.position, last: span.last });
        }
        let of_life = self.lives.entry(life).or_insert_with(LifeEntries::new);
        of_life.entries.push(entry);
        of_life.counted_bytes += u64::from(entry.counted_bytes);
        self.totals.lives += u32::from(of_life.entries.len() == 1);
        self.totals.events = self.totals.events.checked_add(1).expect(FITS_U32);
        self.totals.counted_bytes += u64::from(entry.counted_bytes);
        self.totals.span = Some(Span { last: entry.position, last_time: entry.time, ..span });
        Ok(())
    }

    /// Adds a head, and keeps it if it is far enough from the previous seek point. Call it for every head.
    ///
    /// # Errors
    /// [`OutOfOrder`], compared with the previous seek point; nothing changed.
    pub fn push_seek_point(&mut self, seek_point: SeekPoint) -> Result<(), OutOfOrder> {
        if let Some(last) = self.seek_points.last() {
            let is_after = seek_point.position > last.position
                && seek_point.at > last.at
                && seek_point.time >= last.time;
            if !is_after {
                return Err(OutOfOrder { position: seek_point.position, last: last.position });
            }
            if seek_point.at - last.at < SEEK_POINT_GAP_BYTES {
                return Ok(());
            }
        }
        self.seek_points.push(seek_point);
        Ok(())
    }

    /// All seek points, in log order.
    pub(super) fn seek_points(&self) -> &[SeekPoint] {
        &self.seek_points
    }

    /// All lives in their order, each with its entries and what they count.
    pub(super) fn lives(&self) -> impl Iterator<Item = (StreamEpoch, &[Entry], u64)> {
        self.lives.iter().map(|(life, of_life)| (*life, of_life.entries.as_slice(), of_life.counted_bytes))
    }

    /// The entries of a posting list, as of its lookup.
    fn entries_on(&self, postings: &Postings) -> &[Entry] {
        let entries = self.lives.get(&postings.life).map_or(&[][..], |of_life| &of_life.entries);
        &entries[..entries.len().min(postings.count as usize)]
    }

    fn last_seek_point_where(&self, holds: impl Fn(&SeekPoint) -> bool) -> Option<u32> {
        to_u32(self.seek_points.partition_point(holds)).checked_sub(1)
    }
}

impl LifeEntries {
    /// With capacity for one: many lives have no more in a segment.
    fn new() -> Self {
        Self { entries: Vec::with_capacity(1), counted_bytes: 0 }
    }
}

impl SegmentIndex for Growing {
    fn totals(&self) -> Totals {
        self.totals
    }

    fn postings(&self, life: StreamEpoch) -> Result<Option<Postings>, IndexError> {
        Ok(self.lives.get(&life).and_then(|of_life| postings(life, of_life)))
    }

    fn all_postings(&self, from: StreamEpoch) -> Box<dyn Iterator<Item = Result<Postings, IndexError>> + '_> {
        let lives = self.lives.range(from..);
        Box::new(lives.filter_map(|(life, of_life)| postings(*life, of_life)).map(Ok))
    }

    fn upto(&self, postings: &Postings, position: Position) -> Result<u32, IndexError> {
        Ok(to_u32(self.entries_on(postings).partition_point(|entry| entry.position <= position)))
    }

    fn entries(&self, postings: &Postings, from: u32, entries_max: usize) -> Result<Vec<Entry>, IndexError> {
        let left = self.entries_on(postings).get(from as usize..).unwrap_or_default();
        Ok(left[..left.len().min(entries_max)].to_vec())
    }

    fn seek_point_count(&self) -> u32 {
        to_u32(self.seek_points.len())
    }

    fn seek_point(&self, number: u32) -> Result<Option<SeekPoint>, IndexError> {
        Ok(self.seek_points.get(number as usize).copied())
    }

    fn seek_point_number_upto(&self, position: Position) -> Result<Option<u32>, IndexError> {
        Ok(self.last_seek_point_where(|seek_point| seek_point.position <= position))
    }

    fn seek_point_number_before_time(&self, time: UnixMs) -> Result<Option<u32>, IndexError> {
        Ok(self.last_seek_point_where(|seek_point| seek_point.time < time))
    }
}

fn postings(life: StreamEpoch, of_life: &LifeEntries) -> Option<Postings> {
    let (first, last) = (of_life.entries.first()?, of_life.entries.last()?);
    Some(Postings {
        life,
        count: to_u32(of_life.entries.len()),
        counted_bytes: of_life.counted_bytes,
        first: first.position,
        last: last.position,
        home: Home::Growing,
    })
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).expect(FITS_U32)
}
