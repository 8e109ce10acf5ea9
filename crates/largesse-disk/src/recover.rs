//! Recovery: loads the checkpoint, and replays the commands after it.
//!
//! Invariants: everything acknowledged is there again, each record at its old position, and no position that may
//! have been shown is reused. A torn end of the last segment is cut off; a broken event is reported as lost
//! (`recover/damage.rs`); any other corruption is an error that leaves everything unchanged. The time it takes is
//! bounded by the segments after the checkpoint and by the streams and keys, not by the log.

mod damage;
pub(crate) mod identity;
mod sealed;

use std::{collections::VecDeque, io, sync::Arc};

use damage::Damage;
use largesse_log::{Command, EngineError, EngineLimits, Incarnation, Position, state::LogState};
use sealed::open_sealed;

use crate::{
    commit::{
        apply::replay,
        journal::{Journal, Start},
        preallocation::{self, Preallocation, begin_segment},
        writer::Writer,
    },
    core::{CheckpointRequest, Core},
    format::{
        checkpoint::{self, CheckpointError, Item},
        frame::{Salt, Sequence},
        scan::{Broken, Group, Scan},
        segment::{HEADER_BYTES, HeaderError, SegmentHeader},
    },
    index::Growing,
    io::{Disk, DiskFile, Presence, Watched},
    maintain::{Maintenance, generation_of_file},
    segments::{Index, Segment, SegmentId, Segments},
    settings::DiskSettings,
};

/// The two random numbers of a new log.
#[derive(Clone, Copy, Debug)]
pub struct NewLog {
    /// Which log it is.
    pub incarnation: Incarnation,
    /// The seed of its checksums.
    pub salt: u64,
}

/// Why a log can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed.
    #[error("{file} could not be opened or read: {source}")]
    Io {
        /// Of which file.
        file: String,
        /// The disk's error.
        source: io::Error,
    },
    /// The checkpoint can't be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A segment can't be used at all.
    #[error("{file}: {source}")]
    Header {
        /// The segment's file.
        file: String,
        /// Why.
        source: HeaderError,
    },
    /// A segment is broken where it was durable.
    #[error(
        "{file} is broken: {broken}. Nothing says which streams lost what there. `largesse log check` says more; \
         `largesse log export` saves all that is whole and says what it leaves out, and `largesse log import` makes \
         a new log of that"
    )]
    Broken {
        /// The segment's file.
        file: String,
        /// What is broken, and where.
        broken: Broken,
    },
    /// A file is missing.
    #[error(
        "{file} is missing: without it the log is not whole. Put it back; `largesse log check` says more"
    )]
    Missing {
        /// Its name.
        file: String,
    },
    /// A file belongs to another log.
    #[error("{file} belongs to another log; take it out of the folder")]
    Foreign {
        /// Its name.
        file: String,
    },
}

/// An open log.
pub(crate) struct Opened {
    pub(crate) core: Arc<Core>,
    pub(crate) writer: Writer,
    pub(crate) maintenance: Maintenance,
    pub(crate) presence: Arc<Presence>,
    /// A first checkpoint request, if commands were replayed.
    pub(crate) checkpoint_request: Option<CheckpointRequest>,
}

/// Opens the log in a folder, or creates one.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn open(
    disk: Arc<dyn Disk>,
    limits: EngineLimits,
    settings: DiskSettings,
    new: NewLog,
) -> Result<Opened, OpenError> {
    let settings = settings.fitting(limits.log_bytes_max);
    let mut opening =
        Opening::begin(Watched::new(disk, settings.open_files_max), new, Damage::Recover(Vec::new()))?;
    let last = opening.replay_all()?;
    let has_replayed = last.is_some();
    let generation = next_generation(&opening.disk)?;
    let number = opening.next_number;
    let free = opening.core.state().tail().next().max(opening.reserved);
    let first = identity::first_position(&opening.disk, free).map_err(io_of(identity::FILE))?;
    let preallocation = Arc::new(Preallocation::default());
    preallocation::remove(&opening.disk);
    let segment = begin_segment(
        &opening.disk,
        &preallocation,
        number,
        first,
        opening.core.incarnation,
        opening.core.salt,
    )
    .map_err(io_of(&SegmentId::written(number).file_name()))?;
    // The segment's header has the first position, so a copy's jump is durable now.
    identity::remember(&opening.disk, &segment.id.file_name());
    opening.core.segments.push(Arc::clone(&segment));
    let Opening { disk, core, written, reserved, damage, fault, .. } = opening;
    let core = Arc::new(core);
    let journal = Journal::new(Start {
        disk: disk.clone(),
        salt: core.salt,
        segment,
        at: HEADER_BYTES as u64,
        written,
    });
    let checkpoint_request = has_replayed.then(|| CheckpointRequest {
        snapshot: core.state().snapshot(),
        written,
        reserved,
        replay_from: number,
    });
    let segment_bytes = settings.segment_bytes;
    let presence = Arc::clone(disk.presence());
    let maintenance = Maintenance::new(
        Arc::clone(&core),
        disk.clone(),
        Arc::clone(&preallocation),
        segment_bytes,
        generation,
    );
    let mut writer = Writer::new(Arc::clone(&core), Arc::new(disk), journal, settings, preallocation, first);
    writer.stop_on_retention_error(fault);
    let unwritten = |error| OpenError::Io {
        file: SegmentId::written(number).file_name(),
        source: io::Error::other(error),
    };
    let is_limited = *core.state().limits() == limits;
    if !is_limited {
        writer.write_alone(vec![Command::Limits(limits)]).map_err(unwritten)?;
    }
    if let Damage::Recover(lost) = damage {
        damage::record(&core, &mut writer, lost).map_err(unwritten)?;
    }
    Ok(Opened { core, writer, maintenance, presence, checkpoint_request })
}

/// A log opened for inspection.
pub(crate) struct InspectedLog {
    pub(crate) core: Core,
    /// The parts that could not be replayed.
    pub(crate) left_out: Vec<OpenError>,
}

/// Loads a log for inspection, as far as it is whole: parts that can't be decoded are left out. The disk ignores
/// changes of files.
///
/// # Errors
/// [`OpenError`], if not even the checkpoint can be used.
pub(crate) fn inspect(disk: Arc<dyn Disk>) -> Result<InspectedLog, OpenError> {
    // Placeholder: only used when there is no log yet.
    let new = NewLog { incarnation: Incarnation(0), salt: 0 };
    let files_max = DiskSettings::DEFAULT.open_files_max;
    let mut opening = Opening::begin(Watched::new(disk, files_max), new, Damage::Inspect(Vec::new()))?;
    let last = opening.replay_all();
    let Opening { core, damage, .. } = opening;
    let mut left_out = if let Damage::Inspect(left_out) = damage { left_out } else { Vec::new() };
    left_out.extend(last.err());
    Ok(InspectedLog { core, left_out })
}

fn io_of(file: &str) -> impl FnOnce(io::Error) -> OpenError {
    let file = file.to_owned();
    move |source| OpenError::Io { file, source }
}

/// A log while it is being opened.
struct Opening {
    disk: Watched,
    core: Core,
    /// The error of retention, if it could not read cold events.
    fault: Option<EngineError>,
    written: Sequence,
    reserved: Position,
    /// The segments to replay, in order.
    to_replay: Vec<u64>,
    next_number: u64,
    damage: Damage,
    /// Whether there are placeholders for broken events.
    has_blanks: bool,
}

impl Opening {
    fn begin(disk: Watched, new: NewLog, damage: Damage) -> Result<Self, OpenError> {
        let mut opening = match checkpoint::open(&disk)? {
            None => Self::without_checkpoint(disk, new, damage)?,
            Some(reading) => Self::from_checkpoint(disk, reading, damage)?,
        };
        opening.drop_unbegun()?;
        Ok(opening)
    }

    fn from_checkpoint(
        disk: Watched,
        reading: checkpoint::CheckpointReader,
        damage: Damage,
    ) -> Result<Self, OpenError> {
        let head = reading.head().clone();
        let mut state = LogState::restored(&head.log);
        let mut sealed = Vec::new();
        reading.items(&mut |item| match item {
            Item::Segment(segment) => sealed.push(segment),
            Item::Life(life) => state.restore_life(&life),
            Item::Tombstone(tombstone) => state.restore_tombstone(&tombstone),
            Item::Key(key) => state.restore_key(key),
            Item::Damage(damage) => state.restore_damage(damage),
        })?;
        let segments = Arc::new(Segments::default());
        for listed in sealed {
            segments.push(Arc::new(open_sealed(&disk, &listed, head.salt, &state, &damage)?));
        }
        let to_replay = numbers_from(&disk, head.replay_from)?;
        Ok(Self {
            disk,
            core: Core::new(head.incarnation, head.salt, segments, state),
            fault: None,
            written: head.written,
            reserved: head.reserved,
            next_number: head.replay_from,
            to_replay,
            damage,
            has_blanks: false,
        })
    }

    fn without_checkpoint(disk: Watched, new: NewLog, damage: Damage) -> Result<Self, OpenError> {
        const FIRST: u64 = 1;
        let to_replay = numbers_from(&disk, 0)?;
        let (mut salt, mut incarnation) = (Salt(new.salt), new.incarnation);
        if let Some(first) = to_replay.first() {
            let file = SegmentId::written(*first).file_name();
            if *first != FIRST {
                return Err(OpenError::Missing { file: checkpoint::FILE.to_owned() });
            }
            if let Some(header) = read_header(&disk, *first, Doubt::of(&to_replay, *first))? {
                (salt, incarnation) = (header.salt, header.incarnation);
            } else {
                tracing::info!(file, "the log was never begun");
            }
        }
        let state = LogState::new(EngineLimits::default());
        let (written, reserved) = (Sequence(0), Position::ZERO);
        Ok(Self {
            disk,
            core: Core::new(incarnation, salt, Arc::default(), state),
            fault: None,
            written,
            reserved,
            to_replay,
            next_number: FIRST,
            damage,
            has_blanks: false,
        })
    }

    /// A crash may have left a last segment without a header: nothing was written to it.
    fn drop_unbegun(&mut self) -> Result<(), OpenError> {
        let Some(last) = self.to_replay.last().copied() else { return Ok(()) };
        if read_header(&self.disk, last, Doubt::of(&self.to_replay, last))?.is_none() {
            self.to_replay.pop();
        }
        Ok(())
    }

    /// Replays all segments after the checkpoint; returns the last of them, if there are any.
    fn replay_all(&mut self) -> Result<Option<u64>, OpenError> {
        let numbers = std::mem::take(&mut self.to_replay);
        for number in &numbers {
            if *number != self.next_number {
                let file = SegmentId::written(self.next_number).file_name();
                self.damage.leave_out(OpenError::Missing { file })?;
            }
            if let Err(error) = self.replay_segment(*number, Doubt::of(&numbers, *number)) {
                self.damage.leave_out(error)?;
            }
            self.next_number = number + 1;
        }
        if self.has_blanks {
            // Placeholders must not stay hot, where readers would get them as events; on disk they are never read.
            while self.core.state().evict(0, Position::MAX, usize::MAX) {}
        }
        Ok(numbers.last().copied())
    }

    fn replay_segment(&mut self, number: u64, doubt: Doubt) -> Result<(), OpenError> {
        let id = SegmentId::written(number);
        let name = id.file_name();
        let header = read_header(&self.disk, number, doubt)?
            .ok_or_else(|| OpenError::Missing { file: name.clone() })?;
        if (header.salt, header.incarnation, header.number) != (self.core.salt, self.core.incarnation, number)
        {
            return Err(OpenError::Foreign { file: name });
        }
        // A start may have skipped positions and written nothing after that.
        self.reserved = self.reserved.max(header.first_position);
        let file = self.disk.open(&name).map_err(io_of(&name))?;
        let bytes = file.bytes().map_err(io_of(&name))?;
        let index = Index::Growing(std::sync::RwLock::new(Growing::new()));
        let at = HEADER_BYTES as u64;
        let read = self.disk.open_lazily(&name, Arc::clone(&file));
        let segment = Arc::new(Segment::new(id, header.first_position, read, index, at));
        self.core.segments.push(Arc::clone(&segment));
        let scan = Scan::new(Arc::clone(&file), self.core.salt, at, bytes).map_err(io_of(&name))?;
        // Zeros instead of durable groups are still found: the next segment's groups don't follow then.
        let scan = scan.ending_at_zeros();
        let mut scan =
            if self.damage.has_gaps() { scan } else { scan.expecting(Sequence(self.written.0 + 1)) };
        // The start of the bytes not known to be durable: the header, then groups.
        let mut in_doubt = 0;
        let mut groups: VecDeque<(Sequence, u64)> = VecDeque::new();
        while let Some(group) = self.next_group(&name, &file, &mut scan, doubt)? {
            groups.push_back((group.head.sequence, group.end));
            while groups.front().is_some_and(|(sequence, _)| *sequence <= group.head.synced_sequence) {
                in_doubt = groups.pop_front().map_or(in_doubt, |(_, end)| end);
            }
            self.replay_group(&segment, group);
        }
        match doubt {
            Doubt::Last => make_durable(&*file, in_doubt, segment.bytes()).map_err(io_of(&name)),
            Doubt::No => Ok(()),
        }
    }

    fn replay_group(&mut self, segment: &Segment, group: Group) {
        self.written = group.head.sequence;
        self.has_blanks |= group.broken().next().is_some();
        self.reserved = self.reserved.max(group.head.reserved);
        for placed in group.commands {
            let error = replay(&self.core, segment, placed.command, placed.at, &placed.spots);
            self.fault = self.fault.take().or(error);
        }
        segment.reached(group.end);
        while self.core.state().evict(HOT_BYTES_MAX, Position::MAX, usize::MAX) {}
    }
}

/// How many bytes of events stay in memory during replay.
const HOT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Whether a segment may have been active when the server died.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It is the last.
    Last,
    /// Another follows it, so all of it was durable.
    No,
}

impl Doubt {
    fn of(numbers: &[u64], number: u64) -> Self {
        if numbers.last() == Some(&number) { Self::Last } else { Self::No }
    }
}

/// The numbers of the segments that were never compacted, from `first` on, in order.
fn numbers_from(disk: &dyn Disk, first: u64) -> Result<Vec<u64>, OpenError> {
    let names = disk.names().map_err(io_of("the data folder"))?;
    let ids = names.iter().filter_map(|name| SegmentId::of_file_name(name));
    let written = ids.filter(|id| id.generation == 0).map(|id| id.number);
    let mut numbers: Vec<_> = written.filter(|number| *number >= first).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// A generation that no file has, not even one that an unfinished checkpoint may name.
fn next_generation(disk: &dyn Disk) -> Result<u32, OpenError> {
    let names = disk.names().map_err(io_of("the data folder"))?;
    let generations = names.iter().filter_map(|name| generation_of_file(name));
    Ok(generations.max().unwrap_or(0) + 1)
}

/// The header of a segment; `None` if it was never written.
fn read_header(disk: &dyn Disk, number: u64, doubt: Doubt) -> Result<Option<SegmentHeader>, OpenError> {
    let name = SegmentId::written(number).file_name();
    let file = disk.open(&name).map_err(io_of(&name))?;
    let bytes = file.bytes().map_err(io_of(&name))?;
    let may_be_unbegun = doubt == Doubt::Last && bytes <= HEADER_BYTES as u64;
    if bytes < HEADER_BYTES as u64 && may_be_unbegun {
        return Ok(None);
    }
    let mut header = [0; HEADER_BYTES];
    file.read_at(&mut header, 0).map_err(io_of(&name))?;
    match SegmentHeader::decode(&header) {
        Ok(header) => Ok(Some(header)),
        Err(HeaderError::Magic | HeaderError::Check) if may_be_unbegun => Ok(None),
        Err(source) => Err(OpenError::Header { file: name, source }),
    }
}

/// Makes a segment's end durable that a server wrote and may not have synced; from now on it is shown. The zeros
/// after it are cut off: nothing more is written there.
///
/// It is rewritten: after a failed sync, the system may have cached bytes that it never wrote but considers clean,
/// and a sync alone would not write them.
fn make_durable(file: &dyn DiskFile, from: u64, end: u64) -> io::Result<()> {
    const PIECE_BYTES: u64 = 1024 * 1024;
    if file.bytes()? > end {
        file.truncate(end)?;
    }
    let mut at = from;
    while at < end {
        let mut piece = vec![0; usize::try_from(PIECE_BYTES.min(end - at)).expect("a piece fits")];
        file.read_at(&mut piece, at)?;
        file.write_at(&piece, at)?;
        at += piece.len() as u64;
    }
    file.sync()
}
