//! Listeners: when they are called.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use super::world::{ALL, Make, World, keyed, selection};
use crate::{Engine, Place, Position, Stopped, StreamName, TailListener, Then};

/// How long an engine may take to call its listener, on a busy machine.
const NOTIFY_MAX: Duration = Duration::from_secs(30);

/// Queries the engine when called, as woken readers do, and records the calls.
struct RecordingListener {
    engine: Weak<dyn Engine>,
    calls: Mutex<Vec<(String, Position)>>,
    has_calls: Condvar,
}

impl TailListener for RecordingListener {
    fn appended(&self, stream: &StreamName, position: Position) {
        let engine = self.engine.upgrade().expect("the case holds the engine");
        assert!(engine.tail() >= position, "the record can be read");
        self.calls().push((stream.to_string(), position));
        self.has_calls.notify_all();
    }
}

impl RecordingListener {
    fn calls(&self) -> MutexGuard<'_, Vec<(String, Position)>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call, once it has come: publishers may be answered before.
    fn next(&self) -> (String, Position) {
        let wait = self.has_calls.wait_timeout_while(self.calls(), NOTIFY_MAX, |calls| calls.is_empty());
        let (mut calls, _) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(!calls.is_empty(), "no call within {NOTIFY_MAX:?}");
        calls.remove(0)
    }
}

fn with_listener(world: &World) -> Arc<RecordingListener> {
    let (calls, has_calls) = Default::default();
    let listener = Arc::new(RecordingListener { engine: Arc::downgrade(&world.engine), calls, has_calls });
    world.listen(Arc::clone(&listener) as Arc<dyn TailListener>);
    listener
}

/// Once for each append, with its last record; for ends and deletions too.
pub fn the_listener_is_called_for_each_new_record(make: Make) {
    let world = World::new(make);
    let listener = with_listener(&world);
    let last = world.publish("a", &["1", "2"]).position;
    assert_eq!(listener.next(), ("a".to_owned(), last));
    let end = world.close("a").position;
    assert_eq!(listener.next(), ("a".to_owned(), end));
    let deleted = world.delete("a").expect("a exists");
    assert_eq!(listener.next(), ("a".to_owned(), deleted));
    let batch = world.read(&selection("a"), Place::at(last), ALL);
    assert_eq!((batch.records.len(), batch.stopped), (1, Stopped::Tail));
}

/// A command that wrote nothing wakes nobody.
pub fn the_listener_is_not_called_for_a_repeat(make: Make) {
    let world = World::new(make);
    let listener = with_listener(&world);
    world.append(keyed("a", &["1"], Then::Close, "k")).expect("the publish is valid");
    assert_eq!(listener.next().0, "a");
    world.append(keyed("a", &["1"], Then::Close, "k")).expect("it is a repeat");
    world.close("a");
    world.append(keyed("a", &["2"], Then::StayOpen, "other")).expect_err("a is closed");
    world.delete("never");
    // Calls come in the order of the log, so one for those would come before this.
    world.publish("b", &["1"]);
    assert_eq!(listener.next().0, "b");
}

/// A later listener replaces an earlier one.
pub fn the_last_listener_is_called(make: Make) {
    let world = World::new(make);
    let (first, second) = (with_listener(&world), with_listener(&world));
    world.publish("a", &["1"]);
    assert_eq!(second.next().0, "a");
    assert!(first.calls().is_empty());
}
