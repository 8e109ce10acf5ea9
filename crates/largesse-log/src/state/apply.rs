//! Applying commands: the one way to change the log.
//!
//! A command makes its change, and then retention drops what is over a limit. Where retention needs to know more about
//! cold events than is in memory, the command waits for that ([`Progress::Wants`]).
//!
//! Invariants: at most one command is in progress; the same commands with the same stamps, on logs with the same limits,
//! give the same state, live and at a recovery. Does not know who submitted a command, and reads no files.

pub(super) mod append;
mod damage;
mod streams;
pub(super) mod sweep;

use std::mem;

use super::{
    Begun,
    apply::sweep::SweepUnderWay,
    log::LogState,
    retention::stub_cache::{Stub, StubsFound, StubsWanted},
    stamp::Stamp,
};
use crate::{Command, Now, Position, Reply, SWEEP_STREAMS_MAX, StreamName, Sweep};

/// How far a command has come.
#[derive(Debug)]
#[must_use]
pub enum Progress {
    /// It is complete.
    Applied(Applied),
    /// Its retention needs these facts about cold events; then call [`LogState::resume`]. Until then no other command
    /// is applied. Readers may query the log meanwhile: what is to be dropped is still kept.
    Wants(StubsWanted),
}

impl Progress {
    /// What the command did, on a log all of whose events are in memory.
    ///
    /// # Panics
    /// When retention needs facts about cold events.
    #[must_use]
    pub fn in_memory(self) -> Applied {
        match self {
            Self::Applied(applied) => applied,
            Self::Wants(wanted) => unreachable!("a log in memory has no cold events: {wanted:?}"),
        }
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Applied {
    /// The reply to the caller.
    pub reply: Reply,
    /// A stream with new records, and the last of them that readers can get.
    pub dirty: Option<(StreamName, Position)>,
    /// The start of the life that an append wrote to; `None` when it wrote nothing.
    pub life: Option<Position>,
    /// What it dropped.
    pub effects: Effects,
}

/// What a command dropped.
#[derive(Debug, Default)]
pub struct Effects {
    /// Dropped events of lives that go on.
    pub dropped: Vec<Stub>,
    /// Whether a life ended, with all its events.
    pub has_retired: bool,
}

/// A command that is applied except for its retention.
pub(super) struct Unfinished {
    applied: Applied,
    pending: PendingRetention,
}

/// The retention that a command still has to do.
pub(super) enum PendingRetention {
    Nothing,
    /// The stream may be over its limits, then the log.
    TrimStream {
        stream: StreamName,
        stamp: Stamp,
        pushed: usize,
        bytes_before: u64,
    },
    /// The log may be over its limit.
    TrimLog {
        stream: StreamName,
        bytes_before: u64,
    },
    Sweep(SweepUnderWay),
}

impl Applied {
    fn reply_only(reply: Reply) -> Self {
        Self { reply, dirty: None, life: None, effects: Effects::default() }
    }

    fn of<T>(begun: Begun<T>, stream: StreamName, reply: impl FnOnce(T) -> Reply) -> Unfinished {
        let Begun { answer, dirty, life, pending } = begun;
        let dirty = dirty.map(|position| (stream, position));
        Unfinished { applied: Self { life, dirty, ..Self::reply_only(reply(answer)) }, pending }
    }
}

impl From<Reply> for Unfinished {
    fn from(reply: Reply) -> Self {
        Self { applied: Applied::reply_only(reply), pending: PendingRetention::Nothing }
    }
}

impl LogState {
    /// Applies a command. Uses no position beyond [`Stamp::end`] of [`Command::positions`].
    pub fn apply(&mut self, stamp: Stamp, command: Command) -> Progress {
        debug_assert!(self.unfinished.is_none(), "commands are applied one at a time");
        let begun = self.begin_command(stamp, command);
        self.finish(begun)
    }

    /// Resumes a command whose retention needed facts about cold events.
    ///
    /// # Panics
    /// When no command is in progress.
    pub fn resume(&mut self, wanted: &StubsWanted, found: StubsFound) -> Progress {
        self.stub_cache.add(wanted, found);
        let unfinished = self.unfinished.take().expect("a command is in progress");
        self.finish(unfinished)
    }

    /// Completes a command without the rest of its retention, because the facts it needs can't be read: what should
    /// have been dropped is still kept.
    ///
    /// # Panics
    /// When no command is in progress.
    pub fn give_up(&mut self) -> Applied {
        let Unfinished { applied, pending } = self.unfinished.take().expect("a command is in progress");
        self.completed(applied, &pending)
    }

    fn begin_command(&mut self, stamp: Stamp, command: Command) -> Unfinished {
        match command {
            Command::Append(append) => {
                let stream = append.stream.clone();
                Applied::of(self.append(stamp, append), stream, Reply::Append)
            }
            Command::Claim { stream, key } => Reply::Claim(self.claim(stamp, &stream, &key)).into(),
            Command::Put { stream, put } => {
                let begun = self.put(stamp, &stream, &put);
                Applied::of(begun, stream, |answer| Reply::Put(answer.map(Box::new)))
            }
            Command::Delete { stream } => Applied::of(self.delete(stamp, &stream), stream, Reply::Delete),
            Command::Sweep { streams } => Unfinished {
                applied: Applied::reply_only(Reply::Sweep(Sweep::Done)),
                pending: PendingRetention::Sweep(SweepUnderWay::new(stamp, streams)),
            },
            Command::Damage { stream, position } => {
                self.damage(Some(stamp), &stream, position);
                Reply::Damage.into()
            }
            Command::Limits(limits) => {
                self.limit(limits);
                Reply::Limits.into()
            }
        }
    }

    /// Runs the retention of a command.
    fn finish(&mut self, begun: Unfinished) -> Progress {
        let Unfinished { applied, mut pending } = begun;
        if let Err(wanted) = self.run_retention(&mut pending) {
            self.unfinished = Some(Unfinished { applied, pending });
            return Progress::Wants(wanted);
        }
        let applied = self.completed(applied, &pending);
        if cfg!(debug_assertions) {
            self.check_in_turn();
        }
        Progress::Applied(applied)
    }

    /// Runs retention as far as possible; `pending` is what remains.
    fn run_retention(&mut self, pending: &mut PendingRetention) -> Result<(), StubsWanted> {
        if let PendingRetention::TrimStream { stream, stamp, pushed, bytes_before } = pending {
            self.trim_stream(stream, *stamp, *pushed)?;
            *pending = PendingRetention::TrimLog { stream: stream.clone(), bytes_before: *bytes_before };
        }
        match pending {
            PendingRetention::Nothing | PendingRetention::TrimStream { .. } => Ok(()),
            PendingRetention::TrimLog { bytes_before, .. } => self.trim_log(*bytes_before),
            PendingRetention::Sweep(sweep) => self.continue_sweep(sweep),
        }
    }

    /// What the command did, once its retention is done.
    fn completed(&mut self, mut applied: Applied, pending: &PendingRetention) -> Applied {
        if let PendingRetention::TrimStream { stream, .. } | PendingRetention::TrimLog { stream, .. } =
            pending
        {
            self.schedule(stream);
            if let Reply::Put(Ok(answer)) = &mut applied.reply
                && let Some(state) = self.state(stream)
            {
                answer.state = state;
            }
        }
        if let (PendingRetention::Sweep(sweep), Reply::Sweep(answer)) = (pending, &mut applied.reply) {
            *answer = if self.has_due_at(sweep.stamp) { Sweep::More } else { Sweep::Done };
        }
        applied.effects = mem::take(&mut self.effects);
        applied
    }

    /// Fills in what the caller leaves to the log. Called before the command is written, because a recovery replays what
    /// was written, and a recovered log might choose differently.
    pub fn fill_in(&self, now: Now, command: &mut Command) {
        if let Command::Sweep { streams } = command {
            *streams = self.due_streams(self.next_stamp(now).time, SWEEP_STREAMS_MAX);
        }
    }

    /// The reply to a command that would change nothing, as far as that is known without applying it.
    #[must_use]
    pub fn noop_reply(&self, now: Now, command: &Command) -> Option<Reply> {
        match command {
            Command::Append(append) => self.noop_append_reply(now, append).map(Reply::Append),
            Command::Delete { stream } if !self.lives.contains(stream) => Some(Reply::Delete(None)),
            Command::Sweep { .. } if !self.has_due(now) => Some(Reply::Sweep(Sweep::Done)),
            _ => None,
        }
    }
}
