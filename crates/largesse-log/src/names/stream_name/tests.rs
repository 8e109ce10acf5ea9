//! Names, good and bad.

use super::{STREAM_NAME_BYTES_MAX, StreamName, StreamNameError};

#[track_caller]
fn check(raw: &str, want: Result<(), StreamNameError>) {
    let parsed = StreamName::parse(raw);
    if let Ok(name) = &parsed {
        assert_eq!((name.as_str(), name.to_string().as_str()), (raw, raw));
        assert_eq!(name.segments().collect::<Vec<_>>().join("/"), raw);
    }
    assert_eq!((raw, parsed.map(|_| ())), (raw, want));
}

#[test]
fn paths_of_any_text_are_valid() {
    for raw in ["prices", "videos/7", "team/a/chat", "a b", "ä/ö", "...", ".a", "a.", "a..b/c", "?#%"] {
        check(raw, Ok(()));
    }
    check(&"x".repeat(STREAM_NAME_BYTES_MAX), Ok(()));
    check(&"ä".repeat(STREAM_NAME_BYTES_MAX / 2), Ok(()));
}

#[test]
fn segments_that_a_path_cannot_hold_are_refused() {
    let segment = |number, segment| Err(StreamNameError::Segment { number, segment });
    check("/", segment(1, ""));
    check("/a", segment(1, ""));
    check("a/", segment(2, ""));
    check("a//b", segment(2, ""));
    check(".", segment(1, "."));
    check("a/../b", segment(2, ".."));
    check("a/b/.", segment(3, "."));
}

#[test]
fn lengths_are_counted_in_bytes() {
    check("", Err(StreamNameError::Empty));
    let bytes = STREAM_NAME_BYTES_MAX + 1;
    check(&"x".repeat(bytes), Err(StreamNameError::TooLong { bytes }));
    check(&"ä".repeat(257), Err(StreamNameError::TooLong { bytes: 514 }));
}

#[test]
fn control_characters_and_stars_are_located() {
    for (raw, character, at) in
        [("a\nb", '\n', 1), ("\0", '\0', 0), ("ä\u{7f}", '\u{7f}', 2), ("a\u{85}", '\u{85}', 1)]
    {
        check(raw, Err(StreamNameError::ControlCharacter { character, at }));
    }
    check("a*", Err(StreamNameError::Star { at: 1 }));
    check("a/*/b", Err(StreamNameError::Star { at: 2 }));
}

#[test]
fn names_are_ordered_by_bytes() {
    let mut names = ["b", "a/b", "a", "B", "ä", "a-b"].map(|raw| StreamName::parse(raw).unwrap());
    names.sort();
    assert_eq!(names.map(|name| name.to_string()), ["B", "a", "a-b", "a/b", "b", "ä"]);
}

#[test]
fn errors_say_what_would_be_right() {
    let said = |raw| StreamName::parse(raw).unwrap_err().to_string();
    assert_eq!(said("a/*"), "the stream's name has a `*` at byte 2; only patterns have stars");
    assert_eq!(said("a//b"), "segment 2 of the stream's name is \"\"; it must not be empty, `.` or `..`");
}
