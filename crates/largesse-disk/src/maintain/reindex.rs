//! The index of a segment, made again from the segment.
//!
//! Invariants: it has the events that the lost index had, in the same places; those of a life that is over stand under
//! a life that nobody asks for, so that what they count is still garbage. Reads the heads of events only: one whose
//! text is broken is in it, as it was. Does not write.

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

/// Why a segment gives no index.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReindexError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
}

/// Reads what stands in a segment. `life_of` says where the life of a stream that is there began.
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
    /// Of streams with events of a life that is over: the first of those here. It is no life's number, since no other
    /// record has its position.
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
