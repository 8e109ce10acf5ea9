//! Appending to a stream.
//!
//! Invariant: a refused append leaves the log as it was. Does not know blocks of a long publish: those are in
//! `block.rs`.

use std::sync::Arc;

use super::{
    Stepped,
    keys::{KeyName, Use},
    life::LifeEnd,
    log::MemoryLog,
};
use crate::{
    Append, AppendError, AppendOutcome, Appended, Digest, Event, NewEvent, Once, Position, StreamName, Then,
    UnixMs,
};

/// The answer to an append, and what to ring for.
pub(super) type Answer = Stepped<Result<Appended, AppendError>>;

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

impl MemoryLog {
    pub(super) fn append(&mut self, now: UnixMs, append: Append) -> Answer {
        let Append { stream, events, then, once } = append;
        let write = Write { stream: self.kept_name(stream), events, then };
        match once {
            Once::Unkeyed => self.write(now, write),
            Once::Whole { key, digest } => self.append_whole(now, (write.stream.clone(), key), digest, write),
            Once::Block { claim, number, digest } => self.append_block(now, &claim, number, digest, write),
        }
    }

    fn append_whole(&mut self, now: UnixMs, key: KeyName, digest: Digest, write: Write) -> Answer {
        match self.keys.find(now, &key) {
            Some(Use::Whole { digest: first, answer }) if *first == digest => {
                return Answer::quiet(Ok(answer.clone()));
            }
            Some(Use::Blocks(blocks)) if blocks.is_unused() => {}
            Some(_) => return Answer::quiet(Err(AppendError::KeyReused)),
            None => {}
        }
        let stepped = self.write(now, write);
        if let Ok(answer) = &stepped.answer {
            self.keys.keep(now, key, Use::Whole { digest, answer: answer.clone() });
        }
        stepped
    }

    /// Writes without another look at keys.
    pub(super) fn write(&mut self, now: UnixMs, write: Write) -> Answer {
        if let Some(answer) = self.answer_without_writing(&write) {
            return Answer::quiet(answer);
        }
        let Write { stream, events, then } = write;
        let bytes = events.iter().map(NewEvent::counted_bytes).sum();
        if let Err(refused) = self.check_fits(&stream, bytes) {
            return Answer::quiet(Err(refused));
        }
        let pushed = events.len();
        let start = self.tail.next();
        if !self.lives.contains_key(&stream) {
            self.make(&stream, start, now, self.limits.defaults);
        }
        let mut position = start;
        for event in events {
            position = self.push(&stream, now, event);
        }
        if then == Then::Close {
            self.close(&stream, now);
        }
        let ring = Some(self.tail);
        self.trim_stream(&stream, now, pushed);
        self.trim_log();
        self.schedule(&stream);
        let closed = then == Then::Close;
        let outcome = AppendOutcome::Appended;
        Stepped { answer: Ok(Appended { position, count: pushed as u64, closed, outcome }), ring }
    }

    /// The answer when there is nothing to write, or nothing may be written.
    fn answer_without_writing(&self, write: &Write) -> Option<Result<Appended, AppendError>> {
        let end = self.lives.get(&write.stream).and_then(|life| life.end);
        let outcome = AppendOutcome::AlreadyClosed;
        match (end, write.events.is_empty(), write.then) {
            (Some(LifeEnd { position, .. }), true, Then::Close) => {
                Some(Ok(Appended { position, count: 0, closed: true, outcome }))
            }
            (Some(_), _, _) => Some(Err(AppendError::Closed)),
            // A publish of nothing makes nothing, not even a stream.
            (None, true, Then::StayOpen) => {
                let outcome = AppendOutcome::Appended;
                Some(Ok(Appended { position: self.tail, count: 0, closed: false, outcome }))
            }
            (None, _, _) => None,
        }
    }

    fn push(&mut self, stream: &StreamName, now: UnixMs, event: NewEvent) -> Position {
        let time = self.time_of_record(now);
        let position = self.take_position();
        self.last_time = Some(time);
        let bytes = event.counted_bytes();
        if let Some(life) = self.lives.get_mut(stream) {
            let NewEvent { name, data } = event;
            let event = Arc::new(Event { stream: stream.clone(), position, time, name, data });
            life.events.push_back(Arc::clone(&event));
            life.bytes += bytes;
            self.events_bytes += bytes;
            self.order.insert(position, event);
        }
        position
    }

    fn close(&mut self, stream: &StreamName, now: UnixMs) {
        let time = self.time_of_record(now);
        let position = self.take_position();
        if let Some(life) = self.lives.get_mut(stream) {
            life.end = Some(LifeEnd { position, time });
        }
    }
}
