//! The clocks of a run. They advance when told to, and sometimes the wall clock is set, a little or far, as clocks are.
//! The log's own time is derived from them exactly as in a server.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use largesse_hub::{
    Clock,
    log_clock::{Boot, LogClock, Reading},
};
use largesse_log::{Now, UnixMs};

use crate::shared_rng::SharedRng;

/// When a run begins: at some time at which a wall clock counts as set.
const BEGIN: Duration = Duration::from_secs(1_800_000_000);
const HOUR_MS: u64 = 60 * 60 * 1_000;

#[derive(Debug)]
pub(crate) struct SimClock(Mutex<Clocks>);

#[derive(Debug)]
struct Clocks {
    reading: Reading,
    log: LogClock,
}

impl SimClock {
    pub(crate) fn new() -> Self {
        let reading = Reading { wall: BEGIN, steady: Duration::from_secs(3_600) };
        Self(Mutex::new(Clocks { reading, log: LogClock::start(None, None, reading) }))
    }

    /// Mostly advances; sometimes sets the wall clock.
    pub(crate) fn pass(&self, rng: &SharedRng) {
        let mut clocks = self.clocks();
        let (both, ahead, back) = match rng.below(32) {
            0..4 => (0, 0, rng.below(30)),
            4..8 => (rng.below(100), 0, 0),
            8..12 => (rng.below(40_000), 0, 0),
            12 => (0, rng.below(100_000), 0),
            13 => (0, rng.below(300 * 24 * HOUR_MS), 0),
            14 => (0, 0, rng.below(300 * 24 * HOUR_MS)),
            15 => (rng.below(2 * HOUR_MS), 0, 0),
            _ => (rng.below(10), 0, 0),
        };
        let Reading { wall, steady } = clocks.reading;
        let [both, ahead, back] = [both, ahead, back].map(Duration::from_millis);
        clocks.reading = Reading { wall: (wall + both + ahead).saturating_sub(back), steady: steady + both };
        clocks.now();
    }

    /// The server starts again, and finds the mark that was left.
    pub(crate) fn restart(&self) {
        let mut clocks = self.clocks();
        let (mark, last, reading) = (clocks.log.mark(), clocks.log.now().time, clocks.reading);
        clocks.log = LogClock::start(Some((mark, Boot::Same)), Some(last), reading);
    }

    fn clocks(&self) -> MutexGuard<'_, Clocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clocks {
    fn now(&mut self) -> Now {
        self.log.read(self.reading)
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMs {
        self.clocks().now().time
    }

    fn now_for_step(&self) -> Now {
        self.clocks().now()
    }
}
