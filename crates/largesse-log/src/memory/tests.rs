//! What only this engine promises: its sums and indexes agree, and its looks are bounded.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use largesse_wire::EventData;
use proptest::prelude::*;

use super::{
    life::entry_bytes,
    locate::Locating,
    log::MemoryLog,
    work::{DROPS_MAX, WORK_MAX},
};
use crate::{
    Append, Change, EngineLimits, IdempotencyKey, NewEvent, Once, Place, Position, Put, ReadLimits,
    Selection, Selector, Settings, SettingsPatch, StartFrom, Stopped, StreamName, Sweep, Then, UnixMs,
};

/// How many events of short names one walk for one short pattern looks at: each costs two units.
const WALKED: usize = WORK_MAX as usize / 2;

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
    Append { stream: name(stream), events, then, once: Once::Unkeyed }
}

/// The invariants of `log.rs`, `pasts.rs` and `losses.rs`, from nothing but the entries.
#[track_caller]
fn check(log: &MemoryLog, now: UnixMs) {
    let lives = || log.lives.iter();
    let events: Vec<_> = lives().flat_map(|(_, life)| life.events.iter()).collect();
    let buried: Vec<_> = log.graves.iter().flatten().collect();
    assert!(
        log.order
            .values()
            .all(|event| log.life_of(event).is_some() || buried.iter().any(|b| Arc::ptr_eq(b, event)))
    );
    assert!(
        events.iter().all(|event| log.order.get(&event.position).is_some_and(|at| Arc::ptr_eq(at, event)))
    );
    assert_eq!(log.events_bytes, log.order.values().map(|event| event.counted_bytes()).sum::<u64>());
    let lives_events_bytes = events.iter().map(|event| event.counted_bytes()).sum::<u64>();
    assert_eq!(lives_events_bytes, lives().map(|(_, life)| life.bytes).sum::<u64>());
    assert_eq!(log.lives_bytes, lives().map(|(name, _)| entry_bytes(name)).sum::<u64>());
    assert_eq!(log.pasts.bytes, log.pasts.by_name.keys().map(entry_bytes).sum::<u64>());
    assert!(log.bytes() <= log.limits.log_bytes_max);
    assert!(log.pasts.by_name.len() <= log.limits.tombstones_max);
    assert_eq!(log.due.len(), lives().filter(|(_, life)| life.scheduled.is_some()).count());
    let mut losses: Vec<_> = lives().filter_map(|(name, life)| Some((life.trim?.upto, name))).collect();
    losses.extend(log.pasts.by_name.iter().filter_map(|(name, past)| Some((past.loss?.upto, name))));
    losses.sort();
    let mut indexed: Vec<_> = log.losses.reaching_beyond(Position::ZERO).collect();
    indexed.sort();
    assert_eq!(indexed, losses);
    assert_eq!(log.losses.recorded_after(Place::default()).count(), losses.len());
    for (name, life) in lives() {
        check_life(log, name, now);
        assert!(life.events.front().is_none_or(|first| first.position >= life.start));
        assert!(
            life.end.is_none_or(|end| life.events.back().is_none_or(|last| last.position < end.position))
        );
    }
}

#[track_caller]
fn check_life(log: &MemoryLog, name: &StreamName, now: UnixMs) {
    let life = &log.lives[name];
    if let Some(due) = life.due() {
        let scheduled = life.scheduled.expect("time will take something");
        assert!(scheduled <= due, "{name} is looked at in time, at {now:?}");
        assert!(log.due.contains(&(scheduled, name.clone())));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Append(usize, usize, Then),
    Put(Option<u64>, u64, usize),
    Delete(usize),
    Sweep,
    Pass(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let then = prop_oneof![4 => Just(Then::StayOpen), 1 => Just(Then::Close)];
    prop_oneof![
        8 => (0..5_usize, 0..900_usize, then).prop_map(|(stream, bytes, then)| Step::Append(stream, bytes, then)),
        2 => (prop::option::of(1..4_u64), 0..200_u64, 0..5_usize).prop_map(|(most, age, s)| Step::Put(most, age, s)),
        2 => (0..5_usize).prop_map(Step::Delete),
        1 => Just(Step::Sweep),
        2 => (0..100_u64).prop_map(Step::Pass),
    ]
}

fn take(log: &mut MemoryLog, now: &mut UnixMs, step: Step) {
    let streams = ["a", "b", "c/1", "c/2", "long/name"];
    match step {
        Step::Append(stream, bytes, then) => {
            _ = log.append(*now, append(streams[stream], bytes, then)).answer
        }
        Step::Put(max_events, age_ms, stream) => {
            let settings = SettingsPatch {
                max_events: Change::Set(max_events),
                max_age: Change::Set(Some(Duration::from_millis(age_ms))),
                ttl_after_close: Change::Set(Duration::from_millis(age_ms)),
                ..SettingsPatch::default()
            };
            _ = log.put(*now, &name(streams[stream]), &Put { settings });
        }
        Step::Delete(stream) => _ = log.delete(&name(streams[stream])).answer,
        Step::Sweep => _ = log.sweep_step(*now),
        Step::Pass(ms) => now.0 += ms,
    }
}

proptest! {
    #[test]
    fn sums_and_indexes_agree_after_each_step(
        steps in prop::collection::vec(any_step(), 1..80),
        log_bytes_max in 0..8_000_u64,
        tombstones_max in 0..3_usize,
    ) {
        let limits = EngineLimits { log_bytes_max, tombstones_max, ..EngineLimits::default() };
        let (mut log, mut now) = (MemoryLog::new(limits), UnixMs(0));
        for step in steps {
            take(&mut log, &mut now, step);
            check(&log, now);
        }
    }
}

/// More streams than a read looks at by name, and between their events more of others than it walks over.
fn sparse() -> MemoryLog {
    let defaults = Settings { max_bytes: None, ..Settings::default() };
    let mut log = MemoryLog::new(EngineLimits { defaults, ..EngineLimits::default() });
    for number in 0..=WALKED {
        let stream = format!("s/{number}");
        log.append(UnixMs(0), append(&stream, 1, Then::StayOpen)).answer.unwrap();
    }
    for _ in 0..=WALKED {
        log.append(UnixMs(0), append("t", 1, Then::StayOpen)).answer.unwrap();
    }
    log.append(UnixMs(0), append("s/3", 1, Then::StayOpen)).answer.unwrap();
    log
}

#[test]
fn a_long_walk_is_cut_into_pieces() {
    let log = sparse();
    let mut place = Place::at(Position(WALKED as u64 + 1));
    let first = log.read(&many("s/*"), place, EVERYTHING).unwrap();
    assert_eq!((first.records.len(), first.stopped), (0, Stopped::Limits));
    assert!(first.upto > place.position());
    place = place.advanced_to(first.upto);
    let second = log.read(&many("s/*"), place, EVERYTHING).unwrap();
    assert_eq!((second.records.len(), second.stopped), (1, Stopped::Tail));
}

fn located(log: &MemoryLog, pattern: &str, events: u64) -> Position {
    let selection = many(pattern);
    let mut step = log.locate(&selection, StartFrom::Last(events));
    loop {
        match step {
            Locating::Found(located) => return located.place.position(),
            Locating::GoOn(back) => step = log.locate_back(&selection, back),
        }
    }
}

#[test]
fn the_last_events_are_found_however_far_back() {
    let log = sparse();
    let place = |events| located(&log, "s/*", events);
    assert_eq!(place(1), Position(log.tail().0 - 1));
    assert_eq!(place(2), Position(WALKED as u64));
    assert_eq!(place(WALKED as u64 + 2), Position::ZERO);
    assert_eq!(place(u64::MAX), Position::ZERO);
}

#[test]
fn the_memory_of_what_is_gone_gives_way_to_events() {
    let limits = EngineLimits { log_bytes_max: 20_000, ..EngineLimits::default() };
    let mut log = MemoryLog::new(limits);
    for number in 0..100 {
        let stream = format!("gone/{number}");
        log.append(UnixMs(0), append(&stream, 1, Then::StayOpen)).answer.unwrap();
        log.delete(&name(&stream));
    }
    for events in 1..10 {
        log.append(UnixMs(0), append("t", 1_000, Then::StayOpen)).answer.unwrap();
        assert_eq!(log.state(&name("t")).unwrap().events, events);
        check(&log, UnixMs(0));
    }
}

#[test]
fn keys_that_are_forgotten_leave_nothing_behind() {
    let limits = EngineLimits { keys_max: 3, key_ttl: Duration::from_millis(10), ..EngineLimits::default() };
    let mut log = MemoryLog::new(limits);
    for number in 0..9 {
        let key = IdempotencyKey::parse(&format!("k{number}")).unwrap();
        log.claim(UnixMs(number), &name("a"), &key).unwrap();
        log.claim(UnixMs(number), &name("a"), &key).unwrap();
        assert_eq!(log.keys.len(), (number as usize + 1).min(3));
    }
    while log.sweep_step(UnixMs(18)) == Sweep::More {}
    assert_eq!(log.keys.len(), 0);
}

/// One stream with this many events.
fn long(events: usize) -> MemoryLog {
    let defaults = Settings { max_bytes: None, ..Settings::default() };
    let mut log = MemoryLog::new(EngineLimits { defaults, ..EngineLimits::default() });
    for _ in 0..events {
        log.append(UnixMs(0), append("t", 1, Then::StayOpen)).answer.unwrap();
    }
    log
}

#[test]
fn a_large_stream_is_gone_at_once_and_its_memory_piece_by_piece() {
    let mut log = long(3 * DROPS_MAX);
    log.delete(&name("t"));
    assert_eq!(log.order.len(), 3 * DROPS_MAX);
    let read = log.read(&many("*"), Place::default(), EVERYTHING).unwrap();
    assert!(read.records.is_empty(), "nobody reads what is gone");
    assert_eq!(located(&log, "*", 1), Position::ZERO);
    log.append(UnixMs(0), append("t", 1, Then::StayOpen)).answer.unwrap();
    for _ in 0..3 {
        check(&log, UnixMs(0));
        assert_eq!(log.sweep_step(UnixMs(0)), Sweep::More);
    }
    while log.sweep_step(UnixMs(0)) == Sweep::More {}
    assert_eq!((log.order.len(), log.graves.len()), (1, 0));
    check(&log, UnixMs(0));
}

#[test]
fn what_new_settings_make_too_much_goes_piece_by_piece() {
    let mut log = long(3 * DROPS_MAX);
    let settings = SettingsPatch { max_events: Change::Set(Some(1)), ..SettingsPatch::default() };
    log.put(UnixMs(0), &name("t"), &Put { settings }).unwrap();
    assert_eq!(log.state(&name("t")).unwrap().events as usize, 2 * DROPS_MAX);
    while log.sweep_step(UnixMs(0)) == Sweep::More {
        check(&log, UnixMs(0));
    }
    assert_eq!(log.state(&name("t")).unwrap().events, 1);
}

#[test]
fn a_publish_pushes_out_as_many_as_it_puts_in() {
    let mut log = long(2);
    let settings = SettingsPatch { max_events: Change::Set(Some(2)), ..SettingsPatch::default() };
    log.put(UnixMs(0), &name("t"), &Put { settings }).unwrap();
    let events = vec![NewEvent { name: None, data: EventData::parse("x").unwrap() }; 2 * DROPS_MAX];
    let append = Append { stream: name("t"), events, then: Then::StayOpen, once: Once::Unkeyed };
    log.append(UnixMs(0), append).answer.unwrap();
    assert_eq!(log.state(&name("t")).unwrap().events, 2);
}

#[test]
fn all_events_of_a_stream_share_its_name() {
    let log = long(3);
    let names: Vec<_> = log.order.values().map(|event| event.stream.as_str().as_ptr()).collect();
    assert!(names.iter().all(|text| *text == names[0]));
}

#[test]
fn streams_without_events_leave_room_for_events() {
    let mut log = MemoryLog::new(EngineLimits { log_bytes_max: 40_000, ..EngineLimits::default() });
    let made =
        (0..1_000).take_while(|n| log.put(UnixMs(0), &name(&format!("s/{n}")), &Put::default()).is_ok());
    assert!((10..40).contains(&made.count()));
    log.append(UnixMs(0), append("s/0", 20_000, Then::StayOpen)).answer.unwrap();
}

#[test]
fn losses_that_could_not_all_be_looked_at_are_told() {
    let mut log = sparse();
    for number in 0..=WALKED {
        log.delete(&name(&format!("s/{number}")));
    }
    let nothing = many("*/nothing");
    let read = log.read(&nothing, Place::default(), EVERYTHING).unwrap();
    assert!(read.lost.is_some_and(|lost| lost.streams.is_empty()), "better once too often than never");
    assert!(read.horizon > Position::ZERO);
    let at_tail = log.read(&nothing, Place::at(log.tail()), EVERYTHING).unwrap();
    assert_eq!((at_tail.lost, at_tail.horizon), (None, Position::ZERO));
}
