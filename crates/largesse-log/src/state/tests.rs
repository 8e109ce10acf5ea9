//! The state on its own: its sums and indexes agree, and its queries are bounded.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use largesse_wire::EventData;
use proptest::prelude::*;

use super::{
    apply::{Applied, Progress},
    life::Life,
    log::LogState,
    retention::{
        stub_cache::{OrderWanted, RunWanted, Stub, StubsFound, StubsWanted},
        work::{DROPS_MAX, WORK_MAX},
    },
    saved::Snapshot,
    stamp::Stamp,
    view::{Locating, Read},
};
use crate::{
    Append, Author, Batch, Command, EngineLimits, IdempotencyKey, NewEvent, Once, Place, Position, Put,
    ReadLimits, Record, Reply, Selection, Selector, SettingChange, Settings, SettingsPatch, StartFrom,
    Stopped, StreamName, StreamState, Sweep, Then, UnixMs,
};

mod cold;
mod replay;
mod retention;

/// How many events with short names one scan for a short pattern visits: each costs two units.
const SCANNED: usize = WORK_MAX as usize / 2;

const EVERYTHING: ReadLimits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };

fn name(raw: &str) -> StreamName {
    StreamName::parse(raw).unwrap()
}

fn many(raw: &str) -> Selection {
    Selection::many(vec![Selector::parse(raw).unwrap()]).unwrap()
}

fn append(stream: &str, data_bytes: usize, then: Then) -> Append {
    let data = EventData::parse(&"x".repeat(data_bytes)).unwrap();
    let events = vec![NewEvent { name: None, data }];
    Append { stream: name(stream), events, then, once: Once::Unkeyed, author: Author::Source }
}

fn whole(log: &LogState, selection: &Selection, place: Place) -> Batch {
    match log.read(selection, place, EVERYTHING).unwrap() {
        Read::Ready(batch) => batch,
        Read::Cold(read) => panic!("{read:?} in memory"),
    }
}

/// The invariants, and the limits: nothing is cold here, so they hold after each command.
#[track_caller]
fn check(log: &LogState) {
    log.check_invariants();
    // The clock does not leap here.
    let is_in_time = |life: &Life| life.due().is_none_or(|due| life.scheduled.is_some_and(|at| at <= due));
    assert!(log.lives.iter().all(|(_, life)| is_in_time(life)), "each stream is scheduled in time");
    assert!(log.bytes() <= log.limits.log_bytes_max);
    assert!(log.tombstones.by_name.len() <= log.limits.tombstones_max);
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Append(usize, usize, Then),
    Put(Option<u64>, u64, usize),
    Delete(usize),
    Sweep,
    Pass(u64),
}

fn any_action() -> impl Strategy<Value = Action> {
    let then = prop_oneof![4 => Just(Then::StayOpen), 1 => Just(Then::Close)];
    prop_oneof![
        8 => (0..5_usize, 0..900_usize, then).prop_map(|(stream, bytes, then)| Action::Append(stream, bytes, then)),
        2 => (prop::option::of(1..4_u64), 0..200_u64, 0..5_usize).prop_map(|(most, age, s)| Action::Put(most, age, s)),
        2 => (0..5_usize).prop_map(Action::Delete),
        1 => Just(Action::Sweep),
        2 => (0..100_u64).prop_map(Action::Pass),
    ]
}

/// Applies a command to a log that is in memory.
fn apply_in(log: &mut LogState, stamp: Stamp, command: Command) -> Reply {
    AllStubs::default().apply(log, stamp, command).reply
}

fn apply(log: &mut LogState, command: Command) -> Reply {
    apply_in(log, log.next_stamp(UnixMs(0)), command)
}

fn append_one(log: &mut LogState, stream: &str, bytes: usize) -> Position {
    match apply(log, Command::Append(append(stream, bytes, Then::StayOpen))) {
        Reply::Append(Ok(appended)) => appended.position,
        reply => panic!("{reply:?}"),
    }
}

fn put(log: &mut LogState, stream: &str, settings: SettingsPatch) -> Reply {
    apply(log, Command::Put { stream: name(stream), put: Put { settings } })
}

fn delete(log: &mut LogState, stream: &str) {
    apply(log, Command::Delete { stream: name(stream) });
}

fn at_most(events: u64) -> SettingsPatch {
    SettingsPatch { max_events: SettingChange::Set(Some(events)), ..SettingsPatch::default() }
}

/// One command of a sweep, on the streams that are due first.
fn sweep(log: &mut LogState, now: UnixMs) -> Sweep {
    sweep_with(log, &AllStubs::default(), now)
}

fn sweep_with(log: &mut LogState, all_stubs: &AllStubs, now: UnixMs) -> Sweep {
    if !log.has_due(now) {
        return Sweep::Done;
    }
    let streams = log.due_streams(now, 1);
    match all_stubs.apply(log, log.next_stamp(now), Command::Sweep { streams }).reply {
        Reply::Sweep(sweep) => sweep,
        reply => panic!("{reply:?}"),
    }
}

/// One round of a sweep, on the stream that is due first.
fn sweep_one(log: &mut LogState, stamp: Stamp) {
    let due = log.due_streams(stamp.now, 1);
    log.sweep_one(stamp, due.first()).expect("all is in memory");
}

fn sweep_one_now(log: &mut LogState) {
    let stamp = log.next_stamp(UnixMs(0));
    sweep_one(log, stamp);
}

/// The command of an action; none for one that only lets time pass.
fn command(log: &LogState, now: UnixMs, action: Action) -> Option<Command> {
    let streams = ["a", "b", "c/1", "c/2", "long/name"];
    match action {
        Action::Append(stream, bytes, then) => Some(Command::Append(append(streams[stream], bytes, then))),
        Action::Put(max_events, age_ms, stream) => {
            let settings = SettingsPatch {
                max_events: SettingChange::Set(max_events),
                max_age: SettingChange::Set(Some(Duration::from_millis(age_ms))),
                ttl_after_close: SettingChange::Set(Duration::from_millis(age_ms)),
                ..SettingsPatch::default()
            };
            Some(Command::Put { stream: name(streams[stream]), put: Put { settings } })
        }
        Action::Delete(stream) => Some(Command::Delete { stream: name(streams[stream]) }),
        Action::Sweep => Some(Command::Sweep { streams: log.due_streams(now, SWEPT) }),
        Action::Pass(_) => None,
    }
}

/// How many streams one sweep of the tests visits: fewer than may be due.
const SWEPT: usize = 1;

fn run(log: &mut LogState, all_stubs: &AllStubs, now: &mut UnixMs, action: Action) {
    match action {
        Action::Sweep => while sweep_with(log, all_stubs, *now) == Sweep::More {},
        Action::Pass(ms) => now.0 += ms,
        action => {
            let command = command(log, *now, action).expect("it is one");
            all_stubs.apply(log, log.next_stamp(*now), command);
        }
    }
}

proptest! {
    #[test]
    fn sums_and_indexes_agree_after_each_command(
        actions in prop::collection::vec(any_action(), 1..80),
        log_bytes_max in 0..8_000_u64,
        tombstones_max in 0..3_usize,
    ) {
        let limits = EngineLimits { log_bytes_max, tombstones_max, ..EngineLimits::default() };
        let (mut log, mut now) = (LogState::new(limits), UnixMs(0));
        for action in actions {
            run(&mut log, &AllStubs::default(), &mut now, action);
            check(&log);
        }
    }
}

/// The stubs of a log in memory, which serve as the cold events of another log with the same commands.
#[derive(Clone, Default)]
struct AllStubs(Arc<Mutex<Vec<(Position, StreamName, Stub)>>>);

impl AllStubs {
    fn add(&self, log: &LogState) {
        let mut events = self.0.lock().unwrap();
        let known = events.last().map_or(Position::ZERO, |(_, _, stub)| stub.position);
        for (position, event) in log.order.range(known.next()..) {
            let Some(life) = log.life_of(event) else { continue };
            assert_eq!(*position, event.position);
            events.push((life.start, event.stream.clone(), Stub::of(event)));
        }
    }
}

impl AllStubs {
    /// Applies a command, and gives retention the stubs it wants. Events are evicted meanwhile.
    fn apply(&self, log: &mut LogState, stamp: Stamp, command: Command) -> Applied {
        let mut progress = log.apply(stamp, command);
        loop {
            match progress {
                Progress::Applied(applied) => return applied,
                Progress::Wants(wanted) => {
                    log.evict(log.hot_bytes / 2, Position::MAX, 3);
                    progress = log.resume(&wanted, self.found(&wanted));
                }
            }
        }
    }

    fn found(&self, wanted: &StubsWanted) -> StubsFound {
        let events = self.0.lock().unwrap();
        let of_run = |run: &RunWanted| {
            let of_life = events.iter().filter(|(start, _, _)| *start == run.life);
            let after = of_life.map(|(_, _, stub)| *stub).filter(|stub| stub.position > run.after);
            after.take(run.stubs).collect()
        };
        let in_order = |order: OrderWanted| {
            let after = events.iter().filter(|(_, _, stub)| stub.position > order.after);
            after.map(|(_, stream, stub)| (stream.clone(), *stub)).take(order.stubs).collect()
        };
        let order = wanted.order.map(in_order).unwrap_or_default();
        StubsFound { runs: wanted.runs.iter().map(of_run).collect(), order }
    }
}

fn states(log: &LogState) -> Vec<StreamState> {
    log.list(None, NonZeroUsize::MAX)
}

proptest! {
    #[test]
    fn a_log_whose_events_are_evicted_keeps_the_same(
        actions in prop::collection::vec(any_action(), 1..80),
        log_bytes_max in 2_000..8_000_u64,
        hot_bytes_max in 0..2_000_u64,
        restore_after in 0..80_usize,
    ) {
        let limits = EngineLimits { log_bytes_max, ..EngineLimits::default() };
        let all_stubs = AllStubs::default();
        let (mut whole, mut split) = (LogState::new(limits), LogState::new(limits));
        let (mut now, mut split_now) = (UnixMs(0), UnixMs(0));
        for (number, action) in actions.into_iter().enumerate() {
            run(&mut whole, &all_stubs, &mut now, action);
            all_stubs.add(&whole);
            run(&mut split, &all_stubs, &mut split_now, action);
            split.evict(hot_bytes_max, Position::MAX, usize::MAX);
            if number == restore_after {
                split = replay::restored(&split);
            }
            prop_assert_eq!((states(&split), split.tail()), (states(&whole), whole.tail()));
            prop_assert_eq!(split.lives_bytes, whole.lives_bytes);
        }
    }
}

#[test]
fn only_indexed_events_are_evicted() {
    let mut log = long(10);
    while log.evict(0, Position(4), 3) {}
    assert_eq!((log.evicted_upto(), log.order.len()), (Position(4), 6));
}

/// More streams than a read looks up by name, and between their events more of others than one scan visits.
fn sparse() -> LogState {
    let defaults = Settings { max_bytes: None, ..Settings::default() };
    let mut log = LogState::new(EngineLimits { defaults, ..EngineLimits::default() });
    for number in 0..=SCANNED {
        let stream = format!("s/{number}");
        append_one(&mut log, &stream, 1);
    }
    for _ in 0..=SCANNED {
        append_one(&mut log, "t", 1);
    }
    append_one(&mut log, "s/3", 1);
    log
}

#[test]
fn a_long_scan_is_cut_into_pieces() {
    let log = sparse();
    let mut place = Place::at(Position(SCANNED as u64 + 1));
    let first = whole(&log, &many("s/*"), place);
    assert_eq!((first.records.len(), first.stopped), (0, Stopped::Limits));
    assert!(first.upto > place.position());
    place = place.advanced_to(first.upto);
    let second = whole(&log, &many("s/*"), place);
    assert_eq!((second.records.len(), second.stopped), (1, Stopped::Tail));
}

fn located(log: &LogState, pattern: &str, events: u64) -> Position {
    let selection = many(pattern);
    let mut step = log.locate(&selection, StartFrom::Last(events));
    loop {
        match step {
            Locating::Ready(located) => return located.place.position(),
            Locating::More(search) => step = log.continue_search(search),
            Locating::Cold(search) => panic!("{search:?} in memory"),
        }
    }
}

#[test]
fn the_last_events_are_found_however_far_back() {
    let log = sparse();
    let place = |events| located(&log, "s/*", events);
    assert_eq!(place(1), Position(log.tail().0 - 1));
    assert_eq!(place(2), Position(SCANNED as u64));
    assert_eq!(place(SCANNED as u64 + 2), Position::ZERO);
    assert_eq!(place(u64::MAX), Position::ZERO);
}

#[test]
fn keys_that_are_forgotten_leave_nothing_behind() {
    let limits = EngineLimits { keys_max: 3, key_ttl: Duration::from_millis(10), ..EngineLimits::default() };
    let mut log = LogState::new(limits);
    for number in 0..9 {
        let key = IdempotencyKey::parse(&format!("k{number}")).unwrap();
        log.claim(log.next_stamp(UnixMs(number)), &name("a"), &key).unwrap();
        log.claim(log.next_stamp(UnixMs(number)), &name("a"), &key).unwrap();
        assert_eq!(log.keys.len(), (number as usize + 1).min(3));
    }
    while sweep(&mut log, UnixMs(18)) == Sweep::More {}
    assert_eq!(log.keys.len(), 0);
}

/// One stream with this many events.
fn long(events: usize) -> LogState {
    let defaults = Settings { max_bytes: None, ..Settings::default() };
    let mut log = LogState::new(EngineLimits { defaults, ..EngineLimits::default() });
    for _ in 0..events {
        append_one(&mut log, "t", 1);
    }
    log
}

#[test]
fn all_events_of_a_stream_share_its_name() {
    let log = long(3);
    let names: Vec<_> = log.order.values().map(|event| event.stream.as_str().as_ptr()).collect();
    assert!(names.iter().all(|text| *text == names[0]));
}

#[test]
fn streams_without_events_leave_room_for_events() {
    let mut log = LogState::new(EngineLimits { log_bytes_max: 40_000, ..EngineLimits::default() });
    let made = (0..1_000).take_while(|n| {
        matches!(put(&mut log, &format!("s/{n}"), SettingsPatch::default()), Reply::Put(Ok(_)))
    });
    assert!((10..40).contains(&made.count()));
    append_one(&mut log, "s/0", 20_000);
}

#[test]
fn losses_beyond_the_budget_are_told() {
    let mut log = sparse();
    for number in 0..=SCANNED {
        delete(&mut log, &format!("s/{number}"));
    }
    let nothing = many("*/nothing");
    let read = whole(&log, &nothing, Place::default());
    assert!(read.lost.is_some_and(|lost| lost.streams.is_empty()), "better once too often than never");
    assert!(read.horizon > Position::ZERO);
    let at_tail = whole(&log, &nothing, Place::at(log.tail()));
    assert_eq!((at_tail.lost, at_tail.horizon), (None, Position::ZERO));
}
