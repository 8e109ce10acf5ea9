//! Applying commands: the one way to change the log.
//!
//! A command changes what it is about, and then retention drops what that pushed out. Where retention has to know more
//! of cold events than is known here, the command waits for it ([`Progress::Wants`]).
//!
//! Invariants: one command is under way at most; the same commands in the same stamps, on logs with the same limits,
//! give the same state, live and at a recovery. Does not know who asked, and reads nothing.

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
    /// It is whole.
    Applied(Applied),
    /// Its retention has to know this of cold events, to go on with [`LogState::resume`]. Until then no other command is
    /// applied. Readers may look at the log meanwhile: what is to be dropped is still kept.
    Wants(StubsWanted),
}

impl Progress {
    /// What the command did, on a log all of whose events are in memory.
    ///
    /// # Panics
    /// When retention wants to know something: some events are cold.
    #[must_use]
    pub fn in_memory(self) -> Applied {
        match self {
            Self::Applied(applied) => applied,
            Self::Wants(wanted) => unreachable!("nothing is cold in a log that is in memory: {wanted:?}"),
        }
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Applied {
    /// The answer to whoever asked.
    pub reply: Reply,
    /// A stream with a new record, and the last one that readers can meet.
    pub dirty: Option<(StreamName, Position)>,
    /// Where the life began that an append wrote its events to; `None` when it wrote nothing.
    pub life: Option<Position>,
    /// What is kept no more.
    pub effects: Effects,
}

/// What a command made superfluous.
#[derive(Debug, Default)]
pub struct Effects {
    /// Events that are not kept any more, of lives that go on.
    pub dropped: Vec<Stub>,
    /// Whether a life is over, with all its events.
    pub has_retired: bool,
}

/// A command that was applied but for its retention.
pub(super) struct Unfinished {
    applied: Applied,
    pending: PendingRetention,
}

/// What is pending of a command.
pub(super) enum PendingRetention {
    Nothing,
    /// A stream may have too much, then the log.
    TrimStream {
        stream: StreamName,
        stamp: Stamp,
        pushed: usize,
        bytes_before: u64,
    },
    /// The log may have too much.
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
    /// Applies a command. Takes no position beyond [`Stamp::end`] of [`Command::positions`].
    pub fn apply(&mut self, stamp: Stamp, command: Command) -> Progress {
        debug_assert!(self.unfinished.is_none(), "commands are applied one after the other");
        let begun = self.begin_command(stamp, command);
        self.finish(begun)
    }

    /// Goes on with a command that wanted to know something.
    ///
    /// # Panics
    /// When no command is under way.
    pub fn resume(&mut self, wanted: &StubsWanted, found: StubsFound) -> Progress {
        self.stub_cache.add(wanted, found);
        let unfinished = self.unfinished.take().expect("a command is under way");
        self.finish(unfinished)
    }

    /// Ends a command whose retention can't go on, since what it wanted can't be read: what should have been dropped
    /// is still kept.
    ///
    /// # Panics
    /// When no command is under way.
    pub fn give_up(&mut self) -> Applied {
        let Unfinished { applied, pending } = self.unfinished.take().expect("a command is under way");
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

    /// Does what is pending of a command.
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

    /// Retention, as far as it goes; what is pending after that is in `pending`.
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

    /// What the command did, when its retention is over.
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

    /// Fills in what the caller leaves to the log. Before the command is written down: what stands there is applied
    /// again at a recovery, by a log that may choose otherwise.
    pub fn fill_in(&self, now: Now, command: &mut Command) {
        if let Command::Sweep { streams } = command {
            *streams = self.due_streams(self.next_stamp(now).time, SWEEP_STREAMS_MAX);
        }
    }

    /// The reply to a command that would change nothing, as far as can be told without applying it.
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
