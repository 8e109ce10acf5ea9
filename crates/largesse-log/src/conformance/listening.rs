//! Who is told when the tail moves.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use super::world::{ALL, Make, World, keyed, selection};
use crate::{Engine, Place, Position, Stopped, StreamName, TailListener, Then};

/// How long an engine may take to tell its listener, on a machine that has much else to do.
const TOLD_MAX: Duration = Duration::from_secs(30);

/// Looks at the engine when told, as readers that are woken do.
struct Witness {
    engine: Weak<dyn Engine>,
    told: Mutex<Vec<(String, Position)>>,
    has_told: Condvar,
}

impl TailListener for Witness {
    fn appended(&self, stream: &StreamName, position: Position) {
        let engine = self.engine.upgrade().expect("the case holds the engine");
        assert!(engine.tail() >= position, "what is told of can be read");
        self.told().push((stream.to_string(), position));
        self.has_told.notify_all();
    }
}

impl Witness {
    fn told(&self) -> MutexGuard<'_, Vec<(String, Position)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call, once it has come: publishers may be answered before.
    fn next(&self) -> (String, Position) {
        let wait = self.has_told.wait_timeout_while(self.told(), TOLD_MAX, |told| told.is_empty());
        let (mut told, _) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(!told.is_empty(), "nothing was told in {TOLD_MAX:?}");
        told.remove(0)
    }
}

fn witnessed(world: &World) -> Arc<Witness> {
    let (told, has_told) = Default::default();
    let witness = Arc::new(Witness { engine: Arc::downgrade(&world.engine), told, has_told });
    world.listen(Arc::clone(&witness) as Arc<dyn TailListener>);
    witness
}

/// Once for each append, with its last record; for ends and deletions too.
pub fn each_new_record_is_told(make: Make) {
    let world = World::new(make);
    let witness = witnessed(&world);
    let last = world.publish("a", &["1", "2"]).position;
    assert_eq!(witness.next(), ("a".to_owned(), last));
    let end = world.close("a").position;
    assert_eq!(witness.next(), ("a".to_owned(), end));
    let deleted = world.delete("a").expect("a is there");
    assert_eq!(witness.next(), ("a".to_owned(), deleted));
    let batch = world.read(&selection("a"), Place::at(last), ALL);
    assert_eq!((batch.records.len(), batch.stopped), (1, Stopped::Tail));
}

/// What wrote nothing wakes nobody.
pub fn a_repeat_is_not_told(make: Make) {
    let world = World::new(make);
    let witness = witnessed(&world);
    world.append(keyed("a", &["1"], Then::Close, "k")).expect("the publish is right");
    assert_eq!(witness.next().0, "a");
    world.append(keyed("a", &["1"], Then::Close, "k")).expect("it is a repeat");
    world.close("a");
    world.append(keyed("a", &["2"], Then::StayOpen, "other")).expect_err("a is closed");
    world.delete("never");
    // Calls come in the order of the log, so one for those would come before this.
    world.publish("b", &["1"]);
    assert_eq!(witness.next().0, "b");
}

/// A later listener takes the place of an earlier one.
pub fn the_last_listener_is_told(make: Make) {
    let world = World::new(make);
    let (first, second) = (witnessed(&world), witnessed(&world));
    world.publish("a", &["1"]);
    assert_eq!(second.next().0, "a");
    assert!(first.told().is_empty());
}
