//! One event, from an offset that may be right or wrong.

use super::*;

fn read(file: &MemoryFile, at: u64, bytes: u32) -> Result<String, ReadError> {
    let spot = EventSpot { at, bytes };
    let event = read_event(file, spot, SALT, &stream("a"), Position(7), UnixMs(8))?;
    assert_eq!((event.stream, event.position, event.time), (stream("a"), Position(7), UnixMs(8)));
    Ok(event.data.as_str().to_owned())
}

#[test]
fn only_a_whole_event_at_exactly_its_offset_is_read() {
    let (head, events) = head_and_events(1, &["x", "yy"]);
    let file = MemoryFile::of(&[&head[..], events.bytes()].concat());
    let (x, y) = (head.len() as u64, head.len() as u64 + 12);
    assert_eq!(read(&file, x, 12), Ok("x".to_owned()));
    assert_eq!(read(&file, y, 13), Ok("yy".to_owned()));
    let check = |at, bytes, what| {
        assert_eq!(read(&file, at, bytes), Err(ReadError::Corrupt { at, what }));
    };
    check(x, 11, Fault::Length { body_bytes: 3 });
    check(x, 13, Fault::Length { body_bytes: 3 });
    check(y, 14, Fault::Cut);
    check(y, 1 << 30, Fault::Cut);
    check(u64::MAX, 12, Fault::Cut);
    check(u64::MAX, u32::MAX, Fault::Cut);
    check(x, 0, Fault::Cut);
    check(x, 8, Fault::Cut);
    check(0, head.len() as u32, Fault::Misplaced { kind: Kind::Append });
}

#[test]
fn every_flipped_bit_of_an_event_is_found() {
    let (_, events) = head_and_events(1, &["text"]);
    for bit in 0..events.bytes().len() * 8 {
        let mut flipped = events.bytes().to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let file = MemoryFile::of(&flipped);
        let answer = read(&file, 0, events.frames()[0]);
        assert!(matches!(answer, Err(ReadError::Corrupt { at: 0, .. })), "bit {bit}: {answer:?}");
    }
}

#[test]
fn a_large_event_is_read() {
    let large = "x".repeat(1 << 20);
    let (_, events) = head_and_events(1, &[&large]);
    assert_eq!(read(&MemoryFile::of(events.bytes()), 0, events.frames()[0]), Ok(large));
}

#[test]
fn a_failing_disk_is_not_mistaken_for_a_broken_event() {
    let (_, events) = head_and_events(1, &["x"]);
    let file = MemoryFile::of(events.bytes());
    file.fail(true);
    let text = "the disk is gone".to_owned();
    let want = ReadError::Io { at: 0, code: None, text };
    assert_eq!(read(&file, 0, events.frames()[0]), Err(want));
}
