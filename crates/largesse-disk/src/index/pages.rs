//! Reads an index file by pages: one at a time, each verified, with rows numbered across pages.
//!
//! Invariant: no byte of a page is used before its checksum is verified. Does not know what the rows mean.

use std::{
    io,
    marker::PhantomData,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::{
    IndexError,
    layout::{PAGE_BYTES, Page, Row, Seed},
};
use crate::io::DiskFile;

/// The pages of one file.
pub(super) struct Pages {
    file: Arc<dyn DiskFile>,
    seed: Seed,
    /// Whether a page was found broken, or the file missing.
    is_broken: AtomicBool,
}

impl Pages {
    pub(super) fn new(file: Arc<dyn DiskFile>, seed: Seed) -> Self {
        Self { file, seed, is_broken: AtomicBool::new(false) }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Relaxed)
    }

    pub(super) fn set_broken(&self) {
        self.is_broken.store(true, Relaxed);
    }

    /// # Errors
    /// Those of the disk.
    pub(super) fn keep_open(&self) -> io::Result<()> {
        self.file.keep_open()
    }

    /// # Errors
    /// [`IndexError::Corrupt`], of a truncated file, too; [`IndexError::Io`].
    pub(super) fn read(&self, number: u64) -> Result<Page, IndexError> {
        let page = read_unchecked(&*self.file, number)
            .and_then(|page| self.seed.verify(number, &page).map(|()| page));
        if page.as_ref().is_err_and(IndexError::is_rebuildable) {
            self.is_broken.store(true, Relaxed);
        }
        page
    }
}

/// Reads a page without verifying it.
///
/// # Errors
/// [`IndexError::Corrupt`] if the file was truncated; [`IndexError::Io`].
pub(super) fn read_unchecked(file: &dyn DiskFile, number: u64) -> Result<Page, IndexError> {
    let mut page = [0; PAGE_BYTES];
    match file.read_at(&mut page, number * PAGE_BYTES as u64) {
        Ok(()) => Ok(page),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(IndexError::Corrupt { page: number })
        }
        Err(error) => Err(error.into()),
    }
}

/// Rows of one kind, on consecutive pages.
pub(super) struct Section<R> {
    first_page: u64,
    count: u32,
    rows: PhantomData<fn() -> R>,
}

impl<R: Row> Section<R> {
    pub(super) fn new(first_page: u64, count: u32) -> Self {
        Self { first_page, count, rows: PhantomData }
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// How many pages it has.
    pub(super) fn page_count(&self) -> u32 {
        self.count.div_ceil(Self::per_page())
    }

    /// The file's page after it.
    pub(super) fn end_page(&self) -> u64 {
        self.first_page + u64::from(self.page_count())
    }

    /// The file's page that is its `number`-th.
    pub(super) fn page(&self, number: u32) -> u64 {
        self.first_page + u64::from(number)
    }

    /// Which of its pages a row is on.
    pub(super) fn page_of(row: u32) -> u32 {
        row / Self::per_page()
    }

    /// The rows on its `number`-th page; none if there is no such page.
    pub(super) fn rows_on(&self, number: u32) -> Range<u32> {
        let first = number.saturating_mul(Self::per_page()).min(self.count);
        first..first.saturating_add(Self::per_page()).min(self.count)
    }

    /// # Errors
    /// Those of [`Pages::read`].
    pub(super) fn read_page(&self, pages: &Pages, number: u32) -> Result<Rows<R>, IndexError> {
        let page = pages.read(self.page(number))?;
        Ok(Rows { page, numbers: self.rows_on(number), rows: PhantomData })
    }

    /// Passes `rows` to `to`, in order.
    ///
    /// # Errors
    /// Those of [`Pages::read`]; the rows before the failed page were passed.
    pub(super) fn read_rows(
        &self,
        pages: &Pages,
        rows: Range<u32>,
        mut to: impl FnMut(R),
    ) -> Result<(), IndexError> {
        let mut next = rows.start;
        let end = rows.end.min(self.count);
        while next < end {
            let on_page = self.read_page(pages, Self::page_of(next))?;
            let until = on_page.numbers.end.min(end);
            (next..until).map(|row| on_page.row(row)).for_each(&mut to);
            next = until;
        }
        Ok(())
    }

    /// The first row of `rows` for which `holds` is false, or their end; it holds for a row only if it holds
    /// for all before. Reads each page at most once, and about log2 of the pages that the rows are on.
    ///
    /// # Errors
    /// Those of [`Pages::read`].
    pub(super) fn partition_point(
        &self,
        pages: &Pages,
        rows: Range<u32>,
        holds: impl Fn(&R) -> bool,
    ) -> Result<u32, IndexError> {
        let (mut low, mut high) = (rows.start, rows.end.min(self.count));
        while low < high {
            let on_page = self.read_page(pages, Self::page_of(low.midpoint(high)))?;
            let first = on_page.numbers.start.max(low);
            let end = on_page.numbers.end.min(high);
            let found = on_page.partition_point(first..end, &holds);
            if found == first {
                high = first;
            } else if found == end {
                low = end;
            } else {
                return Ok(found);
            }
        }
        Ok(low)
    }

    fn per_page() -> u32 {
        u32::try_from(R::PER_PAGE).expect("a page has at most 4,096 rows")
    }
}

/// The rows of one verified page.
pub(super) struct Rows<R> {
    page: Page,
    /// Their numbers in the section.
    numbers: Range<u32>,
    rows: PhantomData<fn() -> R>,
}

impl<R: Row> Rows<R> {
    /// Their numbers in the section.
    pub(super) fn numbers(&self) -> Range<u32> {
        self.numbers.clone()
    }

    /// The row with this number in the section, which is on this page.
    pub(super) fn row(&self, number: u32) -> R {
        R::of_page(&self.page, (number - self.numbers.start) as usize)
    }

    /// Like [`Section::partition_point`], among rows of this page.
    pub(super) fn partition_point(&self, rows: Range<u32>, holds: impl Fn(&R) -> bool) -> u32 {
        let (mut low, mut high) = (rows.start, rows.end);
        while low < high {
            let middle = low.midpoint(high);
            if holds(&self.row(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
