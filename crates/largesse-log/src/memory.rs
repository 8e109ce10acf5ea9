//! The engine that keeps events in memory: safe at once, gone with the process.
//!
//! All of the log's meaning is in [`LogState`]. This file is its asynchronous interface.
//!
//! Invariants: a command is fully applied before the lock is released, so every read is a consistent
//! snapshot; a listener is called only after that. Does not know the clock, and starts no task.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use crate::state::{Applied, LogState, QueryProgress};
use crate::{
    Command, Engine, EngineError, EngineLimits, Incarnation, Now, Pending, Position, Query, QueryAnswer,
    QueryReply, Reply, Settings, Sweep, TailListener,
};

/// A log in memory.
pub struct MemoryEngine {
    incarnation: Incarnation,
    /// One plain mutex: everything done under it is short and bounded, and never waits. A reader-writer lock
    /// would let queries run side by side; it would pay once measurements show readers waiting for each
    /// other rather than for the network. Never hold it over an await or over disk access.
    log: Mutex<LogState>,
    listener: Mutex<Option<Arc<dyn TailListener>>>,
}

impl std::fmt::Debug for MemoryEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryEngine").field("incarnation", &self.incarnation).finish_non_exhaustive()
    }
}

impl MemoryEngine {
    /// An empty log.
    #[must_use]
    pub fn new(incarnation: Incarnation, limits: EngineLimits) -> Self {
        let log = Mutex::new(LogState::new(limits));
        Self { incarnation, log, listener: Mutex::new(None) }
    }

    /// Nothing under the lock panics, so it is never poisoned; if there is such a bug, the log goes on
    /// rather than fail every caller after it.
    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a command, and calls the listener after the lock is released.
    fn apply(&self, now: Now, mut command: Command) -> Reply {
        let Applied { reply, dirty, .. } = {
            let mut log = self.lock();
            if let Some(reply) = log.noop_reply(now, &command) {
                return reply;
            }
            log.fill_in(now, &mut command);
            let stamp = log.next_stamp(now);
            log.apply(stamp, command).in_memory()
        };
        if let Some((stream, position)) = dirty {
            let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(listener) = listener {
                listener.appended(&stream, position);
            }
        }
        reply
    }
}

impl MemoryEngine {
    /// Continues a long query.
    async fn continue_query(&self, mut looked: QueryProgress) -> Result<QueryReply, EngineError> {
        loop {
            match looked {
                QueryProgress::Ready(reply) => return Ok(reply),
                QueryProgress::More(search) => {
                    yielded().await;
                    looked = self.lock().continue_query(search);
                }
                QueryProgress::Cold(cold) => unreachable!("{NOTHING_IS_COLD}: {cold:?}"),
            }
        }
    }
}

/// Nothing is ever moved out of memory.
const NOTHING_IS_COLD: &str = "nothing is cold in a log that is in memory";

/// Yields once to other tasks, on any runtime.
async fn yielded() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Engine for MemoryEngine {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn tail(&self) -> Position {
        self.lock().tail()
    }

    fn defaults(&self) -> Settings {
        self.lock().limits().defaults
    }

    fn listen(&self, listener: Arc<dyn TailListener>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>> {
        Box::pin(async move {
            let reply = self.apply(now, command);
            if reply == Reply::Sweep(Sweep::More) {
                // Long sweeps yield to other tasks in between.
                yielded().await;
            }
            Ok(reply)
        })
    }

    fn query<'a>(&'a self, query: Query<'a>) -> QueryAnswer<'a> {
        let looked = self.lock().query(query);
        match looked {
            Ok(QueryProgress::Ready(reply)) => QueryAnswer::Ready(Ok(reply)),
            Ok(looked) => QueryAnswer::Cold(Box::pin(self.continue_query(looked))),
            Err(error) => QueryAnswer::Ready(Err(error)),
        }
    }
}
