//! Reads every byte of a log once, and reports everything that is not what was written.
//!
//! Invariants: each defect is reported with its file, and its offset if there is one; a scan that can't continue
//! reports how much it could not check. Holds one group at a time. Does not know what commands do.

use std::{fmt, io, sync::Arc};

use largesse_log::Incarnation;

use crate::{
    commit::preallocation,
    format::{
        checkpoint::{self, CheckpointError, CheckpointHead, Item, SealedSegment},
        frame::{GROUP_FRAME_BYTES, GroupHead, Salt, Sequence},
        scan::{
            Broken, EventScan, Group, ReadError, Scan, Scanned, Zeros, find_group, has_zeros, is_torn_tail,
            read_event,
        },
        segment::{HEADER_BYTES, SegmentHeader},
    },
    index::{IndexError, IndexOf, Sealed},
    io::{Disk, DiskFile},
    segments::SegmentId,
};

/// The bytes of a page of an index file.
const INDEX_PAGE_BYTES: u64 = crate::index::PAGE_BYTES as u64;

/// What happens to an index that is missing or broken.
const REBUILT: &str = "a server rebuilds the index from its segment when it finds that";

/// Something that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The file.
    pub file: String,
    /// The offset of the broken part, if it is not the whole file.
    pub at: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The number of the log's files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The number of events in them, kept or not.
    pub events: u64,
    /// Where a crash tore the last write, if it did: file and offset. That is not a defect: the write was never
    /// acknowledged, and the next start cuts it off.
    pub torn: Option<(String, u64)>,
    /// Where a sealed segment is followed by something other than zeros: file and offset. Nothing reads it, and no
    /// server wrote it.
    pub trailing: Vec<(String, u64)>,
    /// Files that the log no longer needs, or never needed. The next start ignores them.
    pub left_over: Vec<String>,
}

/// Checks every file of the log.
///
/// # Errors
/// The folder can't be listed. Errors of a single file are a [`Defect`].
pub fn check(disk: &dyn Disk, report: &mut dyn FnMut(Defect)) -> io::Result<Checked> {
    check_watched(disk, report, &mut |_| {})
}

/// Like [`check`], and `progress` gets the number of bytes checked since its last call: in total at most those of
/// [`files`](super::files).
///
/// # Errors
/// Those of [`check`].
pub fn check_watched(
    disk: &dyn Disk,
    report: &mut dyn FnMut(Defect),
    progress: &mut dyn FnMut(u64),
) -> io::Result<Checked> {
    let names = disk.names()?;
    let mut checker = Checker { disk, report, progress, checked: Checked::default() };
    let known = checker.checkpoint(&names);
    let mut written: Vec<_> = names.iter().filter_map(|name| SegmentId::of_file_name(name)).collect();
    written.sort_unstable();
    let replayed = checker.segments(&known, &written);
    let is_needed =
        |id: &SegmentId| replayed.contains(id) || known.sealed.iter().any(|listed| id_of(listed) == *id);
    let left_over = written.iter().filter(|id| !is_needed(id)).map(|id| id.file_name());
    let preallocation = names.iter().filter(|name| *name == preallocation::FILE).cloned();
    checker.checked.left_over = left_over.chain(preallocation).collect();
    Ok(checker.checked)
}

/// What the checkpoint says, as far as it is readable.
#[derive(Default)]
struct Known {
    head: Option<CheckpointHead>,
    sealed: Vec<SealedSegment>,
    /// A broken checkpoint names no segments: all existing ones are checked then.
    is_broken: bool,
}

/// What a segment's header has to have.
#[derive(Clone, Copy)]
struct Of {
    salt: Salt,
    incarnation: Incarnation,
}

/// One segment to check.
struct Part {
    id: SegmentId,
    /// The length of its valid part; `None`: the whole file.
    bytes: Option<u64>,
    /// Its first group, if known.
    expected: Option<Sequence>,
    is_last: bool,
}

struct Checker<'a> {
    disk: &'a dyn Disk,
    report: &'a mut dyn FnMut(Defect),
    progress: &'a mut dyn FnMut(u64),
    checked: Checked,
}

/// An error, or its cause.
fn chain(error: &IndexError) -> String {
    match error {
        IndexError::Io(behind) => behind.to_string(),
        _ => error.to_string(),
    }
}

fn id_of(listed: &SealedSegment) -> SegmentId {
    SegmentId { number: listed.number, generation: listed.generation }
}

impl Checker<'_> {
    fn defect(&mut self, file: &str, at: Option<u64>, what: &dyn fmt::Display) {
        (self.report)(Defect { file: file.to_owned(), at, what: what.to_string() });
    }

    fn checkpoint(&mut self, names: &[String]) -> Known {
        let mut known = Known::default();
        if !names.iter().any(|name| name == checkpoint::FILE) {
            return known;
        }
        let read = checkpoint::open(self.disk).and_then(|reading| {
            let Some(reading) = reading else { return Ok(()) };
            known.head = Some(reading.head().clone());
            reading.items(&mut |item| {
                if let Item::Segment(segment) = item {
                    known.sealed.push(segment);
                }
            })
        });
        self.count(checkpoint::FILE);
        if let Err(error) = read {
            let at = if let CheckpointError::Broken { at, .. } = &error { Some(*at) } else { None };
            let what = match &error {
                CheckpointError::Broken { fault, .. } => fault.to_string(),
                CheckpointError::Io { source } => source.to_string(),
                CheckpointError::Format { .. } => error.to_string(),
            };
            self.defect(checkpoint::FILE, at, &what);
            return Known { is_broken: true, ..Known::default() };
        }
        known
    }

    /// Checks all segments, and returns those that a start replays.
    fn segments(&mut self, known: &Known, written: &[SegmentId]) -> Vec<SegmentId> {
        let of = known.head.as_ref().map(|head| Of { salt: head.salt, incarnation: head.incarnation });
        for listed in &known.sealed {
            let part = Part { id: id_of(listed), bytes: Some(listed.bytes), expected: None, is_last: false };
            self.segment(&part, of);
            self.index(part.id, of);
        }
        let from = known.head.as_ref().map_or(0, |head| head.replay_from);
        let is_replayed = |id: &&SegmentId| known.is_broken || (id.generation == 0 && id.number >= from);
        let replayed: Vec<_> = written.iter().filter(is_replayed).copied().collect();
        let mut expected = known.head.as_ref().map(|head| Sequence(head.written.0 + 1));
        let mut next = known.head.as_ref().map_or(1, |head| head.replay_from);
        let has_first = replayed.first().is_some_and(|id| id.number == next);
        if known.head.is_none() && !known.is_broken && !has_first && !written.is_empty() {
            // The first segment is gone, so there was a checkpoint.
            self.defect(checkpoint::FILE, None, &"the file is missing");
            next = replayed.first().map_or(next, |id| id.number);
        }
        for id in &replayed {
            if !known.is_broken && id.number != next {
                self.defect(&SegmentId::written(next).file_name(), None, &"the file is missing");
                expected = None;
            }
            next = id.number + 1;
            let part = Part { id: *id, bytes: None, expected, is_last: replayed.last() == Some(id) };
            expected = self.segment(&part, of);
        }
        replayed
    }

    /// Counts a file of the log, and returns its length.
    fn count(&mut self, name: &str) -> u64 {
        self.checked.files += 1;
        let bytes = self.disk.open(name).and_then(|file| file.bytes());
        // If it can't be opened, the code that reads it reports that.
        let bytes = bytes.unwrap_or_default();
        self.checked.bytes += bytes;
        bytes
    }

    /// Checks a segment, and returns the number of the group that follows it, if known.
    fn segment(&mut self, part: &Part, of: Option<Of>) -> Option<Sequence> {
        let name = part.id.file_name();
        self.count(&name);
        let next = self.scan_segment(&name, part, of);
        next.unwrap_or_else(|error| {
            self.defect(&name, None, &error);
            None
        })
    }

    fn scan_segment(&mut self, name: &str, part: &Part, of: Option<Of>) -> io::Result<Option<Sequence>> {
        let file = self.disk.open(name)?;
        let has = file.bytes()?;
        if part.is_last && has < HEADER_BYTES as u64 {
            // A crash left it before anything was written to it.
            return Ok(None);
        }
        let upto = part.bytes.unwrap_or(has);
        if has < upto || has < HEADER_BYTES as u64 {
            self.defect(name, Some(has), &format!("the file ends here, but should have {upto} bytes"));
            return Ok(None);
        }
        let mut header = [0; HEADER_BYTES];
        file.read_at(&mut header, 0)?;
        let salt = match SegmentHeader::decode(&header) {
            Err(error) => {
                self.defect(name, Some(0), &error);
                return Ok(None);
            }
            Ok(header) => {
                let is_of_it =
                    of.is_none_or(|of| of.salt == header.salt && of.incarnation == header.incarnation);
                if !is_of_it || header.number != part.id.number {
                    self.defect(name, Some(0), &"it belongs to another log, or to another place in it");
                    return Ok(None);
                }
                header.salt
            }
        };
        if !has_zeros(&*file, upto, has)? {
            self.checked.trailing.push((name.to_owned(), upto));
        }
        if part.id.generation == 0 {
            self.groups(name, &file, salt, upto, part)
        } else {
            self.events(name, &file, salt, HEADER_BYTES as u64..upto, Zeros::Broken, None)?;
            Ok(None)
        }
    }

    /// Checks a segment that was never compacted.
    fn groups(
        &mut self,
        name: &str,
        file: &Arc<dyn DiskFile>,
        salt: Salt,
        upto: u64,
        part: &Part,
    ) -> io::Result<Option<Sequence>> {
        // Only a checkpoint says how much of it was written.
        let zeros = if part.bytes.is_none() { Zeros::End } else { Zeros::Broken };
        let mut scan = Scan::new(Arc::clone(file), salt, HEADER_BYTES as u64, upto)?;
        if zeros == Zeros::End {
            scan = scan.ending_at_zeros();
        }
        if let Some(expected) = part.expected {
            scan = scan.expecting(expected);
        }
        let mut next = part.expected;
        loop {
            match scan.next_group()? {
                Scanned::Next(group) => {
                    next = group.head.sequence.0.checked_add(1).map(Sequence);
                    self.count_events(&group);
                }
                Scanned::End => return Ok(next),
                Scanned::Broken(broken) => {
                    let is_torn = match next {
                        Some(next) if part.is_last => is_torn_tail(&**file, salt, broken.whole_upto, next)?,
                        _ => part.is_last && broken.whole_upto == HEADER_BYTES as u64,
                    };
                    if is_torn {
                        self.checked.torn = Some((name.to_owned(), broken.whole_upto));
                        return Ok(None);
                    }
                    match self.damaged_group(name, file, salt, &mut scan, zeros, next)? {
                        Some(sequence) => next = sequence.0.checked_add(1).map(Sequence),
                        None => return Ok(None),
                    }
                }
            }
        }
    }

    /// Reports what is broken in a group, and makes the scan resume after it; returns the last group before that.
    fn damaged_group(
        &mut self,
        name: &str,
        file: &Arc<dyn DiskFile>,
        salt: Salt,
        scan: &mut Scan,
        zeros: Zeros,
        expected: Option<Sequence>,
    ) -> io::Result<Option<Sequence>> {
        let broken = match scan.next_damaged()? {
            Scanned::Next(group) => {
                self.count_events(&group);
                for (stream, position, event) in group.broken() {
                    let what = format!("the event {} of {stream} is broken: {}", position.0, event.what);
                    self.defect(name, Some(event.at), &what);
                }
                return Ok(Some(group.head.sequence));
            }
            Scanned::Broken(broken) => broken,
            Scanned::End => return Ok(None),
        };
        self.defect(name, Some(broken.at), &broken.what);
        let is_later = |head: &GroupHead| expected.is_none_or(|expected| head.sequence >= expected);
        let behind = find_group(&**file, salt, broken.whole_upto + 1, is_later)?;
        let end = behind.map_or_else(|| file.bytes(), Ok)?;
        self.events(name, file, salt, broken.whole_upto..end, zeros, Some(broken))?;
        let Some(at) = behind else { return Ok(None) };
        let behind = Scan::new(Arc::clone(file), salt, at, file.bytes()?)?;
        *scan = if zeros == Zeros::End { behind.ending_at_zeros() } else { behind };
        let mut head = [0; GROUP_FRAME_BYTES];
        file.read_at(&mut head, at)?;
        let found = GroupHead::find(&head, salt);
        Ok(found.and_then(|head| head.sequence.0.checked_sub(1)).map(Sequence))
    }

    fn count_events(&mut self, group: &Group) {
        (self.progress)(group.end - group.at);
        self.checked.events += group.commands.iter().map(|placed| placed.spots.len() as u64).sum::<u64>();
    }

    /// Checks the events in a part of a segment, and reports what is broken and was not reported yet.
    fn events(
        &mut self,
        name: &str,
        file: &Arc<dyn DiskFile>,
        salt: Salt,
        bytes: std::ops::Range<u64>,
        zeros: Zeros,
        reported: Option<Broken>,
    ) -> io::Result<()> {
        let is_reported = |at: u64| reported.is_some_and(|reported| reported.at == at);
        let mut scan = EventScan::new(Arc::clone(file), salt, bytes.start, bytes.end)?;
        if zeros == Zeros::End {
            scan = scan.ending_at_zeros();
        }
        loop {
            match scan.next_event()? {
                Scanned::Next(event) => {
                    self.checked.events += 1;
                    (self.progress)(u64::from(event.spot.bytes));
                    let at = event.spot.at;
                    match read_event(&**file, event.spot, salt, &event.stream, event.position, event.time) {
                        Err(ReadError::Corrupt { what, .. }) if !is_reported(at) => {
                            self.defect(name, Some(at), &what)
                        }
                        Err(ReadError::Io { text, .. }) => self.defect(name, Some(at), &text),
                        Err(ReadError::Corrupt { .. }) | Ok(_) => {}
                    }
                }
                Scanned::End => return Ok(()),
                Scanned::Broken(broken) => {
                    // A broken length leads beyond the part.
                    if !is_reported(broken.at) && broken.at < bytes.end {
                        self.defect(name, Some(broken.at), &broken.what);
                    }
                    let rest = bytes.end.saturating_sub(broken.whole_upto);
                    let what =
                        format!("{rest} bytes from here on can't be checked: nothing says what they are");
                    self.defect(name, Some(broken.whole_upto), &what);
                    return Ok(());
                }
            }
        }
    }

    /// Checks the index of a segment.
    fn index(&mut self, id: SegmentId, of: Option<Of>) {
        let name = id.index_name();
        let bytes = self.count(&name);
        let Some(of) = of else { return };
        let index_of = IndexOf { segment: id.number, salt: of.salt.0 };
        let opened = self.disk.open(&name).map_err(IndexError::from);
        let verified = opened.and_then(|file| Sealed::open(file, index_of)).and_then(|index| index.verify());
        (self.progress)(bytes);
        match verified {
            Ok(()) => {}
            Err(IndexError::Corrupt { page }) => {
                let at = Some(page * INDEX_PAGE_BYTES);
                self.defect(
                    &name,
                    at,
                    &format!("the checksum of the page does not match its bytes; {REBUILT}"),
                );
            }
            Err(error) if error.is_rebuildable() => {
                self.defect(&name, None, &format!("{}; {REBUILT}", chain(&error)));
            }
            Err(IndexError::Io(error)) => self.defect(&name, None, &error),
            Err(error) => self.defect(&name, None, &error),
        }
    }
}
