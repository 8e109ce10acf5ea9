//! What a reader gives its door: events of the log, and control events of ours.
//!
//! Invariant: every control event has a name, and an id only where reading can truly go on from it. Does not
//! write bytes or JSON: each door has its own last hop.

use std::sync::Arc;

use largesse_log::{EndReason, Event, Selection, StreamName};
use largesse_wire::EventId;
use strum::IntoStaticStr;

/// Whether the reader gets control events that the hub makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ControlEvents {
    /// It does.
    #[default]
    On,
    /// It does not. For readers that check every event against a schema.
    Off,
}

/// What a silent connection carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeartbeatForm {
    /// A comment, which page scripts do not see.
    #[default]
    Comment,
    /// An event named `heartbeat`, so that a page can tell a quiet connection from a dead one.
    Event,
}

/// What a reader returns next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Blocks to write: everything there is, up to the read limits; never empty.
    Blocks(Vec<OutBlock>),
    /// Nothing happened for a while.
    Heartbeat(HeartbeatForm),
}

/// One block for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutBlock {
    /// What it says.
    pub content: BlockContent,
    /// The place after it, from which a later request resumes.
    pub id: Option<EventId>,
}

/// What a block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockContent {
    /// An event of the log.
    Event(Arc<Event>),
    /// A control event.
    Control(Control),
}

/// Control events that the hub makes. Source: SPEC of Largesse §2 (ours).
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Control {
    /// The place before the first event, where the same request repeated would find another place.
    Begin {
        /// What is read.
        selection: Selection,
    },
    /// Something was lost, or the presented id is not from this log.
    Reset(ResetNotice),
    /// One of several named streams ended.
    Closed {
        /// Which.
        stream: StreamName,
        /// Why.
        reason: EndReason,
    },
    /// Everything that was requested has ended.
    End {
        /// Why the last stream ended.
        reason: EndReason,
    },
}

impl Control {
    /// The value of the `event:` line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }
}

/// What a `reset` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetNotice {
    /// Why.
    pub reason: ResetReason,
    /// Which streams lost events, in byte order, at most [`largesse_log::LOST_NAMES_MAX`]; empty unless
    /// `trimmed`.
    pub streams: Vec<StreamName>,
    /// The id that the request presented, shortened; empty when the loss happened while the reader was connected.
    pub requested: String,
}

/// Why reading does not simply go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ResetReason {
    /// Events after the reader's place were dropped. Reading goes on from the same place.
    Trimmed,
    /// The id is malformed or beyond the tail. Reading begins as for a first request.
    UnknownId,
    /// The id is from another log. Reading begins as for a first request.
    NewLog,
}

impl ResetReason {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
