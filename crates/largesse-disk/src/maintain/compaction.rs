//! Compaction: rewrites what is still live of some segments into a new one, so that the space of the rest is freed.
//!
//! Invariants: the new segment has exactly the events that the snapshot keeps, with their positions and times, each
//! verified before it is copied. A compaction writes at most a few times what was published since the previous one,
//! so its cost is spread over the publishes.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use largesse_log::{Position, state::Snapshot};

use super::{Maintenance, MaintenanceError, remove_if_there};
use crate::{
    format::{
        command::KeptHead,
        frame::{EncodedEvents, Salt, counted_bytes_of},
        scan::{ScannedEvent, read_frame},
        segment::SegmentHeader,
    },
    index::{Entry, Growing, SeekPoint, SegmentIndex, StreamEpoch},
    io::{Disk, DiskFile},
    read::SegmentScan,
    segments::{Index, Segment, SegmentId},
};

/// A compaction writes its segment in pieces of this size.
const PIECE_BYTES: usize = 1024 * 1024;
/// A segment is compacted if at least one part in this many is garbage.
const GARBAGE_PART: u64 = 2;
/// While the log is over its limit, less garbage is enough: the first of these with a segment to compact. Each
/// costs more per freed byte than the one before.
const GARBAGE_PARTS_PRESSED: [u64; 4] = [GARBAGE_PART, 4, 8, 16];
/// A segment with less than one part in this many of the full size is small.
const SMALL_PART: u64 = 2;
/// This many small neighbours are merged.
const SMALL_RUN: usize = 4;
/// How many segments are compacted together, at most.
const RUN_MAX: usize = 32;

/// A compacted segment, and those that it replaces.
pub(super) struct Compacted {
    pub(super) from: Vec<SegmentId>,
    pub(super) to: Vec<Arc<Segment>>,
}

impl Compacted {
    /// The list with the new segment instead of the old ones.
    pub(super) fn applied_to(&self, list: &[Arc<Segment>]) -> Vec<Arc<Segment>> {
        let is_cold = |segment: &Arc<Segment>| self.from.contains(&segment.id);
        let place = list.iter().position(is_cold).unwrap_or(list.len());
        let mut compacted: Vec<_> = list.iter().filter(|segment| !is_cold(segment)).cloned().collect();
        compacted.splice(place..place, self.to.iter().cloned());
        compacted
    }
}

/// Whether the log's files exceed its limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressure {
    Light,
    Heavy,
}

/// The neighbours to compact together, if any: the first that have much garbage, or are small.
pub(super) fn choose(
    sealed: &[Arc<Segment>],
    segment_bytes: u64,
    pressure: Pressure,
) -> Option<Vec<Arc<Segment>>> {
    let parts = match pressure {
        Pressure::Light => &GARBAGE_PARTS_PRESSED[..1],
        Pressure::Heavy => &GARBAGE_PARTS_PRESSED,
    };
    parts.iter().find_map(|part| choose_with(sealed, segment_bytes, *part))
}

fn choose_with(sealed: &[Arc<Segment>], segment_bytes: u64, garbage_part: u64) -> Option<Vec<Arc<Segment>>> {
    let is_worth_it = |run: &[Arc<Segment>]| {
        run.len() >= SMALL_RUN || run.iter().any(|segment| has_garbage(segment, garbage_part))
    };
    let mut run: Vec<Arc<Segment>> = Vec::new();
    let mut live = 0;
    for segment in sealed {
        let is_garbage = has_garbage(segment, garbage_part);
        // An unrepairable one would only fail again, and its neighbours can be compacted without it.
        let is_small = !segment.is_unrepairable() && segment.bytes() < segment_bytes / SMALL_PART;
        // A segment of small events counts more than its length; alone, it is compacted all the same.
        let fits = run.is_empty() || live + segment.live_bytes() <= segment_bytes;
        if (is_garbage || is_small) && fits && run.len() < RUN_MAX {
            live += segment.live_bytes();
            run.push(Arc::clone(segment));
        } else if is_worth_it(&run) {
            break;
        } else {
            run.clear();
            live = 0;
        }
    }
    is_worth_it(&run).then_some(run)
}

fn has_garbage(segment: &Segment, garbage_part: u64) -> bool {
    let counted = segment.counted_bytes();
    !segment.is_unrepairable() && (counted == 0 || segment.live_bytes() < counted - counted / garbage_part)
}

impl Maintenance {
    /// Compacts some segments, if it is worth it. The new files are synced, their names are not.
    pub(super) fn compact(&self, snapshot: &Snapshot) -> Result<Option<Compacted>, MaintenanceError> {
        let Some(run) = choose(&self.sealed(), self.segment_bytes, self.pressure()) else { return Ok(None) };
        let from: Vec<_> = run.iter().map(|segment| segment.id).collect();
        let id = SegmentId { generation: self.generation.fetch_add(1, Relaxed), ..run[0].id };
        let header = SegmentHeader {
            salt: self.core.salt,
            incarnation: self.core.incarnation,
            first_position: run[0].first,
            number: id.number,
        };
        let mut copy = Copy::begin(&self.disk, id, header)?;
        for segment in &run {
            if let Err(error) = copy.copy_kept_of(segment, snapshot) {
                if error.is_for_want_of_files() {
                    remove_if_there(&self.disk, &id.file_name())?;
                    return Err(error);
                }
                // It stays as it is: its readers learn what is broken.
                tracing::error!(%error, "a segment is broken and is not compacted");
                segment.set_unrepairable();
                remove_if_there(&self.disk, &id.file_name())?;
                return Ok(None);
            }
        }
        let copied = copy.finish()?;
        if copied.index.totals().events == 0 {
            self.disk.remove(&id.file_name())?;
            return Ok(Some(Compacted { from, to: Vec::new() }));
        }
        let live = copied.index.totals().counted_bytes;
        let index = Index::Sealed(self.write_index(id, &copied.index)?);
        let file = self.disk.open_lazily(&id.file_name(), copied.file);
        let segment = Segment::new(id, header.first_position, file, index, copied.bytes);
        segment.set_live(live);
        Ok(Some(Compacted { from, to: vec![Arc::new(segment)] }))
    }
}

/// A segment that is being written from others.
struct Copy {
    salt: Salt,
    file: Arc<dyn DiskFile>,
    /// The length written, and the bytes to write next.
    at: u64,
    piece: Vec<u8>,
    index: Growing,
    pending: Option<KeptEvents>,
}

/// Events under one head.
struct KeptEvents {
    head: KeptHead,
    head_at: u64,
    life: StreamEpoch,
    events: EncodedEvents,
}

struct Copied {
    file: Arc<dyn DiskFile>,
    bytes: u64,
    index: Growing,
}

impl Copy {
    fn begin(disk: &dyn Disk, id: SegmentId, header: SegmentHeader) -> Result<Self, MaintenanceError> {
        let file = disk.create(&id.file_name())?;
        let piece = header.encode().to_vec();
        Ok(Self { salt: header.salt, file, at: 0, piece, index: Growing::new(), pending: None })
    }

    fn copy_kept_of(&mut self, segment: &Segment, snapshot: &Snapshot) -> Result<(), MaintenanceError> {
        let mut scan = SegmentScan::after(segment, Position::ZERO, self.salt)?;
        while let Some(event) = scan.next()? {
            if let Some(life) = snapshot.life_keeping(&event.stream, event.position) {
                self.copy_event(segment, &event, StreamEpoch(life))?;
            }
        }
        self.flush_pending()
    }

    fn copy_event(
        &mut self,
        segment: &Segment,
        event: &ScannedEvent,
        life: StreamEpoch,
    ) -> Result<(), MaintenanceError> {
        let frame = read_frame(&*segment.file, event.spot).map_err(|error| segment.unreadable(error))?;
        let follows = self.pending.as_ref().is_some_and(|pending| pending.is_followed_by(event));
        if !follows {
            self.flush_pending()?;
        }
        let salt = self.salt;
        let pending = self.pending.get_or_insert_with(|| KeptEvents::new(event, life, salt));
        pending.events.push_frame(&frame).map_err(|fault| segment.unreadable(format_args!("{fault}")))?;
        Ok(())
    }

    /// Writes the head and its events.
    fn flush_pending(&mut self) -> Result<(), MaintenanceError> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let head_at = self.at + self.piece.len() as u64;
        pending.head.encode(&mut self.piece, self.salt, &pending.events);
        let mut at = self.at + self.piece.len() as u64;
        self.piece.extend_from_slice(pending.events.bytes());
        let KeptEvents { head: KeptHead { base, time, .. }, life, events, .. } = pending;
        let broken = |error: crate::index::OutOfOrder| MaintenanceError::Io(std::io::Error::other(error));
        self.index.push_seek_point(SeekPoint { position: base, at: head_at, time }).map_err(broken)?;
        for (number, bytes) in events.frames().iter().enumerate() {
            let position = Position(base.0 + number as u64);
            let entry = Entry { position, at, bytes: *bytes, counted_bytes: counted_bytes_of(*bytes), time };
            self.index.push(life, entry).map_err(broken)?;
            at += u64::from(*bytes);
        }
        if self.piece.len() >= PIECE_BYTES {
            self.write_piece()?;
        }
        Ok(())
    }

    fn write_piece(&mut self) -> Result<(), MaintenanceError> {
        self.file.write_at(&self.piece, self.at)?;
        self.at += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Copied, MaintenanceError> {
        self.flush_pending()?;
        self.write_piece()?;
        self.file.sync()?;
        Ok(Copied { file: self.file, bytes: self.at, index: self.index })
    }
}

impl KeptEvents {
    fn new(event: &ScannedEvent, life: StreamEpoch, salt: Salt) -> Self {
        let head = KeptHead { base: event.position, time: event.time, stream: event.stream.clone() };
        let events = EncodedEvents::empty(salt);
        Self { head, head_at: event.head_at, life, events }
    }

    /// Whether an event goes under the same head, as it did before.
    fn is_followed_by(&self, event: &ScannedEvent) -> bool {
        let next = self.head.base.0 + self.events.frames().len() as u64;
        self.head_at == event.head_at && event.position.0 == next
    }
}
