//! The last hop of a read: what the hub gives, as the bytes of an event stream.
//!
//! Invariant: encoding neither fails nor forges a field; events and ids were checked into types. Does not wait
//! or write: see `sse_body.rs`.

use largesse_hub::{BlockContent, ControlEvents, HeartbeatForm, OutBlock};
use largesse_log::{Event, UnixMs};
use largesse_wire::{Block, EventData, EventId, EventName, HEARTBEAT, Retry, encode_block, encode_head};

use crate::{
    kit::json,
    native::event_json::{self, EventJson, Naming},
};

/// How events are written in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The name in `event:`, the data in `data:`.
    Plain,
    /// Each event as a JSON object, of the default type `message`.
    Json,
}

/// Appends a heartbeat.
pub(crate) fn heartbeat(bytes: &mut Vec<u8>, form: HeartbeatForm, now: UnixMs) {
    match form {
        HeartbeatForm::Comment => bytes.extend_from_slice(HEARTBEAT),
        HeartbeatForm::Event => named_block(bytes, "heartbeat", &event_json::heartbeat(now), None),
    }
}

/// A complete answer for a reader that must reconnect later. The event has no id, so the reader keeps its place. With
/// control events off, it is only the `retry`.
pub(crate) fn away(retry: Retry, reason: &str, control: ControlEvents) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_head(&mut bytes, retry);
    match control {
        ControlEvents::On => named_block(&mut bytes, "away", &event_json::away(reason), None),
        ControlEvents::Off => {}
    }
    bytes
}

/// Appends one block, whole.
pub(crate) fn block(bytes: &mut Vec<u8>, block: &OutBlock, format: Format) {
    let id = block.id.as_ref();
    match &block.content {
        BlockContent::Event(event) => event_block(bytes, event, id, format),
        BlockContent::Control(control) => {
            named_block(bytes, control.name(), &event_json::control(control), id)
        }
    }
}

fn event_block(bytes: &mut Vec<u8>, event: &Event, id: Option<&EventId>, format: Format) {
    match format {
        Format::Plain => {
            encode_block(bytes, &Block { name: event.name.as_ref(), data: &event.data, id });
        }
        Format::Json => {
            let data = json_data(&json::text(&EventJson::new(event, id, Naming::WithStream)));
            encode_block(bytes, &Block { name: None, data: &data, id });
        }
    }
}

fn named_block(bytes: &mut Vec<u8>, name: &str, data: &str, id: Option<&EventId>) {
    let name = EventName::parse(name).expect("the names of control events are letters");
    encode_block(bytes, &Block { name: Some(&name), data: &json_data(data), id });
}

fn json_data(text: &str) -> EventData {
    EventData::parse(text).expect("JSON escapes a NUL (RFC 8259, clause 7)")
}
