//! What the log's time does when the clock is set, as a table and as properties.

use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// What the wall clock says when a case begins.
const NOW: i64 = 1_890_000_000;
/// How long the machine has been up by then.
const UP: i64 = 3 * DAY;

/// A machine, with a wall clock that anybody may set.
struct World {
    wall: i64,
    steady: i64,
    clock: LogClock,
    said: Vec<ClockReport>,
}

fn secs(secs: i64) -> Duration {
    Duration::from_secs(u64::try_from(secs).unwrap_or_default())
}

fn reading(wall: i64, steady: i64) -> Reading {
    Reading { wall: secs(wall), steady: secs(steady) }
}

impl World {
    /// A server that has been running for some time, and whose log has events.
    fn running() -> Self {
        let clock = LogClock::start(None, Some(UnixMs(secs(NOW).as_millis() as u64)), reading(NOW, UP));
        let mut world = Self { wall: NOW, steady: UP, clock, said: Vec::new() };
        world.pass(MINUTE);
        assert_eq!(world.said, []);
        world
    }

    /// Time passes, in steps of a second, or larger ones if it is long.
    fn pass(&mut self, secs: i64) -> &mut Self {
        let step = (secs / 1_000).max(1);
        for _ in 0..secs / step {
            self.doze(step);
        }
        self.doze(secs % step)
    }

    /// The same, while nobody reads the clock.
    fn doze(&mut self, secs: i64) -> &mut Self {
        self.wall += secs;
        self.steady += secs;
        self.look()
    }

    fn look(&mut self) -> &mut Self {
        self.clock.read(reading(self.wall, self.steady));
        self.said.extend(std::iter::from_fn(|| self.clock.report()));
        self
    }

    /// Somebody sets the wall clock.
    fn set(&mut self, by: i64) -> &mut Self {
        self.wall += by;
        self.look()
    }

    /// The server is down for this long, and starts again.
    fn restart(&mut self, down: i64, boot: Boot, set: i64) -> &mut Self {
        let mark = self.clock.mark();
        self.wall += down + set;
        self.steady = if boot == Boot::Same { self.steady + down } else { UP };
        let last = Some(self.clock.now().time);
        self.clock = LogClock::start(Some((mark, boot)), last, reading(self.wall, self.steady));
        self.look()
    }

    /// How far the log's time is after what a right clock would have said, in seconds, and the same for its age.
    fn off(&self) -> (i64, i64) {
        let Now { time, age } = self.clock.now();
        let secs = |time: UnixMs| i64::try_from(time.0 / 1_000).unwrap();
        let right = NOW + self.steady - UP;
        (secs(time) - right, secs(age) - right)
    }
}

#[track_caller]
fn check(world: &mut World, off: (i64, i64), said: &[ClockReport]) {
    assert_eq!(world.off(), off, "the log's time, and its age");
    assert_eq!(std::mem::take(&mut world.said), said);
}

#[test]
fn while_it_runs_a_clock_that_is_set_moves_the_log_only_a_little() {
    let rows: &[(i64, i64, &[ClockReport])] = &[
        // Small steps are followed, and nobody is told.
        (SECOND, SECOND, &[]),
        (MINUTE, MINUTE, &[]),
        (MINUTE + 1, 0, &[ClockReport::Leapt(secs(MINUTE + 1))]),
        (HOUR, 0, &[ClockReport::Leapt(secs(HOUR))]),
        (YEAR, 0, &[ClockReport::Leapt(secs(YEAR))]),
        (500_000_000 * YEAR / 1_000, 0, &[ClockReport::Leapt(WALL_MAX - secs(NOW + MINUTE))]),
        (-SECOND, 0, &[]),
        (-MINUTE, 0, &[]),
        (-HOUR, 0, &[ClockReport::Ahead(secs(HOUR))]),
        (-YEAR, 0, &[ClockReport::Ahead(secs(YEAR))]),
        (-NOW - MINUTE, 0, &[ClockReport::Ahead(secs(NOW + MINUTE))]),
        (-2 * NOW, 0, &[ClockReport::Ahead(secs(NOW + MINUTE))]),
    ];
    for (set, off, said) in rows {
        let mut world = World::running();
        check(world.set(*set), (*off, *off), said);
    }
}

#[test]
fn a_short_visit_to_next_year_leaves_no_trace() {
    let mut world = World::running();
    world.set(YEAR).pass(HOUR / 2);
    check(&mut world, (0, 0), &[ClockReport::Leapt(secs(YEAR))]);
    check(world.set(-YEAR), (0, 0), &[ClockReport::Met]);
    check(world.pass(DAY), (0, 0), &[]);
}

#[test]
fn a_lasting_leap_is_believed_and_what_was_young_stays_young_for_a_week() {
    let mut world = World::running();
    world.set(YEAR).pass(HOUR - 2);
    check(&mut world, (0, 0), &[ClockReport::Leapt(secs(YEAR))]);
    check(world.pass(MINUTE), (YEAR, 0), &[ClockReport::Believed(secs(YEAR))]);
    check(world.pass(7 * DAY - HOUR), (YEAR, 0), &[]);
    check(world.pass(HOUR), (YEAR, YEAR), &[]);
}

#[test]
fn a_leap_that_changes_is_held_from_then_on() {
    let mut world = World::running();
    world.set(YEAR).pass(HOUR - MINUTE);
    check(world.set(YEAR), (0, 0), &[ClockReport::Leapt(secs(YEAR)), ClockReport::Leapt(secs(2 * YEAR))]);
    check(world.pass(HOUR - MINUTE), (0, 0), &[]);
    check(world.pass(2 * MINUTE), (2 * YEAR, 0), &[ClockReport::Believed(secs(2 * YEAR))]);
}

#[test]
fn a_log_that_is_ahead_runs_at_half_speed_until_they_meet_and_says_so_once() {
    let mut world = World::running();
    check(world.set(-HOUR), (0, 0), &[ClockReport::Ahead(secs(HOUR))]);
    check(world.pass(HOUR), (-HOUR / 2, -HOUR / 2), &[]);
    check(world.pass(HOUR), (-HOUR, -HOUR), &[ClockReport::Met]);
    check(world.pass(DAY), (-HOUR, -HOUR), &[]);
}

#[test]
fn after_a_long_visit_to_next_year_the_log_goes_on() {
    let mut world = World::running();
    world.set(YEAR).pass(2 * HOUR).set(-YEAR);
    let said =
        [ClockReport::Leapt(secs(YEAR)), ClockReport::Believed(secs(YEAR)), ClockReport::Ahead(secs(YEAR))];
    check(&mut world, (YEAR, 0), &said);
    // Its events still age, at half speed.
    check(world.pass(DAY), (YEAR - DAY / 2, -DAY / 2), &[]);
}

#[test]
fn a_machine_that_slept_did_not_leap() {
    let mut world = World::running();
    check(world.doze(3 * DAY), (0, 0), &[]);
}

#[test]
fn a_start_on_a_machine_that_stayed_up_continues_as_if_it_had_never_stopped() {
    // How long it was off, how its clock was set meanwhile, how far the log is off, what is reported.
    let rows: [(i64, i64, i64, &[ClockReport]); 8] = [
        (MINUTE, 0, 0, &[]),
        (2 * YEAR, 0, 0, &[]),
        (MINUTE, SECOND, SECOND, &[]),
        (MINUTE, HOUR, 0, &[ClockReport::Leapt(secs(HOUR))]),
        (MINUTE, YEAR, 0, &[ClockReport::Leapt(secs(YEAR))]),
        (0, -HOUR, 0, &[ClockReport::Ahead(secs(HOUR))]),
        (0, -YEAR, 0, &[ClockReport::Ahead(secs(YEAR))]),
        (0, -2 * NOW, 0, &[ClockReport::Unset, ClockReport::Ahead(secs(NOW + MINUTE))]),
    ];
    for (down, set, off, said) in rows {
        let mut world = World::running();
        check(world.restart(down, Boot::Same, set), (off, off), said);
    }
}

#[test]
fn a_start_on_a_machine_that_was_off_believes_its_clock_and_spares_what_is_there_for_an_hour() {
    let mut world = World::running();
    world.restart(2 * YEAR, Boot::Another, 0);
    // The steady clock began again: a right clock would say this.
    world.steady = UP + 2 * YEAR + MINUTE;
    world.clock.last.steady = secs(world.steady);
    world.clock.lag_until = secs(world.steady) + SPARED_AT_START;
    check(&mut world, (0, -2 * YEAR), &[ClockReport::Gap(secs(2 * YEAR))]);
    check(world.pass(HOUR - 1), (0, -2 * YEAR), &[]);
    check(world.pass(MINUTE), (0, 0), &[]);
}

#[test]
fn a_start_without_a_mark_has_the_last_event_to_go_by() {
    let last = |secs: i64| Some(UnixMs(u64::try_from(secs * 1_000).unwrap()));
    let rows: &[(Option<UnixMs>, i64, i64, &[ClockReport])] = &[
        (None, NOW, NOW, &[]),
        (None, 0, 0, &[ClockReport::Unset]),
        (last(NOW - HOUR), NOW, NOW, &[]),
        (last(NOW - DAY), NOW, NOW, &[]),
        (last(NOW - YEAR), NOW - YEAR, NOW, &[ClockReport::Gap(secs(YEAR))]),
        (last(NOW + MINUTE), NOW + MINUTE, NOW + MINUTE, &[]),
        (last(NOW + YEAR), NOW + YEAR, NOW + YEAR, &[ClockReport::Ahead(secs(YEAR))]),
        (last(NOW), NOW, NOW, &[]),
    ];
    for (last, age, time, said) in rows {
        let mut clock = LogClock::start(None, *last, reading(if last.is_none() { *time } else { NOW }, UP));
        let ms = |secs: i64| UnixMs(u64::try_from(secs * 1_000).unwrap());
        assert_eq!(clock.now(), Now { time: ms(*time), age: ms(*age) });
        let told: Vec<_> = std::iter::from_fn(|| clock.report()).collect();
        assert_eq!(told, *said);
    }
}

#[test]
fn a_clock_that_was_never_set_is_believed_when_it_is() {
    // Events dated 1970 are only moments old.
    let clock = LogClock::start(None, None, reading(20, UP));
    let mut world = World { wall: 20, steady: UP, clock, said: Vec::new() };
    world.pass(MINUTE).set(NOW - 20);
    let told = [ClockReport::Unset, ClockReport::Believed(secs(NOW - 20))];
    check(&mut world, (0, 20 - NOW), &told);
    check(world.pass(6 * DAY), (0, 20 - NOW), &[]);

    // The same where it is set while the server is down.
    let clock = LogClock::start(None, None, reading(20, UP));
    let mut world = World { wall: 20, steady: UP, clock, said: Vec::new() };
    world.pass(MINUTE).restart(MINUTE, Boot::Same, NOW - 20);
    check(&mut world, (0, 20 - NOW), &told);
}

#[test]
fn an_empty_log_has_no_time_to_hold_on_to() {
    let mut world = World::running();
    world.set(YEAR);
    world.clock.believe();
    let told = [ClockReport::Leapt(secs(YEAR)), ClockReport::Believed(secs(YEAR))];
    check(world.look(), (YEAR, YEAR), &told);
    let mark = world.clock.mark();
    world.clock = LogClock::start(Some((mark, Boot::Same)), None, reading(NOW + MINUTE, world.steady));
    assert_eq!(world.off(), (0, 0));
}

#[test]
fn a_machine_without_a_clock_continues_its_log_and_believes_the_first_time_it_gets() {
    let mut world = World::running();
    // Off for half a day: its clock begins in 1970, and is set.
    world.restart(DAY / 2, Boot::Another, -NOW - DAY);
    world.wall = 30;
    world.pass(MINUTE);
    assert_eq!(world.said.first(), Some(&ClockReport::Unset));
    world.said.clear();
    world.wall = NOW + DAY / 2;
    world.look();
    assert!(matches!(world.said.as_slice(), [ClockReport::Believed(_)]), "{:?}", world.said);
    assert_eq!(world.clock.now().time, UnixMs(secs(NOW + DAY / 2).as_millis() as u64));
    assert!(world.clock.now().age < world.clock.now().time);
    world.pass(2 * HOUR);
    assert_eq!(world.clock.now().age, world.clock.now().time);
}

#[test]
fn a_leap_each_night_does_not_put_off_dropping_forever() {
    let mut world = World::running();
    let mut least = DAY;
    for _ in 0..20 {
        world.set(8 * HOUR).pass(DAY);
        let (time, age) = world.off();
        least = least.min(time - age);
        assert!(time - age <= 8 * 8 * HOUR, "{}", time - age);
    }
    assert_eq!(least, 0, "now and then, everything old is dropped");
}

/// What can happen to the clocks of a machine.
#[derive(Clone, Copy, Debug)]
enum Act {
    Pass(u64),
    Set(i64),
    Restart(u64, bool),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..200_000_000_u64).prop_map(Act::Pass),
        prop_oneof![-100_i64..100, -4_000_i64..4_000, -40_000_000_i64..40_000_000].prop_map(Act::Set),
        (0..100_000_000_u64, any::<bool>()).prop_map(|(down, same)| Act::Restart(down, same)),
    ]
}

proptest! {
    #[test]
    fn the_logs_time_never_goes_back_and_its_age_goes_no_faster_than_it_may(
        acts in prop::collection::vec(any_act(), 1..60),
    ) {
        let mut wall = Duration::from_secs(1_790_000_000);
        let mut steady = Duration::from_secs(1_000);
        let mut clock = LogClock::start(None, None, Reading { wall, steady });
        for act in acts {
            let (before, drift) = (clock.now(), clock.drift());
            let mut passed = Duration::ZERO;
            match act {
                Act::Pass(us) => {
                    passed = Duration::from_micros(us);
                    (wall, steady) = (wall + passed, steady + passed);
                }
                Act::Set(by) if by < 0 => wall = wall.saturating_sub(Duration::from_secs(by.unsigned_abs())),
                Act::Set(by) => wall += Duration::from_secs(by.unsigned_abs()),
                Act::Restart(down, same) => {
                    let boot = if same { Boot::Same } else { Boot::Another };
                    passed = Duration::from_micros(down);
                    wall += passed;
                    let (mark, last) = (clock.mark(), clock.now().time);
                    steady = if same { steady + passed } else { Duration::from_secs(1_000) };
                    clock = LogClock::start(Some((mark, boot)), Some(last), Reading { wall, steady });
                }
            }
            let now = clock.read(Reading { wall, steady });
            prop_assert!(now.time >= before.time && now.age >= before.age, "{act:?} {before:?} {now:?}");
            prop_assert!(now.age <= now.time);
            // What would be dropped at once was nearly old enough before, or had its week or its hour.
            let aged = Duration::from_millis(now.age.0 - before.age.0);
            let may = passed + LEAP_MAX + GAP_MAX + Duration::from_millis(1);
            let was_spared = before.time != before.age;
            prop_assert!(aged <= may || was_spared, "{act:?} {drift:?} {before:?} {now:?}");
            while clock.report().is_some() {}
            prop_assert_eq!(clock.report(), None);
        }
    }
}
