//! Losses: told once to readers before them, and to no others.

use super::{
    reader::{Reader, check_heard},
    world::{ALL, Make, World, name, selection},
};
use crate::{LOST_NAMES_MAX, Place, Position, StartFrom};

/// The position decides: whether it is before the last trimmed event.
pub fn a_trim_is_told_to_readers_before_it(make: Make) {
    let world = World::new(make);
    let at: Vec<_> = ["1", "2", "3", "4"].map(|data| world.publish("a", &[data]).position).into();
    world.keep_events("a", 2);
    check_heard(&world, Reader::at("a", Position::ZERO), &["lost a", "a:3", "a:4"]);
    check_heard(&world, Reader::at("a", at[0]), &["lost a", "a:3", "a:4"]);
    check_heard(&world, Reader::at("a", at[1]), &["a:3", "a:4"]);
    check_heard(&world, Reader::at("b", Position::ZERO), &[]);
    check_heard(&world, Reader::first(&world, "a", StartFrom::Start), &["a:3", "a:4"]);
}

/// Told once, over any number of reconnects, whether the id has a mark or not.
pub fn a_loss_is_told_once_over_reconnects(make: Make) {
    let world = World::new(make);
    let place = world.publish("b", &["1"]).position;
    world.publish("a", &["1"]);
    world.publish("b", &["2", "3"]);
    world.publish("a", &["2", "3"]);
    world.keep_events("a", 1);
    let mut reader = Reader::at("a,b", place);
    let mut heard = Vec::new();
    for taken in [0, 1, 1, 1, 0] {
        let batch = world.read(&reader.selection, reader.place, ALL);
        heard.extend(reader.take(&batch, taken.min(batch.records.len())));
        reader.reconnect(&world);
    }
    assert_eq!(heard, ["lost a", "b:2", "b:3", "a:3"]);
    world.publish("a", &["4", "5"]);
    assert_eq!(reader.hear(&world, ALL), ["lost a", "a:5"], "another loss is told again");
}

/// An id needs its mark only before the horizon: before what was lost, and until a stream that was gone at the
/// first request is made again.
pub fn beyond_the_horizon_marks_make_no_difference(make: Make) {
    let world = World::new(make);
    let at: Vec<_> = ["1", "2", "3"].map(|data| world.publish("a", &[data]).position).into();
    world.keep_events("a", 1);
    let read = |place| world.read(&selection("a"), place, ALL);
    assert_eq!(read(Place::at(Position::ZERO)).horizon, at[1]);
    assert_eq!(read(Place::at(at[1])).horizon, Position::ZERO);
    assert_eq!(read(Place::knowing(at[0], world.tail())).horizon, at[1]);
    let first = || world.locate(&selection("a,b"), StartFrom::Start).place.advanced_to(world.tail());
    let horizon = |place| world.read(&selection("a,b"), place, ALL).horizon;
    let before = first();
    world.delete("a");
    assert_eq!(horizon(before), Position::ZERO, "the reader will hear this end");
    let after = first();
    assert_eq!(horizon(after), Position::MAX);
    assert_eq!(world.read(&selection("b,*"), after, ALL).horizon, Position::ZERO, "ends are for names");
    let again = world.publish("a", &["4"]).position;
    assert!((after.position().next()..=again).contains(&horizon(after)), "up to where it is made again");
    assert_eq!(horizon(after.advanced_to(again)), Position::ZERO);
}

/// For patterns a deletion is a loss: nothing else would report it.
pub fn a_deletion_is_told_as_a_loss_to_patterns(make: Make) {
    let world = World::new(make);
    let place = world.publish("a/1", &["1"]).position;
    world.publish("a/2", &["1"]);
    world.delete("a/1");
    check_heard(&world, Reader::at("a/*", Position::ZERO), &["lost a/1", "a/2:1"]);
    check_heard(&world, Reader::at("a/*", place), &["a/2:1"]);
    check_heard(&world, Reader::at("a/*,a/1", Position::ZERO), &["a/2:1", "a/1!deleted"]);
}

/// A loss of an earlier life is still told after a later life that lost nothing.
pub fn a_loss_outlives_an_empty_life(make: Make) {
    let world = World::new(make);
    world.publish("a/1", &["1"]);
    world.delete("a/1");
    world.close("a/1");
    world.delete("a/1");
    check_heard(&world, Reader::at("a/*", Position::ZERO), &["lost a/1"]);
}

/// Names come in byte order, up to a limit.
pub fn a_loss_names_a_bounded_number_of_streams(make: Make) {
    let world = World::new(make);
    let names: Vec<_> = (0..LOST_NAMES_MAX + 20).map(|number| format!("s/{number:03}")).collect();
    for name in names.iter().rev() {
        world.publish(name, &["1", "2"]);
        world.keep_events(name, 1);
    }
    let batch = world.read(&selection("s/*"), Place::default(), ALL);
    let lost = batch.lost.expect("each lost its first event");
    let told: Vec<_> = lost.streams.iter().map(ToString::to_string).collect();
    assert_eq!(told, names[..LOST_NAMES_MAX]);
    assert_eq!(lost.told_upto, world.tail());
    let place = Place::default().told(lost.told_upto);
    assert_eq!(world.read(&selection("s/*"), place, ALL).lost, None, "this covered all of them");
}

/// Of a forgotten stream only a loss can be told; but it is told.
pub fn a_forgotten_end_is_told_as_a_loss(make: Make) {
    let world = World::with(make, |limits| limits.tombstones_max = 1);
    let place = world.publish("other", &["1"]).position;
    for name in ["a", "b"] {
        world.publish(name, &["1"]);
        world.delete(name);
    }
    check_heard(&world, Reader::at("a", place), &["lost a"]);
    check_heard(&world, Reader::at("b", place), &["b!deleted"]);
    let ends = world.ended_at(&selection("a,b"), Place::at(world.tail()));
    assert_eq!(ends.unknown, [name("a")], "it may have ended, or never existed");
    assert_eq!(ends.ended.len(), 1);
    let batch = world.read(&selection("*"), Place::at(place), ALL);
    assert!(batch.lost.is_some(), "whatever its name was");
    world.publish("a", &["new"]);
    check_heard(&world, Reader::at("a", place), &["lost a", "a:new"]);
    check_heard(&world, Reader::at("a", world.tail()), &[]);
    check_heard(&world, Reader::first(&world, "a", StartFrom::Start), &["a:new"]);
}
