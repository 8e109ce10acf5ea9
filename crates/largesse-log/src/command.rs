//! Everything that changes the log: the commands, and what they answer.
//!
//! Both are closed: an engine carries any command to the state machine ([`crate::state::LogState::apply`]) and its
//! reply back without knowing which it is. A new verb is a variant here, a method of the state machine, and an encoding
//! where commands are written down.
//!
//! Does not know where a command stands in the log: that is its [`crate::state::Stamp`].

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
    /// Drops what is past its time, on at most [`SWEEP_STREAMS_MAX`] streams.
    Sweep {
        /// The streams. Callers leave it empty: the engine finds those that are due, and writes them down.
        streams: Vec<StreamName>,
    },
    /// An event turned out to be broken: its readers are told of a loss.
    Damage {
        /// The stream it was on.
        stream: StreamName,
        /// Its position.
        position: Position,
    },
    /// The log has other limits from here on.
    Limits(EngineLimits),
}

/// How many streams one [`Command::Sweep`] looks at, at most: it holds up publishes and reads for as long.
pub const SWEEP_STREAMS_MAX: usize = 8;

/// What a command answers: the variant of the same name.
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
    /// Any number of such commands can be judged before the first of them is applied.
    Shared,
    /// Other commands on the stream may be answered otherwise before it and after it.
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
            // It takes away only what is due; nobody waits for that to stay.
            Self::Sweep { .. } | Self::Limits(_) => None,
        }
    }

    /// Whether most other commands can go with it, whatever they are: a plain publish.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Append(append) if append.once == Once::Unkeyed && append.then == Then::StayOpen)
    }

    /// How many events it appends, if it is taken.
    #[must_use]
    pub fn events(&self) -> usize {
        if let Self::Append(append) = self { append.events.len() } else { 0 }
    }

    /// How many positions it takes at most, besides those that every command may take ([`crate::state::Stamp::end`]).
    #[must_use]
    pub fn positions(&self) -> usize {
        /// What a sweep takes on one stream: as much as a command of its own.
        const STREAM_POSITIONS: usize = 3;
        match self {
            Self::Sweep { streams } => streams.len() * STREAM_POSITIONS,
            other => other.events(),
        }
    }
}
