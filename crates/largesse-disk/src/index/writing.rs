//! Writes the index of a full segment to its file.
//!
//! Invariants: the file is written from start to end, at most [`BUFFER_PAGES`] pages at a time, and the index does
//! not change meanwhile. Does not sync names: the caller does.

use std::{io, sync::Arc};

use super::{
    Growing, IndexError, IndexOf, Sealed, SegmentIndex as _, StreamEpoch,
    layout::{Header, PAGE_BYTES, Page, PostingsRow, Row, Seed},
};
use crate::io::{Disk, DiskFile};

/// How many pages are buffered.
const BUFFER_PAGES: usize = 64;

/// Creates the file `name`, writes `index` to it, and syncs the bytes, but not yet the name ([`Disk::sync_names`]).
///
/// # Errors
/// [`IndexError::Io`], with [`io::ErrorKind::AlreadyExists`] if the file exists. Otherwise a part of the file may
/// be there, which [`Sealed::open`] rejects and the caller may remove.
pub fn write_sealed(disk: &dyn Disk, name: &str, index: &Growing, of: IndexOf) -> Result<Sealed, IndexError> {
    Sealed::open(write_file(disk, name, index, of)?, of)
}

/// The same, without opening the index.
pub(crate) fn write_file(
    disk: &dyn Disk,
    name: &str,
    index: &Growing,
    of: IndexOf,
) -> Result<Arc<dyn DiskFile>, IndexError> {
    let file = disk.create(name)?;
    let mut writing = Writing::new(&*file, Seed::new(of));
    writing.page(Header { of, totals: index.totals(), seek_points: index.seek_point_count() }.encoded())?;
    writing.section(fence(index))?;
    writing.section(postings_rows(index))?;
    writing.section(index.lives().flat_map(|(_, entries, _)| entries.iter().copied()))?;
    writing.section(index.seek_points().iter().copied())?;
    writing.flush()?;
    file.sync()?;
    Ok(file)
}

/// The first life of each page of posting lists.
fn fence(index: &Growing) -> impl Iterator<Item = StreamEpoch> {
    index.lives().map(|(life, ..)| life).step_by(PostingsRow::PER_PAGE)
}

fn postings_rows(index: &Growing) -> impl Iterator<Item = PostingsRow> {
    let lives = index.lives().filter_map(|(life, entries, counted_bytes)| {
        let (first, last) = (entries.first()?, entries.last()?);
        let count = u32::try_from(entries.len()).expect("an index takes no more than a u32 counts");
        let (first, last) = (first.position, last.position);
        Some(PostingsRow { life, first_entry: 0, count, counted_bytes, first, last })
    });
    lives.scan(0, |next, row| {
        let first_entry = *next;
        *next += row.count;
        Some(PostingsRow { first_entry, ..row })
    })
}

/// The file so far.
struct Writing<'a> {
    file: &'a dyn DiskFile,
    seed: Seed,
    /// Pages that are not written yet.
    buffer: Vec<u8>,
    /// How many bytes are written.
    written: u64,
    /// How many pages there are, written or not.
    pages: u64,
}

impl<'a> Writing<'a> {
    fn new(file: &'a dyn DiskFile, seed: Seed) -> Self {
        Self { file, seed, buffer: Vec::with_capacity(BUFFER_PAGES * PAGE_BYTES), written: 0, pages: 0 }
    }

    /// Writes rows of one kind, starting on a new page.
    fn section<R: Row>(&mut self, rows: impl Iterator<Item = R>) -> io::Result<()> {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let mut page = [0; PAGE_BYTES];
            for (into, row) in page.chunks_exact_mut(R::BYTES).take(R::PER_PAGE).zip(rows.by_ref()) {
                row.write(into);
            }
            self.page(page)?;
        }
        Ok(())
    }

    fn page(&mut self, mut page: Page) -> io::Result<()> {
        self.seed.seal(self.pages, &mut page);
        self.buffer.extend_from_slice(&page);
        self.pages += 1;
        if self.buffer.len() >= BUFFER_PAGES * PAGE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
