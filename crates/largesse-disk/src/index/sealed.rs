//! The index of a segment that no longer changes, in a file.
//!
//! Only the fence is in memory: the first life of each page of posting lists, 8 bytes for 4,096 of the file, which
//! is less than 0.2 % of it. So a life is found with one page, and one event of it with about log2 of the pages of
//! its entries. Everything else is read on demand, and cached only by the system.
//!
//! Invariants: every page is verified when it is read; a posting list is within the entries. Does not write.

use std::{io, ops::Range, sync::Arc, vec};

use largesse_log::{Position, UnixMs};

use super::{
    Entry, Home, IndexError, IndexOf, Postings, SeekPoint, SegmentIndex, StreamEpoch, Totals,
    layout::{Header, PAGE_BYTES, PostingsRow, Seed, check_of},
    pages::{Pages, Section, read_unchecked},
};
use crate::io::DiskFile;

/// The index in a file.
pub struct Sealed {
    pages: Pages,
    totals: Totals,
    /// The header page's checksum.
    check: u64,
    /// The first life of each page of posting lists.
    fence: Box<[StreamEpoch]>,
    all_postings: Section<PostingsRow>,
    entries: Section<Entry>,
    seek_points: Section<SeekPoint>,
}

impl Sealed {
    /// Reads the header and the fence: a page, and one for 511 pages of posting lists.
    ///
    /// # Errors
    /// All of [`IndexError`]. A broken page after the fence is found only when it is read.
    pub fn open(file: Arc<dyn DiskFile>, of: IndexOf) -> Result<Self, IndexError> {
        let bytes = file.bytes()?;
        if bytes < PAGE_BYTES as u64 {
            return Err(IndexError::Length { bytes, expected: PAGE_BYTES as u64 });
        }
        let page = read_unchecked(&*file, 0)?;
        let header = Header::decode(&page)?;
        if header.of != of {
            return Err(IndexError::Foreign { found: header.of });
        }
        let sections = Sections::new(&header);
        if bytes != sections.bytes() {
            return Err(IndexError::Length { bytes, expected: sections.bytes() });
        }
        let pages = Pages::new(file, Seed::new(of));
        let mut fence = Vec::with_capacity(sections.fence.count() as usize);
        sections.fence.read_rows(&pages, 0..sections.fence.count(), |life| fence.push(life))?;
        let Sections { all_postings, entries, seek_points, .. } = sections;
        let (totals, check, fence) = (header.totals, check_of(&page), fence.into());
        Ok(Self { pages, totals, check, fence, all_postings, entries, seek_points })
    }

    /// Reads every page once, to find out whether all are whole.
    ///
    /// # Errors
    /// The first broken page, or [`IndexError::Io`].
    pub fn verify(&self) -> Result<(), IndexError> {
        (0..self.seek_points.end_page()).try_for_each(|page| self.pages.read(page).map(|_| ()))
    }

    /// Whether a page was found broken since it was opened.
    pub(crate) fn is_broken(&self) -> bool {
        self.pages.is_broken()
    }

    /// Records that its file is gone.
    pub(crate) fn set_broken(&self) {
        self.pages.set_broken();
    }

    /// Call it before the file is removed: those who have this index can still read it then.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_open(&self) -> io::Result<()> {
        self.pages.keep_open()
    }

    /// The posting lists on a page, from this life on.
    fn postings_on(&self, page: u32, from: StreamEpoch) -> Result<Vec<Postings>, IndexError> {
        let rows = self.all_postings.read_page(&self.pages, page)?;
        let first = rows.partition_point(rows.numbers(), |row| row.life < from);
        (first..rows.numbers().end).map(|number| self.checked(page, rows.row(number))).collect()
    }

    /// The page of posting lists that has this life, if any has; an existing page, if there are pages.
    fn postings_page(&self, life: StreamEpoch) -> u32 {
        let pages_upto = self.fence.partition_point(|first| *first <= life);
        u32::try_from(pages_upto.saturating_sub(1)).expect("there are fewer pages than all_postings")
    }

    /// Validates a row of a verified page: the code that wrote it may have been wrong.
    fn checked(&self, page: u32, row: PostingsRow) -> Result<Postings, IndexError> {
        let end = row.first_entry.checked_add(row.count);
        if row.count == 0 || end.is_none_or(|end| end > self.entries.count()) {
            return Err(IndexError::Corrupt { page: self.all_postings.page(page) });
        }
        let PostingsRow { life, first_entry, count, counted_bytes, first, last } = row;
        let home = Home::Sealed { index: self.check, first_entry };
        Ok(Postings { life, count, counted_bytes, first, last, home })
    }

    /// A posting list as this index has it, with its first entry.
    fn own(&self, postings: &Postings) -> Result<Option<(Postings, u32)>, IndexError> {
        let found = match postings.home {
            Home::Sealed { index, .. } if index == self.check => Some(*postings),
            _ => self.postings(postings.life)?,
        };
        Ok(found.and_then(|own| match own.home {
            Home::Sealed { first_entry, .. } => Some((own, first_entry)),
            Home::Growing => None,
        }))
    }

    /// The entries of a posting list, as of its lookup.
    fn entries_on(&self, postings: &Postings) -> Result<Range<u32>, IndexError> {
        let own = self.own(postings)?;
        Ok(own.map_or(0..0, |(own, first)| first..first + own.count.min(postings.count)))
    }

    fn last_seek_point_where(&self, holds: impl Fn(&SeekPoint) -> bool) -> Result<Option<u32>, IndexError> {
        let all = 0..self.seek_points.count();
        Ok(self.seek_points.partition_point(&self.pages, all, holds)?.checked_sub(1))
    }
}

impl SegmentIndex for Sealed {
    fn totals(&self) -> Totals {
        self.totals
    }

    fn postings(&self, life: StreamEpoch) -> Result<Option<Postings>, IndexError> {
        if self.fence.first().is_none_or(|first| life < *first) {
            return Ok(None);
        }
        let page = self.postings_page(life);
        let rows = self.all_postings.read_page(&self.pages, page)?;
        let number = rows.partition_point(rows.numbers(), |row| row.life < life);
        let row = rows.numbers().contains(&number).then(|| rows.row(number));
        row.filter(|row| row.life == life).map(|row| self.checked(page, row)).transpose()
    }

    fn all_postings(&self, from: StreamEpoch) -> Box<dyn Iterator<Item = Result<Postings, IndexError>> + '_> {
        let next_page = self.postings_page(from);
        Box::new(PostingsIter { index: self, from, next_page, read: Vec::new().into_iter() })
    }

    fn upto(&self, postings: &Postings, position: Position) -> Result<u32, IndexError> {
        let Some((own, first)) = self.own(postings)? else { return Ok(0) };
        let rows = first..first + own.count;
        let end = match position {
            before if before < own.first => rows.start,
            after if after >= own.last => rows.end,
            _ => self.entries.partition_point(&self.pages, rows, |entry| entry.position <= position)?,
        };
        Ok((end - first).min(postings.count))
    }

    fn entries(&self, postings: &Postings, from: u32, entries_max: usize) -> Result<Vec<Entry>, IndexError> {
        let rows = self.entries_on(postings)?;
        let first = rows.start.saturating_add(from).min(rows.end);
        let wanted = u32::try_from(entries_max).unwrap_or(u32::MAX);
        let end = first.saturating_add(wanted).min(rows.end);
        let mut entries = Vec::with_capacity((end - first) as usize);
        self.entries.read_rows(&self.pages, first..end, |entry| entries.push(entry))?;
        Ok(entries)
    }

    fn seek_point_count(&self) -> u32 {
        self.seek_points.count()
    }

    fn seek_point(&self, number: u32) -> Result<Option<SeekPoint>, IndexError> {
        let mut found = None;
        self.seek_points.read_rows(&self.pages, number..number.saturating_add(1), |seek_point| {
            found = Some(seek_point)
        })?;
        Ok(found)
    }

    fn seek_point_number_upto(&self, position: Position) -> Result<Option<u32>, IndexError> {
        self.last_seek_point_where(|seek_point| seek_point.position <= position)
    }

    fn seek_point_number_before_time(&self, time: UnixMs) -> Result<Option<u32>, IndexError> {
        self.last_seek_point_where(|seek_point| seek_point.time < time)
    }
}

/// Posting lists in the order of lives, one page in memory at a time.
struct PostingsIter<'a> {
    index: &'a Sealed,
    from: StreamEpoch,
    next_page: u32,
    read: vec::IntoIter<Postings>,
}

impl Iterator for PostingsIter<'_> {
    type Item = Result<Postings, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Only the first page may have nothing to return: all its lives may be before `from`.
        while self.read.as_slice().is_empty() && self.next_page < self.index.all_postings.page_count() {
            match self.index.postings_on(self.next_page, self.from) {
                Ok(read) => (self.read, self.next_page) = (read.into_iter(), self.next_page + 1),
                Err(error) => {
                    self.next_page = u32::MAX;
                    return Some(Err(error));
                }
            }
        }
        self.read.next().map(Ok)
    }
}

/// The sections of the file.
struct Sections {
    fence: Section<StreamEpoch>,
    all_postings: Section<PostingsRow>,
    entries: Section<Entry>,
    seek_points: Section<SeekPoint>,
}

impl Sections {
    fn new(header: &Header) -> Self {
        let lives = header.totals.lives;
        let fence = Section::new(1, Section::<PostingsRow>::new(0, lives).page_count());
        let all_postings = Section::new(fence.end_page(), lives);
        let entries = Section::new(all_postings.end_page(), header.totals.events);
        let seek_points = Section::new(entries.end_page(), header.seek_points);
        Self { fence, all_postings, entries, seek_points }
    }

    /// The length of the whole file.
    fn bytes(&self) -> u64 {
        self.seek_points.end_page() * PAGE_BYTES as u64
    }
}
