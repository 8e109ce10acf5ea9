//! A few threads that read from the disk for callers that must not block.
//!
//! Invariants: at most [`WAITING_MAX`] reads are queued, and further callers wait for a permit; the threads are
//! joined when the pool is dropped, after the running reads. A read that panics fails alone; if a thread ends all
//! the same, the log has failed, and all queued reads are answered.

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

/// How many threads read. A read waits for the disk, not for the CPU.
const THREADS: usize = 4;
/// How many reads wait for a thread, at most.
const WAITING_MAX: usize = 1_024;

type Read = Box<dyn FnOnce() + Send>;

/// The threads.
pub(crate) struct ReadPool {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    waiting: Mutex<PoolState>,
    changed: Condvar,
}

#[derive(Default)]
struct PoolState {
    reads: VecDeque<(Read, OwnedSemaphorePermit)>,
    is_stopping: bool,
}

impl ReadPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub(crate) fn start(health: &Arc<Health>) -> io::Result<Self> {
        let shared = Arc::new(Shared { waiting: Mutex::default(), changed: Condvar::new() });
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

    /// Runs a read on one of the threads. If the future is dropped, the read still runs.
    ///
    /// # Errors
    /// The read's error, or [`EngineError::Stopping`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| EngineError::Stopping)?;
        let (send, received) = oneshot::channel();
        let read: Read = Box::new(move || {
            let answer = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
                Err(EngineError::Unreadable { reason: "a read of the log panicked".to_owned() })
            });
            // The caller may be gone.
            let _ = send.send(answer);
        });
        self.shared.push(read, place)?;
        received.await.unwrap_or(Err(EngineError::Stopping))
    }
}

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.shared.lock().is_stopping = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A read's panic is caught where it happens.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, read: Read, place: OwnedSemaphorePermit) -> Result<(), EngineError> {
        let mut waiting = self.lock();
        if waiting.is_stopping {
            return Err(EngineError::Stopping);
        }
        waiting.reads.push_back((read, place));
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Accepts no more reads, and drops the queued ones, whose callers get an error.
    fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.is_stopping = true;
        let reads = mem::take(&mut waiting.reads);
        drop(waiting);
        drop(reads);
        self.changed.notify_all();
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
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use tokio::task::JoinSet;

    use super::*;

    /// An answer that panics when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a bug"));
        }
    }

    /// A read that signals its begin, and waits for permission to continue.
    fn paused_read<T>(
        begun: SyncSender<()>,
        go_on: Receiver<()>,
        answer: T,
    ) -> impl FnOnce() -> Result<T, EngineError> {
        move || {
            begun.send(()).unwrap();
            let _ = go_on.recv();
            Ok(answer)
        }
    }

    #[tokio::test]
    async fn when_a_thread_ends_the_waiting_reads_are_answered_and_the_log_has_failed() {
        let health = Arc::new(Health::default());
        let pool = Arc::new(ReadPool::start(&health).unwrap());
        let (begun, beginning) = sync_channel(THREADS);
        let (mut bombs, mut reads, mut gates) = (JoinSet::new(), JoinSet::new(), Vec::new());
        let (explode, go_on) = sync_channel(THREADS);
        let (bomb, its_pool) = (paused_read(begun.clone(), go_on, Bomb), Arc::clone(&pool));
        bombs.spawn(async move { mem::forget(its_pool.run(bomb).await) });
        for _ in 1..THREADS {
            let (gate, go_on) = sync_channel(THREADS);
            gates.push(gate);
            let (read, its_pool) = (paused_read(begun.clone(), go_on, ()), Arc::clone(&pool));
            reads.spawn(async move { its_pool.run(read).await });
        }
        tokio::task::yield_now().await;
        (0..THREADS).for_each(|_| beginning.recv().unwrap());
        let its_pool = Arc::clone(&pool);
        let mut waiting = JoinSet::new();
        waiting.spawn(async move { its_pool.run(|| Ok(())).await });
        tokio::task::yield_now().await;
        // The caller is gone, so the thread drops the answer.
        bombs.shutdown().await;
        explode.send(()).unwrap();
        assert_eq!(waiting.join_next().await.unwrap().unwrap(), Err(EngineError::Stopping));
        assert_eq!(pool.run(|| Ok(())).await, Err(EngineError::Stopping));
        assert_eq!(health.watch().failed().await, "the thread that reads the log panicked: a bug");
        // Running reads finish.
        drop(gates);
        while let Some(read) = reads.join_next().await {
            assert_eq!(read.unwrap(), Ok(()));
        }
    }
}
