//! Groups are read as they were written, or not at all.

use super::*;

/// One of everything, in two groups.
fn sample() -> (Vec<u8>, Vec<Stamped>) {
    let delete = stamped(40, Command::Delete { stream: stream("b") });
    let sweep = stamped(50, Command::Sweep { streams: vec![stream("d")] });
    let one = [append(10, "a", &["x", "", "long\nand longer"]), delete];
    let two = [append(60, "b", &["same"]), sweep, append(70, "c", &[])];
    let bytes = [group(7, &one), group(8, &two)].concat();
    (bytes, one.into_iter().chain(two).collect())
}

#[test]
fn groups_are_read_with_their_heads_and_the_spots_of_their_events() {
    let (bytes, want) = sample();
    let (groups, broken) = groups(scan(&bytes));
    assert_eq!(broken, None);
    let sequences: Vec<_> = groups.iter().map(|group| group.head.sequence.0).collect();
    assert_eq!(sequences, [7, 8]);
    assert_eq!((groups[0].at, groups[0].end, groups[1].end), (0, groups[1].at, bytes.len() as u64));
    for placed in groups.iter().flat_map(|group| &group.commands) {
        let Stamped { stamp, command: Command::Append(append) } = &placed.command else {
            assert_eq!(placed.spots, []);
            continue;
        };
        assert_eq!(placed.spots.len(), append.events.len());
        for (number, (spot, want)) in placed.spots.iter().zip(&append.events).enumerate() {
            let (file, position) = (MemoryFile::of(&bytes), stamp.position_of(number));
            let event = read_event(&*file, *spot, SALT, &append.stream, position, stamp.time).unwrap();
            assert_eq!((&event.data, event.position), (&want.data, position));
        }
    }
    assert_eq!(commands(groups), want);
}

#[test]
fn a_cut_group_is_broken_wherever_it_is_cut() {
    let (bytes, want) = sample();
    let second = group_end(&bytes);
    for cut in 0..bytes.len() {
        let (groups, broken) = groups(scan(&bytes[..cut]));
        let whole = if cut < second { 0 } else { 2 };
        assert_eq!(commands(groups), want[..whole], "cut at {cut}");
        let whole_upto = if cut < second { 0 } else { second } as u64;
        let is_between = cut == 0 || cut == second;
        assert_eq!(broken.map(|broken| broken.whole_upto), (!is_between).then_some(whole_upto), "{cut}");
    }
}

/// Where the first group ends.
fn group_end(bytes: &[u8]) -> usize {
    let (groups, _) = groups(scan(bytes));
    groups[0].end as usize
}

#[test]
fn every_flipped_bit_of_a_group_is_found() {
    let (bytes, want) = sample();
    let second = group_end(&bytes);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (groups, broken) = groups(scan(&flipped));
        let whole = if bit / 8 < second { 0 } else { 2 };
        assert_eq!(commands(groups), want[..whole], "bit {bit}");
        let broken = broken.expect("it is found");
        assert!(broken.at <= bit as u64 / 8, "bit {bit}: {broken:?}");
    }
}

proptest! {
    #[test]
    fn any_commands_are_read_back(groups in vec(vec(command(), 0..4), 0..4)) {
        let of = |(number, commands): (usize, &Vec<Stamped>)| group(number as u64 + 1, commands);
        let bytes: Vec<u8> = groups.iter().enumerate().flat_map(of).collect();
        let (found, broken) = super::groups(scan(&bytes).expecting(Sequence(1)));
        prop_assert_eq!(broken, None);
        prop_assert_eq!(commands(found), groups.concat());
    }

    #[test]
    fn a_changed_group_is_never_another_command(
        wanted in vec(command(), 1..4),
        at in any::<prop::sample::Index>(),
        bits in 1..=255u8,
    ) {
        let mut bytes = group(1, &wanted);
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        let (found, broken) = groups(scan(&bytes));
        prop_assert_eq!(found, vec![]);
        prop_assert!(broken.is_some());
    }

    #[test]
    fn random_bytes_are_only_broken(bytes in vec(any::<u8>(), 1..300)) {
        let (found, broken) = groups(scan(&bytes));
        prop_assert!(found.is_empty() && broken.is_some());
        let (found, broken) = events_of(event_scan(&bytes));
        prop_assert!(found.is_empty() && broken.is_some());
    }

    #[test]
    fn random_frames_with_valid_checksums_do_not_make_a_scan_panic(
        frames in vec((0usize..9, vec(any::<u8>(), 0..80)), 0..5),
    ) {
        const KINDS: [Kind; 9] = [
            Kind::Group, Kind::Append, Kind::Event, Kind::Claim, Kind::Put, Kind::Delete, Kind::Sweep,
            Kind::Limits, Kind::Kept,
        ];
        let frames: Vec<u8> =
            frames.iter().flat_map(|(kind, body)| framed(KINDS[*kind], body)).collect();
        for bytes in [group_of(1, &frames), frames] {
            // Any result will do.
            drop(groups(scan(&bytes)));
            drop(events_of(event_scan(&bytes)));
        }
    }
}

#[test]
fn frames_in_the_wrong_order_are_broken() {
    let (head, events) = head_and_events(1, &["x", "y"]);
    let (x, y) = events.bytes().split_at(events.frames()[0] as usize);
    let kept = KeptHead { base: Position(1), time: UnixMs(1), stream: stream("a") };
    let mut kept_head = Vec::new();
    kept.encode(&mut kept_head, SALT, &EncodedEvents::empty(SALT));
    let misplaced = |kind| Fault::Misplaced { kind };
    let check = |bytes: &[u8], at: usize, what: Fault| {
        let (found, broken) = groups(scan(bytes));
        let want = Broken { whole_upto: 0, at: at as u64, what };
        assert_eq!((found, broken), (vec![], Some(want)));
    };
    let first = GROUP_FRAME_BYTES;
    check(x, 0, misplaced(Kind::Event));
    check(&head, 0, misplaced(Kind::Append));
    check(&group_of(1, x), first, misplaced(Kind::Event));
    check(&group_of(1, &group(2, &[])), first, misplaced(Kind::Group));
    check(&group_of(1, &kept_head), first, misplaced(Kind::Kept));
    check(
        &group_of(1, &[&head[..], x, &head].concat()),
        first + head.len() + x.len(),
        misplaced(Kind::Append),
    );
    check(&group_of(1, &[&head[..], y, x].concat()), first, Fault::Events);
    check(&group_of(1, &[&head[..], x, x].concat()), first, Fault::Events);
    let cut = [&group_of(1, &[&head[..], x].concat())[..], y].concat();
    check(&cut, first + head.len() + x.len(), Fault::PastGroup);
    let cut = [&group_of(1, &[&head[..], &x[..5]].concat())[..], &x[5..]].concat();
    check(&cut, first + head.len(), Fault::PastGroup);
}

#[test]
fn kinds_of_checkpoints_are_misplaced_in_a_segment() {
    for kind in [Kind::Head, Kind::Life, Kind::Tombstone, Kind::Key, Kind::Sealed, Kind::End] {
        let what = Fault::Misplaced { kind };
        let frame = framed(kind, b"");
        let in_group = Broken { whole_upto: 0, at: GROUP_FRAME_BYTES as u64, what };
        assert_eq!(groups(scan(&group_of(1, &frame))), (vec![], Some(in_group)));
        assert_eq!(events_of(event_scan(&frame)), (vec![], Some(Broken { whole_upto: 0, at: 0, what })));
    }
}

#[test]
fn groups_count_up_by_one() {
    let check = |bytes: &[u8], first: Option<u64>, want: Option<(u64, u64)>| {
        let scan = scan(bytes);
        let scan = match first {
            Some(first) => scan.expecting(Sequence(first)),
            None => scan,
        };
        let want = want.map(|(expected, found)| Fault::Sequence {
            expected: Sequence(expected),
            found: Sequence(found),
        });
        assert_eq!(groups(scan).1.map(|broken| broken.what), want);
    };
    let bytes = |sequences: &[u64]| -> Vec<u8> { sequences.iter().flat_map(|n| group(*n, &[])).collect() };
    check(&bytes(&[4, 5, 6]), None, None);
    check(&bytes(&[4, 5]), Some(4), None);
    check(&bytes(&[4, 5]), Some(3), Some((3, 4)));
    check(&bytes(&[4, 6]), None, Some((5, 6)));
    check(&bytes(&[4, 4]), None, Some((5, 4)));
    check(&bytes(&[u64::MAX]), None, None);
}

#[test]
fn a_scan_ends_where_it_should_and_notices_a_file_that_ends_too_early() {
    let bytes = [group(1, &[]), group(2, &[])].concat();
    let half = bytes.len() as u64 / 2;
    let scanned = |from, upto| groups(Scan::new(MemoryFile::of(&bytes), SALT, from, upto).unwrap());
    assert_eq!(scanned(0, half).0.len(), 1);
    assert_eq!(scanned(half, 2 * half).0[0].head.sequence, Sequence(2));
    assert_eq!(scanned(half, half), (vec![], None));
    let cut = |at| Some(Broken { whole_upto: at, at, what: Fault::Cut });
    assert_eq!(scanned(half, 2 * half + 1).1, cut(2 * half));
    assert_eq!(scanned(u64::MAX, 2 * half).1, cut(u64::MAX));
    assert_eq!(scanned(0, half + 1).1, cut(half));
}

#[test]
fn a_scan_reads_ahead_a_bounded_piece_and_reads_a_larger_frame_alone() {
    let small: Vec<_> = (0..20_000).map(|number| append(10 * number + 1, "a", &["0123456789"])).collect();
    let large = "x".repeat(3 * READ_AHEAD_BYTES);
    let commands = [append(300_000, "b", &[&large]), append(400_000, "c", &["y"])];
    let bytes = [group(1, &small), group(2, &commands), group(3, &small)].concat();
    let file = MemoryFile::of(&bytes);
    let (found, broken) = groups(Scan::new(Arc::clone(&file) as _, SALT, 0, bytes.len() as u64).unwrap());
    assert_eq!((found.len(), broken), (3, None));
    assert_eq!(found[1].commands[0].command, commands[0]);
    let frame_bytes = large.len() + 11;
    let (larger, ahead): (Vec<_>, Vec<_>) =
        file.reads().into_iter().partition(|bytes| *bytes > READ_AHEAD_BYTES);
    assert_eq!(larger, [frame_bytes]);
    assert!(ahead.len() < 2 * bytes.len() / READ_AHEAD_BYTES + 10, "{} reads", ahead.len());
}

#[test]
fn a_frame_that_claims_more_than_the_file_has_is_not_read() {
    let mut bytes = group(1, &[append(1, "a", &["x"])]);
    bytes[..4].copy_from_slice(&(1u32 << 30).to_le_bytes());
    let file = MemoryFile::of(&bytes);
    let (_, broken) = groups(Scan::new(Arc::clone(&file) as _, SALT, 0, bytes.len() as u64).unwrap());
    assert_eq!(broken.map(|broken| broken.what), Some(Fault::Cut));
    assert!(file.reads().iter().all(|read| *read <= bytes.len()));
}

#[test]
fn a_failing_disk_is_not_a_broken_group_and_can_be_retried() {
    let bytes = group(1, &[append(1, "a", &["x"])]);
    let file = MemoryFile::of(&bytes);
    let mut groups = Scan::new(Arc::clone(&file) as _, SALT, 0, bytes.len() as u64).unwrap();
    let mut events = EventScan::new(Arc::clone(&file) as _, SALT, 0, bytes.len() as u64).unwrap();
    file.fail(true);
    assert!(groups.next_group().is_err());
    assert!(events.next_event().is_err());
    file.fail(false);
    assert!(matches!(groups.next_group(), Ok(Scanned::Next(_))));
    assert!(matches!(events.next_event(), Ok(Scanned::Next(_))));
}
