//! Names, good and bad, and what the errors say.

use super::{EVENT_NAME_BYTES_MAX, EventName, EventNameError};

#[track_caller]
fn check(raw: &str, want: &Result<(), EventNameError>) {
    assert_eq!(EventName::parse(raw).map(|name| assert_eq!(name.as_str(), raw)), *want, "{raw:?}");
}

#[test]
fn a_name_is_any_text_that_fits_on_its_line() {
    for raw in ["x", "message", "error", " a b\t", ":", "data: 1", "prix €", "\u{FEFF}", "a\u{2028}b\u{85}"]
    {
        check(raw, &Ok(()));
    }
}

#[test]
fn a_name_has_at_least_one_byte() {
    check("", &Err(EventNameError::Empty));
}

#[test]
fn a_name_has_at_most_512_bytes_not_characters() {
    assert_eq!(EVENT_NAME_BYTES_MAX, 512);
    check(&"x".repeat(512), &Ok(()));
    check(&"x".repeat(513), &Err(EventNameError::TooLong { bytes: 513 }));
    check(&"é".repeat(256), &Ok(()));
    check(&"é".repeat(257), &Err(EventNameError::TooLong { bytes: 514 }));
}

#[test]
fn bytes_that_would_end_the_line_or_cut_the_name_are_refused_with_their_place() {
    for (raw, byte, at) in [
        ("\r", b'\r', 0),
        ("a\n", b'\n', 1),
        ("é\0", 0, 2),
        ("a\r\ndata: forged", b'\r', 1),
        ("a\nid: 5\n\nevent: end", b'\n', 1),
    ] {
        check(raw, &Err(EventNameError::ForbiddenByte { byte, at }));
    }
}

#[test]
fn the_errors_say_what_was_wrong_and_what_is_right() {
    for (raw, want) in [
        (String::new(), "an event name needs at least 1 byte; for an event without a name, leave it out"),
        ("x".repeat(600), "the event name has 600 bytes; at most 512 are allowed"),
        ("a\nb".into(), "the event name contains the byte 0x0A at byte 1; CR, LF and NUL are not allowed"),
    ] {
        assert_eq!(EventName::parse(&raw).map_err(|error| error.to_string()), Err(want.to_owned()));
    }
}

#[test]
fn a_name_displays_as_itself() {
    let name = EventName::parse("prices").unwrap();
    assert_eq!(format!("{name}|{name:>8}"), "prices|  prices");
}
