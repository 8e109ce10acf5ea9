//! Ids, good and bad, and what the errors say.

use super::{EVENT_ID_BYTES_MAX, EventId, EventIdError};
use std::collections::HashSet;

#[track_caller]
fn check(raw: &str, want: &Result<(), EventIdError>) {
    assert_eq!(EventId::parse(raw).map(|id| assert_eq!(id.as_str(), raw)), *want, "{raw:?}");
}

#[test]
fn exactly_the_unreserved_characters_are_allowed() {
    const ALLOWED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
    check(ALLOWED, &Ok(()));
    for character in (0..=0xFF_u8).map(char::from) {
        let raw = format!("a{character}");
        let byte = raw.as_bytes()[1];
        let refused = Err(EventIdError::ForbiddenByte { byte, at: 1 });
        check(&raw, if ALLOWED.contains(character) { &Ok(()) } else { &refused });
    }
}

#[test]
fn an_id_has_1_to_128_bytes() {
    assert_eq!(EVENT_ID_BYTES_MAX, 128);
    check("", &Err(EventIdError::Empty));
    check("0", &Ok(()));
    check(&"~".repeat(128), &Ok(()));
    for bytes in [129, 255, 256, 257, 384, 70_000] {
        check(&"~".repeat(bytes), &Err(EventIdError::TooLong { bytes }));
    }
}

#[test]
fn ids_are_equal_when_their_texts_are() {
    let texts = ["a", "aa", "a.", "A", "0", "00"];
    let ids: HashSet<EventId> =
        texts.iter().chain(&texts).map(|text| EventId::parse(text).unwrap()).collect();
    assert_eq!(ids.len(), texts.len());
}

#[test]
fn an_id_shows_its_text_and_nothing_of_its_storage() {
    let id = EventId::parse("v1-7f").unwrap();
    assert_eq!(format!("{id}|{id:<6}|{id:?}"), r#"v1-7f|v1-7f |EventId("v1-7f")"#);
}

#[test]
fn the_errors_say_what_was_wrong_and_what_is_right() {
    for (raw, want) in [
        (String::new(), "an event id needs at least 1 byte"),
        ("x".repeat(129), "the event id has 129 bytes; at most 128 are allowed"),
        (
            "a b".into(),
            "the event id contains the byte 0x20 at byte 1; allowed are A-Z, a-z, 0-9, '.', '_', '~' and '-'",
        ),
    ] {
        assert_eq!(EventId::parse(&raw).map_err(|error| error.to_string()), Err(want.to_owned()));
    }
}
