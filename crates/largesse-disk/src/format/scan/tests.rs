//! Scans of segments that are whole, cut, broken, large and random.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use largesse_log::{Append, Author, NewEvent, Once, Position, StreamName, Then, UnixMs, state::Stamp};
use largesse_wire::EventData;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    format::{
        command::{
            KeptHead, encode_head,
            tests::{SALT, command},
        },
        frame::{EncodedEvents, write_frame},
    },
    io::DiskFile,
};

mod events;
mod groups;
mod read;
mod torn;
mod zeros;

/// A file in memory that records reads, and fails on demand.
#[derive(Default)]
struct MemoryFile {
    bytes: Vec<u8>,
    fails: AtomicBool,
    reads: Mutex<Vec<usize>>,
}

impl MemoryFile {
    fn of(bytes: &[u8]) -> Arc<Self> {
        Arc::new(Self { bytes: bytes.to_vec(), ..Self::default() })
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    fn reads(&self) -> Vec<usize> {
        self.reads.lock().unwrap().clone()
    }
}

impl DiskFile for MemoryFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.reads.lock().unwrap().push(into.len());
        let bytes = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..)?.get(..into.len()));
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// A group of these commands, with all groups before it synced.
fn group(sequence: u64, commands: &[Stamped]) -> Vec<u8> {
    let mut frames = Vec::new();
    for command in commands {
        command.encode(&mut frames, SALT).unwrap();
    }
    group_of(sequence, &frames)
}

/// A group of these frames.
fn group_of(sequence: u64, frames: &[u8]) -> Vec<u8> {
    let head = GroupHead {
        sequence: Sequence(sequence),
        synced_sequence: Sequence(sequence - 1),
        reserved: Position(1000),
        group_bytes: frames.len() as u32,
    };
    [&head.encode(SALT)[..], frames].concat()
}

fn framed(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, SALT, kind, |out| out.extend_from_slice(body));
    out
}

fn stream(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn event(data: &str) -> NewEvent {
    NewEvent { name: None, data: EventData::parse(data).unwrap() }
}

fn stamp(base: u64) -> Stamp {
    Stamp { base: Position(base), now: UnixMs(5), time: UnixMs(6) }
}

fn stamped(base: u64, command: Command) -> Stamped {
    Stamped { stamp: stamp(base), command }
}

fn append(base: u64, stream_name: &str, events: &[&str]) -> Stamped {
    let append = Append {
        stream: stream(stream_name),
        events: events.iter().map(|data| event(data)).collect(),
        then: Then::StayOpen,
        once: Once::Unkeyed,
        author: Author::Source,
    };
    stamped(base, Command::Append(append))
}

/// The head of an append, and the frames of its events.
fn head_and_events(base: u64, events: &[&str]) -> (Vec<u8>, EncodedEvents) {
    let Stamped { stamp, command } = append(base, "a", events);
    let Command::Append(Append { events, .. }) = &command else { panic!("it is one") };
    let events = EncodedEvents::new(SALT, events).unwrap();
    let mut head = Vec::new();
    encode_head(&mut head, SALT, stamp, &command, &events);
    (head, events)
}

fn scan(bytes: &[u8]) -> Scan {
    let file = MemoryFile::of(bytes);
    Scan::new(file, SALT, 0, bytes.len() as u64).unwrap()
}

/// All groups, and what the scan ended with.
fn groups(mut scan: Scan) -> (Vec<Group>, Option<Broken>) {
    let mut groups = Vec::new();
    loop {
        match scan.next_group().unwrap() {
            Scanned::Next(group) => groups.push(group),
            Scanned::End => return (groups, None),
            Scanned::Broken(broken) => {
                assert_eq!(scan.next_group().unwrap(), Scanned::Broken(broken), "the answer stays");
                return (groups, Some(broken));
            }
        }
    }
}

fn event_scan(bytes: &[u8]) -> EventScan {
    EventScan::new(MemoryFile::of(bytes), SALT, 0, bytes.len() as u64).unwrap()
}

/// All events, and what the scan ended with.
fn events_of(mut scan: EventScan) -> (Vec<ScannedEvent>, Option<Broken>) {
    let mut events = Vec::new();
    loop {
        match scan.next_event().unwrap() {
            Scanned::Next(event) => events.push(event),
            Scanned::End => return (events, None),
            Scanned::Broken(broken) => {
                assert_eq!(scan.next_event().unwrap(), Scanned::Broken(broken), "the answer stays");
                return (events, Some(broken));
            }
        }
    }
}

fn commands(groups: Vec<Group>) -> Vec<Stamped> {
    groups.into_iter().flat_map(|group| group.commands).map(|placed| placed.command).collect()
}
