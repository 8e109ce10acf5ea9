//! The ordered log under all streams of Largesse: names, positions, ids, settings, and the engines that keep
//! the events.
//!
//! One log has one total order. Every record takes the next [`Position`]; a stream is a filter over the log,
//! so one id is enough for any set of streams that somebody reads. [`Engine`] is the seam to where the bytes
//! are kept; [`MemoryEngine`] keeps them in memory.
//!
//! This crate has no task and no clock: time is a parameter. It does not know readers that wait, wake-ups
//! or HTTP.
//!
//! ```
//! use largesse_log::{Pattern, Selection, Selector, StreamName};
//!
//! let seven = StreamName::parse("videos/7")?;
//! let videos = Selection::many(vec![Selector::parse("videos/*")?])?;
//! assert!(videos.matches(&seven));
//! assert!(!videos.matches(&StreamName::parse("videos/7/sound")?));
//! assert!(Pattern::parse("video*").is_err(), "a star is a whole segment");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod append;
mod command;
mod control_names;
mod engine;
mod engine_limits;
mod from_setting;
mod idempotency_key;
mod memory;
mod pattern;
mod position;
mod query;
mod record;
mod selection;
mod setting_text;
mod settings;
mod settings_patch;
mod start_from;
pub mod state;
mod stream_name;
mod stream_state;
mod time;
mod wire_id;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use append::{
    Append, AppendError, AppendOutcome, Appended, Blame, Claim, Deleted, Digest, DigestBuilder, EngineError,
    Made, Once, Outcome, Put, PutAnswer, Then,
};
pub use command::{Command, Reply, SWEEP_STREAMS_MAX, Touch};
pub use control_names::{Author, ControlNames, RESERVED_NAMES, is_reserved};
pub use engine::{Engine, EngineExt, Looking, Pending, Sweep, TailListener};
pub use engine_limits::EngineLimits;
pub use from_setting::{FromSetting, FromSettingError};
pub use idempotency_key::{IDEMPOTENCY_KEY_BYTES_MAX, IdempotencyKey, IdempotencyKeyError};
pub use memory::MemoryEngine;
pub use pattern::{Pattern, PatternError, PatternSegment};
pub use position::{Incarnation, Place, Position};
pub use query::{
    Batch, EndedStream, Ends, LOST_NAMES_MAX, Located, Lost, Query, QueryReply, ReadLimits, Repeat, Stopped,
};
pub use record::{EVENT_OVERHEAD_BYTES, EndReason, Event, NewEvent, Record};
pub use selection::{
    Form, PATTERNS_MAX, SELECTORS_MAX, Selection, SelectionError, SelectionFingerprint, Selector,
    SelectorError,
};
pub use setting_text::{AgeLimit, BytesLimit, BytesText, CountLimit, DurationText, SettingTextError};
pub use settings::{Settings, Slow};
pub use settings_patch::{Change, SettingsPatch};
pub use start_from::StartFrom;
pub use state::STREAM_OVERHEAD_BYTES;
pub use stream_name::{STREAM_NAME_BYTES_MAX, StreamName, StreamNameError};
pub use stream_state::StreamState;
pub use time::{Now, UnixMs};
pub use wire_id::{PlaceKind, WireId, WireIdError};
