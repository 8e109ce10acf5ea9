//! Neighbouring events of a segment, read with one call.
//!
//! Invariant: it has at most the allowed bytes, and a single frame is not read here at all. It returns bytes as
//! they are in the file, unverified. Does not know which events are kept.

use std::io;

use crate::{
    format::scan::EventSpot,
    segments::{Segment, SegmentId},
};

/// The largest gap between events read with one call: reading this much more is as fast as another call.
const GAP_BYTES_MAX: u64 = 4 * 1024;
/// The most to read with one call.
pub(super) const COALESCED_BYTES_MAX: u64 = 64 * 1024;

/// A coalesced read of a segment.
#[derive(Default)]
pub(crate) struct CoalescedRead {
    of: Option<SegmentId>,
    at: u64,
    bytes: Vec<u8>,
}

impl CoalescedRead {
    /// Reads the frame at `spot` and the wanted ones after it, as long as they are near and within `bytes_max`;
    /// does nothing if there is no such neighbour, or if the frame is already here.
    ///
    /// # Errors
    /// Those of the disk; nothing is here then.
    pub(super) fn read(
        &mut self,
        segment: &Segment,
        spot: EventSpot,
        wanted: impl Iterator<Item = EventSpot>,
        bytes_max: u64,
    ) -> io::Result<()> {
        if self.frame(segment, spot).is_some() {
            return Ok(());
        }
        self.of = None;
        let end = end_of(spot, wanted, bytes_max.min(COALESCED_BYTES_MAX));
        if end == end_of_frame(spot) {
            return Ok(());
        }
        self.bytes.resize((end - spot.at) as usize, 0);
        segment.file.read_at(&mut self.bytes, spot.at)?;
        (self.of, self.at) = (Some(segment.id), spot.at);
        Ok(())
    }

    /// The bytes of a frame, if they are here.
    pub(super) fn frame(&self, segment: &Segment, spot: EventSpot) -> Option<&[u8]> {
        self.of.filter(|of| *of == segment.id)?;
        let from = usize::try_from(spot.at.checked_sub(self.at)?).ok()?;
        self.bytes.get(from..)?.get(..spot.bytes as usize)
    }
}

fn end_of_frame(spot: EventSpot) -> u64 {
    spot.at.saturating_add(spot.bytes.into())
}

/// The end of a coalesced read that begins at `first`.
fn end_of(first: EventSpot, wanted: impl Iterator<Item = EventSpot>, bytes_max: u64) -> u64 {
    let mut end = end_of_frame(first);
    for spot in wanted {
        let is_near = spot.at >= end && spot.at - end <= GAP_BYTES_MAX;
        if !is_near || end_of_frame(spot) - first.at > bytes_max {
            break;
        }
        end = end_of_frame(spot);
    }
    end
}

#[cfg(test)]
mod tests;
