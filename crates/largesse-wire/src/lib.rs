//! Bytes to events and back: the `text/event-stream` format (WHATWG HTML, "Server-sent events").
//!
//! Two halves that share nothing but the format:
//!
//! - **Writing** is strict. [`EventName`], [`EventData`], [`EventId`] and [`Retry`] are checked once, when
//!   they are made. After that [`encode_block`] and [`encode_head`] neither fail nor panic, and emit only the
//!   subset of the format that every reader understands.
//! - **Reading** is lenient, as the standard asks. [`Parser`] takes bytes in pieces of any size, never
//!   searches a value for its end twice, and never holds more of an event than its limit.
//!
//! This crate does no I/O. It knows no clock, no task, no stream, no position and no HTTP. It does not say
//! what an id means: here an id is text. It does not reconnect, and it does not decide when to send a
//! heartbeat.
//!
//! ```
//! use largesse_wire::{Block, EventData, EventId, EventName, Parser, ParserLimits, encode_block};
//!
//! let (name, id) = (EventName::parse("price")?, EventId::parse("7f")?);
//! let data = EventData::parse("EUR\r\n12")?;
//! let mut out = Vec::new();
//! encode_block(&mut out, &Block { name: Some(&name), data: &data, id: Some(&id) });
//! assert_eq!(out, b"event: price\ndata: EUR\ndata: 12\nid: 7f\n\n");
//!
//! let mut parser = Parser::new(ParserLimits { event_bytes_max: 1024 });
//! let event = parser.next_event(&mut out.as_slice())?.expect("the block is complete");
//! assert_eq!((event.name.as_str(), event.data.as_str()), ("price", "EUR\n12"));
//! assert_eq!(parser.last_event_id(), "7f");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod encode;
mod event_data;
mod event_id;
mod event_name;
mod parse;
mod retry;

pub use encode::{Block, HEARTBEAT, encode_block, encode_head, encoded_bytes};
pub use event_data::{EventData, EventDataError};
pub use event_id::{EVENT_ID_BYTES_MAX, EventId, EventIdError};
pub use event_name::{EVENT_NAME_BYTES_MAX, EventName, EventNameError};
pub use parse::{ParseError, ParsedEvent, Parser, ParserLimits};
pub use retry::{RETRY_MS_MAX, Retry};
