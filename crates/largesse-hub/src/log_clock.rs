//! The log's own time: it follows the machine's clock, but does not believe everything that clock says.
//!
//! A [`Reading`] has two clocks: the wall clock, which anybody may set, and a steady one, which nobody can set and
//! which goes on while the machine sleeps. When the two drift apart, somebody set the wall clock.
//!
//! Invariants:
//! - The log's time never goes back, and it never stops while the steady clock goes on.
//! - It is the wall clock's time, unless that is behind it, or leapt more than [`LEAP_MAX`] ahead of it.
//! - Where the wall clock is behind, the log's time runs at half speed until they meet: what is kept by its age is
//!   kept for at most twice as long.
//! - A leap ahead is held back until it has lasted for [`HELD`]; meanwhile the log's time follows the steady
//!   clock. A clock that was never set is believed at once when it is.
//! - Where the log's time does leap, what is kept by its age does not age by the leap for a while ([`SPARED`],
//!   [`SPARED_AT_START`]): `lag` is what is subtracted. So no leap drops at once what was young before it.
//!
//! Pure: the caller passes what the clocks say. Does not know what a log is, how an operator hears of it, or where a
//! [`ClockMark`] is kept.

use std::time::Duration;

use largesse_log::{Now, UnixMs};

/// A wall clock that is set ahead by less is followed at once: events are dropped too early by at most this much.
pub const LEAP_MAX: Duration = Duration::from_secs(60);
/// A leap of the wall clock is believed once it has lasted this long.
pub const HELD: Duration = Duration::from_secs(60 * 60);
/// For this long after a leap, the events before it don't age by it. The default of `stream.max_age`.
pub const SPARED: Duration = Duration::from_secs(7 * DAY_SECS);
/// The same for a clock that is set for the first time, and for a log whose last time is more than [`GAP_MAX`] before
/// the clock at start. Most likely the machine was off; its operator has time to check whether the clock is wrong.
pub const SPARED_AT_START: Duration = Duration::from_secs(60 * 60);
/// A log that was left alone for longer is not believed to be as old as the clock says, for [`SPARED_AT_START`].
pub const GAP_MAX: Duration = Duration::from_secs(DAY_SECS);
/// A wall clock before this was never set: 2026-01-01T00:00:00Z. No server of ours is older.
pub const SET_AFTER: Duration = Duration::from_secs(1_767_225_600);
/// The last time that can be written as text: close to the end of the year 9999. A wall clock beyond it stays here.
pub const WALL_MAX: Duration = Duration::from_secs(253_402_207_200);

const DAY_SECS: u64 = 24 * 60 * 60;

/// What the machine's clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Since 1970. Before that, zero.
    pub wall: Duration,
    /// Since some moment that stays the same until the machine reboots.
    pub steady: Duration,
}

/// Where the log's time was at some moment: for the next start, and the whole state except what was reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockMark {
    /// The log's time, since 1970.
    pub time: Duration,
    /// The steady clock at that moment.
    pub steady: Duration,
    /// By how much the log's age is behind its time.
    pub lag: Duration,
    /// For how much longer it is.
    pub lag_left: Duration,
    /// A leap ahead that is held back: for how long so far, and by how much.
    pub held: Option<(Duration, Duration)>,
}

/// Whether a mark's steady clock is still the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// The machine has been up since before the mark.
    Same,
    /// It rebooted since, or it is another machine, or nobody knows.
    Another,
}

/// How the wall clock compares with the log's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// They agree.
    Together,
    /// The wall clock is this far ahead, and is not believed yet.
    Held(Duration),
    /// The log's time is this far ahead, and runs at half speed.
    Ahead(Duration),
}

/// What an operator should hear, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockReport {
    /// At start: the wall clock was never set.
    Unset,
    /// At start: the wall clock is this far after the log's last time.
    Gap(Duration),
    /// The wall clock leapt, and is this far ahead of the log's time.
    Leapt(Duration),
    /// The leap, of this size, was believed.
    Believed(Duration),
    /// The log's time is this far ahead of the wall clock.
    Ahead(Duration),
    /// They agree again.
    Met,
}

/// A leap that is held back.
#[derive(Clone, Copy, Debug)]
struct Leap {
    /// On the steady clock.
    since: Duration,
    by: Duration,
}

/// The log's time.
#[derive(Clone, Debug)]
pub struct LogClock {
    time: Duration,
    last: Reading,
    lag: Duration,
    /// On the steady clock.
    lag_until: Duration,
    /// Set where the wall clock is ahead and not believed.
    held: Option<Leap>,
    /// What was reported last.
    reported: Drift,
    /// By how much the wall clock was ahead of the steady one at that time, in milliseconds.
    reported_offset_ms: i128,
    /// To be reported before anything else.
    unreported: [Option<ClockReport>; 2],
}

impl LogClock {
    /// Begins. `mark` is the last one of this log, `last` the time of its last event. A log that never had an event
    /// has no time to keep.
    #[must_use]
    pub fn start(mark: Option<(ClockMark, Boot)>, last: Option<UnixMs>, reading: Reading) -> Self {
        let reading = Reading { wall: reading.wall.min(WALL_MAX), ..reading };
        let mark = mark.filter(|_| last.is_some());
        let last = last.map(|last| Duration::from_millis(last.0));
        let mut clock = match mark {
            Some((mark, Boot::Same)) if mark.steady <= reading.steady => Self::go_on(mark, last, reading),
            mark => Self::begin(mark.map(|(mark, _)| mark), last, reading),
        };
        if reading.wall < SET_AFTER {
            clock.unreported[0] = Some(ClockReport::Unset);
        }
        clock
    }

    /// Begins without a steady clock from before: the wall clock is all there is to go by.
    fn begin(mark: Option<ClockMark>, last: Option<Duration>, reading: Reading) -> Self {
        let mut clock = Self::at(reading);
        let mark_time = mark.map(|mark| mark.time);
        let mark = mark.unwrap_or_default();
        (clock.lag, clock.lag_until) = (mark.lag, reading.steady.saturating_add(mark.lag_left));
        let Some(before) = mark_time.max(last) else { return clock };
        clock.time = before;
        let gap = reading.wall.saturating_sub(before);
        if gap > GAP_MAX {
            clock.leap(SPARED_AT_START);
            clock.unreported[1] = Some(ClockReport::Gap(gap));
        } else {
            clock.time = before.max(reading.wall);
        }
        clock
    }

    /// Continues as if it had never stopped.
    fn go_on(mark: ClockMark, last: Option<Duration>, reading: Reading) -> Self {
        // The mark does not hold the wall clock, but it shows whether it was set: the log's time followed it.
        let then = Reading { steady: mark.steady, wall: mark.time };
        let mut clock = Self::at(then);
        clock.time = last.map_or(mark.time, |last| last.max(mark.time));
        (clock.lag, clock.lag_until) = (mark.lag, mark.steady.saturating_add(mark.lag_left));
        clock.held = mark.held.map(|(held, by)| Leap { since: mark.steady.saturating_sub(held), by });
        _ = clock.read(reading);
        clock
    }

    fn at(reading: Reading) -> Self {
        Self {
            time: reading.wall,
            last: reading,
            lag: Duration::ZERO,
            lag_until: reading.steady,
            held: None,
            reported: Drift::Together,
            reported_offset_ms: offset_ms(reading),
            unreported: [None; 2],
        }
    }

    /// The time at a moment that is not before the last one.
    pub fn read(&mut self, reading: Reading) -> Now {
        let wall = reading.wall.min(WALL_MAX);
        let steady = reading.steady.max(self.last.steady);
        let passed = steady - self.last.steady;
        let before = self.time;
        let was_unset = self.last.wall < SET_AFTER && wall >= SET_AFTER;
        self.last = Reading { wall, steady };
        let went_on = self.time.saturating_add(passed);
        if wall > went_on.saturating_add(LEAP_MAX) {
            self.time = went_on;
            self.hold(wall - went_on, was_unset);
        } else {
            self.held = None;
            self.time = wall.max(self.time.saturating_add(passed / 2));
        }
        if steady >= self.lag_until {
            self.lag = Duration::ZERO;
        }
        if cfg!(debug_assertions) {
            assert!(before <= self.time, "the log's time never goes back");
            self.check_invariants();
        }
        self.now()
    }

    /// Checks what holds between two readings. Builds with debug assertions do after each.
    ///
    /// # Panics
    /// When something does not hold, which is a bug.
    pub fn check_invariants(&self) {
        let Reading { wall, steady } = self.last;
        assert!(wall <= WALL_MAX, "a wall clock beyond the last time stays there");
        assert!(self.now().age <= self.now().time, "the age is never ahead of the time");
        assert!(self.lag.is_zero() || steady < self.lag_until, "a lag ends");
        if let Some(leap) = self.held {
            assert!(leap.since <= steady && steady - leap.since < HELD, "a leap is held for at most an hour");
            assert!(wall > self.time, "what is held is ahead");
        }
    }

    /// Holds a leap back, or believes it.
    fn hold(&mut self, by: Duration, was_unset: bool) {
        let steady = self.last.steady;
        let same = self.held.filter(|held| held.by.abs_diff(by) <= LEAP_MAX);
        let held = *self.held.insert(same.unwrap_or(Leap { since: steady, by }));
        let spared = match was_unset {
            // What the log holds is only moments old, whatever its times say.
            true if self.time < SET_AFTER => SPARED,
            true => SPARED_AT_START,
            false if steady - held.since >= HELD => SPARED,
            false => return,
        };
        self.leap(spared);
        self.unreported[1] = Some(ClockReport::Believed(by));
    }

    /// Believes the wall clock without delay: nothing in the log could be too old yet.
    pub fn believe(&mut self) {
        let by = self.last.wall.saturating_sub(self.time);
        self.time = self.time.max(self.last.wall);
        self.held = None;
        if by > LEAP_MAX {
            self.unreported[1] = Some(ClockReport::Believed(by));
        }
    }

    /// Leaps to the wall clock's time. For the duration of `spared`, the age of what is in the log leaves the leap out.
    /// Many small leaps don't put that off forever: only one larger than all before it together starts the duration
    /// again.
    fn leap(&mut self, spared: Duration) {
        let leap = self.last.wall.saturating_sub(self.time);
        if leap > self.lag {
            self.lag_until = self.lag_until.max(self.last.steady.saturating_add(spared));
        }
        self.time = self.time.saturating_add(leap);
        self.lag = self.lag.saturating_add(leap);
        self.held = None;
    }

    /// The time as last read.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { time: unix_ms(self.time), age: unix_ms(self.time.saturating_sub(self.lag)) }
    }

    /// How the clocks compare.
    #[must_use]
    pub fn drift(&self) -> Drift {
        let Reading { wall, .. } = self.last;
        if self.held.is_some() {
            return Drift::Held(wall.saturating_sub(self.time));
        }
        match self.time.saturating_sub(wall) {
            Duration::ZERO => Drift::Together,
            ahead => Drift::Ahead(ahead),
        }
    }

    /// What is to be reported since the last call, if anything. Call it until it returns nothing.
    pub fn report(&mut self) -> Option<ClockReport> {
        if let Some(report) = self.unreported.iter_mut().find_map(Option::take) {
            if matches!(report, ClockReport::Believed(_)) {
                self.reported = Drift::Together;
            }
            self.reported_offset_ms = offset_ms(self.last);
            return Some(report);
        }
        let offset_ms = offset_ms(self.last);
        let was_set = offset_ms.abs_diff(self.reported_offset_ms) > LEAP_MAX.as_millis();
        let drift = self.drift();
        let report = match (self.reported, drift) {
            (Drift::Held(_), Drift::Held(by)) if was_set => ClockReport::Leapt(by),
            (Drift::Ahead(_), Drift::Ahead(by)) if was_set && by > LEAP_MAX => ClockReport::Ahead(by),
            (Drift::Held(_), Drift::Held(_)) | (Drift::Ahead(_), Drift::Ahead(_)) => return None,
            (_, Drift::Held(by)) => ClockReport::Leapt(by),
            (_, Drift::Ahead(by)) if by > LEAP_MAX => ClockReport::Ahead(by),
            (Drift::Together, _) => return None,
            (_, Drift::Together | Drift::Ahead(_)) => ClockReport::Met,
        };
        // A little ahead counts as in agreement.
        self.reported = if report == ClockReport::Met { Drift::Together } else { drift };
        self.reported_offset_ms = offset_ms;
        Some(report)
    }

    /// For the next start.
    #[must_use]
    pub fn mark(&self) -> ClockMark {
        let Reading { steady, .. } = self.last;
        ClockMark {
            time: self.time,
            steady,
            lag: self.lag,
            lag_left: self.lag_until.saturating_sub(steady),
            held: self.held.map(|held| (steady.saturating_sub(held.since), held.by)),
        }
    }
}

fn offset_ms(reading: Reading) -> i128 {
    let ms = |duration: Duration| i128::try_from(duration.as_millis()).unwrap_or(i128::MAX / 4);
    ms(reading.wall) - ms(reading.steady)
}

fn unix_ms(time: Duration) -> UnixMs {
    UnixMs(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
