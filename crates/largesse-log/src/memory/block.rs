//! A long publish under a key, block by block.
//!
//! Invariant: block n of a key is appended once, whichever request brings it, and only the request with the
//! newest claim brings any. Does not know what a block is on the wire.

use super::{
    append::{Answer, Write},
    keys::{KeyName, Use},
    log::MemoryLog,
};
use crate::{
    AppendError, AppendOutcome, Appended, Claim, Digest, IdempotencyKey, Position, StreamName, UnixMs,
};

/// How far the publish under one key has come.
#[derive(Clone)]
pub(super) struct Blocks {
    /// The newest claim.
    generation: u64,
    /// How many blocks are appended, and the digest and position of the last.
    done: u64,
    last: Option<(Digest, Position)>,
    /// The answer to the closing step, once that is done.
    closed: Option<Appended>,
}

/// What a block is to be met with.
enum Verdict {
    /// It was appended before.
    Done(Appended),
    /// It is the next.
    Next,
    /// The key stands for another body.
    Reused,
}

impl Blocks {
    fn judge(&self, number: u64, digest: Digest, write: &Write) -> Verdict {
        if write.events.is_empty() {
            return self.judge_closing(number);
        }
        match (number.cmp(&self.done), self.last, &self.closed) {
            (std::cmp::Ordering::Less, Some((last, _)), _) if number + 1 == self.done && last != digest => {
                Verdict::Reused
            }
            (std::cmp::Ordering::Less, Some((_, position)), closed) => {
                let (closed, outcome) = (closed.is_some(), AppendOutcome::Appended);
                Verdict::Done(Appended { position, count: 1, closed, outcome })
            }
            (std::cmp::Ordering::Equal, _, None) => Verdict::Next,
            _ => Verdict::Reused,
        }
    }

    /// A body that ends before the blocks that were appended is another body.
    fn judge_closing(&self, number: u64) -> Verdict {
        match &self.closed {
            _ if number != self.done => Verdict::Reused,
            Some(answer) => Verdict::Done(answer.clone()),
            None => Verdict::Next,
        }
    }

    fn record(&mut self, number: u64, digest: Digest, answer: &Appended) {
        if answer.count > 0 {
            self.done = number + 1;
            self.last = Some((digest, answer.position));
        }
        if answer.closed {
            self.closed = Some(answer.clone());
        }
    }
}

impl MemoryLog {
    pub(super) fn claim(
        &mut self,
        now: UnixMs,
        stream: &StreamName,
        key: &IdempotencyKey,
    ) -> Result<Claim, AppendError> {
        let name = (stream.clone(), key.clone());
        let generation = self.keys.next_number();
        let blocks = match self.keys.find(now, &name) {
            Some(Use::Whole { .. }) => return Err(AppendError::KeyReused),
            Some(Use::Blocks(blocks)) => Blocks { generation, ..blocks.clone() },
            None => Blocks { generation, done: 0, last: None, closed: None },
        };
        self.keys.keep(now, name, Use::Blocks(blocks));
        Ok(Claim { key: key.clone(), generation })
    }

    pub(super) fn append_block(
        &mut self,
        now: UnixMs,
        claim: &Claim,
        number: u64,
        digest: Digest,
        write: Write,
    ) -> Answer {
        let name: KeyName = (write.stream.clone(), claim.key.clone());
        let mut blocks = match self.keys.find(now, &name) {
            Some(Use::Blocks(blocks)) if blocks.generation == claim.generation => blocks.clone(),
            Some(Use::Whole { .. }) => return Answer::quiet(Err(AppendError::KeyReused)),
            // A claim that was forgotten may not append either: its blocks might all come a second time.
            Some(Use::Blocks(_)) | None => return Answer::quiet(Err(AppendError::Superseded)),
        };
        match blocks.judge(number, digest, &write) {
            Verdict::Done(answer) => return Answer::quiet(Ok(answer)),
            Verdict::Reused => return Answer::quiet(Err(AppendError::KeyReused)),
            Verdict::Next => {}
        }
        let stepped = self.write(now, write);
        if let Ok(answer) = &stepped.answer {
            blocks.record(number, digest, answer);
            self.keys.keep(now, name, Use::Blocks(blocks));
        }
        stepped
    }
}
