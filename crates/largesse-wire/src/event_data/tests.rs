//! What line breaks become, and what is refused.

use super::{EventData, EventDataError};

#[track_caller]
fn check(raw: &str, want: &Result<&str, EventDataError>) {
    let borrowed = EventData::parse(raw);
    assert_eq!(borrowed.as_ref().map(EventData::as_str).map_err(Clone::clone), *want, "{raw:?}");
    assert_eq!(EventData::parse_owned(raw.to_owned()), borrowed, "{raw:?} owned");
}

#[test]
fn every_line_break_becomes_one_lf() {
    for (raw, want) in [
        ("", ""),
        ("a", "a"),
        ("a\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\r\nb", "a\nb"),
        ("a\n\rb", "a\n\nb"),
        ("a\r\rb", "a\n\nb"),
        ("a\r\r\nb", "a\n\nb"),
        ("a\r\n\r\nb", "a\n\nb"),
        ("a\r\n\nb", "a\n\nb"),
        ("\r", "\n"),
        ("\r\n", "\n"),
        ("é\r€\r\n\u{1F600}", "é\n€\n\u{1F600}"),
    ] {
        check(raw, &Ok(want));
    }
}

#[test]
fn other_characters_stay_as_they_are() {
    for raw in ["\u{2028}\u{2029}\u{85}", "\u{FEFF}a", "\t \u{1B}\u{B}\u{C}\u{7F}", "id: 5", ": x"] {
        check(raw, &Ok(raw));
    }
}

#[test]
fn a_nul_is_refused_with_its_place_in_the_text_as_given() {
    check("\0", &Err(EventDataError::Nul { at: 0 }));
    check("é\r\nb\0\0", &Err(EventDataError::Nul { at: 5 }));
}

#[test]
fn an_owned_text_without_cr_is_not_copied() {
    let raw = "a\nb".repeat(1000).into_boxed_str().into_string();
    let address = raw.as_ptr();
    assert_eq!(EventData::parse_owned(raw).unwrap().as_str().as_ptr(), address);
}

#[test]
fn empty_data_is_the_empty_text() {
    assert_eq!(EventData::empty(), EventData::parse("").unwrap());
}

#[test]
fn the_error_says_where_and_what_to_do() {
    let error = EventData::parse("ab\0").unwrap_err();
    let want =
        "the data has a NUL at byte 2; data is text without NUL (encode binary data, for example as base64)";
    assert_eq!(error.to_string(), want);
}
