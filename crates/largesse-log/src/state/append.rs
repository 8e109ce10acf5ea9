//! Appending to a stream.
//!
//! Invariant: a refused append leaves the log as it was. Does not know blocks of a long publish: those are in
//! `block.rs`.

use std::sync::Arc;

use super::{
    Stepped,
    keys::{KeyName, Use},
    life::LifeEnd,
    log::LogState,
    slot::Slot,
};
use crate::{
    Append, AppendError, AppendOutcome, Appended, Digest, Event, Made, NewEvent, Once, Position, StreamName,
    Then, UnixMs,
};

/// The answer to an append, and what to ring for.
pub type Answer = Stepped<Result<Appended, AppendError>>;

impl Answer {
    /// An answer that wrote nothing.
    pub(super) fn quiet(answer: Result<Appended, AppendError>) -> Self {
        Self { answer, ring: None }
    }
}

/// What an append writes to its stream.
pub(super) struct Write {
    pub(super) stream: StreamName,
    pub(super) events: Vec<NewEvent>,
    pub(super) then: Then,
}

impl LogState {
    /// Appends. Takes no position beyond [`Slot::end`].
    pub fn append(&mut self, slot: Slot, append: Append) -> Answer {
        let Append { stream, events, then, once } = append;
        let write = Write { stream: self.kept_name(stream), events, then };
        match once {
            Once::Unkeyed => self.write(slot, write),
            Once::Whole { key, digest } => {
                self.append_whole(slot, (write.stream.clone(), key), digest, write)
            }
            Once::Block { claim, number, digest } => self.append_block(slot, &claim, number, digest, write),
        }
    }

    /// The answer to an append that would change nothing, as far as can be told without taking the step.
    #[must_use]
    pub fn foresee(&self, now: UnixMs, append: &Append) -> Option<Result<Appended, AppendError>> {
        let Append { stream, events, then, once } = append;
        match once {
            Once::Unkeyed => {}
            Once::Whole { key, digest } => {
                if let Some(answer) = self.answer_of_key(now, &(stream.clone(), key.clone()), *digest) {
                    return Some(answer);
                }
            }
            Once::Block { claim, number, digest } => {
                let key: KeyName = (stream.clone(), claim.key.clone());
                match self.judge_block(now, &key, claim, *number, *digest, events.is_empty()) {
                    Ok(_) => {}
                    Err(answer) => return Some(answer),
                }
            }
        }
        self.judge_write(stream, events, *then).err()
    }

    fn append_whole(&mut self, slot: Slot, key: KeyName, digest: Digest, write: Write) -> Answer {
        if let Some(answer) = self.answer_of_key(slot.now, &key, digest) {
            return Answer::quiet(answer);
        }
        let stepped = self.write(slot, write);
        if let Ok(answer) = &stepped.answer {
            self.keys.keep(slot.now, key, Use::Whole { digest, answer: answer.clone() });
        }
        stepped
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

    /// Writes without another look at keys.
    pub(super) fn write(&mut self, slot: Slot, write: Write) -> Answer {
        let Write { stream, events, then } = write;
        let is_new = match self.judge_write(&stream, &events, then) {
            Ok(is_new) => is_new,
            Err(answer) => return Answer::quiet(answer),
        };
        self.begin(slot);
        self.clear_grave();
        let pushed = events.len();
        let start = self.tail.next();
        if is_new == Made::Now {
            self.make(&stream, start, slot.now, self.limits.defaults);
        }
        let position = self.push_all(&stream, slot, events).unwrap_or(start);
        if then == Then::Close {
            self.close(&stream, slot);
        }
        let ring = Some(self.tail);
        let now = slot.now;
        self.trim_stream(&stream, now, pushed);
        self.trim_log();
        self.schedule(&stream);
        let closed = then == Then::Close;
        let outcome = AppendOutcome::Appended;
        Stepped { answer: Ok(Appended { position, count: pushed as u64, closed, outcome }), ring }
    }

    /// Whether a write makes its stream; or the answer, when there is nothing to write, or nothing may be written.
    fn judge_write(
        &self,
        stream: &StreamName,
        events: &[NewEvent],
        then: Then,
    ) -> Result<Made, Result<Appended, AppendError>> {
        let life = self.lives.get(stream);
        let outcome = AppendOutcome::AlreadyClosed;
        match (life.and_then(|life| life.end), events.is_empty(), then) {
            (Some(LifeEnd { position, .. }), true, Then::Close) => {
                return Err(Ok(Appended { position, count: 0, closed: true, outcome }));
            }
            (Some(_), _, _) => return Err(Err(AppendError::Closed)),
            // A publish of nothing makes nothing, not even a stream.
            (None, true, Then::StayOpen) => {
                let outcome = AppendOutcome::Appended;
                return Err(Ok(Appended { position: self.tail, count: 0, closed: false, outcome }));
            }
            (None, _, _) => {}
        }
        let bytes = events.iter().map(NewEvent::counted_bytes).sum();
        self.check_fits(stream, life, bytes).map_err(Err)?;
        Ok(if life.is_none() { Made::Now } else { Made::Before })
    }

    /// Answers the position of the last, if there is one.
    fn push_all(&mut self, stream: &StreamName, slot: Slot, events: Vec<NewEvent>) -> Option<Position> {
        let time = slot.time;
        let life = self.lives.life_mut(stream)?;
        let mut last = None;
        for NewEvent { name, data } in events {
            self.tail = self.tail.next();
            self.last_time = Some(time);
            let event = Arc::new(Event { stream: stream.clone(), position: self.tail, time, name, data });
            let bytes = event.counted_bytes();
            life.bytes += bytes;
            self.events_bytes += bytes;
            self.young_bytes += bytes;
            life.young.push_back(Arc::clone(&event));
            self.order.insert(self.tail, event);
            last = Some(self.tail);
        }
        last
    }

    fn close(&mut self, stream: &StreamName, slot: Slot) {
        let position = self.take_position();
        if let Some(life) = self.life_mut(stream) {
            life.end = Some(LifeEnd { position, time: slot.time });
        }
    }
}
