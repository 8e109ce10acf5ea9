//! Idempotency keys of whole publishes.

use std::time::Duration;

use super::world::{Make, World, append, keyed};
use crate::{AppendError, Position, Then};

const OPEN: Then = Then::StayOpen;

/// A repeat appends nothing and gets an equal answer, whatever happened in between.
pub fn a_repeat_gets_the_first_answer(make: Make) {
    let world = World::new(make);
    let first = world.append(keyed("a", &["1", "2"], OPEN, "k")).expect("the publish is valid");
    world.publish("a", &["3"]);
    world.close("a");
    assert_eq!(world.append(keyed("a", &["1", "2"], OPEN, "k")), Ok(first.clone()), "even when closed");
    world.delete("a");
    assert_eq!(world.append(keyed("a", &["1", "2"], OPEN, "k")), Ok(first), "even when gone");
    assert_eq!(world.state("a"), None, "a repeat makes nothing");
}

/// A repeat of a close is a repeat too.
pub fn a_repeated_close_gets_the_first_answer(make: Make) {
    let world = World::new(make);
    let first = world.append(keyed("a", &["1"], Then::Close, "k")).expect("the publish is valid");
    let tail = world.tail();
    assert_eq!(world.append(keyed("a", &["1"], Then::Close, "k")), Ok(first));
    assert_eq!(world.tail(), tail);
}

/// Another body under the same key is refused, even when the stream is closed.
pub fn another_body_under_the_key_is_refused(make: Make) {
    let world = World::new(make);
    world.append(keyed("a", &["1"], OPEN, "k")).expect("the publish is valid");
    assert_eq!(world.append(keyed("a", &["2"], OPEN, "k")), Err(AppendError::KeyReused));
    world.close("a");
    assert_eq!(world.append(keyed("a", &["2"], OPEN, "k")), Err(AppendError::KeyReused));
    assert_eq!(world.state("a").map(|state| state.events), Some(1));
}

/// The same key on another stream is another key.
pub fn a_key_belongs_to_one_stream(make: Make) {
    let world = World::new(make);
    world.append(keyed("a", &["1"], OPEN, "k")).expect("the publish is valid");
    let other = world.append(keyed("b", &["2"], OPEN, "k")).expect("it is another stream's key");
    assert_eq!(other.position, world.tail());
}

/// A refused publish may be retried under the same key.
pub fn a_refused_publish_does_not_use_up_its_key(make: Make) {
    let world = World::new(make);
    world.close("a");
    assert_eq!(world.append(keyed("a", &["1"], OPEN, "k")), Err(AppendError::Closed));
    world.delete("a");
    let answer = world.append(keyed("a", &["1"], OPEN, "k")).expect("the stream is open again");
    assert_eq!(answer.position, world.tail());
}

/// A key expires by the time that callers pass in, swept or not.
pub fn a_key_expires(make: Make) {
    let world = World::with(make, |limits| limits.key_ttl = Duration::from_millis(100));
    let first = world.at(1000).append(keyed("a", &["1"], OPEN, "k")).expect("the publish is valid");
    world.at(1099).sweep();
    assert_eq!(world.append(keyed("a", &["1"], OPEN, "k")), Ok(first.clone()));
    let second = world.at(1100).append(keyed("a", &["1"], OPEN, "k")).expect("it is new");
    assert!(second.position > first.position);
}

/// At the limit the key that expires first is forgotten.
pub fn the_oldest_keys_are_forgotten_at_the_limit(make: Make) {
    let world = World::with(make, |limits| limits.keys_max = 2);
    let publish = |key| world.append(keyed("a", &["1"], OPEN, key)).map(|answer| answer.position);
    let first: Vec<_> = ["k1", "k2", "k3"].map(publish).into_iter().collect();
    assert_eq!((publish("k2"), publish("k3")), (first[1].clone(), first[2].clone()));
    assert_ne!(publish("k1"), first[0], "it was forgotten, so this is a new publish");
    let tail: Result<Position, _> = Ok(world.tail());
    assert_eq!(publish("k1"), tail);
}

/// A publish without a key is never a repeat.
pub fn without_a_key_nothing_is_a_repeat(make: Make) {
    let world = World::new(make);
    for _ in 0..2 {
        world.append(append("a", &["1"], OPEN)).expect("the publish is valid");
    }
    assert_eq!(world.state("a").map(|state| state.events), Some(2));
}
