//! One row for each rule of the standard. Every row is also cut at every byte, fed byte by byte, and compared
//! with a literal reading of the standard ([`model`]).

mod limits;
mod model;
mod properties;

use super::{ParseError, ParsedEvent, Parser, ParserLimits};

/// Everything that can be seen of a parser after some input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    events: Vec<ParsedEvent>,
    last_event_id: String,
    reconnection_time_ms: Option<u64>,
    error: Option<ParseError>,
}

const ROOMY: ParserLimits = ParserLimits { event_bytes_max: 1 << 20 };

/// What a row says of its outcome: events as (name, data, last event id), then what is kept.
struct Want<'a> {
    events: &'a [(&'a str, &'a str, &'a str)],
    id: &'a str,
    retry: Option<u64>,
}

#[track_caller]
fn check_all(input: impl AsRef<[u8]>, want: &Want<'_>) {
    let input = input.as_ref();
    let event = |&(name, data, id): &(&str, &str, &str)| ParsedEvent {
        name: name.into(),
        data: data.into(),
        last_event_id: id.into(),
    };
    let want = Outcome {
        events: want.events.iter().map(event).collect(),
        last_event_id: want.id.into(),
        reconnection_time_ms: want.retry,
        error: None,
    };
    let shown = input.escape_ascii();
    assert_eq!(fed(ROOMY, [input]), want, "{shown} in one piece");
    assert_eq!(fed(ROOMY, input.chunks(1)), want, "{shown} byte by byte");
    for at in 0..=input.len() {
        assert_eq!(fed(ROOMY, [&input[..at], &input[at..]]), want, "{shown} cut at {at}");
    }
    assert_eq!(model::outcome(input), want, "{shown} as the standard reads");
}

#[track_caller]
fn check(input: impl AsRef<[u8]>, events: &[(&str, &str, &str)]) {
    let id = events.last().map_or("", |event| event.2);
    check_all(input, &Want { events, id, retry: None });
}

#[track_caller]
fn check_id(input: impl AsRef<[u8]>, id: &str, events: &[(&str, &str, &str)]) {
    check_all(input, &Want { events, id, retry: None });
}

#[track_caller]
fn check_retry(input: impl AsRef<[u8]>, retry: Option<u64>) {
    check_all(input, &Want { events: &[], id: "", retry });
}

/// Feeds the pieces to a new parser, and checks at every step what must always hold.
#[track_caller]
fn fed<'a>(limits: ParserLimits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut parser = Parser::new(limits);
    let mut outcome = Outcome::default();
    for piece in pieces {
        feed(&mut parser, piece, &mut outcome);
    }
    outcome.last_event_id = parser.last_event_id().into();
    outcome.reconnection_time_ms = parser.reconnection_time_ms();
    outcome
}

#[track_caller]
fn feed(parser: &mut Parser, mut piece: &[u8], outcome: &mut Outcome) {
    loop {
        let before = piece.len();
        let event = parser.next_event(&mut piece);
        check_bounds(parser);
        match event {
            Ok(Some(event)) => {
                assert!(outcome.error.is_none(), "an event came after a failure");
                assert!(piece.len() < before, "an event came without input");
                assert_eq!(parser.block.capacity_bytes(), 0, "an event's memory leaves with it");
                assert!(event.data.len() + event.name.len() <= parser.limits.event_bytes_max);
                assert_eq!(&*event.last_event_id, parser.last_event_id());
                outcome.events.push(event);
            }
            Ok(None) => {
                assert!(outcome.error.is_none(), "a failure was forgotten");
                return assert!(piece.is_empty(), "input left over without an event");
            }
            Err(error) => {
                assert!(outcome.error.is_none_or(|first| first == error), "the failure changed");
                assert_eq!(parser.block.capacity_bytes(), 0, "a failed parser holds nothing");
                return outcome.error = Some(error);
            }
        }
    }
}

#[track_caller]
fn check_bounds(parser: &Parser) {
    let bytes_max = parser.limits.event_bytes_max;
    assert!(parser.block.bytes() <= bytes_max);
    assert!(parser.last_event_id.len() <= bytes_max);
    // A vector doubles, and begins with 8 bytes; there are four of them.
    assert!(parser.block.capacity_bytes() <= 2 * parser.block.bytes() + 4 * 8);
}

#[test]
fn a_block_with_data_is_an_event() {
    check("data: a\n\n", &[("", "a", "")]);
    check("event: n\ndata: a\n\n", &[("n", "a", "")]);
    check("data: a\n\ndata: b\n\n", &[("", "a", ""), ("", "b", "")]);
    check("", &[]);
}

#[test]
fn cr_and_lf_and_crlf_end_a_line() {
    check("data: a\r\rdata: b\r\r", &[("", "a", ""), ("", "b", "")]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a", ""), ("", "b", "")]);
    check("data: a\rdata: b\r\ndata: c\n\r", &[("", "a\nb\nc", "")]);
    check("data: a\n\r\ndata: b\r\n\n", &[("", "a", ""), ("", "b", "")]);
    check("data: a\r\n\rdata: b\r\r\n", &[("", "a", ""), ("", "b", "")]);
    check("data: a\r\ndata: b\r\n\r\n", &[("", "a\nb", "")]);
    check(":\r\ndata\r\n:\r\n\r\n", &[("", "", "")]);
}

#[test]
fn a_cr_dispatches_at_once_and_an_lf_that_follows_belongs_to_it() {
    let mut parser = Parser::new(ROOMY);
    let data_of = |event: ParsedEvent| event.data;
    assert_eq!(parser.next_event(&mut &b"data: a\r\r"[..]).unwrap().map(data_of), Some("a".into()));
    assert_eq!(parser.next_event(&mut &b"\ndata: b\r"[..]).unwrap().map(data_of), None);
    assert_eq!(parser.next_event(&mut &b"\n"[..]).unwrap().map(data_of), None);
    assert_eq!(parser.next_event(&mut &b"\n"[..]).unwrap().map(data_of), Some("b".into()));
}

#[test]
fn only_cr_and_lf_end_a_line() {
    let data = "a\u{2028}b\u{2029}c\u{85}d\u{B}e\u{C}f\u{1C}g";
    check(format!("data: {data}\n\n"), &[("", data, "")]);
}

#[test]
fn one_leading_bom_is_removed() {
    check("\u{FEFF}data: a\n\n", &[("", "a", "")]);
    check("\u{FEFF}\ndata: a\n\n", &[("", "a", "")]);
    check("\u{FEFF}", &[]);
}

#[test]
fn a_second_bom_or_a_later_one_is_part_of_its_line() {
    check("\u{FEFF}\u{FEFF}data: a\ndata: b\n\n", &[("", "b", "")]);
    check("\n\u{FEFF}data: a\ndata: b\n\n", &[("", "b", "")]);
    check("data: a\n\n\u{FEFF}data: b\n\n", &[("", "a", "")]);
    check("data: \u{FEFF}a\n\n", &[("", "\u{FEFF}a", "")]);
    check("data:\u{FEFF} a\n\n", &[("", "\u{FEFF} a", "")]);
}

#[test]
fn a_part_of_a_bom_is_part_of_a_name() {
    for start in
        [&b"\xEF"[..], b"\xEF\xBB", b"\xEF\xBB\xEF\xBB\xBF", b"\xBB", b"\xEF\xEF\xBB\xBF", b"\xFE\xFF"]
    {
        check([start, b"data: a\ndata: b\n\n"].concat(), &[("", "b", "")]);
        check([start, b"\ndata: b\n\n"].concat(), &[("", "b", "")]);
        check([b"data: b\n", start, b"\r\n\r\n"].concat(), &[("", "b", "")]);
        check([start, b":\n\ndata: b\n\n"].concat(), &[("", "b", "")]);
    }
}

#[test]
fn malformed_utf_8_becomes_replacement_characters() {
    check(b"data: a\xFFb\n\n", &[("", "a\u{FFFD}b", "")]);
    check(b"data: \xE2\x82\ndata: \xAC\n\n", &[("", "\u{FFFD}\n\u{FFFD}", "")]);
    check(b"data: \xF0\x9F\x98\n\n", &[("", "\u{FFFD}", "")]);
    check(b"data: \xED\xA0\x80\xC0\xAF\n\n", &[("", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}", "")]);
    check(b"event: \xC3\nid: \xC3(\ndata:\n\n", &[("\u{FFFD}", "", "\u{FFFD}(")]);
    check(b"dat\xFFa: a\ndata\xFF: b\n\xFF\n\xFF: c\ndata: d\n\n", &[("", "d", "")]);
}

#[test]
fn characters_cut_between_pieces_stay_whole() {
    check("event: é\nid: €\ndata: \u{1F600}\n\n", &[("é", "\u{1F600}", "€")]);
}

#[test]
fn the_first_colon_splits_and_one_space_is_dropped() {
    check("data:a\n\n", &[("", "a", "")]);
    check("data: a\n\n", &[("", "a", "")]);
    check("data:  a\n\n", &[("", " a", "")]);
    check("data:\ta\n\n", &[("", "\ta", "")]);
    check("data: a: b:c\n\n", &[("", "a: b:c", "")]);
    check("data::\n\n", &[("", ":", "")]);
    check("data: :\n\n", &[("", ":", "")]);
    check("data: a \n\n", &[("", "a ", "")]);
    check("data:\u{A0}a\n\n", &[("", "\u{A0}a", "")]);
}

#[test]
fn a_line_without_a_colon_is_a_name_with_an_empty_value() {
    check("data\n\n", &[("", "", "")]);
    check("data\ndata\n\n", &[("", "\n", "")]);
    check("event: a\nevent\ndata: b\n\n", &[("", "b", "")]);
    check("id: 1\nid\ndata: b\n\n", &[("", "b", "")]);
    check("data a\ndata: b\n\n", &[("", "b", "")]);
}

#[test]
fn names_are_case_sensitive_and_whole() {
    for line in
        ["Data: x", "DATA: x", " data: x", "data : x", "dat: x", "dataa: x", "\tdata: x", "d: x", "data\0: x"]
    {
        check(format!("{line}\ndata: a\n\n"), &[("", "a", "")]);
    }
    check("Event: x\nevents: x\neven: x\nID: 1\nidd: 1\ni: 1\ndata: a\n\n", &[("", "a", "")]);
    check_retry("Retry: 1\nretries: 1\nretr: 1\n", None);
}

#[test]
fn comments_and_unknown_fields_are_ignored() {
    check(":\n: x\n:data: x\ndata: a\n:\n: data: y\ndata: b\n\n", &[("", "a\nb", "")]);
    check("foo: x\nbar\ndatadatadata: x\nevent-name: x\ndata: a\n\n", &[("", "a", "")]);
    check(":\n\n: x\n\nfoo: x\n\n", &[]);
}

#[test]
fn data_lines_are_joined_with_lf_and_one_trailing_lf_is_removed() {
    check("data: a\ndata: b\n\n", &[("", "a\nb", "")]);
    check("data\n\n", &[("", "", "")]);
    check("data:\n\n", &[("", "", "")]);
    check("data: \n\n", &[("", "", "")]);
    check("data\ndata\n\n", &[("", "\n", "")]);
    check("data\ndata: a\n\n", &[("", "\na", "")]);
    check("data: a\ndata\n\n", &[("", "a\n", "")]);
    check("data: a\nevent: n\ndata: b\nid: 1\ndata: c\n\n", &[("n", "a\nb\nc", "1")]);
}

#[test]
fn data_keeps_nul() {
    check("data: a\0b\n\n", &[("", "a\0b", "")]);
    check("event: a\0b\ndata\n\n", &[("a\0b", "", "")]);
}

#[test]
fn the_last_event_line_wins_and_a_name_lasts_for_its_block_only() {
    check("event: a\nevent: b\ndata: x\n\n", &[("b", "x", "")]);
    check("event: a\nevent:\ndata: x\n\n", &[("", "x", "")]);
    check("event: long name\nevent: s\ndata: x\n\n", &[("s", "x", "")]);
    check("event: a\ndata: x\n\ndata: y\n\n", &[("a", "x", ""), ("", "y", "")]);
    check("event: a\n\ndata: y\n\n", &[("", "y", "")]);
}

#[test]
fn a_block_without_data_is_not_an_event() {
    check("\n\n\r\r\r\n\r\n", &[]);
    check("event: a\n\n", &[]);
    check("event\n\n", &[]);
}

#[test]
fn an_id_stays_until_another_one_comes() {
    check("id: 1\ndata: a\n\ndata: b\n\n", &[("", "a", "1"), ("", "b", "1")]);
    check("id: 1\ndata: a\n\nid: 2\ndata: b\n\n", &[("", "a", "1"), ("", "b", "2")]);
    check("data: a\n\nid: 1\ndata: b\n\n", &[("", "a", ""), ("", "b", "1")]);
    check("data: a\nid: 1\n\n", &[("", "a", "1")]);
    check("id: 1\nid: 22\ndata: a\n\n", &[("", "a", "22")]);
    check("id:  1 \ndata: a\n\n", &[("", "a", " 1 ")]);
}

#[test]
fn an_empty_id_resets() {
    check("id: 1\ndata: a\n\nid\ndata: b\n\n", &[("", "a", "1"), ("", "b", "")]);
    check("id: 1\ndata: a\n\nid:\ndata: b\n\n", &[("", "a", "1"), ("", "b", "")]);
    check("id: 1\ndata: a\n\nid: \ndata: b\n\n", &[("", "a", "1"), ("", "b", "")]);
}

#[test]
fn an_id_with_nul_is_ignored() {
    check("id: 1\nid: 2\0\ndata: a\n\n", &[("", "a", "1")]);
    check("id: 1\ndata: a\n\nid: \0\ndata: b\n\n", &[("", "a", "1"), ("", "b", "1")]);
    check("id: 1\x00234\0\nid: 2\ndata: a\n\n", &[("", "a", "2")]);
    check("id: 1\nid: \x002\r\ndata: a\n\nid\0: 3\ndata: b\n\n", &[("", "a", "1"), ("", "b", "1")]);
}

#[test]
fn an_id_takes_effect_at_the_end_of_its_block_even_without_data() {
    check_id("id: 1\n\n", "1", &[]);
    check_id("id: 1\n\ndata: a\n\n", "1", &[("", "a", "1")]);
    check_id("id: 1\ndata: a\n\nid\n\n", "", &[("", "a", "1")]);
    check_id("id: 1\n", "", &[]);
    check_id("id: 1\n\nid: 2\n", "1", &[]);
}

#[test]
fn an_unfinished_block_is_dropped_with_its_id() {
    check("data: a", &[]);
    check("data: a\n", &[]);
    check("data: a\r", &[]);
    check("data: a\n\nid: 2\ndata: b\n", &[("", "a", "")]);
    check("id: 1\ndata: a\n\nid: 2\ndata: b", &[("", "a", "1")]);
}

#[test]
fn retry_is_a_number_of_ascii_digits() {
    for (value, want) in [
        ("0", Some(0)),
        ("1", Some(1)),
        ("3000", Some(3000)),
        ("0003000", Some(3000)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", Some(u64::MAX)),
        ("99999999999999999999999999999999999999999", Some(u64::MAX)),
        ("", None),
        (" 3000", None),
        ("3000 ", None),
        ("3000\t", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("0x10", None),
        ("1000ms", None),
        ("x1", None),
        ("1\0", None),
        ("٣", None),
    ] {
        check_retry(format!("retry: {value}\n"), want);
        check_retry(format!("retry: {value}\r"), want);
    }
    check_retry("retry:3000\n", Some(3000));
    check_retry("retry\n", None);
}

#[test]
fn retry_takes_effect_at_the_end_of_its_line() {
    check_retry("retry: 10", None);
    check_retry("retry: 10\n", Some(10));
    check_retry("retry: 10\nretry: 20\n", Some(20));
    check_retry("retry: 10\nretry: x\n", Some(10));
    check_retry("retry: 10\nretry\n", Some(10));
    check_retry("retry: 10\nretry: 20", Some(10));
    let events = &[("", "a", "")];
    check_all(":\nretry: 10\ndata: a\n\n", &Want { events, id: "", retry: Some(10) });
}

#[test]
fn a_new_connection_keeps_the_id_and_the_reconnection_time_and_nothing_else() {
    let mut parser = Parser::new(ROOMY);
    let mut outcome = Outcome::default();
    feed(
        &mut parser,
        b"\xEF\xBB\xBFid: 1\nretry: 10\ndata: a\n\nid: 2\nevent: n\ndata: lost\nid: 3",
        &mut outcome,
    );
    parser.reset_connection();
    assert_eq!((parser.last_event_id(), parser.reconnection_time_ms()), ("1", Some(10)));
    feed(&mut parser, b"\xEF\xBB\xBFdata: b\n\n", &mut outcome);
    let heard: Vec<_> =
        outcome.events.iter().map(|event| (&*event.name, &*event.data, &*event.last_event_id)).collect();
    assert_eq!(heard, [("", "a", "1"), ("", "b", "1")]);
}

#[test]
fn a_parser_that_goes_on_has_the_id_until_another_comes() {
    for (input, want) in [
        (&b"data: a\n\n"[..], "before"),
        (b"id: 1\ndata: a\n\n", "1"),
        (b"id\ndata: a\n\n", ""),
        (b"\xEF\xBB\xBFdata: a\n\nid: lost", "before"),
    ] {
        let mut parser = Parser::resuming(ROOMY, "before");
        assert_eq!((parser.last_event_id(), parser.held_bytes()), ("before", 0));
        let mut outcome = Outcome::default();
        feed(&mut parser, input, &mut outcome);
        let shown = input.escape_ascii();
        assert_eq!((&*outcome.events[0].last_event_id, parser.last_event_id()), (want, want), "{shown}");
    }
}

#[test]
fn a_line_cut_by_a_new_connection_does_not_go_on() {
    for cut in
        ["data: x\r", "da", "data", "data:", "data: x", ": x", "id: 9\0", "retry: 1", "retry: x", "\u{FEFF}"]
    {
        let mut parser = Parser::new(ROOMY);
        let mut outcome = Outcome::default();
        feed(&mut parser, cut.as_bytes(), &mut outcome);
        parser.reset_connection();
        feed(&mut parser, b"\ndata: a\nid: 1\nretry: 2\n\n", &mut outcome);
        let event = ParsedEvent { name: String::new(), data: "a".into(), last_event_id: "1".into() };
        assert_eq!((outcome.events, parser.reconnection_time_ms()), (vec![event], Some(2)), "{cut:?}");
    }
}

#[test]
fn held_bytes_are_reported_and_are_0_between_two_blocks() {
    let mut parser = Parser::new(ROOMY);
    let rows: [(&[u8], usize); 8] = [
        (b"data: 123", 3),
        (b"45\nevent: 67", 7),
        (b"\n: a comment\nretry: 123\nother: 1", 7),
        (b"\nid: 89", 9),
        (b"\n\n", 0),
        (b"id: 123\ndata: 1", 4),
        (b"\n\n", 0),
        (b"id: 12345\n\n", 0),
    ];
    for (piece, want) in rows {
        feed(&mut parser, piece, &mut Outcome::default());
        assert_eq!(parser.held_bytes(), want, "{}", piece.escape_ascii());
    }
    assert_eq!(parser.last_event_id(), "12345");
    parser.forget_last_event_id();
    assert_eq!(parser.last_event_id(), "");
    let mut outcome = Outcome::default();
    feed(&mut parser, b"data: 1\n\n", &mut outcome);
    assert_eq!(&*outcome.events[0].last_event_id, "");
}
