//! Readers that pull from the log and are woken at its tail.
//!
//! A [`Reader`] has a place in the log and reads on from it. Live and replay are one code path: at the tail
//! the reader waits to be woken, and then reads on as before. No reader has a queue anywhere, so a
//! slow one costs itself and nobody else.
//!
//! The decisions are pure state: [`Progress`] takes what was read and answers what to do next, without a
//! task, a clock or a lock. [`Reader`] is the thin asynchronous face over it.
//!
//! This crate does not know HTTP, bytes on the wire, or where the log is kept.

#![forbid(unsafe_code)]

mod beginning;
mod clock;
mod control;
mod hub;
mod limits;
pub mod log_clock;
mod lookahead;
mod machine_clock;
mod page;
mod presented;
mod progress;
mod reader;
mod start;
mod subscriptions;

pub use clock::{Clock, WallClock};
pub use control::{
    BlockContent, Control, ControlEvents, HeartbeatForm, Out, OutBlock, ResetNotice, ResetReason,
};
pub use hub::{Hub, Opening, ReadError, ReadRequest};
pub use limits::HubLimits;
pub use machine_clock::MachineClock;
pub use page::{Page, PageRequest};
pub use presented::Presented;
pub use progress::{Need, Progress};
pub use reader::Reader;
pub use start::Start;
pub use subscriptions::{Full, Subscription, Subscriptions};
