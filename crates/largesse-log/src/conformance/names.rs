//! Names of control events: which authors may use them, and where.

use super::world::{Make, World, append, digest, event, event_name, key};
use crate::{
    Append, AppendError, Author, ControlNames, NewEvent, Once, RESERVED_NAMES, SettingChange, SettingsPatch,
    Then,
};

fn named(stream: &str, names: &[&str], then: Then, author: Author) -> Append {
    let events = names.iter().map(|name| NewEvent { name: Some(event_name(name)), ..event("x") }).collect();
    Append { events, author, ..append(stream, &[], then) }
}

fn publish(world: &World, names: &[&str], then: Then) -> Result<u64, AppendError> {
    world.append(named("a", names, then, Author::Publisher)).map(|appended| appended.count)
}

fn set(world: &World, names: SettingChange<ControlNames>) {
    world.put("a", SettingsPatch { control_names: names, ..SettingsPatch::default() });
}

fn refused(name: &str) -> AppendError {
    AppendError::ReservedName { name: event_name(name) }
}

/// A publisher's event with such a name is refused with its whole publish, and makes no stream.
pub fn a_publisher_may_not_use_the_name_of_a_control_event(make: Make) {
    let world = World::new(make);
    for name in RESERVED_NAMES {
        assert_eq!(publish(&world, &["tick", name, "tick"], Then::StayOpen), Err(refused(name)));
    }
    assert_eq!((world.state("a"), world.tail()), (None, crate::Position::ZERO));
    assert_eq!(publish(&world, &["message", "open", "error", "End"], Then::StayOpen), Ok(4));
}

/// A publisher may send `failed` with the close.
pub fn a_publisher_that_closes_may_say_that_it_failed(make: Make) {
    let world = World::new(make);
    assert_eq!(publish(&world, &["failed"], Then::StayOpen), Err(refused("failed")));
    assert_eq!(publish(&world, &["failed", "end"], Then::Close), Err(refused("end")));
    assert_eq!(publish(&world, &["failed"], Then::Close), Ok(1));
    assert!(world.state("a").is_some_and(|state| state.closed.is_some() && state.events == 1));
}

/// A source may use any name, on any stream.
pub fn a_source_may_use_any_name(make: Make) {
    let world = World::new(make);
    let appended = world.append(named("a", &RESERVED_NAMES, Then::StayOpen, Author::Source));
    assert_eq!(appended.map(|appended| appended.count), Ok(RESERVED_NAMES.len() as u64));
}

/// A stream shares the names from the moment its setting says so until it says otherwise.
pub fn a_stream_shares_the_names_as_its_setting_says(make: Make) {
    let world = World::new(make);
    set(&world, SettingChange::Set(ControlNames::Shared));
    assert_eq!(publish(&world, &["end", "reset"], Then::StayOpen), Ok(2));
    set(&world, SettingChange::Keep);
    assert_eq!(publish(&world, &["end"], Then::StayOpen), Ok(1));
    set(&world, SettingChange::Default);
    assert_eq!(publish(&world, &["end"], Then::StayOpen), Err(refused("end")));
    world.delete("a");
    assert_eq!(publish(&world, &["end"], Then::StayOpen), Err(refused("end")));
}

/// A missing stream behaves as one that nobody configured.
pub fn a_missing_stream_has_the_default_setting(make: Make) {
    let world = World::with(make, |limits| limits.defaults.control_names = ControlNames::Shared);
    assert_eq!(world.engine.defaults().control_names, ControlNames::Shared);
    assert_eq!(publish(&world, &["end"], Then::StayOpen), Ok(1));
    set(&world, SettingChange::Set(ControlNames::Reserved));
    assert_eq!(publish(&world, &["end"], Then::StayOpen), Err(refused("end")));
    world.delete("a");
    assert_eq!(publish(&world, &["end"], Then::StayOpen), Ok(1));
}

/// A repeat gets its first answer, whatever the stream's setting is by then.
pub fn a_repeat_is_recognised_before_its_names_are_checked(make: Make) {
    let world = World::new(make);
    set(&world, SettingChange::Set(ControlNames::Shared));
    let whole = |key_text: &str| Once::Whole { key: key(key_text), digest: digest("x") };
    let keyed = |once: Once| Append { once, ..named("a", &["end"], Then::StayOpen, Author::Publisher) };
    let first = world.append(keyed(whole("k")));
    let claim = || world.claim("a", "blocks").expect("the key is free, or used for blocks");
    let block = || keyed(Once::Block { claim: claim(), number: 0, digest: digest("x") });
    let first_block = world.append(block());
    set(&world, SettingChange::Set(ControlNames::Reserved));
    let tail = world.tail();
    assert!(first.is_ok() && first_block.is_ok());
    assert_eq!((world.append(keyed(whole("k"))), world.append(block())), (first, first_block));
    assert_eq!(world.append(keyed(whole("other"))), Err(refused("end")));
    assert_eq!(world.tail(), tail);
    set(&world, SettingChange::Set(ControlNames::Shared));
    assert!(world.append(keyed(whole("other"))).is_ok(), "a refused publish does not use up its key");
}
