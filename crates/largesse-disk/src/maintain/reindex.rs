//! Rebuilds a segment's index from the segment.
//!
//! Invariants: it has the events that the lost index had, in the same order; those of an ended life are listed
//! under a life that nobody looks up, so that they still count as garbage. Reads only the heads of events: one with
//! a broken text is still indexed. Does not write.

use std::{collections::HashMap, io, sync::Arc};

use largesse_log::{Position, StreamName};

use crate::{
    format::{
        frame::{Salt, counted_bytes_of},
        scan::{Broken, EventScan, Scanned, ScannedEvent},
        segment::HEADER_BYTES,
    },
    index::{Entry, Growing, OutOfOrder, SeekPoint, StreamEpoch},
    segments::Segment,
};

/// Why a segment's index can't be rebuilt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReindexError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
}

/// Reads a segment. `life_of` returns where the life of an existing stream began.
pub(crate) fn reindexed(
    segment: &Segment,
    salt: Salt,
    life_of: impl Fn(&StreamName) -> Option<Position>,
) -> Result<Growing, ReindexError> {
    let mut scan = EventScan::new(Arc::clone(&segment.file), salt, HEADER_BYTES as u64, segment.bytes())?;
    let mut reindexing = Reindexing { index: Growing::new(), head_at: None, over: HashMap::new() };
    loop {
        match scan.next_event()? {
            Scanned::Next(event) if segment.is_void(event.position) => {}
            Scanned::Next(event) => reindexing.push(&event, life_of(&event.stream))?,
            Scanned::End => return Ok(reindexing.index),
            Scanned::Broken(broken) => return Err(broken.into()),
        }
    }
}

struct Reindexing {
    index: Growing,
    head_at: Option<u64>,
    /// The first event here of each stream with an ended life. No life has its position, since no other record has
    /// it.
    over: HashMap<StreamName, Position>,
}

impl Reindexing {
    fn push(&mut self, event: &ScannedEvent, life: Option<Position>) -> Result<(), OutOfOrder> {
        let ScannedEvent { head_at, position, time, spot, .. } = *event;
        if self.head_at != Some(head_at) {
            self.head_at = Some(head_at);
            self.index.push_seek_point(SeekPoint { position, at: head_at, time })?;
        }
        let life = match life.filter(|start| *start <= position) {
            Some(start) => start,
            None => *self.over.entry(event.stream.clone()).or_insert(position),
        };
        let counted_bytes = counted_bytes_of(spot.bytes);
        let entry = Entry { position, at: spot.at, bytes: spot.bytes, counted_bytes, time };
        self.index.push(StreamEpoch(life), entry)
    }
}
