//! Ends: where readers meet them, and which readers have passed them.

use super::{
    reader::{Reader, check_heard},
    world::{Make, World, selection},
};
use crate::{Place, Position, StartFrom};

/// A reader that named the stream hears its end; one that used a pattern does not.
pub fn an_end_is_heard_by_name_only(make: Make) {
    let world = World::new(make);
    world.publish("a/1", &["x"]);
    world.close("a/1");
    world.publish("b", &["y"]);
    check_heard(&world, Reader::at("a/1", Position::ZERO), &["a/1:x", "a/1!closed"]);
    check_heard(&world, Reader::at("a/*", Position::ZERO), &["a/1:x"]);
    check_heard(&world, Reader::at("a/1,b", Position::ZERO), &["a/1:x", "a/1!closed", "b:y"]);
    check_heard(&world, Reader::at("a/*,a/1", Position::ZERO), &["a/1:x", "a/1!closed"]);
}

/// A deletion has a position of its own, and is heard there.
pub fn a_deletion_is_heard_by_name_at_its_place(make: Make) {
    let world = World::new(make);
    let first = world.publish("a", &["1", "2"]).position;
    let deleted = world.delete("a").expect("a exists");
    world.publish("a", &["new"]);
    check_heard(&world, Reader::at("a", Position::ZERO), &["a!deleted", "a:new"]);
    check_heard(&world, Reader::at("a", first), &["a!deleted", "a:new"]);
    check_heard(&world, Reader::at("a", deleted), &["a:new"]);
    assert_eq!(world.delete("b"), None, "a missing stream can't be deleted");
}

/// Deleting a closed stream ends it again, for readers that had not heard the close.
pub fn a_closed_stream_can_be_deleted(make: Make) {
    let world = World::new(make);
    world.publish("a", &["1"]);
    world.close("a");
    world.delete("a");
    check_heard(&world, Reader::at("a", Position::ZERO), &["a!deleted"]);
    assert_eq!(world.delete("a"), None);
}

/// For a first request, a stream that is gone never existed.
pub fn a_first_request_hears_no_end_of_a_gone_stream(make: Make) {
    let world = World::new(make);
    world.publish("a", &["old"]);
    world.delete("a");
    world.publish("b", &["x", "y"]);
    for from in [StartFrom::Start, StartFrom::Now, StartFrom::Last(9)] {
        let mut reader = Reader::first(&world, "a,b", from);
        let heard = reader.hear(&world, super::world::ALL);
        assert!(heard.iter().all(|text| text.starts_with("b:")), "{from:?}: {heard:?}");
        reader.reconnect(&world);
        world.publish("a", &["new"]);
        assert_eq!(reader.hear(&world, super::world::ALL), ["a:new"], "{from:?}");
        world.delete("a");
        assert_eq!(reader.hear(&world, super::world::ALL), ["a!deleted"], "{from:?}");
    }
}

/// Nor after the reader was told of a loss; and the stream counts as ended nowhere on the way.
pub fn being_told_of_a_loss_brings_back_no_end_of_a_gone_stream(make: Make) {
    let world = World::new(make);
    world.publish("b", &["1"]);
    world.publish("a", &["old"]);
    world.delete("a");
    world.publish("b", &["2", "3"]);
    let mut reader = Reader::first(&world, "a,b", StartFrom::Start);
    let batch = world.read(&reader.selection, reader.place, super::world::ALL);
    assert_eq!(reader.take(&batch, 1), ["b:1"]);
    reader.reconnect(&world);
    world.keep_events("b", 1);
    assert_eq!(reader.hear(&world, super::world::ALL), ["lost b", "b:3"]);
    reader.reconnect(&world);
    assert_eq!(world.ended_at(&reader.selection, reader.place).ended, []);
    world.publish("a", &["new"]);
    world.delete("a");
    assert_eq!(reader.hear(&world, super::world::ALL), ["a!deleted"]);
    reader.reconnect(&world);
    assert_eq!(
        world.ended_at(&reader.selection, reader.place).ended.len(),
        1,
        "the reader followed this life"
    );
}

/// After being told of a loss, a reader still hears an end that is ahead.
pub fn an_end_ahead_is_heard_after_a_loss(make: Make) {
    let world = World::new(make);
    let place = world.publish("a", &["1"]).position;
    world.publish("b", &["1"]);
    world.publish("a", &["2", "3"]);
    world.delete("b");
    world.keep_events("a", 1);
    let mut reader = Reader::at("a,b", place);
    let batch = world.read(&reader.selection, reader.place, super::world::ALL);
    assert_eq!(reader.take(&batch, 0), ["lost a"]);
    reader.reconnect(&world);
    assert_eq!(reader.hear(&world, super::world::ALL), ["a:3", "b!deleted"]);
}

/// A closed stream expires; its end keeps its position, and its events are lost.
pub fn a_closed_stream_expires(make: Make) {
    let world = World::new(make);
    world.publish("a", &["1", "2"]);
    let end = world.at(1000).close("a").position;
    world.at(1999).sweep();
    check_heard(&world, Reader::at("a", Position::ZERO), &["a:1", "a:2", "a!closed"]);
    world.at(2000).sweep();
    assert_eq!(world.state("a"), None);
    check_heard(&world, Reader::at("a", Position::ZERO), &["lost a", "a!closed"]);
    check_heard(&world, Reader::at("a", Position(end.0 - 1)), &["a!closed"]);
    check_heard(&world, Reader::at("a", end), &[]);
    check_heard(&world, Reader::first(&world, "a", StartFrom::Start), &[]);
}

/// Which streams have ended at which place.
pub fn ended_streams_are_those_whose_last_record_was_their_end(make: Make) {
    let world = World::new(make);
    let event = world.publish("a", &["1"]).position;
    let closed = world.close("a").position;
    let other = world.publish("b", &["1"]).position;
    let at = |position| {
        let ended = world.ended_at(&selection("a,b,never"), Place::at(position));
        assert_eq!(ended.unknown, [super::world::name("never")]);
        ended
            .ended
            .into_iter()
            .map(|ended| (ended.name.to_string(), ended.reason.as_str()))
            .collect::<Vec<_>>()
    };
    let none: Vec<(String, &str)> = Vec::new();
    assert_eq!(at(event), none);
    assert_eq!(at(closed), [("a".to_owned(), "closed")]);
    assert_eq!(at(other), [("a".to_owned(), "closed")]);
    let deleted = world.delete("a").expect("a exists");
    assert_eq!(at(closed), none, "its end is the deletion now");
    assert_eq!(at(deleted), [("a".to_owned(), "deleted")]);
    let again = world.publish("a", &["2"]).position;
    assert_eq!(at(deleted), [("a".to_owned(), "deleted")]);
    assert_eq!(at(again), none);
}
