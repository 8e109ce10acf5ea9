//! Every change of a written checkpoint is found, and reported with its offset.

use super::{
    super::{header::HEADER_BYTES, reading::decode},
    *,
};
use crate::format::frame::{Fault, Kind, write_frame};

/// One of each item, in few bytes.
fn small() -> Checkpoint {
    let (stream, position) = (name("a"), Position(1));
    let loss = Some(Loss { upto: position, at: Position(2) });
    let stub = Some(Stub { position, time: UnixMs(3), counted_bytes: 4 });
    let answer = Appended { position, count: 1, closed: false, outcome: AppendOutcome::Appended };
    let void_ranges = vec![(Position(5), Position(6))];
    let settings = EngineLimits::default().defaults;
    let blocks = SavedBlocks {
        generation: 1,
        done: 2,
        step: 1,
        checkpoints: vec![(0, Digest(1), position), (1, Digest(2), position)],
        closed: Some(answer.clone()),
    };
    let items = vec![
        Item::Segment(SealedSegment {
            number: 1,
            generation: 0,
            first: position,
            bytes: 9,
            live_bytes: 8,
            void_ranges,
        }),
        Item::Life(SavedLife {
            stream: stream.clone(),
            start: position,
            made: UnixMs(1),
            settings,
            events: 1,
            bytes: 4,
            first: stub,
            last: stub,
            end: Some(LifeEnd { position, time: UnixMs(4) }),
            trim: loss,
        }),
        Item::Life(life_of("b")),
        Item::Life(life_of("c")),
        Item::Tombstone(SavedTombstone {
            stream: name("d"),
            end: position,
            reason: EndReason::Deleted,
            at: position,
            loss,
        }),
        Item::Key(SavedKey {
            due: UnixMs(9),
            number: 1,
            stream: stream.clone(),
            key: key_named("k"),
            what: SavedUse::Whole { digest: Digest(3), answer },
        }),
        Item::Key(SavedKey {
            due: UnixMs(9),
            number: 2,
            stream: stream.clone(),
            key: key_named("l"),
            what: SavedUse::Blocks(blocks),
        }),
        Item::Damage(SavedDamage { stream, position }),
    ];
    (large(SALT).0, items)
}

fn life_of(stream: &str) -> SavedLife {
    match &large(SALT).1[0] {
        Item::Life(life) => SavedLife { stream: name(stream), ..life.clone() },
        other => unreachable!("{other:?}"),
    }
}

fn small_bytes() -> Vec<u8> {
    let disk = SimulatedDisk::new(0);
    written(&disk, &small());
    disk.contents(FILE).unwrap()
}

fn read_of(bytes: &[u8]) -> Result<Option<Checkpoint>, CheckpointError> {
    let disk = SimulatedDisk::new(0);
    disk.create(FILE).unwrap().write_at(bytes, 0).unwrap();
    read(&disk)
}

/// Where each frame begins.
fn frames(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut frames = Vec::new();
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let body_bytes = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        frames.push(at..at + 9 + body_bytes as usize);
        at += 9 + body_bytes as usize;
    }
    frames
}

#[track_caller]
fn check(bytes: &[u8], want_at: usize, want: Flaw) {
    match read_of(bytes) {
        Err(CheckpointError::Broken { at, fault }) => assert_eq!((at, fault), (want_at as u64, want)),
        other => panic!("{other:?} is not `Broken`"),
    }
}

#[test]
fn each_flipped_bit_is_reported_at_its_frame() {
    let bytes = small_bytes();
    let frames = frames(&bytes);
    for place in 0..bytes.len() {
        let want = frames.iter().find(|frame| frame.contains(&place)).map_or(0, |frame| frame.start as u64);
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            match read_of(&flipped) {
                Err(CheckpointError::Broken { at, .. }) => assert_eq!(at, want, "bit {bit} of {place}"),
                other => panic!("bit {bit} of {place}: {other:?}"),
            }
        }
    }
}

#[test]
fn each_truncation_is_found() {
    let bytes = small_bytes();
    let frames = frames(&bytes);
    for length in 0..bytes.len() {
        let inside = frames.iter().find(|frame| frame.contains(&length));
        let at = if length < HEADER_BYTES { 0 } else { inside.unwrap().start };
        check(&bytes[..length], at, Flaw::Frame(Fault::Cut));
    }
}

#[test]
fn whole_frames_that_are_not_those_that_were_written_are_found() {
    let bytes = small_bytes();
    let frames = frames(&bytes);
    let [.., end] = &frames[..] else { panic!("there are frames") };
    let (b, c) = (frames[3].clone(), frames[4].clone());
    assert_eq!(b.len(), c.len(), "the two lives have the same length");

    let mut swapped = bytes.clone();
    swapped[b.clone()].copy_from_slice(&bytes[c.clone()]);
    swapped[c.clone()].copy_from_slice(&bytes[b]);
    check(&swapped, end.start, Flaw::Others);

    let without_c = [&bytes[..c.start], &bytes[c.end..]].concat();
    check(&without_c, end.start - c.len(), Flaw::Others);

    let twice_c = [&bytes[..c.end], &bytes[c.clone()], &bytes[c.end..]].concat();
    check(&twice_c, end.start + c.len(), Flaw::Others);
}

#[test]
fn frames_out_of_their_order_are_found() {
    let bytes = small_bytes();
    let frames = frames(&bytes);
    let misplaced = |kind| Flaw::Frame(Fault::Misplaced { kind });
    let of = |places: &[usize]| {
        let frames = places.iter().flat_map(|place| &bytes[frames[*place].clone()]).copied();
        bytes[..HEADER_BYTES].iter().copied().chain(frames).collect::<Vec<_>>()
    };
    let [head, segment, life] = [0, 1, 2].map(|place: usize| frames[place].len());
    check(&of(&[1]), HEADER_BYTES, misplaced(Kind::Sealed));
    check(&of(&[9]), HEADER_BYTES, misplaced(Kind::End));
    check(&of(&[0, 0]), HEADER_BYTES + head, misplaced(Kind::Head));
    check(&of(&[0, 2, 1]), HEADER_BYTES + head + life, misplaced(Kind::Sealed));
    check(&of(&[0, 1, 6, 5]), HEADER_BYTES + head + segment + frames[6].len(), misplaced(Kind::Tombstone));
    check(&[&bytes[..], &bytes[frames[8].clone()]].concat(), bytes.len(), Flaw::Rest);
    check(&[&bytes[..], &[0]].concat(), bytes.len(), Flaw::Rest);
    let mut group = of(&[0]);
    write_frame(&mut group, SALT, Kind::Group, |_| {});
    check(&group, HEADER_BYTES + head, misplaced(Kind::Group));
}

#[test]
fn a_frame_that_no_item_could_have_written_is_not_read_into_memory() {
    let bytes = small_bytes();
    let head_end = frames(&bytes)[0].end;
    let body_bytes = 100_000;
    let mut large = bytes[..head_end].to_vec();
    write_frame(&mut large, SALT, Kind::Life, |out| out.resize(out.len() + body_bytes, 0));
    check(&large, head_end, Flaw::Frame(Fault::Length { body_bytes: body_bytes as u32 }));
}

#[test]
fn another_format_is_not_mistaken_for_a_broken_header() {
    let disk_bytes = |change: fn(&mut [u8])| {
        let mut bytes = small_bytes();
        change(&mut bytes[..56]);
        let check = xxhash_rust::xxh3::xxh3_64(&bytes[..56]);
        bytes[56..64].copy_from_slice(&check.to_le_bytes());
        bytes
    };
    match read_of(&disk_bytes(|header| header[8] = 3)) {
        Err(error @ CheckpointError::Format { found: 3 }) => {
            let said = error.to_string();
            assert!(said.contains("`checkpoint`") && said.contains("export the log"), "{said}");
        }
        other => panic!("{other:?} is not `Format`"),
    }
    assert!(read_of(&disk_bytes(|header| header[8] = 1)).is_ok(), "the first format is read");
    check(&disk_bytes(|header| header[0] = b'M'), 0, Flaw::Magic);
    check(&disk_bytes(|header| header[30] = 1), 20, Flaw::Padding);
    let mut broken = small_bytes();
    broken[8] = 1;
    check(&broken, 0, Flaw::Header);
}

#[test]
fn an_error_names_the_file_and_the_offset() {
    let error = read_of(&small_bytes()[..100]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the file `checkpoint` is broken at byte 64: the frame there is broken: the file ends within it. The log \
         can't be opened without it: `largesse log import` makes a new log, in another folder, of what `largesse log \
         export` saved"
    );
}

#[test]
fn a_failing_disk_is_not_reported_as_a_broken_checkpoint() {
    let disk = SimulatedDisk::new(0);
    written(&disk, &small());
    disk.fail_at(disk.operations(), crate::io::Fault::PowerCut);
    disk.sync_names().unwrap_err();
    assert!(matches!(read(&disk), Err(CheckpointError::Io { .. })));
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in vec(any::<u8>(), 0..300)) {
        for kind in [Kind::Sealed, Kind::Life, Kind::Tombstone, Kind::Key, Kind::Damaged, Kind::End, Kind::Group] {
            _ = decode(kind, &body);
        }
    }

    #[test]
    fn no_byte_after_a_change_makes_it_panic(place in 0..500_usize, with in vec(any::<u8>(), 0..40)) {
        let bytes = small_bytes();
        let frames = frames(&bytes);
        let frame = frames[place % frames.len()].clone();
        let kind = bytes[frame.start + 8];
        let mut body = bytes[frame.start + 9..frame.end].to_vec();
        let at = place % body.len();
        body.splice(at..(at + with.len()).min(body.len()), with);
        let kinds = [Kind::Head, Kind::Sealed, Kind::Life, Kind::Tombstone, Kind::Key, Kind::Damaged, Kind::End];
        let kind = kinds.into_iter().find(|known| *known as u8 == kind).unwrap();
        // With a valid checksum, so that the body itself is decoded.
        let mut changed = bytes[..frame.start].to_vec();
        write_frame(&mut changed, SALT, kind, |out| out.extend_from_slice(&body));
        changed.extend_from_slice(&bytes[frame.end..]);
        _ = read_of(&changed);
    }
}
