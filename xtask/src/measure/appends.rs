//! Publishes over HTTP as fast as they are acknowledged: on several connections, one at a time on each.

use std::time::{Duration, Instant};

use super::http::Publisher;
use crate::server::Server;
use crate::shell::Failure;

/// Who publishes what.
#[derive(Clone, Copy)]
pub(super) struct Connections {
    pub(super) count: usize,
    /// Each publishes to these streams in turn.
    pub(super) streams: usize,
    pub(super) event_bytes: usize,
}

/// Publishes for this long; returns acknowledged publishes per second.
pub(super) fn appends(server: &Server, connections: Connections, time: Duration) -> Result<f64, Failure> {
    let begun = Instant::now();
    let publish = |first: usize| -> Result<u64, Failure> {
        let mut publisher = Publisher::connect(server.address())?;
        let data = vec![b'x'; connections.event_bytes];
        let mut streams = (0..connections.streams).cycle().skip(first).step_by(connections.count);
        let mut count = 0;
        while begun.elapsed() < time {
            publisher.publish(&format!("bench/{}", streams.next().unwrap_or_default()), &data)?;
            count += 1;
        }
        Ok(count)
    };
    let publish = &publish;
    let counts: Result<Vec<u64>, Failure> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections.count).map(|number| scope.spawn(move || publish(number))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|count| count.unwrap_or_else(|_| Err(Failure("A publisher broke.".into())))).collect()
    });
    Ok(counts?.iter().sum::<u64>() as f64 / begun.elapsed().as_secs_f64())
}
