//! Publishers over HTTP: the release binary with its log on disk, and in memory, in turns.
//!
//! It does not know what the bench measures.

use std::time::Duration;

use super::table::{Table, Verdict};
use super::{EVENT_BYTES, Measuring};
use crate::measure::appends::{Connections, appends};
use crate::server::{self, Server};
use crate::shell::Failure;

const STREAMS: usize = 10_000;
const CONNECTIONS: usize = 64;
const RATIO_MIN: f64 = 0.70;
const RATE_MIN: f64 = 25_000.0;
/// Fewer rounds do not show whether something else is running.
const ROUNDS_MIN: usize = 3;
/// If the baseline is this many times as fast in one round as in another, something else is running.
const SPREAD_MAX: f64 = 1.5;

/// Measures both sides in turns.
///
/// # Errors
/// The build fails, or a server does not start or fails a publish.
pub(super) fn publish(measuring: &Measuring<'_>, table: &mut Table) -> Result<(), Failure> {
    let binary = server::built()?;
    let on_disk = Server::start_on_disk(&binary, &measuring.folder.join("served"))?;
    let in_memory = Server::start(&binary)?;
    let connections = Connections { count: CONNECTIONS, streams: STREAMS, event_bytes: EVENT_BYTES };
    let time = Duration::from_secs(measuring.size.seconds);
    let mut rounds = Vec::new();
    for _ in 0..=measuring.size.rounds {
        let memory = appends(&in_memory, connections, time)?;
        let disk = appends(&on_disk, connections, time)?;
        rounds.push(Round { memory, disk });
    }
    // The first round creates the streams.
    tell(&rounds[1..], table);
    Ok(())
}

/// A second of publishing on each side, in turn.
struct Round {
    memory: f64,
    disk: f64,
}

fn tell(rounds: &[Round], table: &mut Table) {
    let sorted = |number: fn(&Round) -> f64| {
        let mut numbers: Vec<_> = rounds.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        let at = |place: usize| numbers.get(place).copied().unwrap_or_default();
        (at(0), at(rounds.len() / 2), at(rounds.len() - 1))
    };
    let (_, rate, _) = sorted(|round| round.disk);
    let (slowest, memory, fastest) = sorted(|round| round.memory);
    let (low, ratio, high) = sorted(|round| round.disk / round.memory);
    let what = format!("publish over HTTP, {CONNECTIONS} connections");
    table.row(&what, &format!("{rate:.0}/s"), "≥ 25,000/s", Verdict::of(rate >= RATE_MIN));
    let is_steady = rounds.len() >= ROUNDS_MIN && fastest <= slowest * SPREAD_MAX;
    let verdict = if is_steady { Verdict::of(ratio >= RATIO_MIN) } else { Verdict::Unsure };
    let measured = format!("{ratio:.2} of {memory:.0}/s  ({low:.2} to {high:.2})");
    table.row("  of the same with --memory", &measured, "≥ 0.70", verdict);
}
