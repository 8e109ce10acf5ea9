//! The log's time while the log is served: what an operator hears of it, and what the next start knows.
//!
//! Invariants: each change is reported once, with the distance and what to do; the mark in the folder is at most a
//! minute old. Does not decide what time it is: [`LogClock`](largesse::hub::log_clock::LogClock) does.

mod mark;

use std::{io, sync::Arc, time::Duration};

use largesse::{
    disk::io::Folder,
    hub::{Clock, MachineClock, log_clock::ClockReport},
    log::{Engine, Position},
};
use tokio::time::{MissedTickBehavior, interval};

use super::log::Log;
use crate::distance::distance;

/// How late a change may be reported.
const EVERY: Duration = Duration::from_secs(1);
/// After this many looks at the clock, the mark is saved.
const LOOKS_A_MARK: u32 = 60;

/// Added to the report of each leap.
const SPARED: &str = "what was published before does not age by that for 7 days";

/// The clock of the log that is being served.
#[derive(Debug)]
pub(super) struct ServedClock {
    clock: Arc<MachineClock>,
    /// Where marks are kept; none for a log in memory.
    folder: Option<Arc<Folder>>,
    boot: Option<String>,
}

impl ServedClock {
    /// Begins where the log's time was.
    pub(super) fn start(log: &Log) -> Self {
        let (folder, boot) = (log.folder(), mark::boot());
        let mark = folder.as_deref().and_then(|folder| mark::load(folder, boot.as_deref()));
        if let Some(Err(error)) = folder.as_deref().map(|folder| mark::make(folder)) {
            unkept(&error);
        }
        let clock = Arc::new(MachineClock::start(mark, log.last_time()));
        let served = Self { clock, folder, boot };
        served.tell();
        served
    }

    /// The clock, for everyone who needs the time.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::<MachineClock>::clone(&self.clock)
    }

    /// Watches it until this future is dropped, which leaves nothing half done.
    pub(super) async fn run(self: Arc<Self>, engine: Arc<dyn Engine>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for look in 0_u32.. {
            ticks.tick().await;
            if engine.tail() == Position::ZERO {
                self.clock.believe();
            }
            if self.tell() == Told::Something || look % LOOKS_A_MARK == 0 {
                self.keep().await;
            }
        }
    }

    /// Saves the mark for the next start. If that fails, the next start goes by the log's last time.
    pub(super) async fn keep(&self) {
        let (Some(folder), Some(boot)) = (self.folder.clone(), self.boot.clone()) else { return };
        let text = mark::text(&boot, &self.clock.mark());
        let kept = tokio::task::spawn_blocking(move || mark::keep(&*folder, &text)).await;
        if let Ok(Err(error)) = kept {
            unkept(&error);
        }
    }

    fn tell(&self) -> Told {
        let mut told = Told::Nothing;
        while let Some(report) = self.clock.report() {
            told = Told::Something;
            tell(report);
        }
        told
    }
}

fn unkept(error: &io::Error) {
    tracing::debug!(%error, "the log's time could not be saved for the next start");
}

/// Whether there was anything to report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Something,
    Nothing,
}

fn tell(report: ClockReport) {
    match report {
        ClockReport::Unset => tracing::warn!(
            "the machine's clock is before 2026: it is not set, or is wrong. Set it, or start the server after the clock \
             is set (systemd: After=time-sync.target)"
        ),
        ClockReport::Gap(by) => tracing::warn!(
            "the machine's clock is {} after the log's last time. If the clock is right, there is nothing to do. If it \
             is wrong, stop the server and set the clock within the hour: after that, what has expired by this clock \
             is dropped",
            distance(by)
        ),
        ClockReport::Leapt(by) => tracing::warn!(
            "the machine's clock leapt: it is {} ahead of the log's time, which does not follow. If the clock is \
             wrong, set it. If the leap lasts for an hour, it is believed; {SPARED}",
            distance(by)
        ),
        ClockReport::Believed(by) => tracing::warn!(
            "the machine's clock leapt {} ahead, and the log's time now follows it; {SPARED}, or for an hour if the \
             clock was not set before",
            distance(by)
        ),
        ClockReport::Ahead(by) => tracing::warn!(
            "the log's time is {} ahead of the machine's clock, and does not go back: events get times ahead of the \
             clock, which advance at half its speed until it has caught up in {}. If the clock is wrong, set it; max_age \
             and ttl_after_close last up to twice as long meanwhile",
            distance(by),
            distance(by.saturating_mul(2))
        ),
        ClockReport::Met => tracing::info!("the log's time and the machine's clock agree again"),
    }
}
