//! One publish: the request, its reply, and how it fails.
//!
//! Invariant: a publish under an idempotency key happens once on its stream. Does not know bodies or status
//! codes: doors turn a body into an [`Append`], and [`AppendError::blame`] into a status.

use largesse_wire::EventName;
use xxhash_rust::xxh3::Xxh3Default;

use crate::{Author, IdempotencyKey, NewEvent, Position, Settings, SettingsPatch, StreamName, StreamState};

/// What to append to one stream, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The stream.
    pub stream: StreamName,
    /// The events, in order. May be empty only when `then` closes.
    pub events: Vec<NewEvent>,
    /// What happens to the stream after them.
    pub then: Then,
    /// How a repeat is recognised.
    pub once: Once,
    /// Who writes it.
    pub author: Author,
}

/// What happens to the stream after an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays open.
    StayOpen,
    /// It is closed by the same command.
    Close,
}

/// How a repeated publish is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// Not at all: each publish appends.
    Unkeyed,
    /// The whole publish, by its key. The digest covers everything that distinguishes the publish
    /// (the body, the event name, whether it closes).
    Whole {
        /// The publisher's key.
        key: IdempotencyKey,
        /// What a repeat under the key must match.
        digest: Digest,
    },
    /// One block of a long publish that holds a claim.
    Block {
        /// The claim, from [`crate::Command::Claim`].
        claim: Claim,
        /// The block's number in its request, from 0. The close after n blocks has the number n.
        number: u64,
        /// The digest of all blocks up to and including this one.
        digest: Digest,
    },
}

/// A fingerprint of what was published. Not a defence against a publisher that wants collisions: it only
/// protects a key from its owner's mistakes. Source: XXH3, 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u128);

/// Makes a [`Digest`] from pieces, each with its length, so that different lists of pieces never hash the same bytes.
#[derive(Clone, Default)]
pub struct DigestBuilder(Xxh3Default);

impl DigestBuilder {
    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.0.update(&(piece.len() as u64).to_be_bytes());
        self.0.update(piece);
    }

    /// The digest of all pieces so far; more may follow.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.0.digest128())
    }
}

impl std::fmt::Debug for DigestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DigestBuilder").field(&self.digest()).finish()
    }
}

/// The right to publish block by block under a key, until a newer claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key.
    pub key: IdempotencyKey,
    /// Which claim on the key this is, counted by the engine.
    pub generation: u64,
}

/// The answer to a publish; a repeat under the same key gets an equal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The last event's position; that of the end when no event was appended.
    pub position: Position,
    /// How many events this publish appended.
    pub count: u64,
    /// Whether the stream is closed after it.
    pub closed: bool,
    /// What it did.
    pub outcome: AppendOutcome,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// Records were appended (now, or the first time this key was used).
    Appended,
    /// Only a close was asked for, and the stream was closed already.
    AlreadyClosed,
}

/// Asks for a stream to exist and to have these settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// What to change.
    pub settings: SettingsPatch,
}

/// The answer to a [`Put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutAnswer {
    /// Whether the stream was made by this request.
    pub made: Made,
    /// The stream's state after it.
    pub state: StreamState,
    /// All settings in force.
    pub settings: Settings,
}

/// Whether a request made the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It did.
    Now,
    /// The stream was there.
    Before,
}

/// What a deletion removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The place of the deletion in the log.
    pub position: Position,
}

/// Why a publish or a put did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The stream is closed.
    #[error("the stream is closed")]
    Closed,
    /// The key was used on this stream with another body.
    #[error("the idempotency key was used on this stream for something else")]
    KeyReused,
    /// A newer request has taken over the key.
    #[error("a newer request took over the idempotency key")]
    Superseded,
    /// The log has reached its limit of streams.
    #[error("the log has reached its limit of {streams_max} streams")]
    TooManyStreams {
        /// The limit.
        streams_max: u64,
    },
    /// The publish alone is over the limit of its stream or of the log.
    #[error("the publish counts as {bytes} bytes; at most {bytes_max} can be kept")]
    TooLarge {
        /// What the publish counts as.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// A publisher gave an event the name of a control event, on a stream that reserves these names.
    #[error("the event name {:?} is reserved for control events on this stream", .name.as_str())]
    ReservedName {
        /// The name.
        name: EventName,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why an engine failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The position is one this log has not reached.
    #[error("position {} is beyond the log's tail at {}", .position.0, .tail.0)]
    BeyondTail {
        /// What was asked for.
        position: Position,
        /// The last safe position.
        tail: Position,
    },
    /// There is no space left. Nothing was written; a retry is safe.
    #[error("there is no space left for the log: {reason}")]
    Full {
        /// What the disk said, and of which file.
        reason: String,
    },
    /// The log can't be written. Nothing was.
    #[error("the log can't be written: {reason}")]
    Unwritable {
        /// What the disk said, and of which file.
        reason: String,
    },
    /// A write could not be made durable: nobody knows whether it is there.
    #[error("the write could not be made durable: {reason}")]
    Unsafe {
        /// What the disk said, and of which file.
        reason: String,
    },
    /// A part of the log can't be read.
    #[error("the log can't be read: {reason}")]
    Unreadable {
        /// What is wrong, in which file, and where in it.
        reason: String,
    },
    /// No file can be opened now. Nothing was read or written; a retry is safe.
    #[error("too many files are open: {reason}")]
    TooManyFiles {
        /// What the system said, and of which file.
        reason: String,
    },
    /// The engine is stopping. Nothing was written.
    #[error("the log is being closed")]
    Stopping,
}

/// Who can fix a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller, with another request.
    Caller,
    /// The caller, by trying the same request later.
    Load,
    /// Only the operator.
    Server,
}

/// Whether a failed write may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Nothing was written.
    NotWritten,
    /// It may have been: only a retry under the same idempotency key is safe.
    Unknown,
}

impl AppendError {
    /// Who can fix it. Doors derive the status from this alone.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Closed
            | Self::KeyReused
            | Self::Superseded
            | Self::TooLarge { .. }
            | Self::ReservedName { .. } => Blame::Caller,
            Self::TooManyStreams { .. } => Blame::Load,
            Self::Engine(error) => error.blame(),
        }
    }

    /// Whether the write may have happened.
    #[must_use]
    pub fn outcome(&self) -> WriteOutcome {
        match self {
            Self::Engine(EngineError::Unsafe { .. }) => WriteOutcome::Unknown,
            _ => WriteOutcome::NotWritten,
        }
    }
}

impl EngineError {
    /// Who can fix it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::BeyondTail { .. } => Blame::Caller,
            Self::Full { .. } | Self::TooManyFiles { .. } | Self::Stopping => Blame::Load,
            Self::Unwritable { .. } | Self::Unsafe { .. } | Self::Unreadable { .. } => Blame::Server,
        }
    }
}
