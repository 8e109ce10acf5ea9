//! The release binary at work, measured over real sockets on loopback, both ends on this machine.
//!
//! Timings drift from minute to minute, so what is compared is measured in turns within one run, and the ratio
//! is what to quote. The bounds checked here are far from the noise.
//!
//! - Live: one reader, one publisher, one event at a time. Bound: [`LIVE_P99_MAX`].
//! - Crowd: 500 readers that read, alone and beside 500 that never do. Bound: [`STALLED_BYTES_MAX`] of the
//!   server's memory for each reader that stalls.
//! - Appends: publishes on 1 and on 64 connections, one at a time on each.
//!
//! It does not know how the server works inside.

use std::time::Duration;

use crate::server::{self, Server};
use crate::shell::Failure;

mod appends;
mod crowd;
mod http;
pub(crate) mod log;

use appends::Connections;
use crowd::{Crowd, Percentiles};

const LIVE_EVENTS: u32 = 500;
const LIVE_P99_MAX: Duration = Duration::from_millis(20);
const CROWD_READERS: usize = 500;
const CROWD_STALLED: usize = 500;
const CROWD_EVENTS: u32 = 100;
/// Large enough to fill a stalled reader's share of the kernel's buffers well before the end.
const CROWD_EVENT_BYTES: usize = 32 * 1024;
const CROWD_ROUNDS: u32 = 2;
const STALLED_BYTES_MAX: u64 = 160 * 1024;
const APPENDS_FOR: Duration = Duration::from_secs(2);
const APPEND_BYTES: usize = 100;

/// Builds, measures, prints a table and checks the bounds.
///
/// # Errors
/// The build fails, the server fails a request, or a bound does not hold.
pub(crate) fn run() -> Result<(), Failure> {
    let binary = server::built()?;
    let server = Server::start(&binary)?;
    live(&server)?;
    drop(server);
    for round in 1..=CROWD_ROUNDS {
        // A fresh server for each, so that one's log is not in the other's memory.
        let (alone, _) = crowd(&Server::start(&binary)?, 0)?;
        let (beside, stalled_bytes) = crowd(&Server::start(&binary)?, CROWD_STALLED)?;
        println!("crowd, round {round}: {CROWD_READERS} readers, {CROWD_EVENT_BYTES} byte events");
        println!("  alone                     {alone}");
        println!("  beside {CROWD_STALLED} that stall     {beside}  (p50 × {:.2})", beside.p50_ratio(&alone));
        println!("  server memory for each reader that stalls: {} KiB", stalled_bytes / 1024);
        if stalled_bytes > STALLED_BYTES_MAX {
            let max = STALLED_BYTES_MAX / 1024;
            return Err(Failure(format!("A stalled reader costs the server more than {max} KiB.")));
        }
    }
    for count in [1, 64] {
        let server = Server::start(&binary)?;
        let connections = Connections { count, streams: 1, event_bytes: APPEND_BYTES };
        let rate = appends::appends(&server, connections, APPENDS_FOR)?;
        println!("appends, {count:>2} connections: {rate:>7.0} a second");
    }
    Ok(())
}

fn live(server: &Server) -> Result<(), Failure> {
    let crowd = Crowd::open(server.address(), 1, 0)?;
    let times = crowd.hear(server.address(), LIVE_EVENTS, 100)?;
    println!("live, one reader: {times}");
    if times.p99() > LIVE_P99_MAX {
        return Err(Failure(format!(
            "A live event took {:?} at p99, more than {LIVE_P99_MAX:?}.",
            times.p99()
        )));
    }
    Ok(())
}

/// What the active readers heard, and the server's memory per stalled reader.
fn crowd(server: &Server, stalled: usize) -> Result<(Percentiles, u64), Failure> {
    let reading = Crowd::open(server.address(), CROWD_READERS, 0)?;
    reading.hear(server.address(), CROWD_EVENTS / 4, CROWD_EVENT_BYTES)?;
    let before = server.resident_bytes();
    let _stalling = Crowd::open(server.address(), 0, stalled)?;
    let times = reading.hear(server.address(), CROWD_EVENTS, CROWD_EVENT_BYTES)?;
    let log_bytes = u64::from(CROWD_EVENTS) * CROWD_EVENT_BYTES as u64;
    let grown = server.resident_bytes().saturating_sub(before + log_bytes);
    Ok((times, grown / (stalled as u64).max(1)))
}
