//! Steps that are taken again, after a restart, come to the same log.

use super::*;

/// An archive that was cleaned has less to pass over than it had when the steps were first taken.
#[test]
fn steps_that_drop_more_when_they_are_taken_again_leave_events_in_their_places() {
    let everything = Everything::default();
    let limits = EngineLimits { log_bytes_max: 20_000, ..EngineLimits::default() };
    let mut first = LogState::new(limits, Box::new(everything.clone()));
    let settings = SettingsPatch { max_events: Change::Set(Some(1)), ..SettingsPatch::default() };
    first.put(first.next_stamp(UnixMs(0)), &name("t"), &Put { settings }).unwrap();
    let put = |log: &mut LogState, stamp, stream, bytes| {
        log.append(stamp, append(stream, bytes, Then::StayOpen)).answer.unwrap().position
    };
    for _ in 0..6_000 {
        let stamp = first.next_stamp(UnixMs(0));
        put(&mut first, stamp, "t", 1);
        everything.add(&first);
        first.settle(0, Position::MAX, usize::MAX);
    }
    let cleaned = Everything::default();
    let last = everything.0.lock().unwrap().last().cloned();
    cleaned.0.lock().unwrap().extend(last);
    let mut again = restored(&first, cleaned.clone());
    let mut recorded_more = 0;
    for _ in 0..40 {
        let stamp = first.next_stamp(UnixMs(0));
        let position = put(&mut first, stamp, "u", 1_000);
        everything.add(&first);
        cleaned.add(&first);
        first.settle(0, Position::MAX, usize::MAX);
        recorded_more += usize::from(again.tail() >= stamp.base);
        again.go_back_before(stamp);
        assert_eq!(put(&mut again, stamp, "u", 1_000), position);
        again.settle(0, Position::MAX, usize::MAX);
    }
    assert!(recorded_more > 0, "or it shows nothing");
    assert_eq!(states(&again), states(&first));
}

/// A step that stands in a log: what it was, where, and the streams that its sweep took.
struct Written(Step, Stamp, Vec<StreamName>);

/// Takes a step, and writes down what is needed to take it again.
fn written(log: &mut LogState, now: &mut UnixMs, step: Step) -> Written {
    let stamp = log.next_stamp(*now);
    let streams = log.due_streams(*now, SWEPT);
    match step {
        Step::Sweep => sweep(log, stamp, &streams),
        step => take(log, now, step),
    }
    Written(step, stamp, streams)
}

/// How many streams one step of the test sweeps: fewer than may be due.
const SWEPT: usize = 1;

/// Steps among which time takes much.
fn any_step_of_time() -> impl Strategy<Value = Step> {
    let put = (1..3_u64, 0..40_u64, 0..5_usize).prop_map(|(most, age, s)| Step::Put(Some(most), age, s));
    prop_oneof![4 => any_step(), 2 => Just(Step::Sweep), 1 => put]
}

fn sweep(log: &mut LogState, stamp: Stamp, streams: &[StreamName]) {
    for stream in streams {
        let base = stamp.base.max(log.tail().next());
        log.sweep_step(Stamp { base, ..stamp }, Some(stream));
    }
}

proptest! {
    /// What a checkpoint does not carry makes no difference to the steps after it.
    #[test]
    fn a_log_that_is_restored_and_takes_the_same_steps_comes_to_the_same(
        steps in prop::collection::vec(any_step_of_time(), 1..120),
        log_bytes_max in 3_000..9_000_u64,
        restore_after in 0..60_usize,
    ) {
        let limits = EngineLimits { log_bytes_max, tombstones_max: 3, ..EngineLimits::default() };
        let everything = Everything::default();
        let mut first = LogState::new(limits, Box::new(NoArchive));
        let (mut again, mut now) = (None, UnixMs(0));
        for (number, step) in steps.into_iter().enumerate() {
            let Written(step, stamp, streams) = written(&mut first, &mut now, step);
            everything.add(&first);
            if let Some(again) = &mut again {
                match step {
                    Step::Sweep => sweep(again, stamp, &streams),
                    step => take(again, &mut now.clone(), step),
                }
                prop_assert_eq!((states(again), again.tail()), (states(&first), first.tail()));
                prop_assert!(again.snapshot().tombstones().eq(first.snapshot().tombstones()));
                let losses = |log: &LogState| -> Vec<_> {
                    let all = log.losses.recorded_after(Place::default());
                    all.map(|(loss, name)| (loss, name.clone())).collect()
                };
                prop_assert_eq!(losses(again), losses(&first));
            }
            if number == restore_after {
                again = Some(restored(&first, everything.clone()));
            }
        }
    }
}

/// The log after a restart.
pub(super) fn restored(log: &LogState, archive: Everything) -> LogState {
    let snapshot = log.snapshot();
    let mut restored = LogState::restored(&snapshot.head, Box::new(archive));
    snapshot.lives().for_each(|life| restored.restore_life(&life));
    snapshot.tombstones().for_each(|tombstone| restored.restore_tombstone(&tombstone));
    snapshot.keys().for_each(|key| restored.restore_key(key));
    snapshot.damages().for_each(|damage| restored.restore_damage(damage));
    let again = restored.snapshot();
    assert_eq!(again.head, snapshot.head);
    let by_name = |snapshot: &Snapshot| {
        let lives = snapshot.lives().map(|life| (life.stream.clone(), life));
        lives.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(by_name(&again), by_name(&snapshot));
    assert!(again.tombstones().eq(snapshot.tombstones()));
    assert!(again.keys().eq(snapshot.keys()));
    restored
}
