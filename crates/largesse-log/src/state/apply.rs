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
    Stepped,
    apply::sweep::SweepUnderWay,
    log::LogState,
    retention::ahead::{Stub, StubsFound, StubsWanted},
    stamp::Stamp,
};
use crate::{Command, Now, Position, Reply, SWEEP_STREAMS_MAX, StreamName, Sweep};

/// How far a command has come.
#[derive(Debug)]
#[must_use]
pub enum Progress {
    /// It is whole.
    Applied(Applied),
    /// Its retention has to know this of cold events, to go on with [`LogState::go_on`]. Until then no other command is
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
    left: Left,
}

/// What is left of a command.
pub(super) enum Left {
    Nothing,
    /// A stream may have too much, then the log.
    Trim {
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
    fn quiet(reply: Reply) -> Self {
        Self { reply, dirty: None, life: None, effects: Effects::default() }
    }

    fn of<T>(stepped: Stepped<T>, stream: StreamName, reply: impl FnOnce(T) -> Reply) -> Unfinished {
        let Stepped { answer, ring, life, left } = stepped;
        let dirty = ring.map(|position| (stream, position));
        Unfinished { applied: Self { life, dirty, ..Self::quiet(reply(answer)) }, left }
    }
}

impl From<Reply> for Unfinished {
    fn from(reply: Reply) -> Self {
        Self { applied: Applied::quiet(reply), left: Left::Nothing }
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
    pub fn go_on(&mut self, wanted: &StubsWanted, found: StubsFound) -> Progress {
        self.ahead.add(wanted, found);
        let unfinished = self.unfinished.take().expect("a command is under way");
        self.finish(unfinished)
    }

    /// Ends a command whose retention can't go on, since what it wanted can't be read: what should have been dropped
    /// is still kept.
    ///
    /// # Panics
    /// When no command is under way.
    pub fn give_up(&mut self) -> Applied {
        let Unfinished { applied, left } = self.unfinished.take().expect("a command is under way");
        self.completed(applied, &left)
    }

    fn begin_command(&mut self, stamp: Stamp, command: Command) -> Unfinished {
        match command {
            Command::Append(append) => {
                let stream = append.stream.clone();
                Applied::of(self.append(stamp, append), stream, Reply::Append)
            }
            Command::Claim { stream, key } => Reply::Claim(self.claim(stamp, &stream, &key)).into(),
            Command::Put { stream, put } => {
                let stepped = self.put(stamp, &stream, &put);
                Applied::of(stepped, stream, |answer| Reply::Put(answer.map(Box::new)))
            }
            Command::Delete { stream } => Applied::of(self.delete(stamp, &stream), stream, Reply::Delete),
            Command::Sweep { streams } => Unfinished {
                applied: Applied::quiet(Reply::Sweep(Sweep::Done)),
                left: Left::Sweep(SweepUnderWay::new(stamp, streams)),
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

    /// Does what is left of a command.
    fn finish(&mut self, begun: Unfinished) -> Progress {
        let Unfinished { applied, mut left } = begun;
        if let Err(wanted) = self.do_left(&mut left) {
            self.unfinished = Some(Unfinished { applied, left });
            return Progress::Wants(wanted);
        }
        let applied = self.completed(applied, &left);
        if cfg!(debug_assertions) {
            self.check_in_turn();
        }
        Progress::Applied(applied)
    }

    /// Retention, as far as it goes; what is left after that is in `left`.
    fn do_left(&mut self, left: &mut Left) -> Result<(), StubsWanted> {
        if let Left::Trim { stream, stamp, pushed, bytes_before } = left {
            self.trim_stream(stream, *stamp, *pushed)?;
            *left = Left::TrimLog { stream: stream.clone(), bytes_before: *bytes_before };
        }
        match left {
            Left::Nothing | Left::Trim { .. } => Ok(()),
            Left::TrimLog { bytes_before, .. } => self.trim_log(*bytes_before),
            Left::Sweep(sweep) => self.sweep_on(sweep),
        }
    }

    /// What the command did, when its retention is over.
    fn completed(&mut self, mut applied: Applied, left: &Left) -> Applied {
        if let Left::Trim { stream, .. } | Left::TrimLog { stream, .. } = left {
            self.schedule(stream);
            if let Reply::Put(Ok(answer)) = &mut applied.reply
                && let Some(state) = self.state(stream)
            {
                answer.state = state;
            }
        }
        if let (Left::Sweep(sweep), Reply::Sweep(answer)) = (left, &mut applied.reply) {
            *answer = if self.has_due_at(sweep.stamp) { Sweep::More } else { Sweep::Done };
        }
        applied.effects = mem::take(&mut self.effects);
        applied
    }

    /// Fills in what the caller leaves to the log. Before the command is written down: what stands there is applied
    /// again at a recovery, by a log that may choose otherwise.
    pub fn complete(&self, now: Now, command: &mut Command) {
        if let Command::Sweep { streams } = command {
            *streams = self.due_streams(self.next_stamp(now).time, SWEEP_STREAMS_MAX);
        }
    }

    /// The reply to a command that would change nothing, as far as can be told without applying it.
    #[must_use]
    pub fn foresee(&self, now: Now, command: &Command) -> Option<Reply> {
        match command {
            Command::Append(append) => self.foresee_append(now, append).map(Reply::Append),
            Command::Delete { stream } if !self.lives.contains(stream) => Some(Reply::Delete(None)),
            Command::Sweep { .. } if !self.has_due(now) => Some(Reply::Sweep(Sweep::Done)),
            _ => None,
        }
    }
}
