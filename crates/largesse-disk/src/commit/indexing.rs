//! Filing what was taken: into the index of its segment, and what is too much then out of memory.
//!
//! Publishers need not wait for it, so it is done after they are answered; and a core that waits for the disk has
//! time for it, so it is done while the next group is synced, on a thread of its own. When there is little to file,
//! or nothing is written for a while, whoever writes does it.
//!
//! Invariants: what is indexed is indexed in the order of the log, each once; at most one group waits to be indexed,
//! and one is being indexed. Until an event is indexed it is in memory, so readers find it at any moment. Whoever drops
//! this has finished. Does not know what is written next.

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

/// So little is indexed at once: waking a thread for it costs more.
const INLINE_BELOW: usize = 16;
/// How many events are moved out of memory before others may look at the state.
const EVICTED_AT_ONCE: usize = 256;

/// What has to be indexed, and who does it.
pub(crate) struct Indexing {
    indexer: Indexer,
    /// What was taken last: all in one segment.
    waiting: Option<IndexBatch>,
    thread: Option<IndexingThread>,
}

/// Events of one group.
struct IndexBatch {
    segment: Arc<Segment>,
    written: Vec<Written>,
    /// No event of the next group is at or before this.
    upto: Position,
}

/// How it is done.
#[derive(Clone)]
struct Indexer {
    core: Arc<Core>,
    hot_bytes_max: u64,
}

impl Indexer {
    fn index(&self, batch: IndexBatch) {
        enter(&batch.segment, batch.written);
        // The next group may have been taken meanwhile: its events stay, however many they are.
        while self.core.state().settle(self.hot_bytes_max, batch.upto, EVICTED_AT_ONCE) {}
    }
}

/// The thread for it. Invariant: it has at most one batch, and says when it is done.
struct IndexingThread {
    batches: SyncSender<IndexBatch>,
    done: Receiver<()>,
    is_busy: bool,
    thread: JoinHandle<()>,
}

impl Indexing {
    /// Everything is done by whoever writes.
    pub(crate) fn new(core: Arc<Core>, hot_bytes_max: u64) -> Self {
        Self { indexer: Indexer { core, hot_bytes_max }, waiting: None, thread: None }
    }

    /// Has a thread do it from now on.
    ///
    /// # Errors
    /// The system gives no thread.
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

    /// Has a thread do it that panics at the first batch.
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

    /// Takes over what a group wrote, after it was answered.
    pub(crate) fn add(&mut self, segment: &Arc<Segment>, written: Vec<Written>) {
        self.finish();
        let is_inline = written.len() < INLINE_BELOW || self.thread.is_none();
        let upto = self.indexer.core.state().tail();
        let batch = IndexBatch { segment: Arc::clone(segment), written, upto };
        if is_inline { self.indexer.index(batch) } else { self.waiting = Some(batch) }
    }

    /// The disk will take a while: what waits is indexed meanwhile.
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

    /// The thread panicked, so events are missing from the index: nothing may be written behind them, nor a checkpoint
    /// be made. Its panic becomes that of whoever writes; a start takes the steps again.
    fn fail(&mut self) -> ! {
        let panic = self.thread.take().and_then(|thread| thread.thread.join().err());
        resume_unwind(panic.unwrap_or_else(|| Box::new("the thread that indexes events ended")))
    }

    /// Whether something waits for [`Indexing::begin`] or [`Indexing::finish`].
    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Files what waits, and waits for what is being indexed.
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
            tracing::error!("the thread that files events panicked; start the server again");
        }
    }
}
