//! Blocks from the hub that the connection has not taken yet, encoded piece by piece.
//!
//! Invariant: a piece exceeds [`PIECE_BYTES_MAX`] by at most one short block, so a stalled connection holds little:
//! the events that wait here are shared with the log and all readers. Does not read from the hub.

use largesse_hub::{BlockContent, OutBlock};

use super::{
    encode::{self, Format},
    long_block::{ESCAPED_BYTES_MAX, LongBlock},
};

/// Bytes of one piece. A read of the log is smaller, unless a single event is larger.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// What waits for the connection.
pub(crate) struct Pending {
    format: Format,
    blocks: std::vec::IntoIter<OutBlock>,
    /// The block that is partly written.
    long: Option<LongBlock>,
}

impl Pending {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, blocks: Vec::new().into_iter(), long: None }
    }

    /// Sets the blocks of the next step, once those before are written.
    pub(crate) fn set(&mut self, blocks: Vec<OutBlock>) {
        debug_assert!(self.is_empty(), "the blocks before are written");
        self.blocks = blocks.into_iter();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.long.is_none() && self.blocks.as_slice().is_empty()
    }

    /// Appends one piece.
    pub(crate) fn push(&mut self, bytes: &mut Vec<u8>) {
        while bytes.len() < PIECE_BYTES_MAX {
            if let Some(long) = &mut self.long {
                long.push(bytes, PIECE_BYTES_MAX);
                self.long.take_if(|long| long.is_written());
            } else if let Some(block) = self.blocks.next() {
                self.begin(bytes, &block);
            } else {
                return;
            }
        }
    }

    fn begin(&mut self, bytes: &mut Vec<u8>, block: &OutBlock) {
        match &block.content {
            BlockContent::Event(event) if event.data.as_str().len() > self.short_bytes_max() => {
                self.long = Some(LongBlock::new(event.clone(), block.id, self.format));
            }
            BlockContent::Event(_) | BlockContent::Control(_) => encode::block(bytes, block, self.format),
        }
    }

    /// Data up to this length is encoded as a whole block.
    fn short_bytes_max(&self) -> usize {
        match self.format {
            Format::Plain => PIECE_BYTES_MAX,
            Format::Json => PIECE_BYTES_MAX / ESCAPED_BYTES_MAX,
        }
    }
}
