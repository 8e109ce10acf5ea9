//! Retention, piece by piece, of hot events and of cold ones.

use super::*;

#[test]
fn a_large_stream_is_deleted_at_once_and_freed_piece_by_piece() {
    let mut log = long(3 * DROPS_MAX);
    delete(&mut log, "t");
    assert_eq!(log.order.len(), 3 * DROPS_MAX);
    let read = whole(&log, &many("*"), Place::default());
    assert!(read.records.is_empty(), "a deleted stream is not read");
    assert_eq!(located(&log, "*", 1), Position::ZERO);
    append_one(&mut log, "t", 1);
    // The publish freed a part too.
    for _ in 0..2 {
        check(&log);
        sweep_one_now(&mut log);
        assert!(log.has_due(UnixMs(0)));
    }
    while sweep(&mut log, UnixMs(0)) == Sweep::More {}
    assert_eq!((log.order.len(), log.pending_free.len()), (1, 0));
    check(&log);
}

/// Pending frees are not saved anywhere: a recovered log has none, and its sweep has nothing to do.
#[test]
fn a_sweep_that_records_nothing_leaves_the_tail() {
    let mut log = long(10);
    delete(&mut log, "t");
    let tail = log.tail();
    let stamp = Stamp { base: Position(tail.0 + 1_000), ..log.next_stamp(UnixMs(0)) };
    assert!(log.has_due(UnixMs(0)), "there is something to free");
    sweep_one(&mut log, stamp);
    assert!(!log.has_due(UnixMs(0)));
    assert_eq!(log.tail(), tail);
}

#[test]
fn events_over_new_settings_are_dropped_piece_by_piece() {
    let mut log = long(3 * DROPS_MAX);
    put(&mut log, "t", at_most(1));
    assert_eq!(log.state(&name("t")).unwrap().events as usize, 2 * DROPS_MAX);
    sweep_one_now(&mut log);
    check(&log);
    assert_eq!(log.state(&name("t")).unwrap().events as usize, DROPS_MAX);
    while sweep(&mut log, UnixMs(0)) == Sweep::More {
        check(&log);
    }
    assert_eq!(log.state(&name("t")).unwrap().events, 1);
}

/// Applies a command, and returns how often it requested stubs of cold events.
fn requests(all_stubs: &AllStubs, log: &mut LogState, command: Command) -> usize {
    let mut progress = log.apply(log.next_stamp(UnixMs(0)), command);
    for asks in 0.. {
        match progress {
            Progress::Applied(_) => return asks,
            Progress::Wants(wanted) => progress = log.resume(&wanted, all_stubs.found(&wanted)),
        }
    }
    unreachable!("it ends");
}

#[test]
fn dropping_many_cold_events_needs_few_requests() {
    let all_stubs = AllStubs::default();
    let (mut hot, mut cold) = (long(3 * DROPS_MAX), long(3 * DROPS_MAX));
    all_stubs.add(&hot);
    while cold.evict(0, Position::MAX, usize::MAX) {}
    let put = || Command::Put { stream: name("t"), put: Put { settings: at_most(1) } };
    assert_eq!(requests(&all_stubs, &mut hot, put()), 0);
    assert!((1..9).contains(&requests(&all_stubs, &mut cold, put())));
    assert_eq!(states(&cold), states(&hot));
    let large = || Command::Append(append("u", 400_000, Then::StayOpen));
    for log in [&mut hot, &mut cold] {
        let limits = EngineLimits { log_bytes_max: 500_000, ..*log.limits() };
        apply(log, Command::Limits(limits));
    }
    assert_eq!(requests(&all_stubs, &mut hot, large()), 0);
    assert!((1..20).contains(&requests(&all_stubs, &mut cold, large())));
    assert_eq!(states(&cold), states(&hot));
}

#[test]
fn events_over_new_limits_are_dropped_piece_by_piece() {
    let mut log = long(3 * DROPS_MAX);
    let limits = EngineLimits { log_bytes_max: 2_000, ..*log.limits() };
    apply(&mut log, Command::Limits(limits));
    let events = |log: &LogState| log.state(&name("t")).unwrap().events as usize;
    append_one(&mut log, "t", 1);
    assert_eq!(events(&log), 2 * DROPS_MAX);
    assert_eq!(sweep(&mut log, UnixMs(0)), Sweep::More);
    assert_eq!(events(&log), DROPS_MAX);
    while sweep(&mut log, UnixMs(0)) == Sweep::More {}
    check(&log);
}

/// Even without events, a log may stay over its limit.
#[test]
fn the_sweep_of_a_log_with_nothing_to_drop_ends() {
    let mut log = long(3);
    let limits = EngineLimits { log_bytes_max: 0, ..*log.limits() };
    apply(&mut log, Command::Limits(limits));
    let mut sweeps = 0..10;
    while sweeps.next().is_some() && sweep(&mut log, UnixMs(0)) == Sweep::More {}
    assert!(sweeps.next().is_some(), "it ends");
    assert_eq!(log.state(&name("t")).unwrap().events, 0);
}

#[test]
fn a_publish_pushes_out_as_many_events_as_it_appends() {
    let mut log = long(2);
    put(&mut log, "t", at_most(2));
    let events = vec![NewEvent { name: None, data: EventData::parse("x").unwrap() }; 2 * DROPS_MAX];
    let append = Append {
        stream: name("t"),
        events,
        then: Then::StayOpen,
        once: Once::Unkeyed,
        author: Author::Source,
    };
    assert!(matches!(apply(&mut log, Command::Append(append)), Reply::Append(Ok(_))));
    assert_eq!(log.state(&name("t")).unwrap().events, 2);
}

#[test]
fn tombstones_give_way_to_events() {
    let limits = EngineLimits { log_bytes_max: 20_000, ..EngineLimits::default() };
    let mut log = LogState::new(limits);
    for number in 0..100 {
        let stream = format!("gone/{number}");
        append_one(&mut log, &stream, 1);
        delete(&mut log, &stream);
    }
    for events in 1..10 {
        append_one(&mut log, "t", 1_000);
        assert_eq!(log.state(&name("t")).unwrap().events, events);
        check(&log);
    }
}
