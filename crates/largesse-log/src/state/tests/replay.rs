//! Commands that are replayed after a restart give the same log.

use super::*;

/// After a compaction there are fewer cold events to skip than when the commands were first applied.
#[test]
fn commands_that_drop_more_when_replayed_keep_the_positions_of_events() {
    let all_stubs = AllStubs::default();
    let limits = EngineLimits { log_bytes_max: 20_000, ..EngineLimits::default() };
    let mut first = LogState::new(limits);
    put(&mut first, "t", at_most(1));
    let push = |all_stubs: &AllStubs, log: &mut LogState, stamp, stream, bytes| {
        let command = Command::Append(append(stream, bytes, Then::StayOpen));
        match all_stubs.apply(log, stamp, command).reply {
            Reply::Append(Ok(appended)) => appended.position,
            reply => panic!("{reply:?}"),
        }
    };
    for _ in 0..6_000 {
        let stamp = first.next_stamp(UnixMs(0));
        push(&all_stubs, &mut first, stamp, "t", 1);
        all_stubs.add(&first);
        first.evict(0, Position::MAX, usize::MAX);
    }
    let compacted = AllStubs::default();
    let last = all_stubs.0.lock().unwrap().last().cloned();
    compacted.0.lock().unwrap().extend(last);
    let mut again = restored(&first);
    let mut recorded_more = 0;
    for _ in 0..40 {
        let stamp = first.next_stamp(UnixMs(0));
        let position = push(&all_stubs, &mut first, stamp, "u", 1_000);
        all_stubs.add(&first);
        compacted.add(&first);
        first.evict(0, Position::MAX, usize::MAX);
        recorded_more += usize::from(again.tail() >= stamp.base);
        again.rewind_before(stamp);
        assert_eq!(push(&compacted, &mut again, stamp, "u", 1_000), position);
        again.evict(0, Position::MAX, usize::MAX);
    }
    assert!(recorded_more > 0, "otherwise the test proves nothing");
    assert_eq!(states(&again), states(&first));
}

/// Actions with much expiry.
fn any_timed_action() -> impl Strategy<Value = Action> {
    let put = (1..3_u64, 0..40_u64, 0..5_usize).prop_map(|(most, age, s)| Action::Put(Some(most), age, s));
    prop_oneof![4 => any_action(), 2 => Just(Action::Sweep), 1 => put]
}

proptest! {
    /// State that a checkpoint does not have makes no difference to the commands after it.
    #[test]
    fn a_restored_log_that_replays_the_same_commands_is_the_same(
        actions in prop::collection::vec(any_timed_action(), 1..120),
        log_bytes_max in 3_000..9_000_u64,
        restore_after in 0..60_usize,
    ) {
        let limits = EngineLimits { log_bytes_max, tombstones_max: 3, ..EngineLimits::default() };
        let all_stubs = AllStubs::default();
        let mut first = LogState::new(limits);
        let (mut again, mut now) = (None, UnixMs(0));
        for (number, action) in actions.into_iter().enumerate() {
            let (stamp, command) = (first.next_stamp(now), command(&first, now, action));
            if let Action::Pass(ms) = action {
                now.0 += ms;
            }
            if let Some(command) = command.clone() {
                all_stubs.apply(&mut first, stamp, command);
            }
            all_stubs.add(&first);
            if let Some(again) = &mut again {
                if let Some(command) = command {
                    all_stubs.apply(again, stamp, command);
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
                again = Some(restored(&first));
            }
        }
    }
}

/// The log after a restart.
pub(super) fn restored(log: &LogState) -> LogState {
    let snapshot = log.snapshot();
    let mut restored = LogState::restored(&snapshot.head);
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
