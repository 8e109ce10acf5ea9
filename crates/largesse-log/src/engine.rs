//! The seam between the log's meaning and where its bytes are kept.
//!
//! Every engine keeps the same promises, and [`crate::conformance`] holds each to them:
//!
//! - An append is answered when it is *safe*, and is read only from then on.
//! - Positions count up, are never used twice, and are one total order over all streams.
//! - Times never go back along the positions.
//! - What is trimmed or deleted is told ([`Batch::lost`]), never silently skipped.
//! - Every read is one consistent look: records, losses and `upto` belong together.
//! - Dropping the future of a write before it answers leaves it done or not done, never half done.
//!   Dropping the future of a read leaves nothing.
//!
//! An engine does not know readers, wake-ups, HTTP or the clock.

use std::{future::Future, num::NonZeroUsize, pin::Pin, sync::Arc};

use crate::{
    Append, AppendError, Appended, Claim, Command, Deleted, EndReason, EngineError, IdempotencyKey,
    Incarnation, Now, Place, Position, Put, PutAnswer, Record, Reply, SWEEP_STREAMS_MAX, Selection, Settings,
    StartFrom, StreamName, StreamState,
};

/// An engine's answer under way. Boxed, because the binary chooses the engine when it runs.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the log's bytes are kept.
pub trait Engine: Send + Sync + 'static {
    /// Which log this is.
    fn incarnation(&self) -> Incarnation;

    /// The position of the last safe record; [`Position::ZERO`] in a log that never had one.
    fn tail(&self) -> Position;

    /// The settings of a stream that nobody configured, such as one that is not there yet.
    fn defaults(&self) -> Settings;

    /// Names who is told of every record once it is safe. Replaces an earlier listener.
    fn listen(&self, listener: Arc<dyn TailListener>);

    /// Submits a change. The reply is of the command's own kind, and comes when the change is safe.
    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>>;

    /// A stream's state. `None` when there is no such stream.
    fn state<'a>(&'a self, stream: &'a StreamName) -> Pending<'a, Result<Option<StreamState>, EngineError>>;

    /// Streams by name, in byte order, those after `after`; at most `states_max`.
    fn list<'a>(
        &'a self,
        after: Option<&'a StreamName>,
        states_max: NonZeroUsize,
    ) -> Pending<'a, Result<Vec<StreamState>, EngineError>>;

    /// Finds where a first request begins to read.
    fn locate<'a>(
        &'a self,
        selection: &'a Selection,
        from: StartFrom,
    ) -> Pending<'a, Result<Located, EngineError>>;

    /// Which of the selection's named streams have ended at `place`: their last record at or before it is an
    /// end, they have not been made anew since, up to it, and they were not gone at [`Place::asked_at`].
    fn ended_at<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
    ) -> Pending<'a, Result<Ends, EngineError>>;

    /// Reads on from a place. Never waits for records to come: at the tail it answers an empty batch.
    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
        limits: ReadLimits,
    ) -> Pending<'a, Result<Batch, EngineError>>;
}

/// The changes by name. Each is one [`Engine::submit`], so a wrapper around an engine forwards that alone.
pub trait EngineExt: Engine {
    /// [`Command::Claim`].
    fn claim(
        &self,
        now: Now,
        stream: &StreamName,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Claim, AppendError>> + Send {
        let command = Command::Claim { stream: stream.clone(), key: key.clone() };
        async move {
            match self.submit(now, command).await? {
                Reply::Claim(answer) => answer,
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Command::Append`].
    fn append(&self, now: Now, append: Append) -> impl Future<Output = Result<Appended, AppendError>> + Send {
        async move {
            match self.submit(now, Command::Append(append)).await? {
                Reply::Append(answer) => answer,
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Command::Put`].
    fn put(
        &self,
        now: Now,
        stream: &StreamName,
        put: Put,
    ) -> impl Future<Output = Result<PutAnswer, AppendError>> + Send {
        let command = Command::Put { stream: stream.clone(), put };
        async move {
            match self.submit(now, command).await? {
                Reply::Put(answer) => answer.map(|answer| *answer),
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Command::Delete`]. `None` when there is no such stream.
    fn delete(
        &self,
        now: Now,
        stream: &StreamName,
    ) -> impl Future<Output = Result<Option<Deleted>, EngineError>> + Send {
        let command = Command::Delete { stream: stream.clone() };
        async move {
            match self.submit(now, command).await? {
                Reply::Delete(answer) => Ok(answer),
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// Drops what is past its age, and closed streams past their time; on at most `budget` streams, rounded up to a
    /// multiple of [`SWEEP_STREAMS_MAX`]. Answers whether more is due now.
    fn sweep(
        &self,
        now: Now,
        budget: NonZeroUsize,
    ) -> impl Future<Output = Result<Sweep, EngineError>> + Send {
        async move {
            for _ in 0..budget.get().div_ceil(SWEEP_STREAMS_MAX) {
                match self.submit(now, Command::Sweep { streams: Vec::new() }).await? {
                    Reply::Sweep(Sweep::More) => {}
                    Reply::Sweep(Sweep::Done) => return Ok(Sweep::Done),
                    other => unreachable!("{OTHER_REPLY}: {other:?}"),
                }
            }
            Ok(Sweep::More)
        }
    }
}

impl<E: Engine + ?Sized> EngineExt for E {}

/// An engine that answers a command with another's reply is broken.
const OTHER_REPLY: &str = "an engine gave the reply to another command";

/// What the log knows of ends at a place; both in byte order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The named streams that have ended.
    pub ended: Vec<EndedStream>,
    /// The named streams of which nothing is remembered: they never were, or are gone for long.
    pub unknown: Vec<StreamName>,
}

/// A named stream that has ended at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedStream {
    /// The stream.
    pub name: StreamName,
    /// Why it ended.
    pub reason: EndReason,
}

/// Whoever wants to know that the tail moved.
pub trait TailListener: Send + Sync + 'static {
    /// A record of `stream` is safe at `position`. Called soon after the record can be read, in the order of the log,
    /// and possibly for several records at once (then with the last); whoever wrote it may have been answered before.
    /// Never called while the engine holds a lock that reads need. It has to be quick: an engine's one writer may call
    /// it.
    fn appended(&self, stream: &StreamName, position: Position);
}

/// How much one read may return.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Records at most.
    pub records_max: NonZeroUsize,
    /// Data bytes at most; one record is returned even if it is larger alone.
    pub bytes_max: u64,
}

/// Where a first request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The place to read from. It knows of every loss up to the tail: a first request is told none.
    pub place: Place,
    /// Whether the same request, repeated later, would find the same place.
    pub repeat: Repeat,
}

/// Whether a repeated first request finds the same place again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It does: `from=start`, or a time that has passed.
    SamePlace,
    /// It may not: `from=now`, `from=-N`, or a time still to come.
    AnotherPlace,
}

/// What one read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The selection's records after the place, in log order.
    pub records: Vec<Record>,
    /// Everything of the selection up to here is in `records`, lost, or was before the place.
    pub upto: Position,
    /// Whether the read stopped at its limits, with more to come, or at the tail.
    pub stopped: Stopped,
    /// What was dropped after the place's position and is not known to it.
    pub lost: Option<Lost>,
    /// A bare id ([`Place::at`]) before this position would be told of a loss this place knows of, or taken to
    /// have met an end that was gone before it first asked. [`Position::MAX`] where that is so for ever.
    pub horizon: Position,
}

/// Why a read returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// There was nothing more, up to the tail.
    Tail,
    /// The limits were reached; read on at once. An engine that has looked at as much of the log as it does
    /// in one go answers this too, with what it has found so far, which may be no record; then
    /// [`Batch::upto`] has moved on all the same.
    Limits,
}

/// Streams of the selection that lost records after the reader's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Their names in byte order, at most [`LOST_NAMES_MAX`].
    pub streams: Vec<StreamName>,
    /// Every loss recorded up to here is told by this; goes into [`Place::told`].
    pub told_upto: Position,
}

/// How many streams a loss names at most. Source: SPEC of Largesse, "Told, not silently skipped".
pub const LOST_NAMES_MAX: usize = 100;

/// Whether a sweep has to be called again at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Nothing more is due now.
    Done,
    /// The budget was used up before the work was.
    More,
}
