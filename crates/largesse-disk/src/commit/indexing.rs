//! Indexes applied events, and then evicts the oldest hot events from memory.
//!
//! It is done after publishers are answered, so that they don't wait for it, and on a thread of its own while the
//! next group syncs, when the writer waits for the disk. If there is little to index, or nothing is written for a
//! while, the writer does it inline.
//!
//! Invariants: events are indexed in log order, each once; at most one group waits to be indexed, and one is being
//! indexed. Until an event is indexed it is in memory, so readers find it at any moment. Dropping this joins the
//! thread. Does not know what is written next.

use std::{
    io, mem,
    panic::resume_unwind,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use largesse_log::Position;

use crate::{
    commit::apply::{Written, enter},
    core::Core,
    segments::Segment,
};

/// Below this many appends, index inline: waking the thread costs more.
const INLINE_BELOW: usize = 16;
/// How many events are evicted from memory per hold of the state's lock.
const EVICTED_AT_ONCE: usize = 256;

/// What has to be indexed, and the thread that does it.
pub(crate) struct Indexing {
    indexer: Indexer,
    /// The last applied group, all in one segment.
    waiting: Option<IndexBatch>,
    thread: Option<IndexingThread>,
}

/// The events of one group.
struct IndexBatch {
    segment: Arc<Segment>,
    written: Vec<Written>,
    /// All events of the next group are after this.
    upto: Position,
}

/// Indexes a batch, on either thread.
#[derive(Clone)]
struct Indexer {
    core: Arc<Core>,
    hot_bytes_max: u64,
}

impl Indexer {
    fn index(&self, batch: IndexBatch) {
        enter(&batch.segment, batch.written);
        // The next group may have been applied meanwhile: its events stay, however many there are.
        while self.core.state().evict(self.hot_bytes_max, batch.upto, EVICTED_AT_ONCE) {}
    }
}

/// The indexing thread. Invariant: it has at most one batch, and reports when it is done.
struct IndexingThread {
    batches: SyncSender<IndexBatch>,
    done: Receiver<()>,
    is_busy: bool,
    thread: JoinHandle<()>,
}

impl Indexing {
    /// Without a thread: the writer indexes everything inline.
    pub(crate) fn new(core: Arc<Core>, hot_bytes_max: u64) -> Self {
        Self { indexer: Indexer { core, hot_bytes_max }, waiting: None, thread: None }
    }

    /// Starts the indexing thread.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub(crate) fn start_thread(&mut self) -> io::Result<()> {
        let (batches, to_index) = sync_channel::<IndexBatch>(1);
        let (report_done, done) = sync_channel(1);
        let indexer = self.indexer.clone();
        let thread = thread::Builder::new().name("log-index".to_owned());
        let thread = thread.spawn(move || {
            for batch in to_index {
                indexer.index(batch);
                if report_done.send(()).is_err() {
                    return;
                }
            }
        })?;
        self.thread = Some(IndexingThread { batches, done, is_busy: false, thread });
        Ok(())
    }

    /// Starts a thread that panics at its first batch.
    #[cfg(test)]
    pub(crate) fn start_broken_thread(&mut self) {
        let (batches, to_index) = sync_channel::<IndexBatch>(1);
        let (report_done, done) = sync_channel(1);
        let thread = thread::spawn(move || {
            let _unused = report_done;
            let _ = to_index.recv();
            resume_unwind(Box::new("a bug"))
        });
        self.thread = Some(IndexingThread { batches, done, is_busy: false, thread });
    }

    /// Adds a group's events, after it was answered.
    pub(crate) fn add(&mut self, segment: &Arc<Segment>, written: Vec<Written>) {
        self.finish();
        let is_inline = written.len() < INLINE_BELOW || self.thread.is_none();
        let upto = self.indexer.core.state().tail();
        let batch = IndexBatch { segment: Arc::clone(segment), written, upto };
        if is_inline { self.indexer.index(batch) } else { self.waiting = Some(batch) }
    }

    /// Starts indexing the waiting group on the thread, before the writer waits for the disk.
    pub(crate) fn begin(&mut self) {
        if let Some(thread) = &mut self.thread
            && let Some(batch) = self.waiting.take()
        {
            if thread.batches.send(batch).is_err() {
                self.fail();
            }
            thread.is_busy = true;
        }
    }

    /// The thread panicked, so events are missing from the index: stop writing, as later events would be
    /// unreachable, and make no checkpoint. The panic continues on the writer's thread; recovery replays the
    /// commands.
    fn fail(&mut self) -> ! {
        let panic = self.thread.take().and_then(|thread| thread.thread.join().err());
        resume_unwind(panic.unwrap_or_else(|| Box::new("the thread that indexes events ended")))
    }

    /// Whether a group waits for [`Indexing::begin`] or [`Indexing::finish`].
    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Waits for the thread, and indexes the waiting group inline.
    pub(crate) fn finish(&mut self) {
        if let Some(thread) = &mut self.thread
            && mem::take(&mut thread.is_busy)
            && thread.done.recv().is_err()
        {
            self.fail();
        }
        if let Some(batch) = self.waiting.take() {
            self.indexer.index(batch);
        }
    }
}

impl Drop for Indexing {
    fn drop(&mut self) {
        let Some(IndexingThread { batches, thread, .. }) = self.thread.take() else { return };
        drop(batches);
        if thread.join().is_err() {
            tracing::error!("the thread that indexes events panicked; start the server again");
        }
    }
}
