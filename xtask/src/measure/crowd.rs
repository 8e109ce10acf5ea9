//! Active readers, each on a thread, and readers that never read.
//!
//! An event carries the time it was published. The next one is published once every active reader has heard
//! the last, so nothing queues up in the measurement itself.

use std::fmt;
use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::http::{Publisher, open_read};
use crate::shell::Failure;

const STREAM: &str = "crowd";
/// `@` and the nanoseconds since the crowd was opened, in 20 digits.
const STAMP_BYTES: usize = 21;
const HEAR_WAIT: Duration = Duration::from_secs(30);

/// Readers of one stream.
pub(super) struct Crowd {
    opened: Instant,
    connections: Vec<TcpStream>,
    threads: Vec<JoinHandle<()>>,
    heard: Receiver<Duration>,
    reading: usize,
}

impl Crowd {
    /// Opens all readers; each has its place before this returns.
    pub(super) fn open(address: &str, reading: usize, stalled: usize) -> Result<Self, Failure> {
        let (tell, heard) = sync_channel(reading.max(1));
        let opened = Instant::now();
        let mut crowd = Self { opened, connections: Vec::new(), threads: Vec::new(), heard, reading };
        for _ in 0..reading {
            let connection = open_read(address, STREAM)?;
            let own = connection.try_clone().map_err(|error| Failure(format!("{error}.")))?;
            crowd.connections.push(connection);
            let tell = tell.clone();
            crowd.threads.push(std::thread::spawn(move || listen(own, opened, &tell)));
        }
        for _ in 0..stalled {
            crowd.connections.push(open_read(address, STREAM)?);
        }
        Ok(crowd)
    }

    /// Publishes `events` events, one at a time, and returns how long each took to reach each active reader.
    pub(super) fn hear(
        &self,
        address: &str,
        events: u32,
        event_bytes: usize,
    ) -> Result<Percentiles, Failure> {
        let mut publisher = Publisher::connect(address)?;
        let mut times = Vec::new();
        for _ in 0..events {
            let mut data = format!("@{:020}", self.opened.elapsed().as_nanos()).into_bytes();
            data.resize(event_bytes.max(STAMP_BYTES), b'x');
            publisher.publish(STREAM, &data)?;
            for _ in 0..self.reading {
                let silent = |_| Failure("A reader did not hear an event in time.".to_owned());
                times.push(self.heard.recv_timeout(HEAR_WAIT).map_err(silent)?);
            }
        }
        Ok(Percentiles::of(times))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for connection in &self.connections {
            // Fails only if the other side has already closed.
            let _ = connection.shutdown(Shutdown::Both);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Reads until the connection ends, and sends the time each stamp took.
fn listen(mut connection: TcpStream, opened: Instant, tell: &SyncSender<Duration>) {
    let mut piece = vec![0; 64 * 1024];
    let mut rest: Vec<u8> = Vec::new();
    while let Ok(bytes @ 1..) = connection.read(&mut piece) {
        let now = opened.elapsed();
        rest.extend_from_slice(&piece[..bytes]);
        while let Some(at) = rest.iter().position(|byte| *byte == b'@') {
            let Some(stamp) = rest.get(at + 1..at + STAMP_BYTES) else { break };
            let nanos: u64 = std::str::from_utf8(stamp).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            if tell.send(now.saturating_sub(Duration::from_nanos(nanos))).is_err() {
                return;
            }
            rest.drain(..at + STAMP_BYTES);
        }
        if !rest.contains(&b'@') {
            rest.clear();
        }
    }
}

/// A distribution of times.
pub(super) struct Percentiles {
    sorted: Vec<Duration>,
}

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { sorted: times }
    }

    fn at(&self, hundredths: usize) -> Duration {
        let place = (self.sorted.len() * hundredths / 100).min(self.sorted.len().saturating_sub(1));
        self.sorted.get(place).copied().unwrap_or_default()
    }

    pub(super) fn p99(&self) -> Duration {
        self.at(99)
    }

    pub(super) fn p50_ratio(&self, other: &Self) -> f64 {
        self.at(50).as_secs_f64() / other.at(50).as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(to, "p50 {:.2} ms, p99 {:.2} ms", ms(self.at(50)), ms(self.p99()))
    }
}
