//! The log's time while it is served: what an operator hears of it, and what the next start knows.
//!
//! Invariants: each change is told once, with the distance and what to do; the mark in the folder is at most a minute
//! old. Does not decide what time it is: [`LogClock`](largesse::hub::log_clock::LogClock) does.

mod mark;

use std::{sync::Arc, time::Duration};

use largesse::{
    disk::disk::Folder,
    hub::{Clock, MachineClock, log_clock::Change},
    log::{Engine, Position},
};
use tokio::time::{MissedTickBehavior, interval};

use super::log::Log;

/// How late a change may be told.
const EVERY: Duration = Duration::from_secs(1);
/// After so many looks at the clock, the mark is kept.
const LOOKS_A_MARK: u32 = 60;

/// What is said after each leap.
const SPARED: &str = "what was published before does not age by that for 7 days";

/// The clock of the log that is served.
#[derive(Debug)]
pub(super) struct ServedClock {
    clock: Arc<MachineClock>,
    /// Where marks are kept: not for a log in memory.
    folder: Option<Arc<Folder>>,
    boot: Option<String>,
}

impl ServedClock {
    /// Begins where the log's time was.
    pub(super) fn start(log: &Log) -> Self {
        let (folder, boot) = (log.folder(), mark::boot());
        let mark = folder.as_deref().and_then(|folder| mark::load(folder, boot.as_deref()));
        let clock = Arc::new(MachineClock::start(mark, log.last_time()));
        let served = Self { clock, folder, boot };
        served.tell();
        served
    }

    /// For whoever asks for the time.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::<MachineClock>::clone(&self.clock)
    }

    /// Looks at it until it is dropped; that leaves nothing half done.
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

    /// Leaves word for the next start. Where that fails, it goes by the log's last time.
    pub(super) async fn keep(&self) {
        let (Some(folder), Some(boot)) = (self.folder.clone(), self.boot.clone()) else { return };
        let text = mark::text(&boot, &self.clock.mark());
        let kept = tokio::task::spawn_blocking(move || mark::keep(&*folder, &text)).await;
        if let Ok(Err(error)) = kept {
            tracing::debug!(%error, "the log's time could not be written down for the next start");
        }
    }

    fn tell(&self) -> Told {
        let mut told = Told::Nothing;
        while let Some(change) = self.clock.change() {
            told = Told::Something;
            tell(change);
        }
        told
    }
}

/// Whether there was something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Something,
    Nothing,
}

fn tell(change: Change) {
    match change {
        Change::Unset => tracing::warn!(
            "the machine's clock is before 2026: it is not set, or is wrong. Set it, or start the server after the clock \
             is set (systemd: After=time-sync.target)"
        ),
        Change::Gap(by) => tracing::warn!(
            "the machine's clock is {} after the log's last time. If the clock is right, there is nothing to do. If it \
             is wrong, stop the server and set the clock within the hour: then what is past its time by this clock is \
             dropped",
            distance(by)
        ),
        Change::Leapt(by) => tracing::warn!(
            "the machine's clock leapt: it is {} ahead of the log's time, which goes on as if it had not. If the clock is \
             wrong, set it. It is believed when it has stayed so for an hour; {SPARED}",
            distance(by)
        ),
        Change::Believed(by) => tracing::warn!(
            "the machine's clock leapt {} ahead, and the log's time now follows it; {SPARED}, or for an hour where the \
             machine was just started",
            distance(by)
        ),
        Change::Ahead(by) => tracing::warn!(
            "the log's time is {} ahead of the machine's clock, and does not go back: events have times ahead of the \
             clock, at half its speed, until the clock has caught up in {}. If the clock is wrong, set it; max_age and \
             ttl_after_close last up to twice as long meanwhile",
            distance(by),
            distance(by.saturating_mul(2))
        ),
        Change::Met => tracing::info!("the log's time and the machine's clock agree again"),
    }
}

/// Such as `365 days` or `2 h 5 min`: the two largest units, rounded.
fn distance(by: Duration) -> String {
    let half = match by.as_secs() {
        86_400.. => 1_800_000,
        3_600.. => 30_000,
        _ => 500,
    };
    let secs = by.saturating_add(Duration::from_millis(half)).as_secs();
    let units = [("day", 86_400, u64::MAX), ("h", 3_600, 24), ("min", 60, 60), ("s", 1, 60)];
    let counted = units.map(|(unit, unit_secs, many)| (unit, secs / unit_secs % many));
    let from = counted.iter().position(|(_, count)| *count > 0).unwrap_or(counted.len() - 1);
    let shown = counted.iter().skip(from).take(2).filter(|(_, count)| *count > 0);
    let texts: Vec<String> =
        shown
            .map(|(unit, count)| {
                if *unit == "day" && *count > 1 { format!("{count} days") } else { format!("{count} {unit}") }
            })
            .collect();
    if texts.is_empty() { "less than a second".to_owned() } else { texts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_said_in_its_two_largest_units() {
        let rows = [
            (0, "less than a second"),
            (1, "1 s"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (3_661, "1 h 1 min"),
            (3_601, "1 h"),
            (365 * 86_400 - 1, "365 days"),
            (86_400, "1 day"),
            (365 * 86_400 + 3_700, "365 days 1 h"),
            (u64::MAX, "213503982334601 days 7 h"),
        ];
        for (secs, want) in rows {
            assert_eq!(distance(Duration::from_secs(secs)), want, "{secs}");
        }
    }
}
