//! When to try again.
//!
//! Pure: it is told what happened and a draw of `0.0..1.0`, and answers how long to wait. Invariants: a wait
//! is never shorter than the server asked for; waits that grow stop at [`WAIT_MAX`].

use std::time::Duration;

/// The longest wait that failures grow to.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);
/// The wait where the server asked for none.
const RETRY_DEFAULT: Duration = Duration::from_secs(2);
/// The shortest and the longest wait a server may ask for.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits that double with each failure in a row.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    failures: u32,
}

impl Backoff {
    /// Begins with a wait of `first`.
    pub(crate) fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    /// Another failure: how long to wait, between half and all of the doubled wait.
    pub(crate) fn handle_failure(&mut self, draw: f64) -> Duration {
        // 2^16 times any first wait is past the longest.
        let doubled = self.first.saturating_mul(1 << self.failures.min(16)).min(WAIT_MAX);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(0.5 + draw / 2.0)
    }

    /// It worked: the next failure is a first one.
    pub(crate) fn handle_success(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The server ended the answer in order, and may be asked again.
    Ended,
    /// It could not be reached, or was cut off.
    Failed,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// How long to wait before the next attempt.
    pub(crate) wait: Duration,
    /// Whether to speak of it.
    pub(crate) say: Say,
}

/// Whether to speak of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    /// It is the first failure in a row.
    Loud,
    /// It is usual, or was said.
    Quiet,
}

/// A reader's way back to its server.
#[derive(Clone, Debug)]
pub(crate) struct Reconnect {
    backoff: Backoff,
    retry: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { backoff: Backoff::new(RETRY_DEFAULT), retry: RETRY_DEFAULT }
    }
}

impl Reconnect {
    /// The server answers. Says whether that is news after a failure.
    pub(crate) fn handle_open(&mut self) -> Say {
        let say = if self.backoff.failures() > 0 { Say::Loud } else { Say::Quiet };
        self.backoff.handle_success();
        say
    }

    /// The server asked for a wait. Source: WHATWG HTML, "Interpreting an event stream", the field `retry`.
    pub(crate) fn handle_retry(&mut self, retry_ms: u64) {
        self.retry = Duration::from_millis(retry_ms).clamp(RETRY_MIN, RETRY_MAX);
    }

    /// The connection is gone.
    pub(crate) fn handle_loss(&mut self, loss: Loss, draw: f64) -> Next {
        match loss {
            Loss::Ended => Next { wait: self.retry.mul_f64(1.0 + draw / 5.0), say: Say::Quiet },
            Loss::Failed => {
                let say = if self.backoff.failures() == 0 { Say::Loud } else { Say::Quiet };
                Next { wait: self.backoff.handle_failure(draw).max(self.retry), say }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reconnect: &mut Reconnect) -> Next {
        reconnect.handle_loss(Loss::Failed, 1.0)
    }

    #[test]
    fn waits_double_up_to_the_longest_and_only_the_first_failure_is_said() {
        let mut reconnect = Reconnect::default();
        let told: Vec<Next> = (0..40).map(|_| failed(&mut reconnect)).collect();
        let seconds: Vec<u64> = told.iter().take(6).map(|next| next.wait.as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 30, 30]);
        assert!(told.iter().all(|next| next.wait <= WAIT_MAX));
        let loud = told.iter().filter(|next| next.say == Say::Loud).count();
        assert_eq!((told[0].say, loud), (Say::Loud, 1));
    }

    #[test]
    fn an_answer_makes_the_next_failure_a_first_one() {
        let mut reconnect = Reconnect::default();
        assert_eq!(reconnect.handle_open(), Say::Quiet);
        failed(&mut reconnect);
        failed(&mut reconnect);
        assert_eq!(reconnect.handle_open(), Say::Loud);
        assert_eq!(failed(&mut reconnect), Next { wait: RETRY_DEFAULT, say: Say::Loud });
    }

    #[test]
    fn no_wait_is_shorter_than_the_server_asked_for() {
        for retry_ms in [0, 1, 100, 999, 45_000, 90_000_000, u64::MAX] {
            let asked = Duration::from_millis(retry_ms).clamp(RETRY_MIN, RETRY_MAX);
            let mut reconnect = Reconnect::default();
            reconnect.handle_retry(retry_ms);
            for loss in [Loss::Ended, Loss::Failed] {
                for draw in [0.0, 0.5, 0.999] {
                    let wait = reconnect.clone().handle_loss(loss, draw).wait;
                    assert!(wait >= asked, "{retry_ms} ms, {loss:?}, {draw}: {wait:?}");
                }
            }
        }
    }

    #[test]
    fn an_end_in_order_waits_as_asked_and_is_quiet() {
        let mut reconnect = Reconnect::default();
        reconnect.handle_retry(1_000);
        let next = reconnect.handle_loss(Loss::Ended, 0.0);
        assert_eq!(next, Next { wait: Duration::from_secs(1), say: Say::Quiet });
    }
}
