//! The bytes we emit, one row for each rule of the safe subset.

use super::{Block, HEARTBEAT, encode_block, encode_head, encoded_bytes};
use crate::{EventData, EventId, EventName, Retry};

#[derive(Clone, Copy)]
struct Given<'a> {
    name: Option<&'a str>,
    data: &'a str,
    id: Option<&'a str>,
}

const fn data(data: &str) -> Given<'_> {
    Given { name: None, data, id: None }
}

#[track_caller]
fn check(given: Given<'_>, want: &str) {
    let name = given.name.map(|name| EventName::parse(name).unwrap());
    let id = given.id.map(|id| EventId::parse(id).unwrap());
    let data = EventData::parse(given.data).unwrap();
    let block = Block { name: name.as_ref(), data: &data, id: id.as_ref() };
    let mut out = b"before".to_vec();
    encode_block(&mut out, &block);
    assert_eq!(String::from_utf8(out).unwrap(), format!("before{want}"));
    assert_eq!(encoded_bytes(&block), want.len(), "the length of {want:?}");
}

#[test]
fn a_block_is_data_and_a_blank_line() {
    check(data("a"), "data: a\n\n");
}

#[test]
fn empty_data_is_one_data_line_so_that_the_event_is_dispatched() {
    check(data(""), "data: \n\n");
}

#[test]
fn every_kind_of_line_break_begins_another_data_line() {
    check(data("a\nb"), "data: a\ndata: b\n\n");
    check(data("a\rb"), "data: a\ndata: b\n\n");
    check(data("a\r\nb"), "data: a\ndata: b\n\n");
    check(data("a\n\nb"), "data: a\ndata: \ndata: b\n\n");
}

#[test]
fn line_breaks_at_both_ends_are_kept() {
    check(data("\n"), "data: \ndata: \n\n");
    check(data("\na\n"), "data: \ndata: a\ndata: \n\n");
}

#[test]
fn one_space_follows_the_colon_and_spaces_of_the_data_come_after_it() {
    check(data(" a"), "data:  a\n\n");
    check(data("\ta "), "data: \ta \n\n");
    check(data(":"), "data: :\n\n");
}

#[test]
fn the_order_is_event_data_id() {
    let given = Given { name: Some("price"), data: "12", id: Some("7f") };
    check(given, "event: price\ndata: 12\nid: 7f\n\n");
    check(Given { name: None, ..given }, "data: 12\nid: 7f\n\n");
    check(Given { id: None, ..given }, "event: price\ndata: 12\n\n");
    check(Given { data: "", ..given }, "event: price\ndata: \nid: 7f\n\n");
}

#[test]
fn a_name_keeps_its_spaces() {
    check(Given { name: Some(" a "), ..data("") }, "event:  a \ndata: \n\n");
}

#[test]
fn data_cannot_forge_fields_or_blocks() {
    check(
        data("x\nid: 5\n\nevent: end\rretry: 0\r\n:"),
        "data: x\ndata: id: 5\ndata: \ndata: event: end\ndata: retry: 0\ndata: :\n\n",
    );
}

#[test]
fn only_cr_and_lf_are_line_breaks() {
    check(data("a\u{2028}b\u{2029}c\u{85}d\u{B}e"), "data: a\u{2028}b\u{2029}c\u{85}d\u{B}e\n\n");
}

#[test]
fn a_bom_in_data_is_never_the_first_thing_on_a_connection() {
    check(data("\u{FEFF}a"), "data: \u{FEFF}a\n\n");
}

#[test]
fn the_head_is_a_comment_and_retry_without_a_blank_line() {
    for (ms, want) in [(1, ":\nretry: 1\n"), (2417, ":\nretry: 2417\n"), (86_400_000, ":\nretry: 86400000\n")]
    {
        let mut out = Vec::new();
        encode_head(&mut out, Retry::from_ms(ms).unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}

#[test]
fn the_heartbeat_is_a_comment_without_a_blank_line() {
    assert_eq!(HEARTBEAT, b":\n");
}
