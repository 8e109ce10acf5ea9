//! Who is told when the tail moves.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::world::{ALL, Make, World, keyed, selection};
use crate::{Engine, Place, Position, Stopped, StreamName, TailListener, Then};

/// Looks at the engine when told, as readers that are woken do.
struct Witness {
    engine: Weak<dyn Engine>,
    told: Mutex<Vec<(String, Position)>>,
}

impl TailListener for Witness {
    fn appended(&self, stream: &StreamName, position: Position) {
        let engine = self.engine.upgrade().expect("the case holds the engine");
        assert!(engine.tail() >= position, "what is told of can be read");
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push((stream.to_string(), position));
    }
}

fn witnessed(world: &World) -> Arc<Witness> {
    let told = Mutex::new(Vec::new());
    let witness = Arc::new(Witness { engine: Arc::downgrade(&world.engine), told });
    world.listen(Arc::clone(&witness) as Arc<dyn TailListener>);
    witness
}

fn told(witness: &Witness) -> Vec<(String, Position)> {
    std::mem::take(&mut *witness.told.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Once for each append, with its last record; for ends and deletions too.
pub fn each_new_record_is_told(make: Make) {
    let world = World::new(make);
    let witness = witnessed(&world);
    let last = world.publish("a", &["1", "2"]).position;
    assert_eq!(told(&witness), [("a".to_owned(), last)]);
    let end = world.close("a").position;
    assert_eq!(told(&witness), [("a".to_owned(), end)]);
    let deleted = world.delete("a").expect("a is there");
    assert_eq!(told(&witness), [("a".to_owned(), deleted)]);
    let batch = world.read(&selection("a"), Place::at(last), ALL);
    assert_eq!((batch.records.len(), batch.stopped), (1, Stopped::Tail));
}

/// What wrote nothing wakes nobody.
pub fn a_repeat_is_not_told(make: Make) {
    let world = World::new(make);
    world.append(keyed("a", &["1"], Then::Close, "k")).expect("the publish is right");
    let witness = witnessed(&world);
    world.append(keyed("a", &["1"], Then::Close, "k")).expect("it is a repeat");
    world.close("a");
    world.append(keyed("a", &["2"], Then::StayOpen, "other")).expect_err("a is closed");
    world.delete("never");
    assert_eq!(told(&witness), []);
}

/// A later listener takes the place of an earlier one.
pub fn the_last_listener_is_told(make: Make) {
    let world = World::new(make);
    let (first, second) = (witnessed(&world), witnessed(&world));
    world.publish("a", &["1"]);
    assert_eq!((told(&first).len(), told(&second).len()), (0, 1));
}
