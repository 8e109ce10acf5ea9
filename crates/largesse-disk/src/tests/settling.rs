//! The conformance suite on an engine whose events leave memory at any moment: after a command, or while something
//! is read from the disk, and so in the middle of a query. Where they are must make no difference.
//!
//! It is the engine without its threads, except the read pool, so that a seed decides what happens.

use std::{
    io,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use largesse_log::{
    Command, Engine, EngineError, EngineLimits, Incarnation, Now, Pending, Position, Query, QueryAnswer,
    Reply, Settings, TailListener, conformance::rng::Rng,
};

use crate::{
    commit::{request::Request, writer::Writer},
    core::Core,
    engine::lookup,
    format::frame::EncodedEvents,
    io::{Disk, DiskFile, SimulatedDisk},
    maintain::Maintenance,
    read::pool::ReadPool,
    recover::{NewLog, Opened, open},
    settings::{DiskSettings, SyncRule},
};

/// How many bytes may stay in memory when events are evicted. An event of the suite counts about 130.
const HOT_LIMITS: [u64; 6] = [0, 150, 300, 600, 1_500, 6_000];
/// One command in this many evicts events.
const COMMANDS_PER_MOVE: u64 = 3;
/// One read of the disk in this many evicts events.
const READS_PER_MOVE: u64 = 4;

/// A log whose events leave memory at random.
struct Settling {
    log: Arc<Log>,
    pool: ReadPool,
}

struct Log {
    core: Arc<Core>,
    /// Its holder writes, or evicts events.
    parts: Mutex<Parts>,
}

struct Parts {
    writer: Writer,
    maintenance: Maintenance,
    rng: Rng,
}

impl Parts {
    fn move_some(&mut self, one_of: u64) {
        if self.rng.below(one_of) == 0 {
            // Without an indexing thread, everything applied is indexed.
            self.writer.core.state().evict(self.rng.pick(&HOT_LIMITS), Position::MAX, usize::MAX);
        }
    }
}

impl Log {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called before each read of the disk. If the writer reads, nothing is evicted.
    fn is_reading(&self) {
        if let Ok(mut parts) = self.parts.try_lock() {
            parts.move_some(READS_PER_MOVE);
        }
    }

    fn submit(&self, now: Now, command: Command) -> Result<Reply, EngineError> {
        let events = match &command {
            Command::Append(append) => append.events.clone(),
            _ => Vec::new(),
        };
        let encoded = EncodedEvents::new(self.core.salt, &events).expect("it is small");
        let (request, mut answer) = Request::new(now, command, encoded);
        let mut parts = self.parts();
        parts.writer.commit(vec![request]);
        if parts.writer.is_full() {
            let checkpoint_request = parts.writer.roll().expect("the disk works");
            parts.maintenance.checkpoint(&checkpoint_request).expect("the disk works");
        }
        parts.move_some(COMMANDS_PER_MOVE);
        answer.try_recv().expect("a command is answered before the next")
    }
}

/// A disk that notifies the log before each read.
struct ObservedDisk {
    disk: SimulatedDisk,
    log: Arc<OnceLock<Weak<Log>>>,
}

struct ObservedFile {
    file: Arc<dyn DiskFile>,
    log: Arc<OnceLock<Weak<Log>>>,
}

impl ObservedDisk {
    fn observed(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(ObservedFile { file, log: Arc::clone(&self.log) })
    }
}

impl Disk for ObservedDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name).map(|file| self.observed(file))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name).map(|file| self.observed(file))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }
}

impl DiskFile for ObservedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        if let Some(log) = self.log.get().and_then(Weak::upgrade) {
            log.is_reading();
        }
        self.file.read_at(into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.truncate(bytes)
    }
}

fn settling(limits: EngineLimits) -> Arc<dyn Engine> {
    let observed = Arc::new(OnceLock::new());
    let disk = ObservedDisk { disk: SimulatedDisk::new(5), log: Arc::clone(&observed) };
    let settings = DiskSettings {
        sync: SyncRule::Always,
        segment_bytes: 2_000,
        hot_bytes_max: 100_000,
        open_files_max: NonZeroUsize::new(2).expect("it is not 0"),
    };
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    let opened = open(Arc::new(disk), limits, settings, new).expect("a log opens on an empty disk");
    let Opened { core, writer, maintenance, .. } = opened;
    let log = Arc::new(Log { core, parts: Mutex::new(Parts { writer, maintenance, rng: Rng::new(23) }) });
    observed.set(Arc::downgrade(&log)).expect("it was empty");
    Arc::new(Settling { log, pool: ReadPool::start(&Arc::default()).expect("there are threads") })
}

impl Engine for Settling {
    fn incarnation(&self) -> Incarnation {
        self.log.core.incarnation
    }

    fn tail(&self) -> Position {
        self.log.core.state().tail()
    }

    fn defaults(&self) -> Settings {
        self.log.core.state().limits().defaults
    }

    fn listen(&self, listener: Arc<dyn TailListener>) {
        self.log.core.listen(listener);
    }

    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>> {
        Box::pin(async move { self.log.submit(now, command) })
    }

    fn query<'a>(&'a self, query: Query<'a>) -> QueryAnswer<'a> {
        QueryAnswer::Cold(Box::pin(async move {
            let looked = self.log.core.state().query(query)?;
            Ok(lookup::finish(&self.log.core, &self.pool, looked).await?)
        }))
    }
}

largesse_log::mount_conformance!(super::settling);
