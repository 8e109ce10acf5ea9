//! When to connect again.
//!
//! Pure: it takes what happened and a random number from `0.0..1.0`, and returns how long to wait. Invariants: a wait is
//! never shorter than the server asked for, within [`ReconnectLimits`]; growing waits stop growing at `grown_max`.

use std::time::Duration;

/// Bounds of the waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectLimits {
    /// The wait if the server asked for none, and after a first failure.
    pub first: Duration,
    /// The longest wait that failures lead to, unless the server asked for more.
    pub grown_max: Duration,
    /// The shortest wait that a server may ask for.
    pub asked_min: Duration,
    /// The longest wait that a server may ask for.
    pub asked_max: Duration,
}

impl Default for ReconnectLimits {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            grown_max: Duration::from_secs(30),
            asked_min: Duration::from_millis(100),
            asked_max: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Waits that double with each failure in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    grown_max: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits that begin with `first` and grow to `grown_max`.
    #[must_use]
    pub fn new(first: Duration, grown_max: Duration) -> Self {
        Self { first, grown_max, failures: 0 }
    }

    /// Another failure. Returns how long to wait: between half and all of the doubled wait.
    pub fn handle_failure(&mut self, draw: f64) -> Duration {
        // 2^16 times a first wait of a millisecond or more is over a minute.
        let doubled = self.first.saturating_mul(1 << self.failures.min(16)).min(self.grown_max);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(0.5 + within_one(draw) / 2.0)
    }

    /// It worked: the next failure counts as the first.
    pub fn handle_success(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectKind {
    /// The server ended the answer properly, and may be asked again.
    Ended,
    /// The server could not be reached, was silent for too long, or the connection was cut.
    Failed,
    /// The server answered that it can't serve now, possibly with a wait in `Retry-After`.
    Away(Option<Duration>),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// How long to wait before the next attempt.
    pub wait: Duration,
    /// Failures in a row, including this one; 0 if the connection ended properly.
    pub failures: u32,
}

/// A reader's way back to its server.
#[derive(Clone, Debug)]
pub struct Reconnect {
    limits: ReconnectLimits,
    backoff: Backoff,
    retry: Duration,
}

impl Reconnect {
    /// A reader that has not lost a connection yet.
    #[must_use]
    pub fn new(limits: ReconnectLimits) -> Self {
        Self { limits, backoff: Backoff::new(limits.first, limits.grown_max), retry: limits.first }
    }

    /// The server lets the reader in. Returns how many failures in a row there were before.
    pub fn handle_open(&mut self) -> u32 {
        let failures = self.backoff.failures();
        self.backoff.handle_success();
        failures
    }

    /// The server asked for a wait. Source: WHATWG HTML, "Interpreting an event stream", the field `retry`.
    pub fn handle_retry(&mut self, retry_ms: u64) {
        self.retry = self.within(Duration::from_millis(retry_ms));
    }

    /// The connection is gone.
    pub fn handle_disconnect(&mut self, kind: DisconnectKind, draw: f64) -> Next {
        let asked = match kind {
            DisconnectKind::Ended => {
                let wait = self.retry.mul_f64(1.0 + within_one(draw) / 5.0);
                return Next { wait, failures: 0 };
            }
            DisconnectKind::Failed | DisconnectKind::Away(None) => self.retry,
            // Readers that were given the same wait must not come back at the same moment.
            DisconnectKind::Away(Some(asked)) => {
                self.within(asked).mul_f64(1.0 + within_one(draw) / 5.0).max(self.retry)
            }
        };
        let wait = self.backoff.handle_failure(draw).max(asked);
        Next { wait, failures: self.backoff.failures() }
    }

    /// The wait that a server asked for, within the limits.
    fn within(&self, asked: Duration) -> Duration {
        asked.min(self.limits.asked_max).max(self.limits.asked_min)
    }
}

/// Clamps a random number that is out of range, so that no caller makes this panic.
fn within_one(draw: f64) -> f64 {
    if draw > 0.0 { draw.min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ReconnectLimits = ReconnectLimits {
        first: Duration::from_secs(2),
        grown_max: Duration::from_secs(30),
        asked_min: Duration::from_millis(100),
        asked_max: Duration::from_secs(86_400),
    };

    /// What happens to a reader.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Open,
        Retry(u64),
        Ended,
        Failed,
        Away(Option<u64>),
    }
    use Step::{Away, Ended, Failed, Open, Retry};

    /// The waits in milliseconds and the failures that the steps lead to, with the draws 0 and 1.
    #[track_caller]
    fn check(steps: &[Step], shortest: &[(u128, u32)], longest: &[(u128, u32)]) {
        for (draw, want) in [(0.0, shortest), (1.0, longest)] {
            let mut reconnect = Reconnect::new(LIMITS);
            let lose = |reconnect: &mut Reconnect, kind| {
                let next = reconnect.handle_disconnect(kind, draw);
                Some((next.wait.as_millis(), next.failures))
            };
            let told = steps.iter().filter_map(|step| match step {
                Open => {
                    reconnect.handle_open();
                    None
                }
                Retry(ms) => {
                    reconnect.handle_retry(*ms);
                    None
                }
                Ended => lose(&mut reconnect, DisconnectKind::Ended),
                Failed => lose(&mut reconnect, DisconnectKind::Failed),
                Away(asked) => lose(&mut reconnect, DisconnectKind::Away(asked.map(Duration::from_secs))),
            });
            assert_eq!(told.collect::<Vec<_>>(), want, "{steps:?}, draw {draw}");
        }
    }

    #[test]
    fn waits_of_failures_double_up_to_the_longest() {
        check(
            &[Failed; 7],
            &[(2_000, 1), (2_000, 2), (4_000, 3), (8_000, 4), (15_000, 5), (15_000, 6), (15_000, 7)],
            &[(2_000, 1), (4_000, 2), (8_000, 3), (16_000, 4), (30_000, 5), (30_000, 6), (30_000, 7)],
        );
    }

    #[test]
    fn a_server_may_shorten_all_waits_except_those_of_failures() {
        check(&[Retry(100), Failed, Failed], &[(1_000, 1), (2_000, 2)], &[(2_000, 1), (4_000, 2)]);
        check(&[Retry(100), Open, Ended, Ended], &[(100, 0), (100, 0)], &[(120, 0), (120, 0)]);
        check(&[Retry(0), Ended], &[(100, 0)], &[(120, 0)]);
    }

    #[test]
    fn a_server_may_lengthen_the_waits() {
        check(&[Retry(45_000), Failed], &[(45_000, 1)], &[(45_000, 1)]);
        check(&[Retry(45_000), Ended], &[(45_000, 0)], &[(54_000, 0)]);
        check(&[Retry(u64::MAX), Failed], &[(86_400_000, 1)], &[(86_400_000, 1)]);
        check(&[Away(Some(10)), Away(None)], &[(10_000, 1), (2_000, 2)], &[(12_000, 1), (4_000, 2)]);
        check(&[Away(Some(0))], &[(2_000, 1)], &[(2_000, 1)]);
        check(&[Away(Some(u64::MAX))], &[(86_400_000, 1)], &[(103_680_000, 1)]);
    }

    #[test]
    fn after_an_answer_the_next_failure_counts_as_the_first() {
        check(
            &[Failed, Failed, Open, Failed],
            &[(2_000, 1), (2_000, 2), (2_000, 1)],
            &[(2_000, 1), (4_000, 2), (2_000, 1)],
        );
        let mut reconnect = Reconnect::new(LIMITS);
        assert_eq!(reconnect.handle_open(), 0);
        reconnect.handle_disconnect(DisconnectKind::Failed, 0.5);
        reconnect.handle_disconnect(DisconnectKind::Failed, 0.5);
        assert_eq!((reconnect.handle_open(), reconnect.handle_open()), (2, 0));
    }

    #[test]
    fn no_wait_is_shorter_than_the_server_asked_for_nor_endless() {
        for retry_ms in [0, 1, 100, 999, 45_000, 90_000_000, u64::MAX] {
            let asked = Duration::from_millis(retry_ms).clamp(LIMITS.asked_min, LIMITS.asked_max);
            let mut reconnect = Reconnect::new(LIMITS);
            reconnect.handle_retry(retry_ms);
            for kind in
                [DisconnectKind::Ended, DisconnectKind::Failed, DisconnectKind::Away(Some(Duration::MAX))]
            {
                for draw in [-1.0, 0.0, 0.5, 0.999, 7.0, f64::NAN] {
                    let wait = reconnect.clone().handle_disconnect(kind, draw).wait;
                    assert!(
                        wait >= asked && wait <= LIMITS.asked_max * 2,
                        "{retry_ms} ms, {kind:?}, {draw}: {wait:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn even_a_very_short_first_wait_grows() {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(30));
        let waits: Vec<_> = (0..60).map(|_| backoff.handle_failure(1.0)).collect();
        assert!(waits.is_sorted());
        assert_eq!(
            (waits[0], waits[59], backoff.failures()),
            (Duration::from_millis(1), Duration::from_secs(30), 60)
        );
    }
}
