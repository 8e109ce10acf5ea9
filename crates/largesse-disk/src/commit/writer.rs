//! The writer: writes the waiting commands as a group, syncs it, and applies them.
//!
//! Invariants: a command is applied after it is written, and answered after it is applied; with
//! [`SyncRule::Always`] it is synced before. Commands are applied in the order of the segment, so that recovery
//! replays them with the same result. Does not know threads or clocks: the caller drives it.

use std::{
    io, mem,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use largesse_log::{Command, EngineError, Now, Position, UnixMs, state::Stamp};

use crate::{
    commit::{
        apply::{Applying, Spots, replay},
        indexing::Indexing,
        journal::Journal,
        plan::partition,
        preallocation::{Preallocation, begin_segment},
        request::{Request, Requests, Waiter},
        sizes::{Fullness, Sizes},
        space::{Space, headroom_bytes},
    },
    core::{CheckpointRequest, Core},
    format::{
        command::{Stamped, encode_head},
        frame::{EncodedEvents, GROUP_FRAME_BYTES, Sequence},
        segment::HEADER_BYTES,
    },
    io::{Disk, DiskFile, is_out_of_files, refused},
    segments::{Segment, SegmentId},
    settings::DiskSettings,
};

/// How many commands are applied per hold of the state's lock.
const COMMANDS_AT_ONCE: usize = 16;
/// Capacity that the group's buffer keeps for the next group.
const BUFFER_KEPT_MAX: usize = 1024 * 1024;

/// A command in the group, and who waits for it.
struct Planned {
    waiter: Waiter,
    stamped: Stamped,
    /// Where its head and its events are in the group.
    spots: Spots,
}

/// The writer of one log.
pub(crate) struct Writer {
    pub(crate) core: Arc<Core>,
    disk: Arc<dyn Disk>,
    pub(crate) journal: Journal,
    settings: DiskSettings,
    pub(crate) indexing: Indexing,
    space: Space,
    sizes: Sizes,
    preallocation: Arc<Preallocation>,
    /// The last group before those of the segment.
    before: Sequence,
    /// All commands of this writer begin at or after this.
    start: Position,
    /// The first position of the next command.
    next: Position,
    /// The time of the last event that was written.
    last_time: Option<UnixMs>,
    group: Vec<u8>,
    /// Set once applying a durable command failed; no command is accepted after it.
    failed: Option<String>,
    /// Why no command is accepted at the moment.
    paused: Option<EngineError>,
    /// The segment, opened once more: if descriptors run out, this one is closed for the next segment.
    reserved_descriptor: Option<Arc<dyn DiskFile>>,
}

impl Writer {
    pub(crate) fn new(
        core: Arc<Core>,
        disk: Arc<dyn Disk>,
        journal: Journal,
        settings: DiskSettings,
        preallocation: Arc<Preallocation>,
        start: Position,
    ) -> Self {
        let last_time = core.state().last_time();
        let indexing = Indexing::new(Arc::clone(&core), settings.hot_bytes_max);
        let (sizes, before) = (Sizes::new(&settings), journal.written());
        Self {
            indexing,
            space: Space::new(Arc::clone(&disk)),
            core,
            disk,
            journal,
            settings,
            sizes,
            preallocation,
            before,
            start,
            next: start,
            last_time,
            group: Vec::new(),
            failed: None,
            paused: None,
            reserved_descriptor: None,
        }
    }

    /// Writes and applies these requests, in as many groups as needed, and answers them. Returns the size of the
    /// last group.
    pub(crate) fn commit(&mut self, requests: Requests) -> usize {
        let mut waiting = requests;
        let mut last = 0;
        while !waiting.is_empty() {
            let (group, deferred) = self.split(waiting);
            waiting = deferred;
            last = group.len();
            if !group.is_empty() {
                self.commit_group(group);
            }
        }
        last
    }

    /// Answers what needs no writing, and splits the rest into a group and the deferred requests.
    fn split(&self, requests: Requests) -> (Requests, Requests) {
        let (admitted, deferred) = partition(requests);
        let state = self.core.state();
        let group = admitted.into_iter().filter_map(|request| {
            match state.noop_reply(request.now, &request.command) {
                Some(reply) => {
                    request.waiter.answer(Ok(reply));
                    None
                }
                None => Some(request),
            }
        });
        let group = group.collect();
        (group, deferred)
    }

    fn commit_group(&mut self, requests: Requests) {
        if let Err(error) = self.prepare() {
            requests.into_iter().for_each(|request| request.refuse(error.clone()));
            return;
        }
        let requests = self.refuse_without_space(requests);
        if requests.is_empty() {
            return;
        }
        self.next = self.first_free();
        self.group.clear();
        self.group.resize(GROUP_FRAME_BYTES, 0);
        let planned: Vec<_> = requests.into_iter().map(|request| self.plan(*request)).collect();
        let mut group = mem::take(&mut self.group);
        let at = self.journal.at();
        let indexing = &mut self.indexing;
        let written = self.journal.write(&mut group, self.next, self.settings.sync, || indexing.begin());
        group.shrink_to(BUFFER_KEPT_MAX);
        self.group = group;
        match written {
            Ok(()) => {
                self.space.used(self.group.len() as u64);
                self.apply_group(planned, at);
            }
            Err(error) => {
                self.space.invalidate();
                planned.into_iter().for_each(|planned| planned.waiter.answer(Err(error.clone())));
            }
        }
    }

    /// Refuses publishes for which too little space is left.
    fn refuse_without_space(&mut self, requests: Requests) -> Requests {
        let headroom = headroom_bytes(self.settings.segment_bytes, self.core.checkpoint_bytes.load(Relaxed));
        let mut bytes = 0;
        let mut has_space = |request: Box<Request>| {
            if !matches!(request.command, Command::Append(_)) {
                return Some(request);
            }
            let all = bytes + request.encoded.bytes().len() as u64;
            match self.space.check(all, headroom) {
                Ok(()) => {
                    bytes = all;
                    Some(request)
                }
                Err(error) => {
                    request.refuse(error);
                    None
                }
            }
        };
        requests.into_iter().filter_map(&mut has_space).collect()
    }

    /// The first free position. Commands leave positions unused that they reserved and did not need.
    pub(crate) fn first_free(&self) -> Position {
        self.core.state().tail().next().max(self.start)
    }

    fn prepare(&mut self) -> Result<(), EngineError> {
        if let Some(reason) = self.core.health.failure().or_else(|| self.failed.clone()) {
            return Err(EngineError::Unwritable { reason });
        }
        if let Some(error) = self.paused.clone() {
            return Err(error);
        }
        self.reserve_descriptor()?;
        if self.journal.was_cut() {
            // Parts of what was cut off could follow the next group, and be mistaken for its frames. The checkpoint
            // request can be dropped: the next one covers its commands, too.
            self.roll()?;
        }
        Ok(())
    }

    /// Stamps a command, and encodes it into the group.
    fn plan(&mut self, request: Request) -> Planned {
        let Request { now, mut command, encoded, waiter } = request;
        if matches!(command, Command::Sweep { .. }) {
            self.core.state().fill_in(now, &mut command);
        }
        let (stamp, spots) = self.write(now, &command, encoded);
        Planned { waiter, stamped: Stamped { stamp, command }, spots }
    }

    /// Encodes a command into the group, and returns where its frames are.
    fn write(&mut self, now: Now, command: &Command, encoded: EncodedEvents) -> (Stamp, Spots) {
        let stamp = Stamp::at(self.next, now, self.last_time);
        let head_at = self.group.len() as u64;
        encode_head(&mut self.group, self.core.salt, stamp, command, &encoded);
        let events_at = self.group.len() as u64;
        self.group.extend_from_slice(encoded.bytes());
        if command.events() > 0 {
            self.last_time = Some(stamp.time);
        }
        self.next = stamp.end(command.positions());
        (stamp, Spots { head_at, events_at, frames: encoded.into_frames() })
    }

    /// Commits internal commands, which have no events, in a group of their own.
    pub(crate) fn write_alone(&mut self, commands: Vec<Command>) -> Result<(), EngineError> {
        self.group.clear();
        self.group.resize(GROUP_FRAME_BYTES, 0);
        // They get the time of the last event.
        let now = self.last_time.unwrap_or(UnixMs(0)).into();
        let mut written = Vec::with_capacity(commands.len());
        for command in commands {
            let (stamp, _) = self.write(now, &command, EncodedEvents::empty(self.core.salt));
            written.push(Stamped { stamp, command });
        }
        let mut group = mem::take(&mut self.group);
        let at = self.journal.at();
        let safe = self.journal.write(&mut group, self.next, self.settings.sync, || ());
        self.group = group;
        safe?;
        for stamped in written {
            let error = replay(&self.core, self.journal.segment(), stamped, at, &[]);
            self.stop_on_retention_error(error);
        }
        self.journal.segment().reached(self.journal.at());
        Ok(())
    }

    fn apply_group(&mut self, planned: Vec<Planned>, at: u64) {
        // Scans stop at the tail, so they see a command only once it is applied.
        self.journal.segment().reached(self.journal.at());
        let mut written = Vec::with_capacity(planned.len());
        let mut planned = planned.into_iter();
        let (mut dirty, mut answers, mut error) = (Vec::new(), Vec::with_capacity(COMMANDS_AT_ONCE), None);
        while planned.len() > 0 {
            let mut state = self.core.state();
            for Planned { waiter, stamped, spots } in planned.by_ref().take(COMMANDS_AT_ONCE) {
                let applying = Applying::new(self.journal.segment(), &stamped, spots.shifted_by(at));
                let applied = self.core.apply(state, stamped.stamp, stamped.command);
                state = applied.0;
                error = error.or(applied.2);
                let applied_command = applying.applied(applied.1);
                dirty.extend(applied_command.dirty);
                written.extend(applied_command.written);
                answers.push((waiter, applied_command.reply));
            }
            drop(state);
            // Publishers first: they don't wait for readers to be woken.
            answers.drain(..).for_each(|(waiter, reply)| waiter.answer(Ok(reply)));
            self.core.notify(&dirty);
            dirty.clear();
        }
        self.indexing.add(self.journal.segment(), written);
        self.stop_on_retention_error(error);
    }

    /// If retention could not read cold events, accepts no more commands: the log would grow over its limits.
    pub(crate) fn stop_on_retention_error(&mut self, error: Option<EngineError>) {
        let Some(error) = error.filter(|_| self.failed.is_none()) else { return };
        tracing::error!(
            %error,
            "old events can't be dropped; nothing more is published until the server is started again"
        );
        self.failed = Some(format!("old events can't be dropped: {error}; start the server again"));
    }

    /// Whether the segment is full.
    pub(crate) fn is_full(&self) -> bool {
        self.sizes.is_full(self.fullness())
    }

    /// Whether the segment is so large that nothing more may be added.
    pub(crate) fn is_overfull(&self) -> bool {
        self.sizes.is_overfull(self.fullness())
    }

    /// What the segment holds.
    fn fullness(&self) -> Fullness {
        fullness(&self.journal, self.before)
    }

    /// Orders a preallocated segment, if one is due. Returns whether the maintenance thread has one to make.
    pub(crate) fn order_preallocation(&mut self) -> bool {
        let Self { sizes, journal, before, .. } = self;
        sizes
            .preallocation_bytes(|| fullness(journal, *before))
            .is_some_and(|bytes| self.preallocation.order(bytes))
    }

    /// Accepts no commands, until this is called with `None`.
    pub(crate) fn pause(&mut self, reason: Option<EngineError>) {
        self.paused = reason;
    }

    /// Whether no commands are accepted at the moment.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Whether something was written into the segment.
    pub(crate) fn has_begun(&self) -> bool {
        self.journal.at() > HEADER_BYTES as u64
    }

    /// Checks the segment's name before it is left: from then on it is opened by name.
    fn check_file(&mut self) -> Result<(), EngineError> {
        self.journal.check_named()?;
        match self.journal.segment().lost_name(&*self.disk) {
            None => Ok(()),
            Some(reason) => {
                self.journal.report_missing(reason.clone());
                Err(EngineError::Unwritable { reason })
            }
        }
    }

    /// Whether the last checkpoint's file is gone.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.journal.is_checkpoint_missing()
    }

    /// Syncs the segment and continues in a new one. Returns the state between the two.
    ///
    /// # Errors
    /// Those of the disk; the current segment stays in use then, if possible.
    pub(crate) fn roll(&mut self) -> Result<CheckpointRequest, EngineError> {
        self.indexing.finish();
        self.journal.sync()?;
        self.check_file()?;
        let number = self.journal.segment().id.number + 1;
        let segment = self.begin_segment(number).map_err(|error| {
            refused(&error, format!("{} could not be begun: {error}", SegmentId::written(number).file_name()))
        })?;
        self.core.segments.push(Arc::clone(&segment));
        self.sizes.begin_next(self.fullness());
        self.before = self.journal.written();
        let previous = Arc::clone(self.journal.segment());
        self.journal.continue_in(segment, HEADER_BYTES as u64);
        // It may have lost its name since the check, and nothing checks it again.
        if let Some(reason) = previous.lost_name(&*self.disk) {
            self.journal.fail(reason);
        }
        Ok(self.checkpoint_request(number, self.journal.reserved()))
    }

    /// Begins a segment, with the reserved descriptor if there is no other.
    fn begin_segment(&mut self, number: u64) -> io::Result<Arc<Segment>> {
        let Core { incarnation, salt, .. } = *self.core;
        let first = self.first_free();
        let begin = || begin_segment(&*self.disk, &self.preallocation, number, first, incarnation, salt);
        match begin() {
            Err(error) if is_out_of_files(&error) && self.reserved_descriptor.take().is_some() => begin(),
            begun => begun,
        }
    }

    /// Reserves a descriptor for the next segment. Without one, no command is accepted: one that drops old events
    /// may have to read which are next, and if it could not, the log would have to stop for good.
    ///
    /// # Errors
    /// [`EngineError::TooManyFiles`].
    pub(crate) fn reserve_descriptor(&mut self) -> Result<(), EngineError> {
        if self.reserved_descriptor.is_some() && !self.journal.is_short_of_files() {
            return Ok(());
        }
        let name = self.journal.segment().id.file_name();
        match self.disk.open(&name) {
            Ok(file) => self.reserved_descriptor = Some(file),
            Err(error) if is_out_of_files(&error) => {
                return Err(refused(&error, format!("{name} could not be opened: {error}")));
            }
            // The next write reports what is wrong.
            Err(_) => {}
        }
        Ok(())
    }

    /// The last checkpoint request: nothing more is written, and no preallocated segment is wanted.
    ///
    /// # Errors
    /// [`EngineError::Unsafe`] and [`EngineError::Unwritable`], if something written could not be synced.
    pub(crate) fn finish(&mut self) -> Result<CheckpointRequest, EngineError> {
        self.indexing.finish();
        self.preallocation.stop();
        self.journal.sync()?;
        self.check_file()?;
        if let Some(reason) = self.failed.clone() {
            return Err(EngineError::Unwritable { reason });
        }
        Ok(self.checkpoint_request(self.journal.segment().id.number + 1, self.first_free()))
    }

    fn checkpoint_request(&self, replay_from: u64, reserved: Position) -> CheckpointRequest {
        let snapshot = self.core.state().snapshot();
        CheckpointRequest { snapshot, written: self.journal.written(), reserved, replay_from }
    }

    /// Syncs everything written so far; for [`SyncRule::Interval`].
    pub(crate) fn sync(&mut self) {
        if self.journal.has_unsynced() {
            // The journal logged it, and refuses further writes.
            let _ = self.journal.sync();
        }
    }
}

/// What a journal's segment holds; its groups come after `before`.
fn fullness(journal: &Journal, before: Sequence) -> Fullness {
    let events = journal.segment().index.ask(|index| index.totals().events);
    Fullness { bytes: journal.at(), events: u64::from(events), groups: journal.written().0 - before.0 }
}
