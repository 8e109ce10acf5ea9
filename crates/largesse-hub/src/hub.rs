//! The one interface that doors talk to: writes go through to the log, readers begin here.
//!
//! Invariants: the time of every write comes from one clock; there are never more readers than the
//! limit; a reader subscribes before its first read, so no event falls between replay and live.
//! Does not know what requests look like or where the log is kept.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use largesse_log::{
    Append, AppendError, Appended, Claim, Deleted, Engine, EngineError, EngineExt, IdempotencyKey,
    Incarnation, Place, PlaceKind, Position, Put, PutAnswer, ReadLimits, Selection, StartFrom, StreamName,
    StreamState, Sweep, TailListener, UnixMs, WireId,
};
use largesse_wire::EventId;
use tokio::sync::watch;

use crate::{
    Clock, ControlEvents, Full, HeartbeatForm, HubLimits, Presented, Progress, Reader, Subscriptions,
    start::{self, Found},
};

/// Streams that one sweep looks at before it releases the log to others.
const SWEEP_STREAMS_MAX: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not zero");

/// Where doors publish and read.
pub struct Hub {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    limits: HubLimits,
    subscriptions: Arc<Subscriptions>,
    readers: Arc<AtomicUsize>,
    drain: watch::Sender<Drain>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("limits", &self.limits).field("readers", &self.readers()).finish()
    }
}

/// Whether readers are being sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    Serving,
    Draining,
}

/// One reader's share of the limit, given back when dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    readers: Arc<AtomicUsize>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a request wants to read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// Which streams.
    pub selection: Selection,
    /// The last event id it presents; `None` for a first request.
    pub presented: Option<Presented>,
    /// Where a first request begins; `None` for what the settings of its streams say.
    pub from: Option<StartFrom>,
    /// Whether it wants control events.
    pub control: ControlEvents,
    /// What it wants to hear while the stream is silent.
    pub heartbeat: HeartbeatForm,
}

/// The answer to a [`ReadRequest`].
#[derive(Debug)]
pub enum Opening {
    /// The reader has been told everything there will ever be: it must stop asking.
    Stopped,
    /// It reads.
    Reading(Box<Reader>),
}

/// Why a reader can't begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The limit is reached; there is room again when a reader leaves.
    #[error("the limit of {readers_max} connected readers is reached")]
    TooManyReaders {
        /// The limit.
        readers_max: usize,
    },
    /// The patterns of all readers fill the index of subscriptions; there is room again when a reader leaves.
    #[error(
        "the patterns of all readers may have at most {pattern_segments_max} different segments; this one has too many"
    )]
    TooManyPatterns {
        /// The limit.
        pattern_segments_max: usize,
    },
    /// The log failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Hub {
    /// A hub over `engine`. From now on the engine tells this hub when its tail moves.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, limits: HubLimits) -> Arc<Self> {
        let subscriptions = Subscriptions::new(limits.pattern_segments_max);
        engine.listen(Arc::new(Marker(Arc::clone(&subscriptions))));
        let readers = Arc::new(AtomicUsize::new(0));
        let (drain, _) = watch::channel(Drain::Serving);
        Arc::new(Self { engine, clock, limits, subscriptions, readers, drain })
    }

    /// The time that writes get.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// Which log this is.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.engine.incarnation()
    }

    /// The wire id of the record at `position`.
    #[must_use]
    pub fn event_id(&self, position: Position) -> EventId {
        let place = Place::at(position);
        WireId::Place { kind: PlaceKind::Event, incarnation: self.incarnation(), place }.encode()
    }

    /// Silence after which a reader gets a sign of life; each wait varies randomly by up to 20 %.
    #[must_use]
    pub fn heartbeat(&self) -> Duration {
        self.limits.heartbeat
    }

    /// The id of the log's tail at this moment: whoever reads from it, any streams, gets what comes after it, and
    /// hears of no loss and no end from before.
    ///
    /// Take it first, then look at the log: what comes in between is seen and read again, and nothing is missed.
    #[must_use]
    pub fn tail_id(&self) -> EventId {
        let tail = self.engine.tail();
        // Like the place of a first request: a stream that is gone by now is new to whoever reads from here.
        let place = Place::knowing(tail, tail);
        WireId::Place { kind: PlaceKind::Event, incarnation: self.incarnation(), place }.encode()
    }

    /// How many readers are connected.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }

    /// Claims an idempotency key for a long publish. Errors and cancellation: [`EngineExt::claim`].
    ///
    /// # Errors
    /// The engine's.
    pub async fn claim(&self, stream: &StreamName, key: &IdempotencyKey) -> Result<Claim, AppendError> {
        self.engine.claim(self.clock.now_for_step(), stream, key).await
    }

    /// Appends. Cancellation: [`EngineExt::append`].
    ///
    /// # Errors
    /// The engine's; nothing was appended unless [`AppendError::outcome`] says otherwise.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.engine.append(self.clock.now_for_step(), append).await
    }

    /// Creates or configures a stream.
    ///
    /// # Errors
    /// The engine's.
    pub async fn put(&self, stream: &StreamName, put: Put) -> Result<PutAnswer, AppendError> {
        self.engine.put(self.clock.now_for_step(), stream, put).await
    }

    /// Removes a stream; its readers are told.
    ///
    /// # Errors
    /// The engine's.
    pub async fn delete(&self, stream: &StreamName) -> Result<Option<Deleted>, EngineError> {
        self.engine.delete(self.clock.now_for_step(), stream).await
    }

    /// A stream's state, or `None`.
    ///
    /// # Errors
    /// The engine's.
    pub async fn state(&self, stream: &StreamName) -> Result<Option<StreamState>, EngineError> {
        self.engine.state(stream).await
    }

    /// Streams by name, after `after`.
    ///
    /// # Errors
    /// The engine's.
    pub async fn list(
        &self,
        after: Option<&StreamName>,
        states_max: NonZeroUsize,
    ) -> Result<Vec<StreamState>, EngineError> {
        self.engine.list(after, states_max).await
    }

    /// Drops what has outlived its time, a bounded amount at once.
    ///
    /// # Errors
    /// The engine's.
    pub async fn sweep(&self) -> Result<Sweep, EngineError> {
        self.engine.sweep(self.clock.now_for_step(), SWEEP_STREAMS_MAX).await
    }

    /// Begins a reader. Cancellation: nothing is left behind.
    ///
    /// # Errors
    /// [`ReadError::TooManyReaders`] at the limit; [`ReadError::Engine`] when the log fails.
    pub async fn read(self: &Arc<Self>, request: ReadRequest) -> Result<Opening, ReadError> {
        let ReadRequest { selection, presented, from, control, heartbeat } = request;
        // Subscribed before the first look at the log: whatever is appended after that look wakes it.
        let pattern_segments_max = self.limits.pattern_segments_max;
        let subscription = self.subscriptions.subscribe(&selection);
        let subscription =
            subscription.map_err(|Full| ReadError::TooManyPatterns { pattern_segments_max })?;
        let found = start::find(&*self.engine, &selection, presented.as_ref(), from).await?;
        let Found::Start(start) = found else { return Ok(Opening::Stopped) };
        let admission = self.admit()?;
        let mut progress = Progress::new(selection, self.incarnation(), control, &self.limits, *start);
        if control == ControlEvents::Off && self.has_nothing_for(&mut progress).await? {
            return Ok(Opening::Stopped);
        }
        let hub = Arc::clone(self);
        let reader = Reader::new(hub, progress, subscription, heartbeat, admission);
        Ok(Opening::Reading(Box::new(reader)))
    }

    /// From now on every reader ends at the end of its next block, and new ones end at once.
    pub fn drain(&self) {
        self.drain.send_replace(Drain::Draining);
    }

    /// A reader without control events can't be told the end, so it is stopped where nothing is left.
    async fn has_nothing_for(&self, progress: &mut Progress) -> Result<bool, EngineError> {
        // Read on until there is something to deliver, or the tail: a read may stop before either.
        loop {
            if let Some(place) = progress.reads_from() {
                let batch = self.engine.read(progress.selection(), place, self.read_limits()).await?;
                progress.handle_batch(batch, self.now());
            } else if let Some(place) = progress.asks_ends_at() {
                let ends = self.engine.ended_at(progress.selection(), place).await?;
                progress.handle_ends(&ends);
            } else {
                return Ok(progress.is_finished());
            }
        }
    }

    fn admit(&self) -> Result<Admission, ReadError> {
        let readers_max = self.limits.readers_max;
        let one_more = |readers: usize| (readers < readers_max).then_some(readers + 1);
        match self.readers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Admission { readers: Arc::clone(&self.readers) }),
            Err(_) => Err(ReadError::TooManyReaders { readers_max }),
        }
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    pub(crate) fn limits(&self) -> &HubLimits {
        &self.limits
    }

    pub(crate) fn read_limits(&self) -> ReadLimits {
        ReadLimits { records_max: self.limits.read_records_max, bytes_max: self.limits.read_bytes_max }
    }

    pub(crate) fn drain_signal(&self) -> watch::Receiver<Drain> {
        self.drain.subscribe()
    }
}

/// Marks the stream when the engine says that its tail moved.
struct Marker(Arc<Subscriptions>);

impl TailListener for Marker {
    fn appended(&self, stream: &StreamName, _position: Position) {
        self.0.mark(stream);
    }
}
