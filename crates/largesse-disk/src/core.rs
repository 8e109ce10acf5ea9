//! What a log's writer, readers and maintenance thread share.
//!
//! Invariants: the state has only commands that are durable (with [`crate::SyncRule::Interval`]: written). A thread
//! that holds its lock neither reads nor writes files: [`StateGuard`] checks that. A listener is called without any
//! lock held.

use std::{
    ops::{ControlFlow, Deref},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use largesse_log::{
    Command, EngineError, Event, Incarnation, Position, Query, QueryReply, StreamName, TailListener, UnixMs,
    state::{
        Applied, ColdEvent, ColdEvents, ColdRange, Effects, LogState, Progress, QueryProgress, Snapshot,
        Stamp,
    },
};

use crate::{
    format::frame::{Salt, Sequence},
    health::Health,
    read::{CoalescedRead, ColdError, ColdReader, Spot},
    segments::{Segments, number_of},
    state_guard::StateGuard,
};

/// One log.
pub(crate) struct Core {
    pub(crate) incarnation: Incarnation,
    pub(crate) salt: Salt,
    pub(crate) segments: Arc<Segments>,
    pub(crate) cold: ColdReader,
    /// Whether streams were removed whose events still count as live in their segments.
    has_retired: AtomicBool,
    /// Size of the last checkpoint; 0 before this run has made one.
    pub(crate) checkpoint_bytes: AtomicU64,
    pub(crate) health: Arc<Health>,
    /// A plain lock: it is held briefly, and never while waiting for the disk.
    state: Mutex<LogState>,
    listener: Mutex<Option<Arc<dyn TailListener>>>,
}

/// The state between two segments.
pub(crate) struct CheckpointRequest {
    /// All commands of the segments before `replay_from`, and no others.
    pub(crate) snapshot: Snapshot,
    pub(crate) written: Sequence,
    pub(crate) reserved: Position,
    pub(crate) replay_from: u64,
}

impl Core {
    pub(crate) fn new(
        incarnation: Incarnation,
        salt: Salt,
        segments: Arc<Segments>,
        state: LogState,
    ) -> Self {
        let cold = ColdReader::new(Arc::clone(&segments), salt);
        let (state, listener) = (Mutex::new(state), Mutex::new(None));
        let (checkpoint_bytes, health) = (AtomicU64::new(0), Arc::default());
        let has_retired = AtomicBool::new(false);
        Self { incarnation, salt, segments, cold, has_retired, checkpoint_bytes, health, state, listener }
    }

    /// Applying a command does not panic, so the lock is never poisoned; if there were such a bug, the log should
    /// rather continue than fail every later caller.
    pub(crate) fn state(&self) -> StateGuard<'_> {
        StateGuard::new(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies a command. Releases the lock while retention's cold events are read: nobody else applies commands
    /// then, and readers may query. If they can't be read, returns the error: events that should have been dropped
    /// were not.
    pub(crate) fn apply<'a>(
        &'a self,
        mut state: StateGuard<'a>,
        stamp: Stamp,
        command: Command,
    ) -> (StateGuard<'a>, Applied, Option<EngineError>) {
        let mut progress = state.apply(stamp, command);
        loop {
            let wanted = match progress {
                Progress::Applied(applied) => {
                    self.apply_effects(&applied.effects);
                    return (state, applied, None);
                }
                Progress::Wants(wanted) => wanted,
            };
            drop(state);
            let found = self.cold.stubs(&wanted);
            state = self.state();
            match found {
                Ok(found) => progress = state.resume(&wanted, found),
                Err(error) => {
                    let applied = state.give_up();
                    self.apply_effects(&applied.effects);
                    return (state, applied, Some(error));
                }
            }
        }
    }

    /// Answers a query on this thread, and waits for the disk where needed.
    ///
    /// # Errors
    /// [`EngineError::BeyondTail`], or something can't be read.
    pub(crate) fn query(&self, query: Query<'_>) -> Result<QueryReply, ColdError> {
        // The lock is free again before anything is read.
        let mut looked = self.state().query(query)?;
        loop {
            looked = match looked {
                QueryProgress::Ready(reply) => return Ok(reply),
                QueryProgress::More(search) => self.state().continue_query(search),
                QueryProgress::Cold(cold) => cold.run(self)?,
            };
        }
    }

    /// Updates the segments' live bytes by what was dropped.
    fn apply_effects(&self, effects: &Effects) {
        if effects.has_retired {
            self.has_retired.store(true, Relaxed);
        }
        if effects.dropped.is_empty() {
            return;
        }
        let list = self.segments.all();
        for event in &effects.dropped {
            if let Some(segment) = list.get(number_of(&list, event.position)) {
                segment.lost(event.counted_bytes);
            }
        }
    }

    /// Whether streams were removed whose events still count as live in their segments.
    pub(crate) fn has_retired(&self) -> bool {
        self.has_retired.load(Relaxed)
    }

    /// The same, and resets it.
    pub(crate) fn take_retired(&self) -> bool {
        self.has_retired.swap(false, Relaxed)
    }

    pub(crate) fn listen(&self, listener: Arc<dyn TailListener>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Notifies the listener of streams with new records, which can be read now.
    pub(crate) fn notify(&self, dirty: &[(StreamName, Position)]) {
        if dirty.is_empty() {
            return;
        }
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            for (stream, position) in dirty {
                listener.appended(stream, *position);
            }
        }
    }
}

impl ColdEvents for Core {
    type Spot = Spot;
    type Buffer = CoalescedRead;
    type Error = ColdError;

    fn state(&self) -> impl Deref<Target = LogState> + '_ {
        self.state()
    }

    fn run(
        &self,
        life: Position,
        after: Position,
        events_max: usize,
    ) -> Result<Vec<ColdEvent<Spot>>, ColdError> {
        Ok(self.cold.run(life, after, events_max)?)
    }

    fn scan(
        &self,
        after: Position,
        visit: impl FnMut(StreamName, ColdEvent<Spot>) -> ControlFlow<()>,
    ) -> Result<(), ColdError> {
        Ok(self.cold.scan_events(after, visit)?)
    }

    fn scan_back(
        &self,
        upto: Position,
        visit: impl FnMut(StreamName, Position),
    ) -> Result<Option<Position>, ColdError> {
        Ok(self.cold.scan_from_seek_point(upto, visit)?)
    }

    fn last_with(&self, ranges: &[ColdRange], events: u64) -> Result<Position, ColdError> {
        Ok(self.cold.last_with(ranges, events)?)
    }

    fn first_since(&self, time: UnixMs) -> Result<Option<Position>, ColdError> {
        Ok(self.cold.first_since(time)?)
    }

    fn event<'a>(
        &self,
        stream: &StreamName,
        event: &ColdEvent<Spot>,
        next: impl Iterator<Item = &'a ColdEvent<Spot>>,
        buffer: &mut CoalescedRead,
        bytes_max: u64,
    ) -> Result<Option<Arc<Event>>, ColdError> {
        self.cold.event(stream, event, next, buffer, bytes_max)
    }
}
