//! A distribution of times.

use std::{fmt, time::Duration};

/// Times, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The percentile; zero if there are no times.
    pub(crate) fn at(&self, hundredths: usize) -> Duration {
        let place = (self.0.len() * hundredths / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [50, 99, 100].map(|hundredths| self.at(hundredths));
        write!(to, "p50 {}, p99 {}, max {}", shown(p50), shown(p99), shown(max))
    }
}

/// A time with about three digits.
pub(crate) fn shown(time: Duration) -> String {
    match time.as_micros() {
        ..10 => format!("{:.1} µs", time.as_secs_f64() * 1e6),
        10..1_000 => format!("{} µs", time.as_micros()),
        1_000..1_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// One number from several rounds, sorted.
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    pub(crate) fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    /// The middle one; 0 if there are none.
    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    pub(crate) fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    pub(crate) fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }
}
