//! Records from several sources, merged into log order: the one way to fill a batch, whether events are hot or cold.
//!
//! Invariant: each record costs the logarithm of the number of sources. Does not know where a source gets its records.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    convert::Infallible,
    sync::Arc,
};

use super::batch_builder::{BatchBuilder, Fit};
use crate::{Position, Record, state::life::Life};

/// Records in log order.
pub(super) trait Source {
    /// Why a record can't be read.
    type Error;

    /// The position of the next record.
    fn next_position(&mut self) -> Result<Option<Position>, Self::Error>;

    /// Returns the next record and moves on; `None` for one to skip. Of the records after it, at most `bytes_left` bytes
    /// of data will be wanted.
    fn next_record(&mut self, bytes_left: u64) -> Result<Option<Record>, Self::Error>;
}

/// Adds all records of the sources, and the ends before them, as far as they fit.
pub(super) fn merge<S: Source>(
    sources: &mut [S],
    ends: &mut VecDeque<Record>,
    builder: &mut BatchBuilder,
) -> Result<Fit, S::Error> {
    let mut heap = BinaryHeap::with_capacity(sources.len());
    for (number, source) in sources.iter_mut().enumerate() {
        heap.extend(source.next_position()?.map(|position| Reverse((position, number))));
    }
    while let Some(Reverse((position, number))) = heap.pop() {
        if builder.push_ends(ends, position) == Fit::Full || builder.is_full() {
            return Ok(Fit::Full);
        }
        let source = &mut sources[number];
        let record = source.next_record(builder.bytes_left())?;
        if record.is_some_and(|record| builder.push(record) == Fit::Full) {
            return Ok(Fit::Full);
        }
        heap.extend(source.next_position()?.map(|position| Reverse((position, number))));
    }
    Ok(Fit::Added)
}

/// The hot events of one life.
pub(super) struct HotEvents<'a> {
    life: &'a Life,
    next: usize,
}

impl<'a> HotEvents<'a> {
    pub(super) fn after(life: &'a Life, position: Position) -> Self {
        Self { life, next: life.hot_upto(position) }
    }
}

impl Source for HotEvents<'_> {
    type Error = Infallible;

    fn next_position(&mut self) -> Result<Option<Position>, Infallible> {
        Ok(self.life.hot.get(self.next).map(|event| event.position))
    }

    fn next_record(&mut self, _: u64) -> Result<Option<Record>, Infallible> {
        let event = self.life.hot.get(self.next).map(Arc::clone);
        self.next += 1;
        Ok(event.map(|event| Record::Event { event, slow: self.life.settings.slow }))
    }
}
