//! What must hold for any bytes on the wire, in any pieces.

use std::sync::Arc;

use largesse_wire::{
    Block, EventData, EventId, EventName, ParseError, ParsedEvent, Parser, ParserLimits, encode_block,
    encoded_bytes,
};

/// How many bytes of the input decide how the rest is fed.
const HEAD_BYTES: usize = 2;
const ROOMY_BYTES: usize = 1 << 20;

/// What came out of a parser.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    events: Vec<ParsedEvent>,
    error: Option<ParseError>,
    last_event_id: String,
    reconnection_time_ms: Option<u64>,
}

/// The first byte is the limit on an event, the second decides how the rest is cut into pieces.
///
/// # Panics
/// If the pieces make a difference, an event is over the limit, or an event that our own encoder can write
/// is not read back.
pub fn check(bytes: &[u8]) {
    let Some((head, input)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return };
    let [limit, cut] = *head;
    // Every fourth run has a limit that is out of reach.
    let event_bytes_max = if limit % 4 == 0 { ROOMY_BYTES } else { usize::from(limit) };
    let limits = ParserLimits { event_bytes_max };
    let whole = fed(limits, std::iter::once(input));
    assert_eq!(fed(limits, pieces(input, cut)), whole, "pieces make a difference");
    assert_eq!(fed(limits, input.chunks(1)), whole, "single bytes make a difference");
    whole.events.iter().for_each(check_round_trip);
}

fn fed<'a>(limits: ParserLimits, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut parser = Parser::new(limits);
    let (mut events, mut error) = (Vec::new(), None);
    for mut piece in pieces {
        loop {
            match parser.next_event(&mut piece) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break assert!(piece.is_empty(), "all of a piece is taken"),
                Err(found) => break error = Some(found),
            }
        }
    }
    let bytes_max = limits.event_bytes_max;
    let is_held = |event: &ParsedEvent| {
        event.data.len() + event.name.len() <= bytes_max && event.last_event_id.len() <= bytes_max
    };
    assert!(events.iter().all(is_held), "an event is over the limit");
    let last_event_id = parser.last_event_id().to_owned();
    Outcome { events, error, last_event_id, reconnection_time_ms: parser.reconnection_time_ms() }
}

/// Pieces of 1 to 16 bytes, each length drawn from the one before it.
fn pieces(input: &[u8], cut: u8) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut length) = (input, cut);
    std::iter::from_fn(move || {
        length = length.wrapping_mul(5).wrapping_add(3);
        let (piece, after) = rest.split_at(rest.len().min(1 + usize::from(length % 16)));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What was heard, encoded by us, is heard again unchanged.
fn check_round_trip(event: &ParsedEvent) {
    let Ok(data) = EventData::parse(&event.data) else { return };
    let (name, id) = (EventName::parse(&event.name).ok(), EventId::parse(&event.last_event_id).ok());
    let block = Block { name: name.as_ref(), data: &data, id: id.as_ref() };
    let mut encoded = Vec::new();
    encode_block(&mut encoded, &block);
    assert_eq!(encoded.len(), encoded_bytes(&block), "the length is known beforehand");
    let heard = fed(ParserLimits { event_bytes_max: ROOMY_BYTES }, std::iter::once(&*encoded));
    let want = ParsedEvent {
        name: name.map_or_else(String::new, |name| name.to_string()),
        data: event.data.clone(),
        last_event_id: Arc::from(id.as_ref().map_or("", |id| id.as_str())),
    };
    assert_eq!(heard.events, [want], "a block is heard as it was written");
}
