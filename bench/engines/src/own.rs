//! Events in a plain log: segments in position order, and one index file for each sealed segment.
//!
//! A frame is length u32 | check u32 | stream u64 | position u64 | time u64 | data. A group is one write and one
//! `fdatasync`. At 64 MiB the segment is sealed, inside the append that filled it: its index is written and synced.
//! An index is streams u64 | per stream (stream u64, first entry u32, entries u32) | entries of 24 bytes
//! (position u64, place u32, length u32, time u64). The active segment's index is in memory; a start scans that
//! segment and checks each frame. Trimming removes whole segments. Nothing is cached here; files stay open.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::candidate::{Candidate, Event, Outcome};

const SEGMENT_BYTES: u64 = 64 << 20;
const HEAD_BYTES: usize = 32;
const ENTRY_BYTES: usize = 24;
/// Of an index: this many streams are read at once when the search has come this near.
const STREAMS_AT_ONCE: u64 = 128;
/// Of an index: this many entries are read at once.
const ENTRIES_AT_ONCE: u64 = 1024;

type Entry = [u8; ENTRY_BYTES];

struct Sealed {
    first: u64,
    next: u64,
    log: File,
    index: File,
    streams: u64,
}

pub struct Own {
    folder: PathBuf,
    sealed: Vec<Sealed>,
    active: File,
    active_first: u64,
    active_bytes: u64,
    young: HashMap<u64, Vec<Entry>>,
    next: u64,
}

impl Own {
    pub fn open(folder: &Path) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let mut firsts: Vec<u64> = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().into_string().map_err(|_| "a strange file")?;
            firsts.extend(name.strip_suffix(".log").map(str::parse::<u64>).transpose()?);
        }
        firsts.sort_unstable();
        let active_first = firsts.pop().unwrap_or(1);
        let nexts = firsts.iter().skip(1).chain([&active_first]);
        let sealed = firsts.iter().zip(nexts).map(|(first, next)| Sealed::open(folder, *first, *next));
        let sealed = sealed.collect::<Outcome<_>>()?;
        let active = opened(folder, active_first)?;
        let (folder, young) = (folder.to_owned(), HashMap::new());
        let mut own =
            Self { folder, sealed, active, active_first, active_bytes: 0, young, next: active_first };
        own.scan()?;
        Ok(own)
    }

    /// Reads the active segment up to the first frame that is not whole, and cuts the rest off.
    fn scan(&mut self) -> Outcome<()> {
        let bytes = fs::read(path(&self.folder, self.active_first, "log"))?;
        while let Some(head) = bytes.get(self.active_bytes as usize..).and_then(|rest| rest.get(..HEAD_BYTES))
        {
            let frame_bytes = HEAD_BYTES + u32_at(head, 0) as usize;
            let Some(frame) = bytes[self.active_bytes as usize..].get(..frame_bytes) else { break };
            if u64_at(head, 16) != self.next || check_of(&frame[8..]) != u32_at(head, 4) {
                break;
            }
            self.note(u64_at(head, 8), frame_bytes);
        }
        Ok(self.active.set_len(self.active_bytes)?)
    }

    /// Enters the frame at the active segment's end into its index.
    fn note(&mut self, stream: u64, frame_bytes: usize) {
        let mut entry = [0; ENTRY_BYTES];
        entry[..8].copy_from_slice(&self.next.to_le_bytes());
        entry[8..12].copy_from_slice(&(self.active_bytes as u32).to_le_bytes());
        entry[12..16].copy_from_slice(&((frame_bytes - HEAD_BYTES) as u32).to_le_bytes());
        entry[16..].copy_from_slice(&self.next.to_le_bytes());
        self.young.entry(stream).or_default().push(entry);
        self.active_bytes += frame_bytes as u64;
        self.next += 1;
    }

    fn seal(&mut self) -> Outcome<()> {
        let mut young: Vec<_> = self.young.drain().collect();
        young.sort_unstable_by_key(|(stream, _)| *stream);
        let mut bytes = (young.len() as u64).to_le_bytes().to_vec();
        let mut entries = 0;
        for (stream, of_stream) in &young {
            bytes.extend_from_slice(&stream.to_le_bytes());
            bytes.extend_from_slice(&u32::to_le_bytes(entries));
            bytes.extend_from_slice(&(of_stream.len() as u32).to_le_bytes());
            entries += of_stream.len() as u32;
        }
        young.iter().for_each(|(_, of_stream)| bytes.extend_from_slice(of_stream.as_flattened()));
        let mut index = File::create_new(path(&self.folder, self.active_first, "index"))?;
        index.write_all(&bytes)?;
        index.sync_data()?;
        self.sealed.push(Sealed::open(&self.folder, self.active_first, self.next)?);
        self.active = opened(&self.folder, self.next)?;
        (self.active_first, self.active_bytes) = (self.next, 0);
        Ok(())
    }
}

impl Candidate for Own {
    fn append(&mut self, first: u64, group: &[Event], keep_from: u64) -> Outcome<()> {
        let mut bytes = Vec::with_capacity(group.len() * (HEAD_BYTES + 256));
        for (position, event) in (first..).zip(group) {
            let start = bytes.len();
            bytes.extend_from_slice(&(event.data.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            [event.stream, position, position]
                .iter()
                .for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
            bytes.extend_from_slice(&event.data);
            let check = check_of(&bytes[start + 8..]).to_le_bytes();
            bytes[start + 4..start + 8].copy_from_slice(&check);
        }
        self.active.write_all(&bytes)?;
        self.active.sync_data()?;
        group.iter().for_each(|event| self.note(event.stream, HEAD_BYTES + event.data.len()));
        if self.active_bytes >= SEGMENT_BYTES {
            self.seal()?;
        }
        while self.sealed.first().is_some_and(|oldest| oldest.next <= keep_from) {
            let oldest = self.sealed.remove(0);
            fs::remove_file(path(&self.folder, oldest.first, "log"))?;
            fs::remove_file(path(&self.folder, oldest.first, "index"))?;
        }
        Ok(())
    }

    fn read(&self, stream: u64, seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<()> {
        for segment in &self.sealed {
            if !segment.read(stream, seen)? {
                return Ok(());
            }
        }
        let young = self.young.get(&stream).map(|entries| entries.as_flattened()).unwrap_or_default();
        show(&self.active, young, seen).map(drop)
    }

    fn next(&self) -> Outcome<u64> {
        Ok(self.next)
    }
}

impl Sealed {
    fn open(folder: &Path, first: u64, next: u64) -> Outcome<Self> {
        let index = File::open(path(folder, first, "index"))?;
        let mut streams = [0; 8];
        index.read_exact_at(&mut streams, 0)?;
        Ok(Self {
            first,
            next,
            log: File::open(path(folder, first, "log"))?,
            index,
            streams: u64::from_le_bytes(streams),
        })
    }

    /// Whether the reader wants more.
    fn read(&self, stream: u64, seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<bool> {
        let Some((first, entries)) = self.entries_of(stream)? else { return Ok(true) };
        let mut bytes = [0; ENTRIES_AT_ONCE as usize * ENTRY_BYTES];
        for from in (0..entries).step_by(ENTRIES_AT_ONCE as usize) {
            let some = &mut bytes[..ENTRY_BYTES * (entries - from).min(ENTRIES_AT_ONCE) as usize];
            self.index.read_exact_at(some, 8 + self.streams * 16 + (first + from) * ENTRY_BYTES as u64)?;
            if !show(&self.log, some, seen)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The stream's first entry and their number: a binary search with `pread`.
    fn entries_of(&self, stream: u64) -> Outcome<Option<(u64, u64)>> {
        let (mut low, mut high) = (0, self.streams);
        let mut bytes = [0; STREAMS_AT_ONCE as usize * 16];
        while high - low > STREAMS_AT_ONCE {
            let middle = low.midpoint(high);
            self.index.read_exact_at(&mut bytes[..8], 8 + middle * 16)?;
            if u64_at(&bytes, 0) <= stream { low = middle } else { high = middle }
        }
        let near = &mut bytes[..16 * (high - low) as usize];
        self.index.read_exact_at(near, 8 + low * 16)?;
        let found = near.chunks_exact(16).find(|row| u64_at(row, 0) == stream);
        Ok(found.map(|row| (u32_at(row, 8).into(), u32_at(row, 12).into())))
    }
}

/// Reads, checks and shows the events that these entries name. Whether the reader wants more.
fn show(log: &File, entries: &[u8], seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<bool> {
    let mut frame = Vec::new();
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        frame.resize(HEAD_BYTES + u32_at(entry, 12) as usize, 0);
        log.read_exact_at(&mut frame, u32_at(entry, 8).into())?;
        if check_of(&frame[8..]) != u32_at(&frame, 4) {
            return Err("a frame's check fails".into());
        }
        if !seen(u64_at(entry, 0), &frame[HEAD_BYTES..]) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn path(folder: &Path, first: u64, ending: &str) -> PathBuf {
    folder.join(format!("{first:020}.{ending}"))
}

/// A segment to append to, whose name is safe.
fn opened(folder: &Path, first: u64) -> Outcome<File> {
    let file = OpenOptions::new().create(true).read(true).append(true).open(path(folder, first, "log"))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// As fast and as long as a real checksum; nothing more is asked of it here.
fn check_of(bytes: &[u8]) -> u32 {
    let fold =
        |sum: u64, word: &[u8]| (sum ^ u64_at(word, 0)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let sum = bytes.chunks_exact(8).fold(bytes.len() as u64, fold);
    (sum ^ (sum >> 32)) as u32
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
