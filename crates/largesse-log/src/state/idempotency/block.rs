//! A long publish under a key, block by block.
//!
//! Invariant: block n of a key is appended once, whichever request sends it, and only the request with the
//! newest claim may append. Does not know what a block is on the wire.

use crate::state::{
    apply::append::{Answer, Write},
    idempotency::{KeyName, Use},
    log::LogState,
    saved::SavedBlocks,
    stamp::Stamp,
};
use crate::{
    AppendError, AppendOutcome, Appended, Claim, Digest, IdempotencyKey, Position, StreamName, UnixMs,
};

/// How many blocks of one key are remembered. Of a longer publish, only every n-th block is, with a growing n.
pub(in crate::state) const CHECKPOINTS_MAX: usize = 64;

/// How far the publish under one key has come.
#[derive(Clone)]
pub(in crate::state) struct Blocks {
    /// The newest claim.
    generation: u64,
    /// How many blocks are appended.
    done: u64,
    /// Blocks whose number plus one is a multiple of `step`, and the last; at most [`CHECKPOINTS_MAX`] + 1.
    checkpoints: Vec<Checkpoint>,
    /// A power of two.
    step: u64,
    /// The answer to the close, once that is done.
    closed: Option<Appended>,
}

/// A block that was appended.
#[derive(Clone, Copy)]
struct Checkpoint {
    number: u64,
    /// Of all blocks up to this one.
    digest: Digest,
    position: Position,
}

/// What to do with a block.
enum Verdict {
    /// It was appended before.
    Done(Appended),
    /// It is the next.
    Next,
    /// The key was used for another body.
    Reused,
}

impl Blocks {
    fn new(generation: u64) -> Self {
        Self { generation, done: 0, checkpoints: Vec::new(), step: 1, closed: None }
    }

    pub(in crate::state) fn saved(&self) -> SavedBlocks {
        let plain = |checkpoint: &Checkpoint| (checkpoint.number, checkpoint.digest, checkpoint.position);
        SavedBlocks {
            generation: self.generation,
            done: self.done,
            step: self.step,
            checkpoints: self.checkpoints.iter().map(plain).collect(),
            closed: self.closed.clone(),
        }
    }

    pub(in crate::state) fn restored(saved: SavedBlocks) -> Self {
        let SavedBlocks { generation, done, step, checkpoints, closed } = saved;
        let checkpoint = |(number, digest, position)| Checkpoint { number, digest, position };
        Self {
            generation,
            done,
            step,
            checkpoints: checkpoints.into_iter().map(checkpoint).collect(),
            closed,
        }
    }

    /// Whether nothing was appended under the key: a claim alone does not use it.
    pub(in crate::state) fn is_unused(&self) -> bool {
        self.done == 0 && self.closed.is_none()
    }

    fn check(&self, number: u64, digest: Digest, is_closing: bool) -> Verdict {
        if is_closing {
            return self.check_closing(number);
        }
        match (number.cmp(&self.done), &self.closed) {
            (std::cmp::Ordering::Less, closed) => self.check_done(number, digest, closed.is_some()),
            (std::cmp::Ordering::Equal, None) => Verdict::Next,
            _ => Verdict::Reused,
        }
    }

    /// A block that was appended. If it is not remembered itself, the next remembered one will reveal another body.
    fn check_done(&self, number: u64, digest: Digest, closed: bool) -> Verdict {
        let upto = self.checkpoints.partition_point(|checkpoint| checkpoint.number <= number);
        let remembered = self.checkpoints[..upto].last();
        match remembered {
            Some(checkpoint) if checkpoint.number == number && checkpoint.digest != digest => Verdict::Reused,
            // The place of the last remembered block up to it: reading on from there misses nothing.
            remembered => {
                let position = remembered.map_or(Position::ZERO, |checkpoint| checkpoint.position);
                Verdict::Done(Appended { position, count: 1, closed, outcome: AppendOutcome::Appended })
            }
        }
    }

    /// A body that ends before the blocks that were appended is another body.
    fn check_closing(&self, number: u64) -> Verdict {
        match &self.closed {
            _ if number != self.done => Verdict::Reused,
            Some(answer) => Verdict::Done(answer.clone()),
            None => Verdict::Next,
        }
    }

    fn record(&mut self, number: u64, digest: Digest, answer: &Appended) {
        if answer.count > 0 {
            self.done = number + 1;
            self.remember(Checkpoint { number, digest, position: answer.position });
        }
        if answer.closed {
            self.closed = Some(answer.clone());
        }
    }

    fn remember(&mut self, block: Checkpoint) {
        let is_kept = |checkpoint: &Checkpoint, step: u64| (checkpoint.number + 1).is_multiple_of(step);
        if self.checkpoints.last().is_some_and(|last| !is_kept(last, self.step)) {
            self.checkpoints.pop();
        }
        self.checkpoints.push(block);
        if self.checkpoints.len() > CHECKPOINTS_MAX {
            self.step *= 2;
            let step = self.step;
            self.checkpoints
                .retain(|checkpoint| is_kept(checkpoint, step) || checkpoint.number == block.number);
        }
    }
}

impl LogState {
    /// Takes over a key for one long publish. Uses no position.
    ///
    /// # Errors
    /// [`AppendError::KeyReused`] when the key was used for a whole publish.
    pub(in crate::state) fn claim(
        &mut self,
        stamp: Stamp,
        stream: &StreamName,
        key: &IdempotencyKey,
    ) -> Result<Claim, AppendError> {
        let now = stamp.now;
        let name = (self.kept_name(stream.clone()), key.clone());
        let generation = self.keys.next_number();
        let blocks = match self.keys.find(now, &name) {
            Some(Use::Whole { .. }) => return Err(AppendError::KeyReused),
            Some(Use::Blocks(blocks)) => Blocks { generation, ..blocks.clone() },
            None => Blocks::new(generation),
        };
        self.keys.keep(now, name, Use::Blocks(blocks));
        Ok(Claim { key: key.clone(), generation })
    }

    pub(in crate::state) fn append_block(
        &mut self,
        stamp: Stamp,
        claim: &Claim,
        number: u64,
        digest: Digest,
        write: Write,
    ) -> Answer {
        let name: KeyName = (write.stream.clone(), claim.key.clone());
        let is_closing = write.events.is_empty();
        let mut blocks = match self.check_block(stamp.now, &name, claim, number, digest, is_closing) {
            Ok(blocks) => blocks.clone(),
            Err(answer) => return Answer::unchanged(answer),
        };
        let begun = self.write(stamp, write);
        if let Ok(answer) = &begun.answer {
            blocks.record(number, digest, answer);
            self.keys.keep(stamp.now, name, Use::Blocks(blocks));
        }
        begun
    }

    /// The state before a block that is the next; otherwise the answer to the block.
    pub(in crate::state) fn check_block(
        &self,
        now: UnixMs,
        name: &KeyName,
        claim: &Claim,
        number: u64,
        digest: Digest,
        is_closing: bool,
    ) -> Result<&Blocks, Result<Appended, AppendError>> {
        let blocks = match self.keys.find(now, name) {
            Some(Use::Blocks(blocks)) if blocks.generation == claim.generation => blocks,
            Some(Use::Whole { .. }) => return Err(Err(AppendError::KeyReused)),
            // A claim that was forgotten may not append either: its blocks might be repeats.
            Some(Use::Blocks(_)) | None => return Err(Err(AppendError::Superseded)),
        };
        match blocks.check(number, digest, is_closing) {
            Verdict::Done(answer) => Err(Ok(answer)),
            Verdict::Reused => Err(Err(AppendError::KeyReused)),
            Verdict::Next => Ok(blocks),
        }
    }
}
