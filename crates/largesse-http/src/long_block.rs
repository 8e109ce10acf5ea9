//! The block of a long event, written piece by piece.
//!
//! Invariant: the pieces together are what `largesse_wire::encode_block` writes at once; a test holds them to
//! it. Does not copy the event: it is shared with the log and all its readers.

use std::sync::Arc;

use largesse_log::Event;
use largesse_wire::{EventId, EventName};

/// A block under way.
pub(crate) struct LongBlock {
    event: Arc<Event>,
    id: Option<EventId>,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    /// The data from this byte on.
    Data(usize),
    Written,
}

impl LongBlock {
    pub(crate) fn new(event: Arc<Event>, id: Option<EventId>) -> Self {
        Self { event, id, step: Step::Begin }
    }

    pub(crate) fn is_written(&self) -> bool {
        self.step == Step::Written
    }

    /// Appends until there are `bytes_max` bytes or the block is written. It may go beyond by the fields' names,
    /// the event's name and the id.
    pub(crate) fn push(&mut self, bytes: &mut Vec<u8>, bytes_max: usize) {
        if self.step == Step::Begin {
            let name = self.event.name.as_ref().map(EventName::as_str);
            name.into_iter().for_each(|name| push_line(bytes, "event: ", name));
            bytes.extend_from_slice(b"data: ");
            self.step = Step::Data(0);
        }
        if let Step::Data(at) = self.step {
            self.push_data(bytes, bytes_max, at);
        }
    }

    fn push_data(&mut self, bytes: &mut Vec<u8>, bytes_max: usize, mut at: usize) {
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
        self.step = Step::Data(at);
        if at == data.len() {
            self.push_end(bytes);
        }
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>) {
        bytes.push(b'\n');
        let id = self.id.as_ref().map(EventId::as_str);
        id.into_iter().for_each(|id| push_line(bytes, "id: ", id));
        bytes.push(b'\n');
        self.step = Step::Written;
    }
}

fn push_line(bytes: &mut Vec<u8>, field: &str, value: &str) {
    bytes.extend_from_slice(field.as_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use largesse_log::{Position, StreamName, UnixMs};
    use largesse_wire::{Block, EventData, encode_block};

    use super::*;

    #[track_caller]
    fn check(name: Option<&str>, data: &str, id: Option<&str>) {
        let event = Arc::new(Event {
            stream: StreamName::parse("a").expect("a name"),
            position: Position(1),
            time: UnixMs(0),
            name: name.map(|name| EventName::parse(name).expect("a name")),
            data: EventData::parse(data).expect("data"),
        });
        let id = id.map(|id| EventId::parse(id).expect("an id"));
        let mut want = Vec::new();
        encode_block(&mut want, &Block { name: event.name.as_ref(), data: &event.data, id: id.as_ref() });
        for bytes_max in 1..want.len() + 2 {
            let (mut long, mut whole) = (LongBlock::new(event.clone(), id), Vec::new());
            while !long.is_written() {
                let mut piece = Vec::new();
                long.push(&mut piece, bytes_max);
                assert!(!piece.is_empty(), "{data:?} in pieces of {bytes_max} does not go on");
                whole.append(&mut piece);
            }
            assert_eq!(whole, want, "{data:?} in pieces of {bytes_max}");
        }
    }

    #[test]
    fn the_pieces_are_the_block() {
        for data in ["", "a", "ä€😀", "\n", "\n\n", "a\n", "\na", "a\nbc\n\ndef", "x\nid: 5\n\nevent: end"]
        {
            check(None, data, None);
            check(Some("name"), data, Some("id-1"));
        }
    }
}
