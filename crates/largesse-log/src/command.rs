//! Everything that changes the log: the commands, and what they answer.
//!
//! Both enums are closed: an engine passes any command to the state machine ([`crate::state::LogState::apply`]) and
//! its reply back without knowing which it is. A new verb is a variant here, a method of the state machine, and an
//! encoding where commands are written.
//!
//! Does not know a command's place in the log: that is its [`crate::state::Stamp`].

pub(crate) mod append;
pub(crate) mod idempotency_key;

use crate::{
    Append, AppendError, Appended, Claim, Deleted, EngineLimits, IdempotencyKey, Once, Position, Put,
    PutAnswer, StreamName, Sweep, Then,
};

/// One change of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Appends events to a stream, all or none, and closes it when asked. Makes the stream when it is new.
    Append(Append),
    /// Takes over an idempotency key for one long publish, block by block. An older claim on the same key
    /// and stream is superseded: its next append is refused with [`AppendError::Superseded`].
    Claim {
        /// The stream to publish to.
        stream: StreamName,
        /// The key to take over.
        key: IdempotencyKey,
    },
    /// Makes or configures a stream.
    Put {
        /// The stream.
        stream: StreamName,
        /// Its settings.
        put: Put,
    },
    /// Removes a stream and its events.
    Delete {
        /// The stream.
        stream: StreamName,
    },
    /// Drops what has expired, on at most [`SWEEP_STREAMS_MAX`] streams.
    Sweep {
        /// The streams. Callers leave it empty: the engine finds those that are due, and records them.
        streams: Vec<StreamName>,
    },
    /// An event can't be read: its readers are told of a loss.
    Damage {
        /// The stream it was on.
        stream: StreamName,
        /// Its position.
        position: Position,
    },
    /// Sets the limits of the log from here on.
    Limits(EngineLimits),
}

/// The most streams that one [`Command::Sweep`] visits: publishes and reads wait for it.
pub const SWEEP_STREAMS_MAX: usize = 8;

/// The reply to a command: the variant of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Command::Append`].
    Append(Result<Appended, AppendError>),
    /// To [`Command::Claim`].
    Claim(Result<Claim, AppendError>),
    /// To [`Command::Put`].
    Put(Result<Box<PutAnswer>, AppendError>),
    /// To [`Command::Delete`]: `None` when there is no such stream.
    Delete(Option<Deleted>),
    /// To [`Command::Sweep`].
    Sweep(Sweep),
    /// To [`Command::Damage`].
    Damage,
    /// To [`Command::Limits`].
    Limits,
}

/// How a command concerns its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Any number of such commands can be checked before the first of them is applied.
    Shared,
    /// Other commands on the stream may get a different reply before and after it.
    Alone,
}

impl Command {
    /// Which stream it concerns and how, and under which key. `None`: no other command depends on it.
    #[must_use]
    pub fn touch(&self) -> Option<(&StreamName, Option<&IdempotencyKey>, Touch)> {
        match self {
            Self::Append(Append { stream, then, once, .. }) => {
                let touch = if *then == Then::Close { Touch::Alone } else { Touch::Shared };
                let key = match once {
                    Once::Unkeyed => None,
                    Once::Whole { key, .. } => Some(key),
                    Once::Block { claim, .. } => Some(&claim.key),
                };
                Some((stream, key, touch))
            }
            Self::Claim { stream, key } => Some((stream, Some(key), Touch::Shared)),
            Self::Put { stream, .. } | Self::Delete { stream } | Self::Damage { stream, .. } => {
                Some((stream, None, Touch::Alone))
            }
            // It drops only what is due; nobody relies on that being kept.
            Self::Sweep { .. } | Self::Limits(_) => None,
        }
    }

    /// Whether it is a plain publish, which most other commands can share a group with.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Append(append) if append.once == Once::Unkeyed && append.then == Then::StayOpen)
    }

    /// How many events it appends, if it is accepted.
    #[must_use]
    pub fn events(&self) -> usize {
        if let Self::Append(append) = self { append.events.len() } else { 0 }
    }

    /// The most positions it uses, besides those that every command may use ([`crate::state::Stamp::end`]).
    #[must_use]
    pub fn positions(&self) -> usize {
        /// What a sweep uses on one stream: as many as a separate command.
        const STREAM_POSITIONS: usize = 3;
        match self {
            Self::Sweep { streams } => streams.len() * STREAM_POSITIONS,
            other => other.events(),
        }
    }
}
