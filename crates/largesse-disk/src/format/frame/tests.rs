//! Frames, byte by byte.

use super::{events::bounded, *};
use largesse_log::NewEvent;
use largesse_wire::{EventData, EventName};

const SALT: Salt = Salt(0x5A17);

fn event(name: Option<&str>, data: &str) -> NewEvent {
    let name = name.map(|name| EventName::parse(name).unwrap());
    NewEvent { name, data: EventData::parse(data).unwrap() }
}

fn encoded(events: &[NewEvent]) -> EncodedEvents {
    EncodedEvents::new(SALT, events).unwrap()
}

/// A frame around any body, with a valid checksum.
fn framed(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, SALT, kind, |out| out.extend_from_slice(body));
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn events_have_the_specified_bytes() {
    let events = encoded(&[event(Some("price"), "EUR\n12"), event(None, "")]);
    let want = concat!("0d000000", "9c2941a9", "03", "0500", "7072696365", "4555520a3132");
    let want = want.to_owned() + concat!("02000000", "534fe687", "03", "ffff");
    assert_eq!(hex(events.bytes()), want);
    assert_eq!(events.frames(), [22, 11]);
}

#[test]
fn a_group_head_has_the_specified_bytes() {
    let head = GroupHead {
        sequence: Sequence(0x0102),
        synced_sequence: Sequence(0x0101),
        reserved: Position(0x0A0B),
        group_bytes: 0x0C0D,
    };
    let want = concat!(
        "1c000000",
        "e8ef882a",
        "01",
        "0201000000000000",
        "0101000000000000",
        "0b0a000000000000",
        "0d0c0000"
    );
    assert_eq!(hex(&head.encode(SALT)), want);
    assert_eq!(GroupHead::find(&head.encode(SALT), SALT), Some(head));
    assert_eq!(GroupHead::find(&head.encode(Salt(1)), SALT), None, "another log's");
}

#[test]
fn every_flipped_bit_of_a_frame_is_found() {
    let whole = encoded(&[event(Some("price"), "EUR\n12")]).bytes().to_vec();
    assert!(Frame::check(&whole, SALT).is_ok());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Frame::check(&flipped, SALT).is_err(), "bit {bit}");
    }
}

#[test]
fn a_frame_with_a_wrong_length_kind_or_salt_is_rejected() {
    let whole = framed(Kind::Sweep, b"body");
    let check = |bytes: &[u8], salt, want| assert_eq!(Frame::check(bytes, salt).err(), Some(want));
    check(&[], SALT, Fault::Cut);
    check(&whole[..8], SALT, Fault::Cut);
    check(&whole[..12], SALT, Fault::Length { body_bytes: 4 });
    check(&[&whole[..], b"x"].concat(), SALT, Fault::Length { body_bytes: 4 });
    check(&[0; 9], SALT, Fault::Check);
    check(&whole, Salt(1), Fault::Check);
    check(&[0xFF; 9], SALT, Fault::Length { body_bytes: u32::MAX });

    let mut other = whole;
    other[8] = 12;
    let right = check_of(&other[8..], SALT).to_le_bytes();
    other[4..8].copy_from_slice(&right);
    check(&other, SALT, Fault::Kind { kind: 12 });
}

#[test]
fn the_body_of_an_event_has_to_be_text() {
    let check = |body: &[u8], want: Result<NewEvent, Fault>| assert_eq!(decode_event(body), want);
    check(b"\xFF\xFFa\nb", Ok(event(None, "a\nb")));
    check(b"\x01\x00na", Ok(event(Some("n"), "a")));
    check(b"", Err(Fault::Short));
    check(b"\xFF", Err(Fault::Short));
    check(b"\x02\x00n", Err(Fault::Short));
    check(b"\x00\x00a", Err(Fault::EventName));
    check(b"\x01\x00\na", Err(Fault::EventName));
    check(b"\x01\x00\xC3a", Err(Fault::Utf8));
    check(b"\xFF\xFF\xC3", Err(Fault::Utf8));
    check(b"\xFF\xFFa\0", Err(Fault::EventData));
    check(b"\xFF\xFFa\rb", Err(Fault::EventData));
}

#[test]
fn a_frame_is_copied_only_if_it_is_a_whole_event_of_the_log() {
    let whole = encoded(&[event(None, "a"), event(Some("n"), "b")]);
    let mut copy = EncodedEvents::empty(SALT);
    let (first, second) = whole.bytes().split_at(whole.frames()[0] as usize);
    for frame in [&second[..second.len() - 1], &framed(Kind::Sweep, b"")] {
        assert!(copy.push_frame(frame).is_err());
    }
    assert_eq!(copy.push_frame(first), Ok(()));
    assert_eq!(copy.push_frame(second), Ok(()));
    assert_eq!((copy.bytes(), copy.frames()), (whole.bytes(), whole.frames()));
    assert_eq!(copy.check(), whole.check());
}

#[test]
fn the_events_of_one_append_are_bounded() {
    assert_eq!(bounded(1 << 30), Ok(1 << 30));
    assert_eq!(bounded((1 << 30) + 1), Err(TooLarge { bytes: (1 << 30) + 1, bytes_max: 1 << 30 }));
}
