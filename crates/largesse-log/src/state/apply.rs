//! Applying commands: the one way to change the log.
//!
//! Invariants: a command is whole when this returns; the same commands in the same stamps, on logs with the same
//! limits, give the same state, live and at a recovery. Does not know who asked.

use super::{Stepped, log::LogState, stamp::Stamp};
use crate::{Command, Now, Position, Reply, SWEEP_STREAMS_MAX, StreamName, Sweep};

/// What a command did.
#[derive(Debug)]
pub struct Applied {
    /// The answer to whoever asked.
    pub reply: Reply,
    /// A stream with a new record, and the last one that readers can meet.
    pub dirty: Option<(StreamName, Position)>,
    /// Where the life began that an append wrote its events to; `None` when it wrote nothing.
    pub life: Option<Position>,
}

impl Applied {
    fn quiet(reply: Reply) -> Self {
        Self { reply, dirty: None, life: None }
    }

    fn of<T>(stepped: Stepped<T>, stream: StreamName, reply: impl FnOnce(T) -> Reply) -> Self {
        let Stepped { answer, ring, life } = stepped;
        Self { reply: reply(answer), dirty: ring.map(|position| (stream, position)), life }
    }
}

impl LogState {
    /// Applies a command. Takes no position beyond [`Stamp::end`] of [`Command::positions`].
    pub fn apply(&mut self, stamp: Stamp, command: Command) -> Applied {
        let applied = self.apply_unchecked(stamp, command);
        if cfg!(debug_assertions) {
            self.check_in_turn();
        }
        applied
    }

    fn apply_unchecked(&mut self, stamp: Stamp, command: Command) -> Applied {
        match command {
            Command::Append(append) => {
                let stream = append.stream.clone();
                Applied::of(self.append(stamp, append), stream, Reply::Append)
            }
            Command::Claim { stream, key } => Applied::quiet(Reply::Claim(self.claim(stamp, &stream, &key))),
            Command::Put { stream, put } => {
                Applied::quiet(Reply::Put(self.put(stamp, &stream, &put).map(Box::new)))
            }
            Command::Delete { stream } => Applied::of(self.delete(stamp, &stream), stream, Reply::Delete),
            Command::Sweep { streams } => Applied::quiet(Reply::Sweep(self.sweep(stamp, &streams))),
            Command::Damage { stream, position } => {
                self.damage(Some(stamp), &stream, position);
                Applied::quiet(Reply::Damage)
            }
            Command::Limits(limits) => {
                self.limit(limits);
                Applied::quiet(Reply::Limits)
            }
        }
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
