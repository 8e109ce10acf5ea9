//! The machine's clocks, and the log's time derived from them.
//!
//! Invariants: only this file and `clock.rs` ask the system for the time; readings are taken one after another under a
//! lock, so the log's time never goes back for a writer. Does not decide anything: [`LogClock`] does.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use largesse_log::{Now, UnixMs};
use rustix::time::{ClockId, clock_gettime};

use crate::{
    Clock,
    log_clock::{Boot, ClockMark, ClockReport, LogClock, Reading},
};

/// The one that goes on while the machine sleeps: a night with a closed lid is not a leap.
#[cfg(target_os = "linux")]
const STEADY: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const STEADY: ClockId = ClockId::Monotonic;

/// The log's own time, derived from the machine's clocks.
#[derive(Debug)]
pub struct MachineClock {
    clock: Mutex<LogClock>,
    /// What it said last, for callers that need the time only roughly.
    last_ms: AtomicU64,
}

impl MachineClock {
    /// Begins. For the arguments see [`LogClock::start`].
    #[must_use]
    pub fn start(mark: Option<(ClockMark, Boot)>, last: Option<UnixMs>) -> Self {
        let clock = LogClock::start(mark, last, reading());
        let last_ms = AtomicU64::new(clock.now().time.0);
        Self { clock: Mutex::new(clock), last_ms }
    }

    /// What an operator should hear. Call it until it returns nothing.
    pub fn report(&self) -> Option<ClockReport> {
        let mut clock = self.lock();
        clock.read(reading());
        clock.report()
    }

    /// The log is empty: whatever the wall clock says is believed.
    pub fn believe(&self) {
        let mut clock = self.lock();
        clock.read(reading());
        clock.believe();
    }

    /// For the next start.
    pub fn mark(&self) -> ClockMark {
        let mut clock = self.lock();
        clock.read(reading());
        clock.mark()
    }

    /// Nothing that runs under the lock panics.
    fn lock(&self) -> MutexGuard<'_, LogClock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, clock: &mut LogClock) -> Now {
        let now = clock.read(reading());
        self.last_ms.store(now.time.0, Ordering::Relaxed);
        now
    }
}

impl Clock for MachineClock {
    /// Many readers ask at once: one that finds the lock taken uses the last answer.
    fn now(&self) -> UnixMs {
        match self.clock.try_lock() {
            Ok(mut clock) => self.read(&mut clock).time,
            Err(TryLockError::Poisoned(clock)) => self.read(&mut clock.into_inner()).time,
            Err(TryLockError::WouldBlock) => UnixMs(self.last_ms.load(Ordering::Relaxed)),
        }
    }

    fn now_for_step(&self) -> Now {
        self.read(&mut self.lock())
    }
}

fn reading() -> Reading {
    // A clock set before 1970 counts as 1970.
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let steady = Duration::try_from(clock_gettime(STEADY)).unwrap_or_default();
    Reading { wall, steady }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_machine_whose_clock_is_right_the_logs_time_is_the_machines() {
        let clock = MachineClock::start(None, None);
        let before = reading().wall.as_millis();
        let now = clock.now_for_step();
        assert_eq!(now.time, now.age);
        assert!(u128::from(now.time.0) >= before);
        assert!(clock.now() >= now.time);
        assert_eq!(clock.report(), None);
    }
}
