//! Long publishes under a key, block by block.

use std::time::Duration;

use super::{
    reader::{Reader, check_heard},
    world::{Make, World, append, digest, keyed},
};
use crate::{Append, AppendError, Appended, Claim, Once, Position, Then};

/// A publisher that sends blocks of a body under one claim.
struct Sender<'a> {
    world: &'a World,
    claim: Claim,
    body: &'a [&'a str],
}

impl<'a> Sender<'a> {
    #[track_caller]
    fn claim(world: &'a World, body: &'a [&'a str]) -> Self {
        let claim = world.claim("a", "k").expect("the key is free, or used for blocks");
        Self { world, claim, body }
    }

    /// Sends one block, or the close after the last.
    fn send(&self, number: usize) -> Result<Appended, AppendError> {
        let body = &self.body[..self.body.len().min(number + 1)];
        let (data, then) = match self.body.get(number) {
            Some(block) => (std::slice::from_ref(block), Then::StayOpen),
            None => (&[] as &[&str], Then::Close),
        };
        let digest = digest(&format!("{body:?}"));
        let once = Once::Block { claim: self.claim.clone(), number: number as u64, digest };
        self.world.append(Append { once, ..append("a", data, then) })
    }
}

/// After a cut the publisher sends everything again; blocks that were appended are answered as done.
pub fn a_block_is_appended_once_over_two_requests(make: Make) {
    let world = World::new(make);
    let first = Sender::claim(&world, &["1", "2", "3"]);
    let one = first.send(0).expect("the first block");
    assert_eq!((one.count, one.position), (1, world.tail()));
    let two = first.send(1).expect("the second block");
    let second = Sender::claim(&world, &["1", "2", "3"]);
    for (number, first) in [(0, &one), (1, &two)] {
        let again = second.send(number).expect("an appended block");
        assert_eq!((again.position, again.count), (first.position, 1), "the block's own answer");
    }
    second.send(2).expect("the next block");
    let end = second.send(3).expect("the close");
    assert!(end.closed && end.count == 0);
    check_heard(&world, Reader::at("a", Position::ZERO), &["a:1", "a:2", "a:3", "a!closed"]);
}

/// A newer claim takes over from a half-dead request.
pub fn a_newer_claim_supersedes(make: Make) {
    let world = World::new(make);
    let old = Sender::claim(&world, &["1", "2"]);
    old.send(0).expect("the first block");
    let new = Sender::claim(&world, &["1", "2"]);
    assert_eq!(old.send(1), Err(AppendError::Superseded));
    new.send(0).expect("an appended block");
    new.send(1).expect("the next block");
    assert_eq!(old.send(1), Err(AppendError::Superseded));
    check_heard(&world, Reader::at("a", Position::ZERO), &["a:1", "a:2"]);
}

/// Another body is detected at the first block that differs, or soon after it in a long publish.
pub fn another_body_under_the_claim_is_refused(make: Make) {
    let world = World::new(make);
    let first = Sender::claim(&world, &["1", "2"]);
    first.send(0).expect("the first block");
    first.send(1).expect("the second block");
    let from_the_first = Sender::claim(&world, &["other"]);
    assert_eq!(from_the_first.send(0), Err(AppendError::KeyReused));
    let other = Sender::claim(&world, &["1", "other", "3"]);
    assert_eq!(other.send(1), Err(AppendError::KeyReused));
    let shorter = Sender::claim(&world, &["1"]);
    assert_eq!(shorter.send(1), Err(AppendError::KeyReused), "its end is not the end of the blocks");
    check_heard(&world, Reader::at("a", Position::ZERO), &["a:1", "a:2"]);
}

/// No block can be skipped.
pub fn a_block_beyond_the_next_is_refused(make: Make) {
    let world = World::new(make);
    let sender = Sender::claim(&world, &["1", "2", "3"]);
    assert_eq!(sender.send(1), Err(AppendError::KeyReused));
    assert_eq!(sender.send(3), Err(AppendError::KeyReused));
    assert_eq!((world.tail(), world.state("a")), (Position::ZERO, None), "a claim makes no stream");
}

/// The close happens once, and a repeat gets the same answer.
pub fn a_repeated_close_of_blocks_gets_the_same_answer(make: Make) {
    let world = World::new(make);
    let first = Sender::claim(&world, &["1"]);
    first.send(0).expect("the block");
    let end = first.send(1).expect("the close");
    let tail = world.tail();
    let second = Sender::claim(&world, &["1"]);
    second.send(0).expect("an appended block");
    assert_eq!(second.send(1), Ok(end));
    assert_eq!(world.tail(), tail);
    let longer = Sender::claim(&world, &["1", "2"]);
    assert_eq!(longer.send(1), Err(AppendError::KeyReused), "the body ended there");
}

/// Repeats of blocks are answered even when another publisher closed the stream; new blocks are refused.
pub fn a_stream_closed_by_another_accepts_no_new_block(make: Make) {
    let world = World::new(make);
    let first = Sender::claim(&world, &["1", "2"]);
    let one = first.send(0).expect("the first block");
    let end = world.close("a").position;
    let second = Sender::claim(&world, &["1", "2"]);
    assert_eq!(second.send(0).map(|answer| answer.position), Ok(one.position));
    assert_eq!(second.send(1), Err(AppendError::Closed));
    let shorter = Sender::claim(&world, &["1"]);
    assert_eq!(shorter.send(1).map(|answer| answer.position), Ok(end), "closed is what it asks for");
}

/// A key is used either for a whole publish or for blocks.
pub fn a_key_has_one_kind_of_use(make: Make) {
    let world = World::new(make);
    world.append(keyed("a", &["1"], Then::StayOpen, "k")).expect("the publish is valid");
    assert_eq!(world.claim("a", "k"), Err(AppendError::KeyReused));
    world.claim("a", "claimed").expect("another key is free");
    let whole = keyed("a", &["1"], Then::StayOpen, "claimed");
    world.append(whole).expect("a claim alone does not use the key");
    assert_eq!(world.claim("a", "claimed"), Err(AppendError::KeyReused));
    let claim = world.claim("a", "long").expect("another key is free");
    let once = Once::Block { claim, number: 0, digest: digest("1") };
    world.append(Append { once, ..append("a", &["1"], Then::StayOpen) }).expect("the first block");
    let whole = keyed("a", &["1"], Then::StayOpen, "long");
    assert_eq!(world.append(whole), Err(AppendError::KeyReused));
}

/// A claim that was forgotten appends nothing: its blocks might be repeats.
pub fn a_forgotten_claim_appends_nothing(make: Make) {
    let world = World::with(make, |limits| limits.key_ttl = Duration::from_millis(100));
    let sender = Sender::claim(world.at(1000), &["1", "2", "3"]);
    world.at(1090);
    sender.send(0).expect("each block renews the key");
    world.at(1180);
    sender.send(1).expect("each block renews the key");
    world.at(1280);
    assert_eq!(sender.send(2), Err(AppendError::Superseded));
    let newer = Sender::claim(&world, &["1"]);
    newer.send(0).expect("the key is free again");
    assert_eq!(sender.send(2), Err(AppendError::Superseded), "an old claim is not the new one");
}

/// Of a long publish some blocks are remembered: a repeat of all of it is answered as done, and another body is
/// detected before it appends anything.
pub fn a_long_publish_is_remembered_by_some_of_its_blocks(make: Make) {
    let world = World::new(make);
    let body: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let body: Vec<&str> = body.iter().map(String::as_str).collect();
    let first = Sender::claim(&world, &body[..999]);
    let answers: Vec<_> = (0..999).map(|number| first.send(number).expect("the next block")).collect();
    let tail = world.tail();
    let again = Sender::claim(&world, &body);
    for (number, first) in answers.iter().enumerate() {
        let answer = again.send(number).expect("an appended block");
        assert!(answer.position <= first.position, "a place from which nothing is missed");
    }
    assert_eq!(again.send(998).map(|answer| answer.position), Ok(tail));
    assert_eq!(world.tail(), tail, "nothing is appended twice");
    again.send(999).expect("the next block");
    let mut other = body.clone();
    other[500] = "other";
    let other = Sender::claim(&world, &other);
    let detected = (0..1_000).find(|number| other.send(*number).is_err());
    assert!(detected.is_some_and(|number| (500..600).contains(&number)), "{detected:?}");
}
