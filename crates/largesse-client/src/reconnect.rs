//! When to try again.
//!
//! Pure: it is told what happened and a draw of `0.0..1.0`, and answers how long to wait. Invariants: a wait is never
//! shorter than the server asked for, within [`ReconnectLimits`]; waits that grow stop at `grown_max`.

use std::time::Duration;

/// Bounds of the waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectLimits {
    /// The wait where the server asked for none, and after a first failure.
    pub first: Duration,
    /// The longest wait that failures grow to.
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
    /// Begins with a wait of `first`, and grows to `grown_max`.
    #[must_use]
    pub fn new(first: Duration, grown_max: Duration) -> Self {
        Self { first, grown_max, failures: 0 }
    }

    /// Another failure: how long to wait, between half and all of the doubled wait.
    pub fn handle_failure(&mut self, draw: f64) -> Duration {
        // 2^16 times any first wait of a millisecond or more is over a minute.
        let doubled = self.first.saturating_mul(1 << self.failures.min(16)).min(self.grown_max);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(0.5 + within_one(draw) / 2.0)
    }

    /// It worked: the next failure is a first one.
    pub fn handle_success(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The server ended the answer in order, and may be asked again.
    Ended,
    /// It could not be reached, was silent for too long, or was cut off.
    Failed,
    /// It answered that it can't serve now, and named a wait in `Retry-After`, if it did.
    Away(Option<Duration>),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// How long to wait before the next attempt.
    pub wait: Duration,
    /// Failures in a row, this one included; 0 where it ended in order.
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
    /// One that has not lost anything yet.
    #[must_use]
    pub fn new(limits: ReconnectLimits) -> Self {
        Self { limits, backoff: Backoff::new(limits.first, limits.grown_max), retry: limits.first }
    }

    /// The server lets the reader in. Answers how many failures there were before it, in a row.
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
    pub fn handle_loss(&mut self, loss: Loss, draw: f64) -> Next {
        let asked = match loss {
            Loss::Ended => {
                let wait = self.retry.mul_f64(1.0 + within_one(draw) / 5.0);
                return Next { wait, failures: 0 };
            }
            Loss::Failed | Loss::Away(None) => self.retry,
            // All who were told the same must not come at the same moment.
            Loss::Away(Some(asked)) => {
                self.within(asked).mul_f64(1.0 + within_one(draw) / 5.0).max(self.retry)
            }
        };
        let wait = self.backoff.handle_failure(draw).max(asked);
        Next { wait, failures: self.backoff.failures() }
    }

    /// What a server may ask for.
    fn within(&self, asked: Duration) -> Duration {
        asked.min(self.limits.asked_max).max(self.limits.asked_min)
    }
}

/// A draw that is none counts as the nearest that is one, so that no caller makes this panic.
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

    /// The waits in milliseconds and the failures that steps lead to, with the draw of 0 and that of 1.
    #[track_caller]
    fn check(steps: &[Step], shortest: &[(u128, u32)], longest: &[(u128, u32)]) {
        for (draw, want) in [(0.0, shortest), (1.0, longest)] {
            let mut reconnect = Reconnect::new(LIMITS);
            let lose = |reconnect: &mut Reconnect, loss| {
                let next = reconnect.handle_loss(loss, draw);
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
                Ended => lose(&mut reconnect, Loss::Ended),
                Failed => lose(&mut reconnect, Loss::Failed),
                Away(asked) => lose(&mut reconnect, Loss::Away(asked.map(Duration::from_secs))),
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
    fn a_server_may_make_the_waits_shorter_but_for_those_of_failures() {
        check(&[Retry(100), Failed, Failed], &[(1_000, 1), (2_000, 2)], &[(2_000, 1), (4_000, 2)]);
        check(&[Retry(100), Open, Ended, Ended], &[(100, 0), (100, 0)], &[(120, 0), (120, 0)]);
        check(&[Retry(0), Ended], &[(100, 0)], &[(120, 0)]);
    }

    #[test]
    fn a_server_may_make_the_waits_longer() {
        check(&[Retry(45_000), Failed], &[(45_000, 1)], &[(45_000, 1)]);
        check(&[Retry(45_000), Ended], &[(45_000, 0)], &[(54_000, 0)]);
        check(&[Retry(u64::MAX), Failed], &[(86_400_000, 1)], &[(86_400_000, 1)]);
        check(&[Away(Some(10)), Away(None)], &[(10_000, 1), (2_000, 2)], &[(12_000, 1), (4_000, 2)]);
        check(&[Away(Some(0))], &[(2_000, 1)], &[(2_000, 1)]);
        check(&[Away(Some(u64::MAX))], &[(86_400_000, 1)], &[(103_680_000, 1)]);
    }

    #[test]
    fn an_answer_makes_the_next_failure_a_first_one() {
        check(
            &[Failed, Failed, Open, Failed],
            &[(2_000, 1), (2_000, 2), (2_000, 1)],
            &[(2_000, 1), (4_000, 2), (2_000, 1)],
        );
        let mut reconnect = Reconnect::new(LIMITS);
        assert_eq!(reconnect.handle_open(), 0);
        reconnect.handle_loss(Loss::Failed, 0.5);
        reconnect.handle_loss(Loss::Failed, 0.5);
        assert_eq!((reconnect.handle_open(), reconnect.handle_open()), (2, 0));
    }

    #[test]
    fn no_wait_is_shorter_than_the_server_asked_for_nor_endless() {
        for retry_ms in [0, 1, 100, 999, 45_000, 90_000_000, u64::MAX] {
            let asked = Duration::from_millis(retry_ms).clamp(LIMITS.asked_min, LIMITS.asked_max);
            let mut reconnect = Reconnect::new(LIMITS);
            reconnect.handle_retry(retry_ms);
            for loss in [Loss::Ended, Loss::Failed, Loss::Away(Some(Duration::MAX))] {
                for draw in [-1.0, 0.0, 0.5, 0.999, 7.0, f64::NAN] {
                    let wait = reconnect.clone().handle_loss(loss, draw).wait;
                    assert!(
                        wait >= asked && wait <= LIMITS.asked_max * 2,
                        "{retry_ms} ms, {loss:?}, {draw}: {wait:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_very_short_first_wait_grows_all_the_same() {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(30));
        let waits: Vec<_> = (0..60).map(|_| backoff.handle_failure(1.0)).collect();
        assert!(waits.is_sorted());
        assert_eq!(
            (waits[0], waits[59], backoff.failures()),
            (Duration::from_millis(1), Duration::from_secs(30), 60)
        );
    }
}
