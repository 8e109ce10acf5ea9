//! The ordered log under all streams of Largesse: names, positions, ids, settings, and the engines that keep
//! the events.
//!
//! One log has one total order. Every record takes the next [`Position`]; a stream is a filter over the log,
//! so one id is enough for any set of streams. [`Engine`] is the seam to where the bytes
//! are kept; [`MemoryEngine`] keeps them in memory.
//!
//! This crate has no task and no clock: time is a parameter. It does not know waiting readers, wake-ups
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

mod command;
mod engine;
mod memory;
mod names;
mod position;
mod query;
mod record;
mod settings;
pub mod state;
mod time;
mod wire_id;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use command::append::{
    Append, AppendError, AppendOutcome, Appended, Blame, Claim, Deleted, Digest, DigestBuilder, EngineError,
    Made, Once, Put, PutAnswer, Then, WriteOutcome,
};
pub use command::idempotency_key::{IDEMPOTENCY_KEY_BYTES_MAX, IdempotencyKey, IdempotencyKeyError};
pub use command::{Command, Reply, SWEEP_STREAMS_MAX, Touch};
pub use engine::{Engine, EngineExt, Pending, QueryAnswer, Sweep, TailListener};
pub use memory::MemoryEngine;
pub use names::pattern::{Pattern, PatternError, PatternSegment};
pub use names::selection::{
    Form, PATTERNS_MAX, SELECTORS_MAX, Selection, SelectionError, SelectionFingerprint, Selector,
    SelectorError,
};
pub use names::stream_name::{STREAM_NAME_BYTES_MAX, StreamName, StreamNameError};
pub use position::{Incarnation, Place, Position};
pub use query::start_from::StartFrom;
pub use query::stream_state::StreamState;
pub use query::{
    Batch, EndedStream, Ends, LOST_NAMES_MAX, Located, Lost, Query, QueryReply, ReadLimits, Repeat, Stopped,
};
pub use record::{EVENT_OVERHEAD_BYTES, EndReason, Event, NewEvent, Record};
pub use settings::control_names::{Author, ControlNames, RESERVED_NAMES, is_reserved};
pub use settings::engine_limits::EngineLimits;
pub use settings::from_setting::{FromSetting, FromSettingError};
pub use settings::setting_text::{
    AgeLimit, BytesLimit, BytesText, CountLimit, DurationText, SettingTextError,
};
pub use settings::settings_patch::{SettingChange, SettingsPatch};
pub use settings::{Settings, Slow};
pub use state::STREAM_OVERHEAD_BYTES;
pub use time::{Now, UnixMs};
pub use wire_id::{PlaceKind, WireId, WireIdError};
