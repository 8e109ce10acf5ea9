//! A flipped bit in what a start replays: its event is reported as lost, everything else is as it was, and if
//! nothing says what was written, the log is refused with the offset.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in what it shares with others too"
)]

use std::{collections::BTreeMap, num::NonZeroUsize, ops::Range, sync::Arc};

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog, OpenError,
    inspect::{Defect, OfflineLog, check},
    io::SimulatedDisk,
};
use largesse_log::{
    Append, Author, Batch, Digest, Engine, EngineExt, EngineLimits, IdempotencyKey, Incarnation, NewEvent,
    Once, Place, Position, ReadLimits, Record, Selection, Selector, Settings, Stopped, StreamName,
    StreamState, Then, UnixMs,
};
use largesse_wire::EventData;

const LIMITS: ReadLimits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };
const SEGMENT: &str = "000000000001-0.segment";

fn open(disk: &SimulatedDisk) -> Result<DiskEngine, OpenError> {
    let defaults = Settings { max_events: Some(7), ..Settings::default() };
    let limits = EngineLimits { defaults, ..EngineLimits::default() };
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    DiskEngine::open(Arc::new(disk.clone()), limits, DiskSettings::default(), new)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn name(raw: &str) -> StreamName {
    StreamName::parse(raw).unwrap()
}

fn publish(engine: &DiskEngine, stream: &str, texts: &[&str], once: Once) {
    let event = |text: &&str| NewEvent { name: None, data: EventData::parse(text).unwrap() };
    let events = texts.iter().map(event).collect();
    let append = Append { stream: name(stream), events, then: Then::StayOpen, once, author: Author::Source };
    wait(engine.append(UnixMs(1_000).into(), append)).unwrap();
}

/// The disk of a server that was killed before its first checkpoint.
fn killed() -> SimulatedDisk {
    let disk = SimulatedDisk::new(1);
    let engine = open(&disk).unwrap();
    publish(&engine, "a", &["a one", "a two", ""], Once::Unkeyed);
    publish(&engine, "b", &["b one"], Once::Unkeyed);
    let key = IdempotencyKey::parse("key").unwrap();
    publish(&engine, "a", &["a three"], Once::Whole { key, digest: Digest(5) });
    publish(&engine, "gone", &["gone one"], Once::Unkeyed);
    wait(engine.delete(UnixMs(1_000).into(), &name("gone"))).unwrap();
    publish(&engine, "b", &["b two", "b three"], Once::Unkeyed);
    publish(&engine, "a", &["a four"], Once::Unkeyed);
    publish(&engine, "c", &["last of all"], Once::Unkeyed);
    disk.after_exit()
}

type Heard = Vec<(Position, String)>;

/// What a reader gets from `place` on, and where it was told of a loss.
fn heard(engine: &DiskEngine, selector: &str, mut place: Place) -> (Heard, Vec<Place>) {
    let selection = Selection::many(vec![Selector::parse(selector).unwrap()]).unwrap();
    let (mut heard, mut told) = (Vec::new(), Vec::new());
    loop {
        let Batch { records, upto, stopped, lost, .. } =
            wait(engine.read(&selection, place, LIMITS)).unwrap();
        if let Some(lost) = lost {
            place = place.told(lost.told_upto);
            told.push(place);
        }
        heard.extend(texts(&records));
        place = place.advanced_to(upto);
        if stopped == Stopped::Tail {
            return (heard, told);
        }
    }
}

fn texts(records: &[Record]) -> Heard {
    let event = |record: &Record| match record {
        Record::Event { event, .. } => Some((event.position, event.data.as_str().to_owned())),
        Record::End { .. } => None,
    };
    records.iter().filter_map(event).collect()
}

const STREAMS: [&str; 3] = ["a", "b", "c"];

fn all(engine: &DiskEngine) -> BTreeMap<&'static str, Heard> {
    STREAMS.iter().map(|stream| (*stream, heard(engine, stream, Place::default()).0)).collect()
}

fn states(engine: &DiskEngine) -> Vec<StreamState> {
    wait(engine.list(None, NonZeroUsize::MAX)).unwrap()
}

/// Where an event's text is, with the bytes between it and its frame's head.
fn body_of(disk: &SimulatedDisk, text: &str) -> Range<u64> {
    let contents = disk.contents(SEGMENT).unwrap();
    let at = contents.windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap() as u64;
    at - 2..at + text.len() as u64
}

fn defects(disk: &SimulatedDisk) -> Vec<Defect> {
    let mut defects = Vec::new();
    check(disk, &mut |defect| defects.push(defect)).unwrap();
    defects
}

/// One event is broken: it is reported as lost, and nothing else changes.
#[track_caller]
fn check_lost(disk: &SimulatedDisk, stream: &str, text: &str, byte: u64) {
    let whole = open(&killed()).unwrap();
    let (want, wanted_states) = (all(&whole), states(&whole));
    let mut want_lost = want.clone();
    want_lost.get_mut(stream).unwrap().retain(|(_, heard)| heard != text);
    let found = defects(disk);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].file.as_str(), found[0].at), (SEGMENT, Some(body_of(&killed(), text).start - 9)));
    assert!(found[0].at.unwrap() <= byte && found[0].what.contains(stream), "{found:?}");

    let engine = open(disk).unwrap();
    assert_eq!((all(&engine), states(&engine)), (want_lost.clone(), wanted_states.clone()), "byte {byte}");
    let tail = engine.tail();
    for selector in [stream, "**"] {
        let told = heard(&engine, selector, Place::default()).1;
        assert_eq!(told.len(), 1, "byte {byte}: {selector} is told once");
    }
    for other in STREAMS.iter().filter(|other| **other != stream) {
        assert_eq!(heard(&engine, other, Place::default()).1, [], "byte {byte}: {other} lost nothing");
    }
    let told = heard(&engine, stream, Place::default()).1[0];
    let before = Place::default();
    // Killed, and then closed in order: with and without a checkpoint of it.
    let killed = disk.after_exit();
    drop(engine);
    for disk in [killed, disk.clone()] {
        for _ in 0..2 {
            let engine = open(&disk).unwrap();
            assert_eq!((all(&engine), states(&engine)), (want_lost.clone(), wanted_states.clone()));
            assert_eq!(
                heard(&engine, stream, told).1,
                [],
                "byte {byte}: a reader that was told is not told again"
            );
            assert_eq!(
                heard(&engine, stream, before).1.len(),
                1,
                "byte {byte}: a reader that was not told is"
            );
            assert_eq!(engine.tail(), tail, "byte {byte}: the loss is recorded once");
        }
    }
}

/// Nothing says what was written at this byte: the log is refused, and all other groups are saved.
#[track_caller]
fn check_refused(disk: &SimulatedDisk, byte: u64, groups: &[Range<u64>]) {
    let before = disk.contents(SEGMENT);
    let Err(OpenError::Broken { file, broken }) = open(disk) else { panic!("byte {byte} is not found") };
    assert_eq!(file, SEGMENT);
    let group = groups.iter().find(|group| group.contains(&byte)).unwrap();
    assert!(group.contains(&broken.at) && broken.at <= byte, "byte {byte}: {broken:?} in {group:?}");
    assert_eq!(disk.contents(SEGMENT), before, "nothing is changed");
    assert!(defects(disk).iter().all(|defect| group.contains(&defect.at.unwrap())), "{:?}", defects(disk));

    let log = OfflineLog::load(Arc::new(disk.clone())).unwrap();
    assert_eq!(log.left_out().len(), 1, "byte {byte}: {:?}", log.left_out());
    let selection = Selection::many(vec![Selector::parse("**").unwrap()]).unwrap();
    let mut place = Place::default();
    let mut saved = Vec::new();
    loop {
        let batch = log.read(&selection, place, LIMITS, &mut |error| panic!("{error}")).unwrap();
        saved.extend(texts(&batch.records).into_iter().map(|(_, text)| text));
        place = place.advanced_to(batch.upto);
        if batch.stopped == Stopped::Tail {
            break;
        }
    }
    let contents = killed().contents(SEGMENT).unwrap();
    let in_group = &contents[group.start as usize..group.end as usize];
    let whole = open(&killed()).unwrap();
    for (_, text) in all(&whole).into_values().flatten().filter(|(_, text)| !text.is_empty()) {
        let is_in_group = in_group.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        assert_eq!(saved.contains(&text), !is_in_group, "byte {byte}: {text}");
    }
}

/// Where groups begin and end.
fn groups(disk: &SimulatedDisk) -> Vec<Range<u64>> {
    use largesse_disk::format::{
        frame::Salt,
        scan::{Scan, Scanned},
        segment::HEADER_BYTES,
    };
    let file = largesse_disk::io::Disk::open(disk, SEGMENT).unwrap();
    let bytes = file.bytes().unwrap();
    let mut scan = Scan::new(file, Salt(11), HEADER_BYTES as u64, bytes).unwrap();
    let mut groups = Vec::new();
    while let Scanned::Next(group) = scan.next_group().unwrap() {
        groups.push(group.at..group.end);
    }
    groups
}

#[test]
fn a_flipped_bit_in_any_replayed_byte_loses_one_event_or_refuses_the_log() {
    let whole = killed();
    let groups = groups(&whole);
    let last = groups.last().unwrap().clone();
    let bodies: Vec<_> = [
        ("a", "a one"),
        ("a", "a two"),
        ("b", "b one"),
        ("a", "a three"),
        ("b", "b two"),
        ("b", "b three"),
        ("a", "a four"),
    ]
    .map(|(stream, text)| (stream, text, body_of(&whole, text)))
    .into();
    // The event without text, and that of a removed stream.
    let (empty, gone) = (body_of(&whole, "a two").end + 9, body_of(&whole, "gone one"));
    for byte in groups[0].start..last.end {
        let disk = whole.after_exit();
        disk.flip_bit(SEGMENT, byte, (byte % 8) as u8);
        let body = bodies.iter().find(|(_, _, body)| body.contains(&byte));
        if let Some((stream, text, _)) = body {
            check_lost(&disk, stream, text, byte);
        } else if last.contains(&byte) {
            // It looks like a torn write.
            let heard = all(&open(&disk).unwrap());
            let mut want = all(&open(&whole.after_exit()).unwrap());
            want.insert("c", Vec::new());
            assert_eq!(heard, want, "byte {byte}");
        } else if gone.contains(&byte) {
            let want = all(&open(&whole.after_exit()).unwrap());
            assert_eq!(all(&open(&disk).unwrap()), want, "byte {byte}: nobody could have read it");
        } else if (empty..empty + 2).contains(&byte) {
            let engine = open(&disk).unwrap();
            assert_eq!(all(&engine)["a"].len(), 4, "byte {byte}");
            assert_eq!(heard(&engine, "a", Place::default()).1.len(), 1, "byte {byte}");
        } else {
            check_refused(&disk, byte, &groups);
        }
    }
}

#[test]
fn several_broken_events_are_reported_together_and_retention_counts_them_as_before() {
    let (disk, whole) = (killed(), killed());
    for text in ["a one", "a three", "b two"] {
        let at = body_of(&disk, text).end - 1;
        disk.flip_bit(SEGMENT, at, 2);
    }
    assert_eq!(defects(&disk).len(), 3);
    let (broken, whole) = (open(&disk).unwrap(), open(&whole).unwrap());
    assert_eq!(heard(&broken, "a", Place::default()).1.len(), 1);
    for number in 0..8 {
        for engine in [&broken, &whole] {
            publish(engine, "a", &[&format!("more {number}")], Once::Unkeyed);
        }
        let count = |engine| -> Vec<_> {
            states(engine).into_iter().map(|state| (state.name, state.events, state.bytes)).collect()
        };
        assert_eq!(count(&broken), count(&whole), "after {number}");
    }
    drop(broken);
    let again = open(&disk).unwrap();
    let texts: Vec<_> = all(&again)["a"].iter().map(|(_, text)| text.clone()).collect();
    let wanted: Vec<_> = all(&whole)["a"].iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts, wanted, "everything broken in it was trimmed");
    assert_eq!(defects(&disk).len(), 3, "{:?}", defects(&disk));
}
