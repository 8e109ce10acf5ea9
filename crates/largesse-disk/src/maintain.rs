//! Maintenance: a full segment gets an index file and a checkpoint, and in time is compacted; the next segment is
//! preallocated.
//!
//! Invariants: a file is removed only once a durable checkpoint does not need it, and a checkpoint names only
//! durable files. An error leaves everything as it was, to be retried next time. It works from a snapshot, and
//! holds the state's lock only to read the limits. Does not know publishers or readers.

mod compaction;
pub(crate) mod folder_watch;
pub(crate) mod mailbox;
pub(crate) mod reindex;

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use largesse_log::{
    EngineError, Position,
    state::{SavedLife, Snapshot},
};

use compaction::{Compacted, Pressure};

use crate::{
    commit::preallocation::{self, Preallocation},
    core::{CheckpointRequest, Core},
    format::checkpoint::{self, CheckpointHead, SealedSegment},
    index::{IndexError, IndexOf, Postings, Sealed, StreamEpoch, write_file},
    io::{Disk, DiskFile, Watched, is_out_of_files, refused, remove_if_there},
    maintain::{
        folder_watch::FolderWatch,
        reindex::{ReindexError, reindexed},
    },
    segments::{Index, Segment, SegmentId},
};

/// Compactions between two checkpoint requests, at most.
const COMPACTIONS_MAX: usize = 32;

/// The work of the maintenance thread.
pub(crate) struct Maintenance {
    core: Arc<Core>,
    disk: Watched,
    preallocation: Arc<Preallocation>,
    segment_bytes: u64,
    /// The generation of the next compacted segment. None is used twice: a failed checkpoint may be in place all
    /// the same, and needs its files.
    generation: AtomicU32,
    watch: FolderWatch,
    /// Replaced segments that may still be read and whose files can't be kept open.
    replaced: Mutex<Vec<Arc<Segment>>>,
}

/// Why maintenance failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MaintenanceError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file is missing. It was logged when it was noticed.
    #[error("{0}")]
    Missing(String),
}

impl From<MaintenanceError> for EngineError {
    /// Why publishes are refused if it keeps failing.
    fn from(error: MaintenanceError) -> Self {
        let reason = error.to_string();
        match error {
            MaintenanceError::Io(error) | MaintenanceError::Index(IndexError::Io(error)) => {
                refused(&error, reason)
            }
            MaintenanceError::Index(_) | MaintenanceError::Missing(_) => Self::Unwritable { reason },
            MaintenanceError::Engine(error) => error,
        }
    }
}

impl MaintenanceError {
    /// Whether it only means that descriptors have run out.
    fn is_for_want_of_files(&self) -> bool {
        match self {
            Self::Io(error) | Self::Index(IndexError::Io(error)) => is_out_of_files(error),
            Self::Index(_) | Self::Missing(_) => false,
            Self::Engine(error) => matches!(error, EngineError::TooManyFiles { .. }),
        }
    }
}

impl Maintenance {
    pub(crate) fn new(
        core: Arc<Core>,
        disk: Watched,
        preallocation: Arc<Preallocation>,
        segment_bytes: u64,
        generation: u32,
    ) -> Self {
        let watch = FolderWatch::new(disk.clone());
        let (generation, replaced) = (AtomicU32::new(generation), Mutex::default());
        Self { core, disk, preallocation, segment_bytes, generation, watch, replaced }
    }

    /// Checks whether the log's files are still there.
    pub(crate) fn check_files(&self) {
        // The watch logs what is missing, and stops the writer.
        let _ = self.watch.check(&self.core.segments);
    }

    /// Makes the preallocated segment that was ordered.
    pub(crate) fn make_preallocation(&self) {
        if self.disk.failure().is_none() {
            self.preallocation.make(&self.disk);
        }
    }

    /// Nothing more is written: removes the preallocated segment.
    pub(crate) fn close(&self) {
        self.check_files();
        if self.disk.failure().is_none() {
            preallocation::remove(&self.disk);
        }
    }

    /// Whether there is something to repair or to compact.
    pub(crate) fn has_garbage(&self) -> bool {
        let sealed = self.sealed();
        self.core.has_retired()
            || self.disk.presence().is_checkpoint_missing()
            || sealed.iter().any(|segment| segment.wants_index())
            || compaction::choose(&sealed, self.segment_bytes, self.pressure()).is_some()
    }

    /// Whether the segments and their indexes take more than the log may have.
    fn pressure(&self) -> Pressure {
        let bytes_max = self.core.state().limits().log_bytes_max;
        let bytes: u64 = self.core.segments.all().iter().map(|segment| segment.disk_bytes()).sum();
        if bytes > bytes_max { Pressure::Heavy } else { Pressure::Light }
    }

    /// Seals the segments before a checkpoint request, compacts some, and writes a checkpoint. Compacts more while
    /// the log is over its limit.
    ///
    /// # Errors
    /// Those of the disk. The log continues as before; a start would have to replay more.
    pub(crate) fn checkpoint(&self, checkpoint_request: &CheckpointRequest) -> Result<(), MaintenanceError> {
        if let Some(failure) = self.disk.failure() {
            return Err(MaintenanceError::Io(io::Error::other(failure.to_owned())));
        }
        self.watch.check(&self.core.segments).map_err(MaintenanceError::Missing)?;
        self.seal_before(checkpoint_request.replay_from)?;
        self.rebuild_indexes(&checkpoint_request.snapshot)?;
        let mut compacted = self.or_warn(self.recount_and_compact(&checkpoint_request.snapshot));
        for _ in 0..COMPACTIONS_MAX {
            self.write_checkpoint(checkpoint_request, compacted)?;
            if self.pressure() == Pressure::Light {
                break;
            }
            compacted = self.or_warn(self.compact(&checkpoint_request.snapshot));
            if compacted.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Compaction is best effort: an error never delays a checkpoint.
    fn or_warn(&self, compacted: Result<Option<Compacted>, MaintenanceError>) -> Option<Compacted> {
        compacted.unwrap_or_else(|error| {
            tracing::warn!(%error, "no segment could be compacted; their space is not freed yet");
            None
        })
    }

    /// Writes a checkpoint with the compacted segment instead of its sources, and removes these.
    fn write_checkpoint(
        &self,
        checkpoint_request: &CheckpointRequest,
        compacted: Option<Compacted>,
    ) -> Result<(), MaintenanceError> {
        let list = compacted
            .as_ref()
            .map_or_else(|| self.sealed(), |compacted| compacted.applied_to(&self.sealed()));
        let head = CheckpointHead {
            salt: self.core.salt,
            incarnation: self.core.incarnation,
            written: checkpoint_request.written,
            reserved: checkpoint_request.reserved,
            replay_from: checkpoint_request.replay_from,
            log: checkpoint_request.snapshot.head,
        };
        // The names of the files that it lists are synced before it is.
        self.disk.sync_names()?;
        let bytes = checkpoint::write(
            &self.disk,
            &head,
            list.iter().map(|segment| listed(segment)),
            &checkpoint_request.snapshot,
        )?;
        self.core.checkpoint_bytes.store(bytes, Relaxed);
        self.disk.presence().checkpoint_is_there();
        if let Some(compacted) = compacted {
            self.replace(&compacted.from, compacted.to);
        }
        self.remove_others(checkpoint_request.replay_from)
    }

    /// The sealed segments, in order.
    fn sealed(&self) -> Vec<Arc<Segment>> {
        let list = self.core.segments.all();
        list.iter().filter(|segment| matches!(segment.index, Index::Sealed(_))).cloned().collect()
    }

    fn recount_and_compact(&self, snapshot: &Snapshot) -> Result<Option<Compacted>, MaintenanceError> {
        if self.core.take_retired() {
            self.recount(snapshot)?;
        }
        self.compact(snapshot)
    }

    fn seal_before(&self, number: u64) -> Result<(), MaintenanceError> {
        for segment in self.core.segments.all().iter().filter(|segment| segment.id.number < number) {
            if let Index::Growing(growing) = &segment.index {
                cut_zeros(segment);
                let growing = growing.read().unwrap_or_else(PoisonError::into_inner);
                let index = self.write_index(segment.id, &growing)?;
                let file = self.open_lazily(segment)?;
                let sealed = segment.with_index(file, Index::Sealed(index));
                self.replace(&[segment.id], vec![Arc::new(sealed)]);
            }
        }
        Ok(())
    }

    /// A sealed segment need not stay open.
    fn open_lazily(&self, segment: &Segment) -> Result<Arc<dyn DiskFile>, MaintenanceError> {
        let name = segment.id.file_name();
        Ok(self.disk.open_lazily(&name, self.disk.open(&name)?))
    }

    /// Replaces segments, which may still be read.
    fn replace(&self, from: &[SegmentId], to: Vec<Arc<Segment>>) {
        let is_replaced = |segment: &&Arc<Segment>| from.contains(&segment.id);
        let replaced: Vec<_> = self.core.segments.all().iter().filter(is_replaced).cloned().collect();
        self.core.segments.replace(from, to);
        self.replaced().extend(replaced);
    }

    fn replaced(&self) -> MutexGuard<'_, Vec<Arc<Segment>>> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rebuilds indexes that were found broken.
    fn rebuild_indexes(&self, snapshot: &Snapshot) -> Result<(), MaintenanceError> {
        for segment in self.sealed().iter().filter(|segment| segment.wants_index()) {
            let file = segment.id.index_name();
            match reindexed(segment, self.core.salt, |stream| snapshot.life_start(stream)) {
                Ok(index) => {
                    segment.index.keep_open()?;
                    let index = Index::Sealed(self.write_index(segment.id, &index)?);
                    self.replace(
                        &[segment.id],
                        vec![Arc::new(segment.with_index(Arc::clone(&segment.file), index))],
                    );
                    tracing::warn!(file, "an index was found broken, and rebuilt from its segment");
                }
                Err(ReindexError::Io(error)) if is_out_of_files(&error) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(file, %error, "an index is broken, and so is its segment; `largesse log check` says more");
                    segment.set_unrepairable();
                }
            }
        }
        Ok(())
    }

    fn write_index(
        &self,
        id: SegmentId,
        growing: &crate::index::Growing,
    ) -> Result<Sealed, MaintenanceError> {
        let name = id.index_name();
        remove_if_there(&self.disk, &name)?;
        let file = write_file(&self.disk, &name, growing, self.index_of(id))?;
        Ok(Sealed::open(self.disk.open_lazily(&name, file), self.index_of(id))?)
    }

    fn index_of(&self, id: SegmentId) -> IndexOf {
        index_of(id, &self.core)
    }

    /// Recounts the live bytes of each segment: removing a stream does not subtract its events one by one.
    fn recount(&self, snapshot: &Snapshot) -> Result<(), MaintenanceError> {
        let firsts: HashMap<Position, Position> =
            snapshot.lives().filter_map(|life| Some((life.start, first(&life)?))).collect();
        for segment in self.sealed() {
            let live = segment.index.ask(|index| {
                let mut live = 0;
                for postings in index.all_postings(StreamEpoch(Position::ZERO)) {
                    let postings = postings?;
                    let first = firsts.get(&postings.life.0);
                    live += first.map_or(Ok(0), |first| live_bytes(index, &postings, *first))?;
                }
                Ok::<u64, IndexError>(live)
            })?;
            segment.set_live(live);
        }
        Ok(())
    }

    /// Removes files that no checkpoint needs.
    fn remove_others(&self, replay_from: u64) -> Result<(), MaintenanceError> {
        let list = self.core.segments.all();
        let mut replaced = self.replaced();
        // Readers that still have one of them can read on without the files' names.
        replaced.retain(|segment| Arc::strong_count(segment) > 1 && segment.keep_open().is_err());
        let needed: HashSet<String> = list
            .iter()
            .chain(replaced.iter())
            .flat_map(|segment| [segment.id.file_name(), segment.id.index_name()])
            .collect();
        for name in self.disk.names()? {
            let number = number_of_file(&name);
            if number.is_some_and(|number| number < replay_from) && !needed.contains(&name) {
                self.disk.remove(&name)?;
            }
        }
        self.disk.sync_names()?;
        Ok(())
    }
}

/// Cuts off a segment's preallocated rest. It need not be synced: zeros do no harm there.
fn cut_zeros(segment: &Segment) {
    let written = segment.bytes();
    let has = segment.file.bytes();
    if let Err(error) =
        has.and_then(|has| if has > written { segment.file.truncate(written) } else { Ok(()) })
    {
        let segment = segment.id.file_name();
        tracing::warn!(%error, segment, "the unused end of a segment could not be cut off; it takes space");
    }
}

pub(crate) fn index_of(id: SegmentId, core: &Core) -> IndexOf {
    IndexOf { segment: id.number, salt: core.salt.0 }
}

fn first(life: &SavedLife) -> Option<Position> {
    life.first.map(|stub| stub.position)
}

/// Estimates the counted bytes of a posting list from `first` on.
fn live_bytes(
    index: &dyn crate::index::SegmentIndex,
    postings: &Postings,
    first: Position,
) -> Result<u64, IndexError> {
    if postings.first >= first {
        return Ok(postings.counted_bytes);
    }
    if postings.last < first {
        return Ok(0);
    }
    let gone = index.upto(postings, Position(first.0 - 1))?;
    Ok(postings.counted_bytes / u64::from(postings.count.max(1)) * u64::from(postings.count - gone))
}

fn listed(segment: &Segment) -> SealedSegment {
    SealedSegment {
        number: segment.id.number,
        generation: segment.id.generation,
        first: segment.first,
        bytes: segment.bytes(),
        live_bytes: segment.live_bytes(),
        void_ranges: segment.void_ranges().into_iter().map(|range| (range.start, range.end)).collect(),
    }
}

/// The number of the segment that a file belongs to, if any.
pub(crate) fn number_of_file(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".segment").or_else(|| name.strip_suffix(".index"))?;
    stem.split_once('-')?.0.parse().ok()
}

/// The generation of the segment that a file belongs to, if any.
pub(crate) fn generation_of_file(name: &str) -> Option<u32> {
    let stem = name.strip_suffix(".segment").or_else(|| name.strip_suffix(".index"))?;
    stem.split_once('-')?.1.parse().ok()
}
