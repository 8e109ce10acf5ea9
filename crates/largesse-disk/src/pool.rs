//! A few threads that read from the disk for those that must not wait for it.
//!
//! Invariants: at most [`WAITING_MAX`] reads wait, and whoever comes after waits for a place; the threads are
//! joined when the pool is dropped, after the reads under way. A read that panics fails alone; were a thread to end
//! all the same, the log has failed, and all reads that wait are told so.

use std::{
    collections::VecDeque,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use largesse_log::EngineError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::health::Health;

/// How many threads read. A read waits for the disk, not for a processor.
const THREADS: usize = 4;
/// How many reads wait for a thread.
const WAITING_MAX: usize = 1_024;

type Read = Box<dyn FnOnce() + Send>;

/// The threads.
pub(crate) struct ReadPool {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    reads: VecDeque<(Read, OwnedSemaphorePermit)>,
    is_stopping: bool,
}

impl ReadPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(health: &Arc<Health>) -> io::Result<Self> {
        let shared = Arc::new(Shared { waiting: Mutex::default(), bell: Condvar::new() });
        let mut pool = Self {
            shared,
            places: Arc::new(Semaphore::new(WAITING_MAX)),
            threads: Vec::with_capacity(THREADS),
        };
        for number in 0..THREADS {
            let (shared, health) = (Arc::clone(&pool.shared), Arc::clone(health));
            let thread = thread::Builder::new().name(format!("log-read-{number}"));
            pool.threads.push(thread.spawn(move || {
                if health.watched("reads the log", || shared.serve()).is_err() {
                    shared.abandon();
                }
            })?);
        }
        Ok(pool)
    }

    /// Runs a read on one of the threads. Dropping the future lets the read run for nobody.
    ///
    /// # Errors
    /// That of the read, or [`EngineError::Stopping`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| EngineError::Stopping)?;
        let (tell, told) = oneshot::channel();
        let read: Read = Box::new(move || {
            let answer = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
                Err(EngineError::Unreadable { reason: "a read of the log panicked".to_owned() })
            });
            // Nobody may wait for it any more.
            let _ = tell.send(answer);
        });
        self.shared.push(read, place)?;
        told.await.unwrap_or(Err(EngineError::Stopping))
    }
}

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.shared.lock().is_stopping = true;
        self.shared.bell.notify_all();
        for thread in self.threads.drain(..) {
            // A read's panic is caught where it happens.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, read: Read, place: OwnedSemaphorePermit) -> Result<(), EngineError> {
        let mut waiting = self.lock();
        if waiting.is_stopping {
            return Err(EngineError::Stopping);
        }
        waiting.reads.push_back((read, place));
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Takes no read any more, and lets those that wait hear that nobody reads for them.
    fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.is_stopping = true;
        let reads = mem::take(&mut waiting.reads);
        drop(waiting);
        drop(reads);
        self.bell.notify_all();
    }

    fn serve(&self) {
        while let Some((read, place)) = self.next() {
            drop(place);
            read();
        }
    }

    fn next(&self) -> Option<(Read, OwnedSemaphorePermit)> {
        let mut waiting = self.lock();
        loop {
            if let Some(read) = waiting.reads.pop_front() {
                return Some(read);
            }
            if waiting.is_stopping {
                return None;
            }
            waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
