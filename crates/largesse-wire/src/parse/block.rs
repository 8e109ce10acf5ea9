//! The block that is being read: the values of its fields, as bytes, and their limit.
//!
//! Invariant: `bytes() <= event_bytes_max` after every call, where `bytes` is data, name, id and the `id`
//! line being read. Each buffer has `capacity <= max(8, 2 * len)` (`Vec` doubles), and leaves with its block:
//! one large event does not keep its memory.
//!
//! It does not know lines, and it does not know the ids of earlier blocks.

use super::{ParseError, ParserLimits};

/// The fields so far of a block whose blank line has not come yet.
#[derive(Debug, Default)]
pub(super) struct UnfinishedBlock {
    /// `None` until the first `data` line: a block without one is not an event. Lines are joined by LF. The
    /// standard puts one after each line and takes the last one off again, which comes to the same.
    data: Option<Vec<u8>>,
    name: Vec<u8>,
    /// `None` until an `id` line is complete; then the id of an earlier block applies.
    id: Option<Vec<u8>>,
    /// The `id` line being read; between `id` lines, empty. It is kept apart because a NUL further on makes
    /// the whole line void.
    id_line: IdLine,
}

#[derive(Debug)]
enum IdLine {
    Kept(Vec<u8>),
    Void,
}

impl Default for IdLine {
    fn default() -> Self {
        Self::Kept(Vec::new())
    }
}

/// A complete block, as text.
#[derive(Debug)]
pub(super) struct FinishedBlock {
    pub(super) data: Option<String>,
    pub(super) name: String,
    pub(super) id: Option<String>,
}

impl UnfinishedBlock {
    pub(super) fn begin_data(&mut self, limits: ParserLimits) -> Result<(), ParseError> {
        match self.data {
            Some(_) => self.extend_data(b"\n", limits),
            None => {
                self.data = Some(Vec::new());
                Ok(())
            }
        }
    }

    pub(super) fn extend_data(&mut self, value: &[u8], limits: ParserLimits) -> Result<(), ParseError> {
        self.make_room(value.len(), limits)?;
        self.data.get_or_insert_default().extend_from_slice(value);
        Ok(())
    }

    /// The last `event` line wins, so the name from an earlier one is dropped at once, and its memory with it.
    pub(super) fn begin_name(&mut self) {
        self.name = Vec::new();
    }

    pub(super) fn extend_name(&mut self, value: &[u8], limits: ParserLimits) -> Result<(), ParseError> {
        self.make_room(value.len(), limits)?;
        self.name.extend_from_slice(value);
        Ok(())
    }

    /// The bytes before a NUL count against the limit as if the NUL were not there: whether the block is too
    /// large must not depend on how the input is cut.
    pub(super) fn extend_id(&mut self, value: &[u8], limits: ParserLimits) -> Result<(), ParseError> {
        if matches!(self.id_line, IdLine::Void) {
            return Ok(());
        }
        let nul_at = memchr::memchr(0, value);
        self.make_room(nul_at.unwrap_or(value.len()), limits)?;
        match (&mut self.id_line, nul_at) {
            (IdLine::Kept(line), None) => line.extend_from_slice(value),
            (line, _) => *line = IdLine::Void,
        }
        Ok(())
    }

    pub(super) fn end_id(&mut self) {
        if let IdLine::Kept(line) = std::mem::take(&mut self.id_line) {
            self.id = Some(line);
        }
    }

    /// Malformed UTF-8 becomes U+FFFD here, in whole values. That is the same as decoding the stream first:
    /// every value ends before an ASCII byte, and no sequence reaches over one.
    pub(super) fn finish(self, limits: ParserLimits) -> Result<FinishedBlock, ParseError> {
        let block = FinishedBlock { data: self.data.map(text), name: text(self.name), id: self.id.map(text) };
        let bytes =
            len(block.data.as_ref(), String::len) + block.name.len() + len(block.id.as_ref(), String::len);
        if bytes > limits.event_bytes_max { Err(too_large(limits)) } else { Ok(block) }
    }

    /// The bytes held, which are what the limit counts.
    pub(super) fn bytes(&self) -> usize {
        let id_line_bytes = match &self.id_line {
            IdLine::Kept(line) => line.len(),
            IdLine::Void => 0,
        };
        len(self.data.as_ref(), Vec::len) + self.name.len() + len(self.id.as_ref(), Vec::len) + id_line_bytes
    }

    fn make_room(&self, bytes: usize, limits: ParserLimits) -> Result<(), ParseError> {
        // The left side cannot overflow: both are lengths of slices in memory.
        if self.bytes() + bytes > limits.event_bytes_max { Err(too_large(limits)) } else { Ok(()) }
    }
}

#[cfg(test)]
impl UnfinishedBlock {
    /// The bytes of memory held, used or not.
    pub(super) fn capacity_bytes(&self) -> usize {
        let id_line_bytes = match &self.id_line {
            IdLine::Kept(line) => line.capacity(),
            IdLine::Void => 0,
        };
        len(self.data.as_ref(), Vec::capacity)
            + self.name.capacity()
            + len(self.id.as_ref(), Vec::capacity)
            + id_line_bytes
    }

    pub(super) fn data_address(&self) -> *const u8 {
        self.data.as_ref().map_or(std::ptr::null(), |data| data.as_ptr())
    }
}

fn len<T>(value: Option<&T>, bytes: impl FnOnce(&T) -> usize) -> usize {
    value.map_or(0, bytes)
}

fn too_large(limits: ParserLimits) -> ParseError {
    ParseError::TooLarge { bytes_max: limits.event_bytes_max }
}

/// Without a copy where the bytes are UTF-8 already.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
