//! Ids: their texts, and which texts are refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{PlaceKind, WireId, WireIdError, check_of};
use crate::{Incarnation, Place, Position, SelectionFingerprint};

const LOG: Incarnation = Incarnation(0x0102_0304_0506_0708);

fn at(place: Place) -> WireId {
    WireId::Place { kind: PlaceKind::Event, incarnation: LOG, place }
}

fn end(position: u64) -> WireId {
    let selection = SelectionFingerprint(77);
    WireId::End { incarnation: LOG, position: Position(position), selection }
}

/// The text of bytes followed by a valid check.
fn text_of(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([bytes, &check_of(bytes)].concat())
}

/// The text of a place's bytes and its mark's, each with a valid check.
fn marked_text_of(first: &[u8], mark: &[u8]) -> String {
    let all = [first, &check_of(first), mark].concat();
    let second = URL_SAFE_NO_PAD.encode([mark, &check_of(&all)].concat());
    format!("{}~{second}", text_of(first))
}

fn mark_of(known: u64, asked_at: u64) -> [u8; 16] {
    (u128::from(known) << 64 | u128::from(asked_at)).to_be_bytes()
}

#[track_caller]
fn check_refused(text: &str, want: WireIdError) {
    assert_eq!(WireId::parse(text), Err(want), "{text:?}");
}

fn any_id() -> impl Strategy<Value = WireId> {
    let kind = prop_oneof![Just(PlaceKind::Event), Just(PlaceKind::Begin)];
    let number = prop_oneof![0..300_u64, any::<u64>()];
    (kind, any::<u64>(), number.clone(), number, 0..5_u8).prop_map(|(kind, log, position, other, form)| {
        let (incarnation, position) = (Incarnation(log), Position(position));
        let place = match form {
            0 => Place::at(position),
            1 => Place::knowing(position, Position(other)),
            2 => Place::at(position).told(Position(other)),
            3 => Place::knowing(position, Position(other)).told(Position(other.saturating_add(5))),
            _ => return WireId::End { incarnation, position, selection: SelectionFingerprint(other) },
        };
        WireId::Place { kind, incarnation, place }
    })
}

#[test]
fn the_layout_is_as_documented() {
    let head = [0x10, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9];
    assert_eq!(at(Place::at(Position(9))).encode().as_str(), text_of(&head));
    let place = Place::knowing(Position(9), Position(256));
    assert_eq!(at(place).encode().as_str(), marked_text_of(&head, &mark_of(256, 256)));
    let told = Place::at(Position(9)).told(Position(256));
    assert_eq!(at(told).encode().as_str(), marked_text_of(&head, &mark_of(256, 0)));
    let both = place.told(Position(300));
    assert_eq!(at(both).encode().as_str(), marked_text_of(&head, &mark_of(300, 256)));
    let ended = [&[0x12][..], &head[1..], &[0, 0, 0, 0, 0, 0, 0, 77]].concat();
    assert_eq!(end(9).encode().as_str(), text_of(&ended));
}

#[test]
fn ids_are_short() {
    assert_eq!(at(Place::at(Position(u64::MAX))).encode().as_str().len(), 28);
    assert_eq!(at(Place::knowing(Position(1), Position(2))).encode().as_str().len(), 56);
    assert_eq!(end(1).encode().as_str().len(), 39);
}

#[test]
fn a_mark_does_not_change_the_part_that_names_the_event() {
    let bare = at(Place::at(Position(9))).encode();
    let marked = at(Place::knowing(Position(9), Position(256))).encode();
    assert_eq!(marked.as_str().split_once('~').unwrap().0, bare.as_str());
}

#[test]
fn foreign_texts_are_refused() {
    for text in ["", "0", "123", "not base64!", "AAAA", &"A".repeat(28), &"E".repeat(500), "größe"] {
        assert!(WireId::parse(text).is_err(), "{text:?}");
    }
    let mut bytes = [0; 17];
    bytes[0] = 0x20;
    check_refused(&text_of(&bytes), WireIdError::UnknownVersion { version: 2 });
    bytes[0] = 0x13;
    check_refused(&text_of(&bytes), WireIdError::UnknownKind { kind: 3 });
    bytes[0] = 0x12;
    check_refused(&text_of(&bytes), WireIdError::Malformed);
    bytes[0] = 0x10;
    assert!(WireId::parse(&text_of(&bytes)).is_ok());
    check_refused(&URL_SAFE_NO_PAD.encode([&bytes[..], &[0; 4]].concat()), WireIdError::BadCheck);
    check_refused(&marked_text_of(&bytes, &[0, 0, 0, 0, 0, 0, 0, 1, 0]), WireIdError::Malformed);
    let marked = marked_text_of(&bytes, &mark_of(256, 0));
    let (bare, mark) = marked.split_once('~').unwrap();
    check_refused(&format!("{bare}~"), WireIdError::Malformed);
    check_refused(&format!("~{mark}"), WireIdError::Malformed);
    check_refused(&format!("{marked}~"), WireIdError::Malformed);
    check_refused(&format!("{}~{mark}", end(9).encode()), WireIdError::Malformed);
    let other = at(Place::knowing(Position(8), Position(256))).encode();
    let swapped = format!("{bare}~{}", other.as_str().split_once('~').unwrap().1);
    check_refused(&swapped, WireIdError::BadCheck);
}

#[test]
fn a_mark_that_does_not_fit_its_position_is_refused() {
    let head = [0x10, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9];
    let bad = Err(WireIdError::BadMark);
    for (known, asked_at, want) in [
        (0, 0, bad),
        (8, 8, bad),
        (9, 0, bad),
        (9, 10, bad),
        (9, 9, Ok(())),
        (9, 1, Ok(())),
        (10, 0, Ok(())),
        (10, 10, Ok(())),
        (10, 11, bad),
    ] {
        let text = marked_text_of(&head, &mark_of(known, asked_at));
        assert_eq!(WireId::parse(&text).map(|_| ()), want, "{known} {asked_at}");
    }
}

#[test]
fn another_spelling_of_the_same_bytes_is_refused() {
    let text = end(9).encode().as_str().to_owned();
    let last = text.chars().last().unwrap();
    let spellings = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
    let read = spellings.filter(|c| WireId::parse(&format!("{}{c}", &text[..38])).is_ok());
    assert_eq!(read.collect::<Vec<_>>(), [last]);
    check_refused(&format!("{text}="), WireIdError::Malformed);
    check_refused(&format!("{text} "), WireIdError::Malformed);
}

proptest! {
    #[test]
    fn an_id_is_read_as_it_was_written(id in any_id()) {
        let text = id.encode();
        prop_assert_eq!(WireId::parse(text.as_str()), Ok(id));
        let safe = |c: char| c.is_ascii_alphanumeric() || "._~-".contains(c);
        prop_assert!(text.as_str().chars().all(safe));
    }

    #[test]
    fn an_id_changed_in_one_character_is_refused(id in any_id(), index in 0..56_usize, by in "[!-~ä]") {
        let text = id.encode().as_str().to_owned();
        let index = index % text.len();
        let changed = format!("{}{by}{}", &text[..index], &text[index + 1..]);
        prop_assert!(changed == text || WireId::parse(&changed).is_err());
    }

    #[test]
    fn an_id_cut_or_lengthened_is_refused(id in any_id(), more in "[A-Za-z0-9_-]{1,40}") {
        let text = id.encode().as_str().to_owned();
        // Cut right before its mark, it is the same place: nothing is lost or repeated from there.
        let bare = text.find('~').unwrap_or(usize::MAX);
        for length in (0..text.len()).filter(|length| *length != bare) {
            prop_assert!(WireId::parse(&text[..length]).is_err());
        }
        let longer = format!("{text}{more}");
        prop_assert!(WireId::parse(&longer).is_err());
    }

    #[test]
    fn no_text_causes_a_panic(text in ".{0,60}") {
        let _ = WireId::parse(&text);
    }
}
