//! The specification of the index file, and the only code that knows it.
//!
//! The file is pages of 4,096 bytes. The last 8 bytes of each are a checksum: XXH3-64 of the bytes before, with the
//! seed XXH3-64(segment number, seed salt) + the page's number, so that a page of another log, another segment or
//! another offset is found like one with a flipped bit. All numbers are little endian.
//!
//! | pages | hold | bytes of a row | rows of a page |
//! |---|---|---|---|
//! | 0 | the header | | |
//! | then | the fence: the first life of each page of posting lists | 8: life | 511 |
//! | then | posting lists, in the order of lives | 40: life, first entry u32, entries u32, counted bytes, first position, last position | 102 |
//! | then | entries, by life, in log order | 32: position, at, time, bytes u32, counted bytes u32 | 127 |
//! | then | seek points, in log order | 24: position, at, time | 170 |
//!
//! | header byte | is |
//! |---|---|
//! | 0 | `LARGEIDX` |
//! | 8 | format u32 = 1. All formats have a header page of this size with this check |
//! | 12, 16, 20 | how many posting lists, entries, seek points, u32 |
//! | 24 | segment number |
//! | 32 | salt |
//! | 40 | counted bytes of all entries |
//! | 48, 56 | first and last position; zero when there are no entries |
//! | 64, 72 | first and last time; zero when there are no entries |
//!
//! Invariant: every other byte before a checksum is zero. Does not read or write files.

use largesse_log::{Position, UnixMs};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Entry, IndexError, IndexOf, SeekPoint, Span, StreamEpoch, Totals};

pub(crate) const PAGE_BYTES: usize = 4096;
pub(super) const FORMAT: u32 = 1;
const MAGIC: &[u8; 8] = b"LARGEIDX";
const CHECK_BYTES: usize = 8;
/// The length of a page before its checksum.
const BODY_BYTES: usize = PAGE_BYTES - CHECK_BYTES;

/// One page, with its checksum.
pub(super) type Page = [u8; PAGE_BYTES];

/// The seed of page 0's checksum; another page adds its number.
#[derive(Clone, Copy)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(of: IndexOf) -> Self {
        Self(xxh3_64_with_seed(&of.segment.to_le_bytes(), of.salt))
    }

    fn check(self, number: u64, page: &Page) -> u64 {
        xxh3_64_with_seed(&page[..BODY_BYTES], self.0.wrapping_add(number))
    }

    /// Writes the checksum to a page's end.
    pub(super) fn seal(self, number: u64, page: &mut Page) {
        let check = self.check(number, page);
        put_u64(page, BODY_BYTES, check);
    }

    /// # Errors
    /// [`IndexError::Corrupt`] if the checksum does not match.
    pub(super) fn verify(self, number: u64, page: &Page) -> Result<(), IndexError> {
        let is_whole = self.check(number, page) == check_of(page);
        if is_whole { Ok(()) } else { Err(IndexError::Corrupt { page: number }) }
    }
}

/// The checksum in a page.
pub(super) fn check_of(page: &Page) -> u64 {
    u64_at(page, BODY_BYTES)
}

/// The header page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) of: IndexOf,
    pub(super) totals: Totals,
    pub(super) seek_points: u32,
}

impl Header {
    /// The header's page, sealed.
    pub(super) fn encoded(&self) -> Page {
        let mut page = [0; PAGE_BYTES];
        page[..8].copy_from_slice(MAGIC);
        put_u32(&mut page, 8, FORMAT);
        put_u32(&mut page, 12, self.totals.lives);
        put_u32(&mut page, 16, self.totals.events);
        put_u32(&mut page, 20, self.seek_points);
        put_u64(&mut page, 24, self.of.segment);
        put_u64(&mut page, 32, self.of.salt);
        put_u64(&mut page, 40, self.totals.counted_bytes);
        if let Some(span) = self.totals.span {
            put_u64(&mut page, 48, span.first.0);
            put_u64(&mut page, 56, span.last.0);
            put_u64(&mut page, 64, span.first_time.0);
            put_u64(&mut page, 72, span.last_time.0);
        }
        Seed::new(self.of).seal(0, &mut page);
        page
    }

    /// # Errors
    /// [`IndexError::Corrupt`] of page 0, [`IndexError::Format`].
    pub(super) fn decode(page: &Page) -> Result<Self, IndexError> {
        let of = IndexOf { segment: u64_at(page, 24), salt: u64_at(page, 32) };
        if &page[..8] != MAGIC {
            return Err(IndexError::Corrupt { page: 0 });
        }
        Seed::new(of).verify(0, page)?;
        let format = u32_at(page, 8);
        if format != FORMAT {
            return Err(IndexError::Format { format });
        }
        let events = u32_at(page, 16);
        let span = Span {
            first: Position(u64_at(page, 48)),
            last: Position(u64_at(page, 56)),
            first_time: UnixMs(u64_at(page, 64)),
            last_time: UnixMs(u64_at(page, 72)),
        };
        let totals = Totals {
            lives: u32_at(page, 12),
            events,
            counted_bytes: u64_at(page, 40),
            span: (events > 0).then_some(span),
        };
        Ok(Self { of, totals, seek_points: u32_at(page, 20) })
    }
}

/// A row of fixed length, many to a page.
pub(super) trait Row: Sized {
    const BYTES: usize;
    const PER_PAGE: usize = BODY_BYTES / Self::BYTES;

    /// `into` has [`Row::BYTES`] bytes.
    fn write(&self, into: &mut [u8]);

    /// `from` has [`Row::BYTES`] bytes.
    fn read(from: &[u8]) -> Self;

    /// The row in a page, counted from 0; less than [`Row::PER_PAGE`].
    fn of_page(page: &Page, number: usize) -> Self {
        Self::read(&page[number * Self::BYTES..][..Self::BYTES])
    }
}

/// A posting list in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PostingsRow {
    pub(super) life: StreamEpoch,
    /// The number of its first entry.
    pub(super) first_entry: u32,
    pub(super) count: u32,
    pub(super) counted_bytes: u64,
    pub(super) first: Position,
    pub(super) last: Position,
}

impl Row for StreamEpoch {
    const BYTES: usize = 8;

    fn write(&self, into: &mut [u8]) {
        put_u64(into, 0, self.0.0);
    }

    fn read(from: &[u8]) -> Self {
        Self(Position(u64_at(from, 0)))
    }
}

impl Row for PostingsRow {
    const BYTES: usize = 40;

    fn write(&self, into: &mut [u8]) {
        put_u64(into, 0, self.life.0.0);
        put_u32(into, 8, self.first_entry);
        put_u32(into, 12, self.count);
        put_u64(into, 16, self.counted_bytes);
        put_u64(into, 24, self.first.0);
        put_u64(into, 32, self.last.0);
    }

    fn read(from: &[u8]) -> Self {
        Self {
            life: StreamEpoch(Position(u64_at(from, 0))),
            first_entry: u32_at(from, 8),
            count: u32_at(from, 12),
            counted_bytes: u64_at(from, 16),
            first: Position(u64_at(from, 24)),
            last: Position(u64_at(from, 32)),
        }
    }
}

impl Row for Entry {
    const BYTES: usize = 32;

    fn write(&self, into: &mut [u8]) {
        put_u64(into, 0, self.position.0);
        put_u64(into, 8, self.at);
        put_u64(into, 16, self.time.0);
        put_u32(into, 24, self.bytes);
        put_u32(into, 28, self.counted_bytes);
    }

    fn read(from: &[u8]) -> Self {
        Self {
            position: Position(u64_at(from, 0)),
            at: u64_at(from, 8),
            time: UnixMs(u64_at(from, 16)),
            bytes: u32_at(from, 24),
            counted_bytes: u32_at(from, 28),
        }
    }
}

impl Row for SeekPoint {
    const BYTES: usize = 24;

    fn write(&self, into: &mut [u8]) {
        put_u64(into, 0, self.position.0);
        put_u64(into, 8, self.at);
        put_u64(into, 16, self.time.0);
    }

    fn read(from: &[u8]) -> Self {
        Self { position: Position(u64_at(from, 0)), at: u64_at(from, 8), time: UnixMs(u64_at(from, 16)) }
    }
}

fn put_u32(into: &mut [u8], at: usize, number: u32) {
    into[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn put_u64(into: &mut [u8], at: usize, number: u64) {
    into[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

fn u32_at(from: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&from[at..at + 4]);
    u32::from_le_bytes(bytes)
}

fn u64_at(from: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&from[at..at + 8]);
    u64::from_le_bytes(bytes)
}
