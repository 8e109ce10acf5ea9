//! Events to bytes: the subset of the format that every reader understands.
//!
//! Invariants of what is written: LF only; `field: value` with one space; at most one `event`, one `id` and
//! one `retry` a block; fields in the order event, data, id; an `id` only beside data. The last one holds by
//! shape: a [`Block`] always has data.
//!
//! It does not check anything: the types have. It does not decide what goes out on a connection, or when.

use crate::{EventData, EventId, EventName, Retry};

/// A comment line. It keeps a quiet connection from being cut, and no reader sees an event in it.
///
/// There is no blank line, because some readers take a comment and a blank line for an empty event.
pub const HEARTBEAT: &[u8] = b":\n";

const EVENT: &[u8] = b"event: ";
const DATA: &[u8] = b"data: ";
const ID: &[u8] = b"id: ";
const RETRY: &[u8] = b"retry: ";

/// What one block says: an event, or a control event.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The `event:` line. Without one, a page hears the event as `message`.
    pub name: Option<&'a EventName>,
    /// The `data:` lines, at least one.
    pub data: &'a EventData,
    /// The `id:` line: where a reader that got this block resumes.
    pub id: Option<&'a EventId>,
}

/// Appends the head of a connection: `:\nretry: N\n`, without a blank line.
///
/// The fields join the first block that follows, so no reader sees an event in them. Browsers take `retry` as
/// soon as its line is read.
pub fn encode_head(out: &mut Vec<u8>, retry: Retry) {
    out.extend_from_slice(HEARTBEAT);
    push_line(out, RETRY, retry.as_ms().to_string().as_bytes());
}

/// Appends one block, with the blank line that ends it.
///
/// Data comes before the id, because some readers keep an id as soon as they read its line. A connection cut
/// between the two would then skip the event.
///
/// Source: WHATWG HTML, "Parsing an event stream" and "Interpreting an event stream".
pub fn encode_block(out: &mut Vec<u8>, block: &Block<'_>) {
    out.reserve(encoded_bytes(block));
    if let Some(name) = block.name {
        push_line(out, EVENT, name.as_str().as_bytes());
    }
    push_data(out, block.data.as_str().as_bytes());
    if let Some(id) = block.id {
        push_line(out, ID, id.as_bytes());
    }
    out.push(b'\n');
}

/// How many bytes [`encode_block`] appends, exactly.
pub fn encoded_bytes(block: &Block<'_>) -> usize {
    let data = block.data.as_str().as_bytes();
    let line_breaks = memchr::memchr_iter(b'\n', data).count();
    // Each line break is already one byte of the data, and counts as the end of its line.
    let data_bytes = data.len() + 1 + (line_breaks + 1) * DATA.len();
    let name_bytes = block.name.map_or(0, |name| line_bytes(EVENT, name.as_str().len()));
    let id_bytes = block.id.map_or(0, |id| line_bytes(ID, id.as_bytes().len()));
    name_bytes + data_bytes + id_bytes + 1
}

fn line_bytes(field: &[u8], value_bytes: usize) -> usize {
    field.len() + value_bytes + 1
}

fn push_data(out: &mut Vec<u8>, data: &[u8]) {
    let mut from = 0;
    for line_break in memchr::memchr_iter(b'\n', data) {
        push_line(out, DATA, &data[from..line_break]);
        from = line_break + 1;
    }
    push_line(out, DATA, &data[from..]);
}

fn push_line(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    out.extend_from_slice(field);
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
