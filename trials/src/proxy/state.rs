//! What the proxy's threads share: the plan, the record, and the open connections.
//!
//! Invariants: one lock, held for moments only; every change wakes those who wait. After a stop no connection
//! enters.

use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::CONNECTIONS_MAX;
use super::plan::{Cut, Manner, Plan};
use super::record::{End, Exchange};
use crate::WAIT_MAX;

/// What happens to a stalled response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It continues where it stopped.
    GoOn,
    /// Its connection is closed cleanly.
    Fin,
    /// Its connection is reset.
    Rst,
}

#[derive(Debug, Default)]
struct Inside {
    plan: Plan,
    record: Vec<Exchange>,
    /// The readers' open connections, each at its place.
    open: Vec<Option<Arc<TcpStream>>>,
    /// How often stalls were released, and how the last time.
    releases: (usize, Option<Release>),
    /// Grows with every change.
    changes: u64,
    is_stopped: bool,
}

impl Inside {
    fn open_exchange(&mut self, index: usize) -> Option<&mut Exchange> {
        self.record.get_mut(index).filter(|exchange| exchange.end.is_none())
    }
}

/// See the file.
#[derive(Debug)]
pub(super) struct State {
    inside: Mutex<Inside>,
    changed: Condvar,
}

impl State {
    pub(super) fn new(plan: Plan) -> Self {
        Self { inside: Mutex::new(Inside { plan, ..Inside::default() }), changed: Condvar::new() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("nobody panics while holding the lock")
    }

    /// Changes something, and wakes those who wait.
    fn change<T>(&self, change: impl FnOnce(&mut Inside) -> T) -> T {
        let mut inside = self.inside();
        inside.changes += 1;
        let changed = change(&mut inside);
        drop(inside);
        self.changed.notify_all();
        changed
    }

    /// Waits until something has changed since `changes`, or the time is over.
    fn wait(&self, changes: u64, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.inside(), left, |inside| inside.changes == changes);
        drop(waited.expect("nobody panics while holding the lock"));
    }

    pub(super) fn record(&self) -> Vec<Exchange> {
        self.inside().record.clone()
    }

    pub(super) fn wait_for<T>(
        &self,
        time: Duration,
        mut found: impl FnMut(&[Exchange]) -> Option<T>,
    ) -> Option<T> {
        let until = Instant::now() + time;
        loop {
            let (record, changes) = self.seen();
            // Not under the lock: what looks for something may panic.
            if let Some(found) = found(&record) {
                return Some(found);
            }
            if Instant::now() >= until {
                return None;
            }
            self.wait(changes, until);
        }
    }

    fn seen(&self) -> (Vec<Exchange>, u64) {
        let inside = self.inside();
        (inside.record.clone(), inside.changes)
    }

    pub(super) fn replan(&self, plan: Plan) {
        self.change(|inside| inside.plan = plan);
    }

    pub(super) fn release_stalls(&self, release: Release) {
        self.change(|inside| inside.releases = (inside.releases.0 + 1, Some(release)));
    }

    /// A connection's place, if it may enter.
    pub(super) fn enter(&self, client: &Arc<TcpStream>) -> Option<usize> {
        self.change(|inside| {
            let is_full = inside.open.iter().flatten().count() >= CONNECTIONS_MAX;
            if is_full || inside.is_stopped {
                return None;
            }
            inside.open.push(Some(Arc::clone(client)));
            Some(inside.open.len() - 1)
        })
    }

    pub(super) fn leave(&self, place: usize) {
        self.change(|inside| inside.open[place] = None);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.inside().is_stopped
    }

    pub(super) fn stop(&self) {
        self.change(|inside| {
            inside.is_stopped = true;
            inside.open.iter().flatten().for_each(|client| close(client));
        });
    }

    pub(super) fn cut_all(&self, manner: Manner) {
        self.change(|inside| {
            for exchange in inside.record.iter_mut().filter(|exchange| exchange.end.is_none()) {
                exchange.end = Some(End::Cut(manner));
            }
            for client in inside.open.iter().flatten() {
                match manner {
                    Manner::Rst => reset(client),
                    Manner::Fin | Manner::Stall => close(client),
                }
            }
        });
    }

    /// Records a request. The one before it on the same connection is complete. Returns its place in the record, and
    /// its cut.
    pub(super) fn begin(&self, exchange: Exchange) -> (usize, Option<Cut>) {
        self.change(|inside| {
            let mut same = inside.record.iter_mut().rev().filter(|e| e.connection == exchange.connection);
            if let Some(before) = same.next() {
                before.end.get_or_insert(End::Next);
            }
            inside.record.push(exchange);
            (inside.record.len() - 1, inside.plan.0.pop_front().flatten())
        })
    }

    /// Records a head that is about to be passed on. `None`: the exchange was cut meanwhile.
    pub(super) fn pass_head(&self, index: usize, status: u16) -> Option<()> {
        self.change(|inside| inside.open_exchange(index).map(|exchange| exchange.status = Some(status)))
    }

    /// Records bytes that are about to be passed on. `None`: the exchange was cut meanwhile.
    pub(super) fn pass_body(&self, index: usize, bytes: usize) -> Option<()> {
        self.change(|inside| inside.open_exchange(index).map(|exchange| exchange.body_bytes += bytes as u64))
    }

    /// Records how an exchange ended, and returns what counts now: a known end stays, unless it is a stall's.
    pub(super) fn end(&self, index: usize, end: End) -> End {
        self.change(|inside| {
            let known = inside.record[index].end.filter(|known| *known != End::Cut(Manner::Stall));
            *inside.record[index].end.insert(known.unwrap_or(end))
        })
    }

    /// Waits until a stall is released. `None`: the reader went, or the time is over.
    pub(super) fn stalled(&self, index: usize) -> Option<Release> {
        let before = self.change(|inside| {
            inside.record[index].end = Some(End::Cut(Manner::Stall));
            inside.releases.0
        });
        let until = Instant::now() + WAIT_MAX;
        loop {
            let (changes, (releases, release), still) = {
                let inside = self.inside();
                let is_stalled = inside.record[index].end == Some(End::Cut(Manner::Stall));
                (inside.changes, inside.releases, is_stalled && !inside.is_stopped)
            };
            if releases > before {
                return release;
            }
            if !still || Instant::now() >= until {
                return None;
            }
            self.wait(changes, until);
        }
    }

    /// A stall continues where it stopped.
    pub(super) fn go_on(&self, index: usize) {
        self.change(|inside| inside.record[index].end = None);
    }
}

/// Closes a connection cleanly. Whoever reads from it or writes to it stops.
pub(super) fn close(connection: &TcpStream) {
    // It fails only if the connection has already ended.
    let _ = connection.shutdown(Shutdown::Both);
}

/// Stops whoever reads from a connection, who then drops it.
pub(super) fn leave(connection: &TcpStream) {
    // It sends nothing to the other side. It fails only if the connection has already ended.
    let _ = connection.shutdown(Shutdown::Read);
}

/// Resets a connection as soon as its last owner drops it. Whoever reads from it stops, and drops it.
pub(super) fn reset(connection: &TcpStream) {
    // Without a linger time, closing resets.
    let lingers = SockRef::from(connection).set_linger(Some(Duration::ZERO));
    lingers.expect("a TCP socket takes a linger time");
    leave(connection);
}
