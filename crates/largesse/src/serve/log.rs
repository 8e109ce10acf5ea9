//! The log being served: which engine keeps it, how much it may keep, and closing it.
//!
//! Invariant: the folder is locked by us before anything in it is opened, and until the engine is joined. Does not know
//! readers.

use std::{
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use largesse::{
    disk::{
        DiskEngine, DiskSettings, SyncRule,
        io::{Disk, Folder, Location},
    },
    log::{Engine, EngineLimits, Incarnation, MemoryEngine, UnixMs},
};

use tokio::time::{Instant, sleep};

use super::machine;
use crate::{
    config::{Config, LogConfig, SyncWord},
    data_folder::DataFolder,
    terminal::Failure,
};

/// What all streams may keep together where nothing is configured, and there is room. Source: SPEC of Largesse §2,
/// "Defaults".
const LOG_BYTES_DEFAULT: u64 = 10 * 1024 * 1024 * 1024;

/// How long aborted tasks may hold on to the log, and how often to check whether they do.
const RELEASE_WAIT_MAX: Duration = Duration::from_secs(1);
const RELEASE_LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where the log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// In memory: it ends with the process.
    Memory,
    /// In the data folder.
    Disk,
}

/// The log, and what has to be closed with it.
#[derive(Debug)]
pub(super) enum Log {
    Memory(Arc<MemoryEngine>),
    Disk { engine: Arc<DiskEngine>, folder: DataFolder },
}

impl Log {
    /// Opens it, and says where it is. Waits for the disk.
    ///
    /// # Errors
    /// The folder can't be had, or the log in it can't be opened; the failure says what to do.
    pub(super) fn open(config: &Config, keeping: Keeping, files_max: u64) -> Result<Self, Failure> {
        match keeping {
            Keeping::Memory => Ok(in_memory(config)),
            Keeping::Disk => on_disk(config, settings(config, files_max)),
        }
    }

    /// How many files it may have open.
    pub(super) fn files_max(config: &Config, keeping: Keeping, files_max: u64) -> usize {
        match keeping {
            Keeping::Memory => 0,
            Keeping::Disk => settings(config, files_max).files_max(),
        }
    }

    /// The engine, for those who read and write.
    pub(super) fn engine(&self) -> Arc<dyn Engine> {
        match self {
            Self::Memory(engine) => Arc::<MemoryEngine>::clone(engine),
            Self::Disk { engine, .. } => Arc::<DiskEngine>::clone(engine),
        }
    }

    /// The time of its last event.
    pub(super) fn last_time(&self) -> Option<UnixMs> {
        match self {
            Self::Memory(_) => None,
            Self::Disk { engine, .. } => engine.last_time(),
        }
    }

    /// Where it is kept, unless that is memory.
    pub(super) fn folder(&self) -> Option<Arc<Folder>> {
        match self {
            Self::Memory(_) => None,
            Self::Disk { folder, .. } => Some(folder.disk()),
        }
    }

    /// Waits until the log has failed, and says why. Does not hold the log meanwhile.
    pub(super) fn failed(&self) -> impl Future<Output = Failure> + use<> {
        let mut health = match self {
            // It has no thread of its own that could end.
            Self::Memory(_) => None,
            Self::Disk { engine, .. } => Some(engine.health()),
        };
        async move {
            match &mut health {
                Some(health) => failed(&health.failed().await),
                None => pending().await,
            }
        }
    }

    /// Waits until nobody else holds the log, at most for [`RELEASE_WAIT_MAX`]: connections that were aborted together
    /// with the task that owned them may take a moment to go.
    pub(super) async fn released(&self) {
        let is_shared = || match self {
            Self::Memory(_) => false,
            Self::Disk { engine, .. } => Arc::strong_count(engine) > 1,
        };
        let until = Instant::now() + RELEASE_WAIT_MAX;
        while is_shared() && Instant::now() < until {
            sleep(RELEASE_LOOK_EVERY).await;
        }
    }

    /// Closes it, when nobody else holds the engine any more: what was written is safe, and the next start has
    /// nothing to replay. Waits for the disk.
    ///
    /// # Errors
    /// It could not be closed cleanly, or had failed before: the next start replays its last commands.
    pub(super) fn close(self) -> Result<(), Failure> {
        let Self::Disk { engine, folder } = self else { return Ok(()) };
        let engine = Arc::into_inner(engine).ok_or_else(|| {
            Failure(
                "the log is still in use and is left as it is; this is a bug, please report it".to_owned(),
            )
        })?;
        let health = engine.health();
        let closed = engine.close();
        match (health.failure(), closed) {
            (Some(reason), _) => Err(failed(&reason)),
            (None, Err(reason)) => Err(Failure(format!(
                "the log could not be closed, and nothing was written into its folder any more: {reason}"
            ))),
            (None, Ok(())) => {
                tell_closed(&folder);
                Ok(())
            }
        }
    }
}

fn failed(reason: &str) -> Failure {
    Failure(format!("the log has failed: {reason}"))
}

fn in_memory(config: &Config) -> Log {
    let wanted = config.log.max_bytes.unwrap_or(LOG_BYTES_DEFAULT);
    let log_bytes_max = match machine::memory_bytes().map(|bytes| bytes / 2) {
        Some(half) if half < wanted => {
            tracing::info!(
                log_bytes_max = half,
                "the log is limited to half of the memory there is, which is less than log.max_bytes"
            );
            half
        }
        _ => wanted,
    };
    tracing::info!(log_bytes_max, "events are kept in memory, and are lost when the server stops");
    let engine = MemoryEngine::new(Incarnation(fastrand::u64(..)), limits(config, log_bytes_max));
    Log::Memory(Arc::new(engine))
}

/// Reports where it was closed: the folder may have been moved.
fn tell_closed(folder: &DataFolder) {
    let path = folder.path().display();
    match folder.disk().location() {
        Ok(Location::Moved { to: Some(to), .. }) if to != folder.path() => {
            tracing::warn!(folder = %to.display(), "the log is closed. It was moved, and is no longer in {path}");
        }
        Ok(Location::Moved { .. }) => tracing::warn!("the log is closed. It is no longer at {path}"),
        _ => tracing::info!(folder = %path, "the log is closed"),
    }
}

/// Settings of the disk engine, given how many files may be open.
fn settings(config: &Config, files_max: u64) -> DiskSettings {
    let open_files_max = machine::log_open_files_max(files_max);
    DiskSettings { sync: sync(&config.log), open_files_max, ..DiskSettings::DEFAULT }
}

fn on_disk(config: &Config, settings: DiskSettings) -> Result<Log, Failure> {
    let folder = DataFolder::take_for_log(&config.data)?;
    let log_bytes_max = log_bytes_max(&config.log, &folder);
    let engine = folder.open(limits(config, log_bytes_max), settings)?;
    let path = folder.path().display();
    tracing::info!(log_bytes_max, sync = ?settings.sync, "events are kept in {path}");
    Ok(Log::Disk { engine: Arc::new(engine), folder })
}

/// What was configured, or what fits on the disk.
fn log_bytes_max(config: &LogConfig, folder: &DataFolder) -> u64 {
    let capacity = machine::disk_bytes(&folder.disk());
    if let Err(error) = &capacity {
        tracing::warn!(%error, "the system does not say how much space the disk has; log.max_bytes may not fit");
    }
    let fitting = capacity.ok().map(four_fifths);
    match (config.max_bytes, fitting) {
        (None, fitting) => fitting.unwrap_or(LOG_BYTES_DEFAULT).min(LOG_BYTES_DEFAULT),
        (Some(wanted), Some(fitting)) if wanted > fitting => {
            tracing::warn!(
                log_bytes_max = wanted,
                fitting,
                "log.max_bytes is more than four fifths of the space there is; publishing stops when the disk is full"
            );
            wanted
        }
        (Some(wanted), _) => wanted,
    }
}

/// The rest is for what is dropped but not yet freed, for preallocation, and for others on the disk.
fn four_fifths(bytes: u64) -> u64 {
    bytes / 5 * 4
}

fn sync(config: &LogConfig) -> SyncRule {
    match config.sync {
        SyncWord::Always => SyncRule::Always,
        SyncWord::Interval => SyncRule::Interval(config.sync_interval),
    }
}

fn limits(config: &Config, log_bytes_max: u64) -> EngineLimits {
    EngineLimits {
        log_bytes_max,
        streams_max: config.log.streams_max,
        defaults: config.stream,
        ..EngineLimits::default()
    }
}
