//! The seam between the log's meaning and where its bytes are kept.
//!
//! Every engine keeps the same promises, and [`crate::conformance`] holds each to them:
//!
//! - An append is answered once it is *durable* as far as the engine goes, and is readable only from then on.
//! - Positions count up, are never used twice, and are one total order over all streams.
//! - Times never go back along the positions.
//! - Readers are told of what was trimmed or deleted ([`Batch::lost`]); nothing is skipped silently.
//! - Every read is a consistent snapshot: records, losses and `upto` belong together.
//! - Dropping the future of a write before it answers leaves it done or not done, never half done.
//!   Dropping the future of a read has no effect.
//!
//! An engine does not know readers, wake-ups, HTTP or the clock.

use std::{future::Future, num::NonZeroUsize, pin::Pin, sync::Arc};

use crate::{
    Append, AppendError, Appended, Batch, Claim, Command, Deleted, Ends, EngineError, IdempotencyKey,
    Incarnation, Located, Now, Place, Position, Put, PutAnswer, Query, QueryReply, ReadLimits, Reply,
    SWEEP_STREAMS_MAX, Selection, Settings, StartFrom, StreamName, StreamState,
};

/// A future answer of an engine. Boxed, because the binary chooses the engine at run time.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the log's bytes are kept.
pub trait Engine: Send + Sync + 'static {
    /// Which log this is.
    fn incarnation(&self) -> Incarnation;

    /// The position of the last safe record; [`Position::ZERO`] in a log that never had one.
    fn tail(&self) -> Position;

    /// The settings of a stream that nobody configured, such as one that is not there yet.
    fn defaults(&self) -> Settings;

    /// Sets the listener that is called for every record once it is safe. Replaces an earlier one.
    fn listen(&self, listener: Arc<dyn TailListener>);

    /// Submits a change. The reply is of the command's own kind, and comes when the change is safe.
    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>>;

    /// Queries the log. The reply is of the query's own kind.
    fn query<'a>(&'a self, query: Query<'a>) -> QueryAnswer<'a>;
}

/// An engine's answer to a query.
pub enum QueryAnswer<'a> {
    /// The reply, found in memory.
    Ready(Result<QueryReply, EngineError>),
    /// The reply needs more than memory, such as the disk. Dropping the future leaves only a read that ends by itself.
    Cold(Pending<'a, Result<QueryReply, EngineError>>),
}

impl std::fmt::Debug for QueryAnswer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(reply) => f.debug_tuple("Ready").field(reply).finish(),
            Self::Cold(_) => f.write_str("Cold"),
        }
    }
}

impl QueryAnswer<'_> {
    /// Waits for the reply.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn done(self) -> Result<QueryReply, EngineError> {
        match self {
            Self::Ready(reply) => reply,
            Self::Cold(pending) => pending.await,
        }
    }
}

/// Commands and queries by name. Each is one [`Engine::submit`] or [`Engine::query`], so a wrapper around an engine
/// forwards only those two.
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

    /// Drops events past their age, and closed streams past their time; on at most `budget` streams, rounded up to a
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

    /// [`Query::State`]. `None` when there is no such stream.
    fn state<'a>(
        &'a self,
        stream: &'a StreamName,
    ) -> impl Future<Output = Result<Option<StreamState>, EngineError>> + Send + 'a {
        let looking = self.query(Query::State(stream));
        async move {
            match looking.done().await? {
                QueryReply::State(state) => Ok(state.map(|state| *state)),
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Query::List`].
    fn list<'a>(
        &'a self,
        after: Option<&'a StreamName>,
        states_max: NonZeroUsize,
    ) -> impl Future<Output = Result<Vec<StreamState>, EngineError>> + Send + 'a {
        let looking = self.query(Query::List { after, states_max });
        async move {
            match looking.done().await? {
                QueryReply::List(states) => Ok(states),
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Query::Locate`].
    fn locate<'a>(
        &'a self,
        selection: &'a Selection,
        from: StartFrom,
    ) -> impl Future<Output = Result<Located, EngineError>> + Send + 'a {
        let looking = self.query(Query::Locate { selection, from });
        async move {
            match looking.done().await? {
                QueryReply::Located(located) => Ok(located),
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Query::EndedAt`].
    fn ended_at<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
    ) -> impl Future<Output = Result<Ends, EngineError>> + Send + 'a {
        let looking = self.query(Query::EndedAt { selection, place });
        async move {
            match looking.done().await? {
                QueryReply::Ends(ends) => Ok(ends),
                other => unreachable!("{OTHER_REPLY}: {other:?}"),
            }
        }
    }

    /// [`Query::Read`].
    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        place: Place,
        limits: ReadLimits,
    ) -> impl Future<Output = Result<Batch, EngineError>> + Send + 'a {
        let looking = self.query(Query::Read { selection, place, limits });
        async move { Ok(looking.done().await?.into_batch()) }
    }
}

impl<E: Engine + ?Sized> EngineExt for E {}

/// An engine whose reply is of another kind is broken.
const OTHER_REPLY: &str = "an engine gave the reply to another command or query";

/// Is called when the tail moves.
pub trait TailListener: Send + Sync + 'static {
    /// A record of `stream` is safe at `position`. Called soon after the record can be read, in the order of the log,
    /// and possibly once for several records (then with the last); the publisher may have been answered before.
    /// Never called while the engine holds a lock that reads need. Must return quickly: an engine's only writer may be
    /// the caller.
    fn appended(&self, stream: &StreamName, position: Position);
}

/// Whether a sweep has to be repeated at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Nothing more is due now.
    Done,
    /// The budget was used up; more is due.
    More,
}
