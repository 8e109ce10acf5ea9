//! Appending to a stream.
//!
//! Invariant: a refused append leaves the log as it was. Does not know blocks of a long publish: those are in
//! `block.rs`.

use std::sync::Arc;

use crate::state::{
    Begun,
    apply::PendingRetention,
    idempotency::{KeyName, Use},
    life::LifeEnd,
    log::LogState,
    stamp::Stamp,
};
use crate::{
    Append, AppendError, AppendOutcome, Appended, Author, Digest, Event, Made, NewEvent, Now, Once, Position,
    StreamName, Then, UnixMs, settings::control_names::first_refused,
};

/// The answer to an append, and what to wake readers for.
pub(in crate::state) type Answer = Begun<Result<Appended, AppendError>>;

impl Answer {
    /// An answer that wrote nothing.
    pub(in crate::state) fn unchanged(answer: Result<Appended, AppendError>) -> Self {
        Self { answer, dirty: None, life: None, pending: PendingRetention::Nothing }
    }
}

/// A write that passed its checks.
struct CheckedWrite {
    /// The name as the log keeps it, so that all events of a stream share one text.
    stream: Option<StreamName>,
    made: Made,
}

/// What a write did to its stream.
struct Pushed {
    /// The last event's position, if there is one.
    last: Option<Position>,
    life: Position,
    exceeds_limits: bool,
    is_due_earlier: bool,
}

/// What an append writes to its stream.
pub(in crate::state) struct Write {
    pub(in crate::state) stream: StreamName,
    pub(in crate::state) events: Vec<NewEvent>,
    pub(in crate::state) then: Then,
    pub(in crate::state) author: Author,
}

impl LogState {
    /// Appends. Uses no position beyond [`Stamp::end`].
    pub(in crate::state) fn append(&mut self, stamp: Stamp, append: Append) -> Answer {
        let Append { stream, events, then, once, author } = append;
        let write = Write { stream, events, then, author };
        match once {
            Once::Unkeyed => self.write(stamp, write),
            Once::Whole { key, digest } => {
                let key = (self.kept_name(write.stream.clone()), key);
                self.append_whole(stamp, key, digest, write)
            }
            Once::Block { claim, number, digest } => self.append_block(stamp, &claim, number, digest, write),
        }
    }

    /// The answer to an append that would change nothing, as far as that is known without applying it.
    pub(in crate::state) fn noop_append_reply(
        &self,
        now: Now,
        append: &Append,
    ) -> Option<Result<Appended, AppendError>> {
        let Append { stream, events, then, once, author } = append;
        let now = self.next_stamp(now).now;
        match once {
            Once::Unkeyed => {}
            Once::Whole { key, digest } => {
                if let Some(answer) = self.answer_of_key(now, &(stream.clone(), key.clone()), *digest) {
                    return Some(answer);
                }
            }
            Once::Block { claim, number, digest } => {
                let key: KeyName = (stream.clone(), claim.key.clone());
                match self.check_block(now, &key, claim, *number, *digest, events.is_empty()) {
                    Ok(_) => {}
                    Err(answer) => return Some(answer),
                }
            }
        }
        self.check_write(stream, events, *then, *author).err()
    }

    fn append_whole(&mut self, stamp: Stamp, key: KeyName, digest: Digest, write: Write) -> Answer {
        if let Some(answer) = self.answer_of_key(stamp.now, &key, digest) {
            return Answer::unchanged(answer);
        }
        let begun = self.write(stamp, write);
        if let Ok(answer) = &begun.answer {
            self.keys.keep(stamp.now, key, Use::Whole { digest, answer: answer.clone() });
        }
        begun
    }

    /// The answer to a publish whose key was used, if it was.
    fn answer_of_key(
        &self,
        now: UnixMs,
        key: &KeyName,
        digest: Digest,
    ) -> Option<Result<Appended, AppendError>> {
        match self.keys.find(now, key)? {
            Use::Whole { digest: first, answer } if *first == digest => Some(Ok(answer.clone())),
            Use::Blocks(blocks) if blocks.is_unused() => None,
            _ => Some(Err(AppendError::KeyReused)),
        }
    }

    /// Writes without checking keys.
    pub(in crate::state) fn write(&mut self, stamp: Stamp, write: Write) -> Answer {
        let Write { stream, events, then, author } = write;
        let CheckedWrite { stream: kept, made } = match self.check_write(&stream, &events, then, author) {
            Ok(checked) => checked,
            Err(answer) => return Answer::unchanged(answer),
        };
        let stream = kept.unwrap_or(stream);
        let bytes_before = self.bytes();
        self.begin(stamp);
        self.free_some();
        let pushed = events.len();
        let start = self.tail.next();
        if made == Made::Now {
            self.make(&stream, start, stamp.now, self.limits.defaults);
        }
        let Pushed { last, life, exceeds_limits, is_due_earlier } = self.push(&stream, stamp, events, then);
        let dirty = Some(self.tail);
        let is_log_full = self.bytes() > self.limits.log_bytes_max;
        let pending = match (exceeds_limits, is_log_full) {
            (true, _) => PendingRetention::TrimStream { stream, stamp, pushed, bytes_before },
            (false, true) => PendingRetention::TrimLog { stream, bytes_before },
            (false, false) => {
                if is_due_earlier {
                    self.schedule(&stream);
                }
                PendingRetention::Nothing
            }
        };
        let answer = Appended {
            position: last.unwrap_or(start),
            count: pushed as u64,
            closed: then == Then::Close,
            outcome: AppendOutcome::Appended,
        };
        Begun { answer: Ok(answer), dirty, life: Some(life), pending }
    }

    /// Whether a write makes its stream; or the answer, when there is nothing to write or the write is refused.
    fn check_write(
        &self,
        stream: &StreamName,
        events: &[NewEvent],
        then: Then,
        author: Author,
    ) -> Result<CheckedWrite, Result<Appended, AppendError>> {
        let (kept, life) = self.lives.kept(stream).unzip();
        if author == Author::Publisher {
            let names = life.map_or(self.limits.defaults, |life| life.settings).control_names;
            if let Some(name) = first_refused(names, events, then) {
                return Err(Err(AppendError::ReservedName { name: name.clone() }));
            }
        }
        let outcome = AppendOutcome::AlreadyClosed;
        match (life.and_then(|life| life.end), events.is_empty(), then) {
            (Some(LifeEnd { position, .. }), true, Then::Close) => {
                return Err(Ok(Appended { position, count: 0, closed: true, outcome }));
            }
            (Some(_), _, _) => return Err(Err(AppendError::Closed)),
            // An empty publish makes nothing, not even a stream.
            (None, true, Then::StayOpen) => {
                let outcome = AppendOutcome::Appended;
                return Err(Ok(Appended { position: self.tail, count: 0, closed: false, outcome }));
            }
            (None, _, _) => {}
        }
        let bytes = events.iter().map(NewEvent::counted_bytes).sum();
        self.check_fits(stream, life, bytes).map_err(Err)?;
        let made = if life.is_none() { Made::Now } else { Made::Before };
        Ok(CheckedWrite { stream: kept.cloned(), made })
    }

    /// Writes to a stream that exists, with a single lookup.
    fn push(&mut self, stream: &StreamName, stamp: Stamp, events: Vec<NewEvent>, then: Then) -> Pushed {
        let time = stamp.time;
        let life = self.lives.life_mut(stream).expect("the stream exists, or was just made");
        let mut last = None;
        for NewEvent { name, data } in events {
            self.tail = self.tail.next();
            self.last_time = Some(time);
            let event = Arc::new(Event { stream: stream.clone(), position: self.tail, time, name, data });
            let bytes = event.counted_bytes();
            life.bytes += bytes;
            self.events_bytes += bytes;
            self.hot_bytes += bytes;
            life.hot.push_back(Arc::clone(&event));
            self.order.insert(self.tail, event);
            last = Some(self.tail);
        }
        if then == Then::Close {
            self.tail = self.tail.next();
            life.end = Some(LifeEnd { position: self.tail, time });
        }
        Pushed {
            last,
            life: life.start,
            exceeds_limits: life.exceeds_limits(stamp),
            is_due_earlier: life.is_due_earlier(),
        }
    }
}
