//! The block of a long event, written piece by piece.
//!
//! Invariant: the pieces together equal what `encode::block` writes; a test checks it. JSON escapes each character by
//! itself, so it can be written in pieces too. Does not copy the event, which is shared with the log and all readers.

use std::sync::Arc;

use largesse_log::Event;
use largesse_wire::{EventId, EventName};

use super::encode::Format;
use crate::{
    kit::json,
    native::event_json::{EventJson, Naming},
};

/// Bytes of data that are escaped at once. JSON turns each into at most [`ESCAPED_BYTES_MAX`].
const SLICE_BYTES_MAX: usize = 1024;

/// Bytes of JSON per byte of text, at most. Source: RFC 8259, clause 7 (`\u0000`).
pub(crate) const ESCAPED_BYTES_MAX: usize = 6;

/// A block that is being written.
pub(crate) struct LongBlock {
    event: Arc<Event>,
    id: Option<EventId>,
    format: Format,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    /// The data, from this byte.
    Data(usize),
    Written,
}

impl LongBlock {
    pub(crate) fn new(event: Arc<Event>, id: Option<EventId>, format: Format) -> Self {
        Self { event, id, format, step: Step::Begin }
    }

    pub(crate) fn is_written(&self) -> bool {
        self.step == Step::Written
    }

    /// Appends until there are `bytes_max` bytes or the block is written. It may go beyond by the fields' names,
    /// the event's name, the id, and one slice that is escaped.
    pub(crate) fn push(&mut self, bytes: &mut Vec<u8>, bytes_max: usize) {
        if self.step == Step::Begin {
            self.push_begin(bytes);
        }
        if let Step::Data(at) = self.step {
            let at = match self.format {
                Format::Plain => self.push_lines(bytes, bytes_max, at),
                Format::Json => self.push_escaped(bytes, bytes_max, at),
            };
            self.step = Step::Data(at);
            if at == self.event.data.as_str().len() {
                self.push_end(bytes);
            }
        }
    }

    fn push_begin(&mut self, bytes: &mut Vec<u8>) {
        match self.format {
            Format::Plain => {
                let name = self.event.name.as_ref().map(EventName::as_str);
                name.into_iter().for_each(|name| push_line(bytes, "event: ", name));
                bytes.extend_from_slice(b"data: ");
            }
            Format::Json => {
                bytes.extend_from_slice(b"data: ");
                let envelope = EventJson::new(&self.event, self.id.as_ref(), Naming::WithStream);
                bytes.extend_from_slice(envelope.up_to_data().as_bytes());
            }
        }
        self.step = Step::Data(0);
    }

    /// Writes the data from `at`, and returns how far it got.
    fn push_lines(&self, bytes: &mut Vec<u8>, bytes_max: usize, mut at: usize) -> usize {
        let data = self.event.data.as_str().as_bytes();
        while at < data.len() && bytes.len() < bytes_max {
            let room = (bytes_max - bytes.len()).min(data.len() - at);
            let slice = &data[at..at + room];
            // Up to the line's end, if it is in the slice: what follows is the next `data` line.
            match slice.iter().position(|byte| *byte == b'\n') {
                Some(line) => {
                    bytes.extend_from_slice(&slice[..=line]);
                    bytes.extend_from_slice(b"data: ");
                    at += line + 1;
                }
                None => {
                    bytes.extend_from_slice(slice);
                    at += room;
                }
            }
        }
        at
    }

    /// The same with the data as a JSON text, which is one line.
    fn push_escaped(&self, bytes: &mut Vec<u8>, bytes_max: usize, mut at: usize) -> usize {
        let data = self.event.data.as_str();
        while at < data.len() && bytes.len() < bytes_max {
            let room = (bytes_max - bytes.len()).min(SLICE_BYTES_MAX);
            let end = char_end(data, at + room);
            bytes.extend_from_slice(json::escaped(&data[at..end]).as_bytes());
            at = end;
        }
        at
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>) {
        match self.format {
            Format::Plain => {}
            Format::Json => bytes.extend_from_slice(EventJson::AFTER_DATA.as_bytes()),
        }
        bytes.push(b'\n');
        let id = self.id.as_ref().map(EventId::as_str);
        id.into_iter().for_each(|id| push_line(bytes, "id: ", id));
        bytes.push(b'\n');
        self.step = Step::Written;
    }
}

/// The first character boundary at or after `at`.
fn char_end(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

fn push_line(bytes: &mut Vec<u8>, field: &str, value: &str) {
    bytes.extend_from_slice(field.as_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use largesse_hub::{BlockContent, OutBlock};
    use largesse_log::{Position, StreamName, UnixMs};
    use largesse_wire::EventData;

    use super::*;
    use crate::native::read::encode;

    #[track_caller]
    fn check(name: Option<&str>, data: &str, id: Option<&str>, format: Format) {
        let event = Arc::new(Event {
            stream: StreamName::parse("a\"\\b").expect("a name"),
            position: Position(1),
            time: UnixMs(0),
            name: name.map(|name| EventName::parse(name).expect("a name")),
            data: EventData::parse(data).expect("data"),
        });
        let id = id.map(|id| EventId::parse(id).expect("an id"));
        let mut want = Vec::new();
        encode::block(&mut want, &OutBlock { content: BlockContent::Event(event.clone()), id }, format);
        for bytes_max in 1..want.len() + 2 {
            let (mut long, mut whole) = (LongBlock::new(event.clone(), id, format), Vec::new());
            while !long.is_written() {
                let mut piece = Vec::new();
                long.push(&mut piece, bytes_max);
                assert!(!piece.is_empty(), "{data:?} in pieces of {bytes_max} does not go on");
                whole.append(&mut piece);
            }
            assert_eq!(whole, want, "{data:?} in pieces of {bytes_max}");
        }
    }

    const DATA: &[&str] = &[
        "",
        "a",
        "\u{e4}\u{20ac}\u{1f600}\u{1f600}\u{20ac}\u{e4}",
        "\n",
        "\n\n",
        "a\n",
        "\na",
        "a\nbc\n\ndef",
        "x\nid: 5\n\nevent: end",
        "\"\\\"\u{1}\u{8}\u{c}\t\u{1f}\u{7f}\u{2028}\u{1f600}\\n",
        "\",\"data\":\"",
    ];

    #[test]
    fn the_pieces_are_the_block() {
        for data in DATA {
            for format in [Format::Plain, Format::Json] {
                check(None, data, None, format);
                check(Some("name"), data, Some("id-1"), format);
            }
        }
    }

    #[test]
    fn a_piece_goes_beyond_its_size_by_little() {
        let event = Arc::new(Event {
            stream: StreamName::parse("a").expect("a name"),
            position: Position(1),
            time: UnixMs(0),
            name: None,
            data: EventData::parse(&"\u{1}".repeat(200_000)).expect("data"),
        });
        let mut long = LongBlock::new(event, None, Format::Json);
        while !long.is_written() {
            let mut piece = Vec::new();
            long.push(&mut piece, 10_000);
            assert!(piece.len() < 10_000 + SLICE_BYTES_MAX * ESCAPED_BYTES_MAX + 512, "{}", piece.len());
        }
    }
}
