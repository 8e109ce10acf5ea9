//! The engine: the writer and maintenance threads, and the log's asynchronous interface.
//!
//! Invariants: one thread writes, one does maintenance, a few read; all are joined when the engine is dropped,
//! after queued commands are written and a checkpoint is made. If one of them panics, all who wait for it are
//! answered, nothing more is written, and [`DiskEngine::health`] reports it. Nothing here waits for the disk on a
//! caller's thread.

pub(crate) mod lookup;

use std::{
    fmt, io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use largesse_log::{
    AppendError, Command, Engine, EngineError, EngineLimits, Incarnation, Now, Pending, Position, Query,
    QueryAnswer, QueryReply, Reply, Settings, StreamName, TailListener, UnixMs, state::QueryProgress,
};

use crate::{
    commit::{
        queue::{Linger, Next, Queue},
        request::Request,
        writer::Writer,
    },
    core::Core,
    format::frame::{EncodedEvents, TooLarge},
    health::{Failed, Health, HealthWatch},
    io::{Disk, Presence},
    maintain::{
        Maintenance, MaintenanceError,
        mailbox::{Mailbox, Task},
    },
    read::{ColdError, pool::ReadPool},
    recover::{NewLog, OpenError, Opened, open},
    settings::{DiskSettings, SyncRule},
};

/// What a request counts in the queue, besides its events.
const REQUEST_BYTES: usize = 512;
/// The longest that a group lingers for the callers just answered to return.
const LINGER_MAX: Duration = Duration::from_micros(500);
/// A group lingers at most one part in this many of the last group's commit time.
const LINGER_PART: u32 = 4;
/// The waiting group is indexed once no command came for this long.
const IDLE_MAX: Duration = Duration::from_millis(1);

/// A log in a folder of files.
pub struct DiskEngine {
    core: Arc<Core>,
    queue: Arc<Queue<Box<Request>>>,
    pool: ReadPool,
    presence: Arc<Presence>,
    writer_thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for DiskEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskEngine").field("incarnation", &self.core.incarnation).finish_non_exhaustive()
    }
}

impl DiskEngine {
    /// Opens the log on a disk, or creates one there. `new` is only used for a new log.
    ///
    /// # Errors
    /// [`OpenError`]; nothing durable was changed.
    pub fn open(
        disk: Arc<dyn Disk>,
        limits: EngineLimits,
        settings: DiskSettings,
        new: NewLog,
    ) -> Result<Self, OpenError> {
        let Opened { core, mut writer, maintenance, presence, checkpoint_request } =
            open(disk, limits, settings, new)?;
        let no_thread = |source: io::Error| OpenError::Io { file: "a thread".to_owned(), source };
        writer.indexing.start_thread().map_err(no_thread)?;
        let pool = ReadPool::start(&core.health).map_err(no_thread)?;
        let mailbox = Arc::new(Mailbox::new(checkpoint_request));
        let queue = Arc::new(Queue::new());
        let maintenance_thread = {
            let (core, mailbox, queue) = (Arc::clone(&core), Arc::clone(&mailbox), Arc::clone(&queue));
            let thread = thread::Builder::new().name("log-maintain".to_owned());
            thread.spawn(move || maintain(&core.health, &maintenance, &mailbox, &queue)).map_err(no_thread)?
        };
        let writer_thread =
            WriterThread { writer, mailbox, settings, maintenance_thread: Some(maintenance_thread) };
        let writer_thread = {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name("log-write".to_owned());
            thread.spawn(move || writer_thread.run(&queue)).map_err(no_thread)?
        };
        Ok(Self { core, queue, pool, presence, writer_thread: Some(writer_thread) })
    }

    /// Closes the log. Like dropping it, this waits for the disk.
    ///
    /// # Errors
    /// Which file of the log is missing: no checkpoint was made then.
    pub fn close(self) -> Result<(), String> {
        let presence = Arc::clone(&self.presence);
        drop(self);
        presence.missing().map_or(Ok(()), Err)
    }

    /// Lets the owner learn that the log has failed, to close it then.
    #[must_use]
    pub fn health(&self) -> HealthWatch {
        self.core.health.watch()
    }

    /// The time of the last event, if there ever was one.
    #[must_use]
    pub fn last_time(&self) -> Option<UnixMs> {
        self.core.state().last_time()
    }

    /// Records the loss of a broken event, so that a read can continue after it.
    async fn record_damage(&self, stream: StreamName, position: Position) -> Result<(), EngineError> {
        self.core.cold.pass_over(position)?;
        let command = Command::Damage { stream: stream.clone(), position };
        // It gets the time of the last event.
        if self.request(Now::default(), command).await.is_err() {
            self.core.state().damage(None, &stream, position);
        }
        Ok(())
    }

    /// Encodes the command's events on the caller's thread, so that the one writer has little to do, queues it, and
    /// waits for the reply.
    async fn request(&self, now: Now, command: Command) -> Result<Reply, EngineError> {
        let encoded = match &command {
            Command::Append(append) => match EncodedEvents::new(self.core.salt, &append.events) {
                Ok(encoded) => encoded,
                Err(TooLarge { bytes, bytes_max }) => {
                    return Ok(Reply::Append(Err(AppendError::TooLarge { bytes, bytes_max })));
                }
            },
            _ => EncodedEvents::empty(self.core.salt),
        };
        // The events are in memory twice: as they came, and encoded.
        let bytes = encoded.bytes().len() * 2 + REQUEST_BYTES;
        let (request, answer) = Request::new(now, command, encoded);
        self.queue.push(request, bytes).await.map_err(|error| match self.core.health.failure() {
            Some(reason) => EngineError::Unwritable { reason },
            None => error,
        })?;
        // A queued request is answered, unless the writer panics while it has it.
        answer
            .await
            .map_err(|_| EngineError::Unsafe { reason: "the thread that writes the log failed".to_owned() })?
    }
}

impl Drop for DiskEngine {
    fn drop(&mut self) {
        self.queue.stop();
        if let Some(writer_thread) = self.writer_thread.take() {
            // A panic is caught and logged on the thread itself.
            let _ = writer_thread.join();
        }
    }
}

/// The thread that writes.
struct WriterThread {
    writer: Writer,
    mailbox: Arc<Mailbox>,
    settings: DiskSettings,
    maintenance_thread: Option<JoinHandle<()>>,
}

impl WriterThread {
    /// Writes until the log is closed, and then closes it; after a panic, answers all who wait.
    fn run(mut self, queue: &Queue<Box<Request>>) {
        let health = Arc::clone(&self.writer.core.health);
        let written = health.watched("writes the log", || {
            self.write(queue);
            self.finish();
        });
        let Err(Failed(reason)) = written else { return };
        for request in queue.abandon() {
            request.refuse(EngineError::Unwritable { reason: reason.clone() });
        }
        // The files are as a crash would leave them: recovery replays them.
        self.mailbox.stop(None);
        self.join_maintenance();
    }

    fn write(&mut self, queue: &Queue<Box<Request>>) {
        let mut linger = Linger { expected: 1, wait_max: Duration::ZERO };
        let mut sync_at = None;
        loop {
            match queue.next(linger, self.next_deadline(sync_at)) {
                Next::Group(requests) => {
                    if self.writer.is_paused() {
                        // The reason for the pause may be gone: then don't refuse the first callers.
                        let _ = self.roll_if_due();
                        self.wait_if_overfull();
                    }
                    let begun = Instant::now();
                    let expected = self.writer.commit(requests).max(1);
                    let wait_max = (begun.elapsed() / LINGER_PART).min(LINGER_MAX);
                    linger = Linger { expected, wait_max };
                }
                Next::Nothing => self.writer.indexing.finish(),
                Next::Stop => break,
            }
            sync_at = self.sync_when_due(sync_at);
            if self.writer.order_preallocation() {
                self.mailbox.order_preallocation();
            }
            let _ = self.roll_if_due();
            self.wait_if_overfull();
        }
    }

    /// When to wake up, if no command comes before.
    fn next_deadline(&self, sync_at: Option<Instant>) -> Option<Instant> {
        let index_at = self.writer.indexing.has_waiting().then(|| Instant::now() + IDLE_MAX);
        [sync_at, index_at].into_iter().flatten().min()
    }

    /// With [`SyncRule::Interval`], syncs if the interval is over; returns when to check again.
    fn sync_when_due(&mut self, at: Option<Instant>) -> Option<Instant> {
        let SyncRule::Interval(interval) = self.settings.sync else { return None };
        if !self.writer.journal.has_unsynced() {
            return None;
        }
        let at = at.unwrap_or_else(|| Instant::now() + interval);
        if at > Instant::now() {
            return Some(at);
        }
        self.writer.sync();
        None
    }

    /// Begins a new segment if the last is full, or if a compaction waits for it. Returns the error if that failed.
    fn roll_if_due(&mut self) -> Option<EngineError> {
        let is_wanted = self.mailbox.wants_checkpoint();
        let is_due = self.writer.is_full()
            || (is_wanted && (self.writer.has_begun() || self.writer.wants_checkpoint()));
        if !is_due || !self.mailbox.is_free() {
            return None;
        }
        match self.writer.roll() {
            Ok(checkpoint_request) => {
                self.mailbox.put(checkpoint_request);
                None
            }
            Err(error) => {
                tracing::warn!(%error, "no new segment could be begun; the current one stays in use");
                Some(error)
            }
        }
    }

    /// Waits for maintenance while the segment is overfull, so that slow or failing maintenance does not let it,
    /// and its index in memory, grow without bound.
    fn wait_if_overfull(&mut self) {
        while self.writer.is_overfull() {
            let mut error = self.mailbox.wait_until_free();
            let is_short = matches!(error, Some(EngineError::TooManyFiles { .. }));
            // Descriptors may be free again: then don't refuse anyone for a checkpoint that failed before.
            if is_short && self.writer.reserve_descriptor().is_ok() {
                self.mailbox.retry();
                error = self.mailbox.wait_until_free();
            }
            self.writer.pause(error.clone());
            if error.is_some() {
                return;
            }
            if let Some(error) = self.roll_if_due() {
                // The disk is full, or worse.
                self.writer.pause(Some(error));
                return;
            }
        }
        self.writer.pause(None);
    }

    fn finish(&mut self) {
        let checkpoint_request = self.writer.finish();
        self.mailbox.stop(checkpoint_request.ok());
        self.join_maintenance();
    }

    fn join_maintenance(&mut self) {
        if let Some(maintenance_thread) = self.maintenance_thread.take() {
            // A panic is caught and logged on the thread itself.
            let _ = maintenance_thread.join();
        }
    }
}

/// The maintenance thread. If it panics, the waiting writer gets the error.
fn maintain(health: &Health, maintenance: &Maintenance, mailbox: &Mailbox, queue: &Queue<Box<Request>>) {
    if let Err(Failed(reason)) =
        health.watched("maintains the log", || run_maintenance(maintenance, mailbox, queue))
    {
        mailbox.abandon(reason);
    }
}

fn run_maintenance(maintenance: &Maintenance, mailbox: &Mailbox, queue: &Queue<Box<Request>>) {
    while let Some(task) = mailbox.next(|| maintenance.has_garbage(), || queue.nudge()) {
        match task {
            Task::Preallocate => maintenance.make_preallocation(),
            Task::CheckFiles => maintenance.check_files(),
            Task::Checkpoint(checkpoint_request) => match maintenance.checkpoint(&checkpoint_request) {
                Ok(()) => mailbox.done(),
                Err(error) => {
                    if !matches!(error, MaintenanceError::Missing(_)) {
                        tracing::warn!(%error, "no checkpoint could be made; it is tried again");
                    }
                    mailbox.failed(*checkpoint_request, error.into());
                }
            },
        }
    }
    maintenance.close();
}

impl Engine for DiskEngine {
    fn incarnation(&self) -> Incarnation {
        self.core.incarnation
    }

    fn tail(&self) -> Position {
        self.core.state().tail()
    }

    fn defaults(&self) -> Settings {
        self.core.state().limits().defaults
    }

    fn listen(&self, listener: Arc<dyn TailListener>) {
        self.core.listen(listener);
    }

    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>> {
        Box::pin(self.request(now, command))
    }

    fn query<'a>(&'a self, query: Query<'a>) -> QueryAnswer<'a> {
        let looked = self.core.state().query(query);
        match looked {
            Ok(QueryProgress::Ready(reply)) => QueryAnswer::Ready(Ok(reply)),
            Ok(looked) => QueryAnswer::Cold(Box::pin(self.finish_query(query, looked))),
            Err(error) => QueryAnswer::Ready(Err(error)),
        }
    }
}

impl DiskEngine {
    /// Runs a query to its end, and restarts it after recording the loss of a broken event.
    async fn finish_query(
        &self,
        query: Query<'_>,
        mut looked: QueryProgress,
    ) -> Result<QueryReply, EngineError> {
        loop {
            match lookup::finish(&self.core, &self.pool, looked).await {
                Ok(reply) => return Ok(reply),
                Err(ColdError::Engine(error)) => return Err(error),
                Err(ColdError::Damaged { stream, position, error }) => {
                    tracing::error!(%error, %stream, position = position.0, "an event is broken; its readers are told of a loss");
                    self.record_damage(stream, position).await?;
                }
            }
            looked = self.core.state().query(query)?;
        }
    }
}
