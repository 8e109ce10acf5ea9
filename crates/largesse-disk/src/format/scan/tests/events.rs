//! Events in log order, and never at another position.

use super::*;

/// What a scan should return: the stream, the position and the data.
fn rows_of(bytes: &[u8], events: &[ScannedEvent]) -> Vec<(String, u64, String)> {
    events.iter().filter_map(|event| row_of(bytes, event)).collect()
}

/// `None` if the event's text is broken, which a scan does not read.
fn row_of(bytes: &[u8], event: &ScannedEvent) -> Option<(String, u64, String)> {
    let ScannedEvent { stream, position, time, spot, .. } = event;
    let event = read_event(&*MemoryFile::of(bytes), *spot, SALT, stream, *position, *time).ok()?;
    Some((event.stream.to_string(), event.position.0, event.data.as_str().to_owned()))
}

fn row(stream: &str, position: u64, data: &str) -> (String, u64, String) {
    (stream.to_owned(), position, data.to_owned())
}

fn kept(base: u64, name: &str, events: &[&str]) -> Vec<u8> {
    let events: Vec<_> = events.iter().map(|data| event(data)).collect();
    let events = EncodedEvents::new(SALT, &events).unwrap();
    let head = KeptHead { base: Position(base), time: UnixMs(6), stream: stream(name) };
    let mut out = Vec::new();
    head.encode(&mut out, SALT, &events);
    out.extend_from_slice(events.bytes());
    out
}

/// Groups and kept events, one after the other.
fn sample() -> (Vec<u8>, Vec<(String, u64, String)>) {
    let delete = stamped(40, Command::Delete { stream: stream("b") });
    let bytes = [
        group(1, &[append(10, "a", &["x", "y"]), delete, append(50, "b", &["z"])]),
        kept(60, "c", &["v", "w"]),
        group(2, &[append(70, "a", &[]), stamped(80, Command::Sweep { streams: Vec::new() })]),
        kept(90, "c", &["u"]),
    ];
    let want = [
        row("a", 10, "x"),
        row("a", 11, "y"),
        row("b", 50, "z"),
        row("c", 60, "v"),
        row("c", 61, "w"),
        row("c", 90, "u"),
    ];
    (bytes.concat(), want.into())
}

#[test]
fn events_come_in_log_order_across_groups_and_kept_heads() {
    let (bytes, want) = sample();
    let (events, broken) = events_of(event_scan(&bytes));
    assert_eq!((rows_of(&bytes, &events), broken), (want, None));
    assert!(events.iter().all(|event| event.time == UnixMs(6)));
}

#[test]
fn a_scan_can_begin_at_the_head_of_any_event() {
    let (bytes, want) = sample();
    let (events, _) = events_of(event_scan(&bytes));
    for event in &events {
        let scan = EventScan::new(MemoryFile::of(&bytes), SALT, event.head_at, bytes.len() as u64).unwrap();
        let (found, broken) = events_of(scan);
        let first = events.iter().position(|other| other.head_at == event.head_at).unwrap();
        assert_eq!((rows_of(&bytes, &found), broken), (want[first..].to_vec(), None));
    }
}

#[test]
fn no_flipped_bit_moves_an_event() {
    let (bytes, want) = sample();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (events, broken) = events_of(event_scan(&flipped));
        let found = rows_of(&flipped, &events);
        let is_text = broken.is_none();
        // In an event's own text: all others are found. Elsewhere: those before it are.
        let missing = want.iter().filter(|row| !found.contains(row)).count();
        assert!(found.iter().all(|row| want.contains(row)), "bit {bit}: {found:?}");
        assert!(if is_text { missing == 1 } else { want.starts_with(&found) }, "bit {bit}: {found:?}");
    }
}

#[test]
fn a_length_that_skips_exactly_one_event_is_found() {
    // Frames of 16 bytes: with one more bit, the first is as long as the first two.
    let (head, events) = head_and_events(1, &["12345", "abcde", "ABCDE"]);
    assert_eq!(events.frames(), [16; 3]);
    let mut bytes = [&head[..], events.bytes(), &kept(9, "a", &["after"])].concat();
    bytes[head.len()] = 7 + 16;
    let (found, broken) = events_of(event_scan(&bytes));
    assert_eq!(found, []);
    assert_eq!(broken, Some(Broken { whole_upto: 0, at: 0, what: Fault::Events }));
}

#[test]
fn a_cut_scan_returns_only_whole_heads() {
    let (bytes, want) = sample();
    let (events, _) = events_of(event_scan(&bytes));
    for cut in 0..bytes.len() {
        let (found, broken) = events_of(event_scan(&bytes[..cut]));
        assert_eq!(found, events[..found.len()], "cut at {cut}");
        let whole = |event: &ScannedEvent| {
            let last = events.iter().rfind(|other| other.head_at == event.head_at).unwrap();
            last.spot.at + u64::from(last.spot.bytes) <= cut as u64
        };
        let count = events.iter().filter(|event| whole(event)).count();
        assert_eq!(found.len(), count, "cut at {cut}");
        assert_eq!(rows_of(&bytes[..cut], &found), want[..count]);
        assert!(broken.is_none_or(|broken| broken.what == Fault::Cut), "{broken:?}");
    }
}

#[test]
fn a_head_that_claims_more_events_than_the_file_can_have_allocates_nothing_for_them() {
    let mut body = [0; 24].to_vec();
    body.extend_from_slice(&u32::MAX.to_le_bytes());
    body.extend_from_slice(&[0; 8]);
    body.extend_from_slice(b"\x01\0a\0\0");
    let (found, broken) = events_of(event_scan(&framed(Kind::Append, &body)));
    assert_eq!((found.len(), broken.map(|broken| broken.what)), (0, Some(Fault::Cut)));
}

#[test]
fn the_text_of_large_events_is_not_read() {
    let large = "x".repeat(1 << 20);
    let bytes = group(1, &[append(1, "a", &[&large, &large, &large])]);
    let file = MemoryFile::of(&bytes);
    let (found, broken) =
        events_of(EventScan::new(Arc::clone(&file) as _, SALT, 0, bytes.len() as u64).unwrap());
    assert_eq!((found.len(), broken), (3, None));
    let read: usize = file.reads().iter().sum();
    assert!(read < READ_AHEAD_BYTES, "{read} bytes");
}
