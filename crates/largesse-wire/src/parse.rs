//! Bytes to events: a push parser for event streams of any origin.
//!
//! Invariants, with `buffered` = bytes held of the unfinished event (see [`ParserLimits`]):
//! - `buffered <= event_bytes_max` after every call, and nothing else held grows with the input but the
//!   committed id, which has `<= event_bytes_max` bytes too;
//! - how the input is cut into pieces changes nothing: events, ids, reconnection times and failure are the
//!   same;
//! - no byte of a value is searched for a line end twice, and a CR is never held back.
//!
//! It does not read from anywhere, connect again, or check what it reads against our own rules: data may hold
//! NUL, an id may be any text. It needs no call at the end of the input: an unfinished block is dropped with
//! it.

mod block;
mod digits;
mod line;

use std::sync::Arc;

use block::UnfinishedBlock;
use digits::Digits;
use line::{Field, Lines, Piece};

/// What one [`Parser`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParserLimits {
    /// The most bytes of one event: `data + name + id <= event_bytes_max`.
    ///
    /// - `data` is all its lines with one LF between two of them; `name` is the last `event` value; `id` is
    ///   the last `id` value, and while a further `id` line is being read, that line as well.
    /// - The inequality holds twice: for the bytes as they arrive, at every byte; and at the block's end for
    ///   the text, where each malformed sequence has become U+FFFD (3 bytes).
    /// - Field names, comments, unknown fields and `retry` are not counted, because they are not held. Neither is
    ///   an id that comes from an earlier block.
    pub event_bytes_max: usize,
}

/// One event as a page would hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedEvent {
    /// The last `event` value of the block. Empty where there was none: a page hears it as `message`.
    pub name: String,
    /// The data, with one LF between two `data` lines.
    pub data: String,
    /// The last id committed so far, in this block or an earlier one. Empty where there was none.
    ///
    /// Shared, so that a large id common to many small events is held once.
    pub last_event_id: Arc<str>,
}

/// Why a [`Parser`] stopped. The sender has to fix it: a smaller event, on a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// An event is larger than [`ParserLimits::event_bytes_max`]. Its block is dropped.
    #[error(
        "an event has more than {bytes_max} bytes of data, name and id together; send it in smaller events"
    )]
    TooLarge {
        /// The limit, in bytes.
        bytes_max: usize,
    },
}

/// Reads an event stream as its bytes arrive.
///
/// - Source: WHATWG HTML, "Parsing an event stream" and "Interpreting an event stream".
/// - Ours, where the standard leaves room: an empty `retry` value is ignored.
/// - Ours, against its letter: the standard begins each connection with an empty id, so that its first block
///   without an id makes the reader forget its place. Here the committed id stays until another one comes.
///
/// ```
/// use largesse_wire::{Parser, ParserLimits};
///
/// let mut parser = Parser::new(ParserLimits { event_bytes_max: 1024 });
/// let mut heard = Vec::new();
/// for mut piece in [&b"data: a\r"[..], b"\n\r\ndata: b\nid", b": 2\n\ndata: unfinished"] {
///     while let Some(event) = parser.next_event(&mut piece)? {
///         heard.push(event.data);
///     }
/// }
/// assert_eq!(heard, ["a", "b"]);
/// assert_eq!(parser.last_event_id(), "2");
/// # Ok::<(), largesse_wire::ParseError>(())
/// ```
#[derive(Debug)]
pub struct Parser {
    limits: ParserLimits,
    lines: Lines,
    block: UnfinishedBlock,
    retry_line: Digits,
    last_event_id: Arc<str>,
    reconnection_time_ms: Option<u64>,
    failed: Option<ParseError>,
}

impl Parser {
    /// A parser at the start of a first connection: no id, no reconnection time.
    pub fn new(limits: ParserLimits) -> Self {
        Self {
            limits,
            lines: Lines::default(),
            block: UnfinishedBlock::default(),
            retry_line: Digits::default(),
            last_event_id: Arc::from(""),
            reconnection_time_ms: None,
            failed: None,
        }
    }

    /// The same, at the start of a connection that goes on after `last_event_id`, from an earlier run. It is given to
    /// events and presented until the stream has another; whatever its length, it counts for no limit.
    pub fn resuming(limits: ParserLimits, last_event_id: &str) -> Self {
        Self { last_event_id: Arc::from(last_event_id), ..Self::new(limits) }
    }

    /// Takes bytes from the front of `input` until one event is complete or the input is used up.
    ///
    /// `None` means that `input` is now empty. After an event, call again with what is left.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`], also from every later call, until [`Parser::reset_connection`]. Events already
    /// returned stay valid, and so does [`Parser::last_event_id`]; the rest of `input` has no meaning any more.
    pub fn next_event(&mut self, input: &mut &[u8]) -> Result<Option<ParsedEvent>, ParseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let event = self.read(input);
        if let Err(error) = event {
            self.failed = Some(error);
            self.block = UnfinishedBlock::default();
        }
        event
    }

    /// The id to present on the next connection. Empty where there is none.
    ///
    /// An id takes effect at the end of its block, even if the block has no data.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Bytes held of the unfinished block: `<= event_bytes_max`, see [`ParserLimits`]. Its memory is at most twice
    /// that. 0 between two blocks.
    pub fn held_bytes(&self) -> usize {
        self.block.bytes()
    }

    /// Drops the committed id, for a caller that takes events in and never reconnects: nothing is held between
    /// two blocks then.
    pub fn forget_last_event_id(&mut self) {
        if !self.last_event_id.is_empty() {
            self.last_event_id = Arc::from("");
        }
    }

    /// The last `retry`, in milliseconds. It takes effect at the end of its line. Numbers too large become
    /// [`u64::MAX`].
    pub fn reconnection_time_ms(&self) -> Option<u64> {
        self.reconnection_time_ms
    }

    /// Begins a new connection: the unfinished block and a failure are dropped, the committed id and the
    /// reconnection time are kept.
    pub fn reset_connection(&mut self) {
        self.lines = Lines::default();
        self.block = UnfinishedBlock::default();
        self.retry_line = Digits::default();
        self.failed = None;
    }

    fn read(&mut self, input: &mut &[u8]) -> Result<Option<ParsedEvent>, ParseError> {
        while let Some(piece) = self.lines.next_piece(input) {
            match piece {
                Piece::Begins(field) => self.begin_field(field)?,
                Piece::Value(field, value) => self.extend_field(field, value)?,
                Piece::Ends(field) => self.end_field(field),
                Piece::Bare(field) => {
                    self.begin_field(field)?;
                    self.end_field(field);
                }
                Piece::Blank => {
                    if let Some(event) = self.finish_block()? {
                        return Ok(Some(event));
                    }
                }
            }
        }
        Ok(None)
    }

    fn begin_field(&mut self, field: Field) -> Result<(), ParseError> {
        match field {
            Field::Data => self.block.begin_data(self.limits)?,
            Field::Event => self.block.begin_name(),
            Field::Id => {}
            Field::Retry => self.retry_line = Digits::default(),
        }
        Ok(())
    }

    fn extend_field(&mut self, field: Field, value: &[u8]) -> Result<(), ParseError> {
        match field {
            Field::Data => self.block.extend_data(value, self.limits)?,
            Field::Event => self.block.extend_name(value, self.limits)?,
            Field::Id => self.block.extend_id(value, self.limits)?,
            Field::Retry => self.retry_line = self.retry_line.extended(value),
        }
        Ok(())
    }

    fn end_field(&mut self, field: Field) {
        match field {
            Field::Data | Field::Event => {}
            Field::Id => self.block.end_id(),
            Field::Retry => {
                self.reconnection_time_ms = self.retry_line.number().or(self.reconnection_time_ms)
            }
        }
    }

    fn finish_block(&mut self) -> Result<Option<ParsedEvent>, ParseError> {
        let finished = std::mem::take(&mut self.block).finish(self.limits)?;
        // The id is committed first, even if the block has no data.
        if let Some(id) = finished.id {
            self.last_event_id = id.into();
        }
        let last_event_id = Arc::clone(&self.last_event_id);
        Ok(finished.data.map(|data| ParsedEvent { name: finished.name, data, last_event_id }))
    }
}

#[cfg(test)]
mod tests;
