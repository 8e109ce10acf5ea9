//! What is measured: the interface of all candidates, the events they keep, and how a folder's size is taken.
//!
//! Events are made from their positions alone, so that a reader can tell whether it got the right ones. Their
//! bytes look random: compression gains nothing.

use std::error::Error;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

pub const EVENT_BYTES: usize = 256;
/// Bytes of memory that fjall and redb may each keep blocks or pages in. The other two keep none.
pub const CACHE_BYTES: usize = 256 << 20;
/// The stream that gets every hundredth event. All others are short.
pub const LONG_STREAM: u64 = 0;

/// One event before it is kept. Its position is its place in the group.
pub struct Event {
    pub stream: u64,
    pub data: [u8; EVENT_BYTES],
}

/// One way to keep events on disk.
pub trait Candidate {
    /// Appends a group whose first event gets position `first`, and drops everything before `keep_from`.
    /// The group is synced when this returns.
    fn append(&mut self, first: u64, group: &[Event], keep_from: u64) -> Outcome<()>;

    /// Shows the events of a stream in order, with their positions, until `seen` says no.
    fn read(&self, stream: u64, seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<()>;

    /// The position the next event gets.
    fn next(&self) -> Outcome<u64>;
}

/// SplitMix64's last step: a number that looks random, the same for the same input.
pub fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn stream_of(position: u64, streams: u64) -> u64 {
    if position.is_multiple_of(100) { LONG_STREAM } else { 1 + mixed(position) % (streams - 1) }
}

pub fn group_at(first: u64, events: u64, streams: u64) -> Vec<Event> {
    let event = |position| {
        let mut data = [0; EVENT_BYTES];
        for (word, bytes) in (0..).zip(data.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&mixed(position + (word << 40)).to_le_bytes());
        }
        Event { stream: stream_of(position, streams), data }
    };
    (first..first + events).map(event).collect()
}

/// Whether this is the event that was appended at `position`.
pub fn is_event_of(position: u64, data: &[u8]) -> bool {
    data.len() == EVENT_BYTES && data[..8] == mixed(position).to_le_bytes()
}

/// The bytes that a folder's files take on disk. A file that vanishes meanwhile counts as nothing.
pub fn disk_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let weigh = |path: &Path| match fs::metadata(path) {
        Ok(found) if found.is_dir() => disk_bytes(path),
        Ok(found) => found.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(|entry| weigh(&entry.path())).sum()
}

/// MiB of this process's memory: now, and at its highest.
pub fn memory_mib() -> Outcome<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let words = |name| status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next();
    let kib =
        |name| Ok::<u64, Box<dyn Error>>(words(name).ok_or("no such line in /proc/self/status")?.parse()?);
    Ok((kib("VmRSS:")? >> 10, kib("VmHWM:")? >> 10))
}

/// What this process has used so far, all its threads together: seconds of CPU, and bytes handed to the disk.
pub fn spent() -> Outcome<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields.get(11..13).ok_or("a short /proc/self/stat")?.iter().map(|field| field.parse::<f64>());
    let io = fs::read_to_string("/proc/self/io")?;
    let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).ok_or("no write_bytes")?;
    Ok((ticks.sum::<Result<f64, _>>()? / 100.0, written.parse()?))
}
