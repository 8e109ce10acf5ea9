//! The limit, to the byte; and that nothing else grows with the input.

use super::{Outcome, ROOMY, fed, feed};
use crate::{ParseError, Parser, ParserLimits};

const MIB: usize = 1 << 20;

/// `input` passes with a limit of `bytes`, and fails with one byte less, however it is cut.
#[track_caller]
fn check(input: impl AsRef<[u8]>, bytes: usize) {
    let input = input.as_ref();
    let outcome =
        |event_bytes_max, piece_bytes| fed(ParserLimits { event_bytes_max }, input.chunks(piece_bytes));
    for piece_bytes in 1..=input.len() {
        let (enough, scarce) = (outcome(bytes, piece_bytes), outcome(bytes - 1, piece_bytes));
        assert_eq!(enough.error, None, "{} with {bytes}", input.escape_ascii());
        let want = ParseError::TooLarge { bytes_max: bytes - 1 };
        assert_eq!(scarce.error, Some(want), "{} with {}", input.escape_ascii(), bytes - 1);
    }
}

#[test]
fn data_counts_with_an_lf_between_two_lines() {
    check("data: abc\n\n", 3);
    check("data: abc", 3);
    check("data: a\ndata: b\n\n", 3);
    check("data\ndata\n\n", 1);
    check("data\ndata:\n", 1);
    check("data\ndata:", 1);
    check("data: \u{20AC}\n\n", 3);
}

#[test]
fn data_name_and_id_count_together() {
    check("event: abc\ndata: defg\nid: hi\n\n", 9);
    check("id: hi\nevent: abc\ndata: defg\n\n", 9);
    check("event: abc\n", 3);
    check("id: abc", 3);
}

#[test]
fn a_replaced_name_no_longer_counts() {
    check("event: abcd\nevent: xyz\n\n", 4);
    check("event: abcd\nevent\ndata: wxyz\n\n", 4);
}

#[test]
fn an_id_counts_until_the_next_one_is_complete() {
    check("id: abc\nid: xyz\n\n", 6);
    check("id: abc\nid: xyz\nid: uvw\n\n", 6);
    check("id: abc\nid\ndata: uvwxyz\n\n", 6);
}

#[test]
fn an_id_line_with_nul_counts_up_to_the_nul_and_then_not_at_all() {
    check("id: abc\0defghi\n\n", 3);
    check("id: abc\0defghi\ndata: uvwxyz\n\n", 6);
}

#[test]
fn every_block_counts_anew() {
    check("data: abc\n\ndata: abc\n\n", 3);
    check("id: abc\n\nevent: abc\n\ndata: abc\n\n", 3);
}

#[test]
fn replacement_characters_count_at_the_end_of_the_block() {
    check(b"data: \xFF\n\n", 3);
    check(b"data: a\xFF\nid: \xFF\nevent: \xFF\n\n", 10);
    check(b"id: \xFF\n\n", 3);
}

/// The memory is compared with what is held after every piece, by `feed`.
#[test]
fn values_that_were_replaced_leave_no_memory_behind() {
    let long = "x".repeat(1000);
    for first in ["event: ", "id: "] {
        let field = first.trim_end_matches(": ");
        let input = format!("{first}{long}\n{field}\n{first}a\n{first}{long}\0\n{field}\ndata: a\n");
        assert_eq!(fed(ROOMY, input.as_bytes().chunks(7)).error, None);
        assert_eq!(fed(ROOMY, input.split_inclusive('\n').map(str::as_bytes)).error, None);
    }
}

#[test]
fn a_limit_of_zero_lets_empty_events_through() {
    let limits = ParserLimits { event_bytes_max: 0 };
    let outcome = fed(limits, [&b": x\nretry: 1\nevent:\nid:\ndata:\n\n"[..]]);
    assert_eq!((outcome.events.len(), outcome.error), (1, None));
    assert!(fed(limits, [&b"data: a"[..]]).error.is_some());
}

#[test]
fn events_before_a_failure_stay_and_the_failed_block_leaves_nothing() {
    let limits = ParserLimits { event_bytes_max: 4 };
    for failing in ["id: 2\ndata: abcde\n\n", "data: abcd\nid: 2\n\n", "id: 2\nevent: \u{20AC}\n"] {
        let input = format!("id: 1\ndata: a\n\n{failing}data: b\nid: 3\n\n");
        let outcome = fed(limits, [input.as_bytes()]);
        assert_eq!((outcome.events.len(), &*outcome.last_event_id), (1, "1"), "{failing:?}");
    }
}

#[test]
fn malformed_ids_that_grow_too_large_are_not_committed() {
    let outcome = fed(ParserLimits { event_bytes_max: 4 }, [&b"id: 1\ndata: a\n\nid: \xFF\xFF\n\n"[..]]);
    assert_eq!((&*outcome.last_event_id, outcome.error.is_some()), ("1", true));
}

#[test]
fn a_failure_lasts_until_the_next_connection() {
    let failure = Err(ParseError::TooLarge { bytes_max: 2 });
    let mut parser = Parser::new(ParserLimits { event_bytes_max: 2 });
    assert_eq!(parser.next_event(&mut &b"data: abc"[..]), failure);
    assert_eq!(parser.next_event(&mut &b"\n\ndata: b\n\n"[..]), failure);
    assert_eq!(parser.next_event(&mut &b""[..]), failure);
    parser.reset_connection();
    let event = parser.next_event(&mut &b"data: b\n\n"[..]).unwrap().unwrap();
    assert_eq!(event.data, "b");
}

#[test]
fn the_error_names_the_limit() {
    assert_eq!(
        ParseError::TooLarge { bytes_max: 7 }.to_string(),
        "an event has more than 7 bytes of data, name and id together; send it in smaller events"
    );
}

#[test]
fn lines_that_mean_nothing_may_have_any_length_and_are_not_held() {
    let long = "9".repeat(MIB);
    for line in [
        format!(":{long}"),
        format!("foo: {long}"),
        long.clone(),
        format!("{long}: x"),
        format!("data{long}: x"),
        format!("retry: {long}"),
        format!("retry: x{long}"),
        format!("id: \0{long}"),
        format!("\u{FEFF}\u{FEFF}{long}"),
    ] {
        let mut parser = Parser::new(ParserLimits { event_bytes_max: 1 });
        let mut outcome = Outcome::default();
        for piece in line.as_bytes().chunks(4099) {
            feed(&mut parser, piece, &mut outcome);
            assert_eq!(parser.block.capacity_bytes(), 0, "{}", &line[..12]);
        }
        feed(&mut parser, b"\ndata: a\n\n", &mut outcome);
        assert_eq!((outcome.events.len(), outcome.error), (1, None), "{}", &line[..12]);
    }
}

/// The parser may look at a byte a second time where one rule hands over to the next: after a BOM, after the
/// colon, and at the end of a value. That is a constant per line, whatever its length.
#[test]
fn a_long_line_fed_byte_by_byte_is_looked_at_once() {
    const SECOND_LOOKS_MAX: usize = 3;
    let limits = ParserLimits { event_bytes_max: MIB };
    for start in ["data: ", "data:", "event: ", "id: ", "retry: ", ":", "foo: ", ""] {
        let line = format!("{start}{}\n", "7".repeat(MIB));
        for piece_bytes in [1, 2, 1000, line.len()] {
            let mut parser = Parser::new(limits);
            for mut piece in line.as_bytes().chunks(piece_bytes) {
                assert_eq!(parser.next_event(&mut piece), Ok(None));
            }
            let second_looks = parser.lines.looks - line.len();
            assert!(second_looks <= SECOND_LOOKS_MAX, "{start:?}: {second_looks} in pieces of {piece_bytes}");
        }
    }
}

#[test]
fn a_whole_event_is_handed_out_without_a_copy() {
    let mut parser = Parser::new(ROOMY);
    let mut outcome = Outcome::default();
    feed(&mut parser, format!("data: {}", "a".repeat(MIB)).as_bytes(), &mut outcome);
    let address = parser.block.data_address();
    feed(&mut parser, b"\n\n", &mut outcome);
    assert_eq!(outcome.events[0].data.as_ptr(), address);
}
