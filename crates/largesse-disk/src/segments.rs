//! The segments of the log, in order.
//!
//! Invariants: segments don't overlap, and are in the order of their positions; only the last one is active. A list
//! stays readable, even if a segment in it has been replaced or its file removed meanwhile. Does not know what is
//! kept.

use std::{
    collections::HashSet,
    fmt, io,
    ops::Range,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use largesse_log::{EngineError, Position};

use crate::{
    format::scan::{Broken, ReadError},
    index::{Growing, IndexError, Sealed, SegmentIndex},
    io::{Disk, DiskFile, is_code_out_of_files, is_out_of_files},
};

/// The bytes of an event in an index file.
const ENTRY_BYTES: u64 = 32;

/// One segment and its index.
pub(crate) struct Segment {
    /// Which it is.
    pub(crate) id: SegmentId,
    /// All its records are at or after this, and all of earlier segments before it.
    pub(crate) first: Position,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) index: Index,
    /// The counted bytes of its kept events: an estimate, by which segments are chosen for compaction.
    live_bytes: AtomicU64,
    is_unrepairable: AtomicBool,
    /// Half-open ranges of appends rejected after they were written; readers skip them.
    void_ranges: RwLock<Vec<Range<Position>>>,
    /// The length of the file's part whose commands may be applied. What follows may still be being written.
    bytes: AtomicU64,
}

/// Which segment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId {
    /// Counted since the log was created.
    pub(crate) number: u64,
    /// The compaction generation; 0 as first written.
    pub(crate) generation: u32,
}

impl SegmentId {
    /// A segment as it is first written.
    pub(crate) fn written(number: u64) -> Self {
        Self { number, generation: 0 }
    }

    pub(crate) fn file_name(self) -> String {
        format!("{:012}-{}.segment", self.number, self.generation)
    }

    pub(crate) fn index_name(self) -> String {
        format!("{:012}-{}.index", self.number, self.generation)
    }

    /// The segment with this file name, if it is one.
    pub(crate) fn of_file_name(name: &str) -> Option<Self> {
        let (number, generation) = name.strip_suffix(".segment")?.split_once('-')?;
        let id = Self { number: number.parse().ok()?, generation: generation.parse().ok()? };
        (id.file_name() == name).then_some(id)
    }
}

/// The index of the active segment, or of a sealed one.
pub(crate) enum Index {
    Growing(RwLock<Growing>),
    Sealed(Sealed),
}

impl Index {
    /// Calls the index.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&dyn SegmentIndex) -> T) -> T {
        match self {
            Self::Growing(growing) => question(&*growing.read().unwrap_or_else(PoisonError::into_inner)),
            Self::Sealed(sealed) => question(sealed),
        }
    }

    /// Call it before its file is removed.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_open(&self) -> io::Result<()> {
        match self {
            Self::Growing(_) => Ok(()),
            Self::Sealed(sealed) => sealed.keep_open(),
        }
    }
}

impl Segment {
    pub(crate) fn new(
        id: SegmentId,
        first: Position,
        file: Arc<dyn DiskFile>,
        index: Index,
        bytes: u64,
    ) -> Self {
        let (live_bytes, bytes) = (AtomicU64::new(0), AtomicU64::new(bytes));
        Self {
            id,
            first,
            file,
            index,
            live_bytes,
            bytes,
            void_ranges: RwLock::default(),
            is_unrepairable: AtomicBool::new(false),
        }
    }

    /// Why the file no longer has its name: it was removed, or another file has it.
    pub(crate) fn lost_name(&self, disk: &dyn Disk) -> Option<String> {
        let name = self.id.file_name();
        if matches!(self.file.links(), Ok(0)) {
            return Some(format!("{name} was removed while it was written"));
        }
        let named = match disk.identity(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Some(format!("{name} was taken out of the data folder"));
            }
            named => named.ok()??,
        };
        let ours = self.file.identity().ok()??;
        (named != ours).then(|| format!("{name} is another file than the one that is written"))
    }

    /// Marks a range as void.
    pub(crate) fn add_void(&self, positions: Range<Position>) {
        if !positions.is_empty() {
            self.void_ranges.write().unwrap_or_else(PoisonError::into_inner).push(positions);
        }
    }

    pub(crate) fn is_void(&self, position: Position) -> bool {
        let ranges = self.void_ranges.read().unwrap_or_else(PoisonError::into_inner);
        let after = ranges.partition_point(|range| range.start <= position);
        ranges[..after].last().is_some_and(|range| range.contains(&position))
    }

    pub(crate) fn void_ranges(&self) -> Vec<Range<Position>> {
        self.void_ranges.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Acquire)
    }

    /// Its size on disk with its index; an estimate.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let events = self.index.ask(|index| index.totals().events);
        self.bytes() + u64::from(events) * ENTRY_BYTES
    }

    /// The commands before this offset can be read.
    pub(crate) fn reached(&self, bytes: u64) {
        self.bytes.store(bytes, Release);
    }

    /// The same segment with another index, and with its file opened in another way.
    pub(crate) fn with_index(&self, file: Arc<dyn DiskFile>, index: Index) -> Self {
        let segment = Self::new(self.id, self.first, file, index, self.bytes());
        segment.set_live(self.live_bytes());
        self.void_ranges().into_iter().for_each(|positions| segment.add_void(positions));
        segment
    }

    /// Call it before its files are removed: those who have the segment can still read it then.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_open(&self) -> io::Result<()> {
        self.file.keep_open()?;
        self.index.keep_open()
    }

    /// The counted bytes of all its events, kept or not.
    pub(crate) fn counted_bytes(&self) -> u64 {
        self.index.ask(|index| index.totals().counted_bytes)
    }

    /// Whether its index was found broken, and is not known to be unrepairable.
    pub(crate) fn wants_index(&self) -> bool {
        let is_broken = matches!(&self.index, Index::Sealed(sealed) if sealed.is_broken());
        is_broken && !self.is_unrepairable()
    }

    /// Marks an index whose file is gone as broken, so that it is rebuilt.
    pub(crate) fn check_index_file(&self, names: &HashSet<String>) {
        if let Index::Sealed(sealed) = &self.index
            && !names.contains(&self.id.index_name())
        {
            sealed.set_broken();
        }
    }

    /// Whether a compaction or a rebuild found it broken.
    pub(crate) fn is_unrepairable(&self) -> bool {
        self.is_unrepairable.load(Relaxed)
    }

    pub(crate) fn set_unrepairable(&self) {
        self.is_unrepairable.store(true, Relaxed);
    }

    pub(crate) fn set_live(&self, counted_bytes: u64) {
        self.live_bytes.store(counted_bytes, Relaxed);
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes.load(Relaxed)
    }

    pub(crate) fn gained(&self, counted_bytes: u64) {
        self.live_bytes.fetch_add(counted_bytes, Relaxed);
    }

    pub(crate) fn lost(&self, counted_bytes: u64) {
        let less = |live: u64| Some(live.saturating_sub(counted_bytes));
        // `less` never returns `None`.
        let _ = self.live_bytes.fetch_update(Relaxed, Relaxed, less);
    }

    /// The error for a failed read of this segment or its index.
    pub(crate) fn unreadable(&self, why: impl Into<Unread>) -> EngineError {
        let Unread { why, is_for_want_of_files } = why.into();
        let reason = format!("{}: {why}", self.id.file_name());
        if is_for_want_of_files {
            EngineError::TooManyFiles { reason }
        } else {
            EngineError::Unreadable { reason }
        }
    }
}

/// Why something was not read.
pub(crate) struct Unread {
    why: String,
    /// Then nothing is known about the data.
    is_for_want_of_files: bool,
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self { why: error.to_string(), is_for_want_of_files: is_out_of_files(&error) }
    }
}

impl From<IndexError> for Unread {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Io(error) => error.into(),
            broken => Self { why: broken.to_string(), is_for_want_of_files: false },
        }
    }
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        let code = if let ReadError::Io { code, .. } = error { code } else { None };
        Self { why: error.to_string(), is_for_want_of_files: is_code_out_of_files(code) }
    }
}

impl From<Broken> for Unread {
    fn from(broken: Broken) -> Self {
        Self { why: broken.to_string(), is_for_want_of_files: false }
    }
}

impl From<fmt::Arguments<'_>> for Unread {
    fn from(why: fmt::Arguments<'_>) -> Self {
        Self { why: why.to_string(), is_for_want_of_files: false }
    }
}

/// All segments at one moment, in order.
pub(crate) type SegmentList = Arc<Vec<Arc<Segment>>>;

/// All segments.
#[derive(Default)]
pub(crate) struct Segments(RwLock<SegmentList>);

impl Segments {
    pub(crate) fn all(&self) -> SegmentList {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn push(&self, segment: Arc<Segment>) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut longer = list.to_vec();
        longer.push(segment);
        *list = Arc::new(longer);
    }

    /// Replaces these segments, which are neighbours.
    pub(crate) fn replace(&self, replaced: &[SegmentId], with: Vec<Arc<Segment>>) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_replaced = |segment: &Arc<Segment>| replaced.contains(&segment.id);
        let Some(place) = list.iter().position(is_replaced) else { return };
        let mut others: Vec<_> = list.iter().filter(|segment| !is_replaced(segment)).cloned().collect();
        others.splice(place..place, with);
        *list = Arc::new(others);
    }
}

/// The segment of a list that would have an event at `position`: the last one that begins at or before it.
pub(crate) fn number_of(list: &[Arc<Segment>], position: Position) -> usize {
    list.partition_point(|segment| segment.first <= position).saturating_sub(1)
}
