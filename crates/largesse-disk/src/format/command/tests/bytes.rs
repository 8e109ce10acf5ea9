//! The bytes of one command of each kind, and bodies that are not commands.
//!
//! If a row fails, the format changed: then `segment::FORMAT` has to change, too.

use std::time::Duration;

use super::*;

fn name() -> StreamName {
    StreamName::parse("a/b").unwrap()
}

fn a_key() -> IdempotencyKey {
    IdempotencyKey::parse("k1").unwrap()
}

fn a_stamp() -> Stamp {
    Stamp { base: Position(0x0102), now: UnixMs(0x0304), time: UnixMs(0x0305) }
}

fn stamped(command: Command) -> Stamped {
    Stamped { stamp: a_stamp(), command }
}

fn an_append(events: &[&str], then: Then, once: Once) -> Stamped {
    an_append_by(Author::Source, events, then, once)
}

fn an_append_by(author: Author, events: &[&str], then: Then, once: Once) -> Stamped {
    let event = |data: &&str| NewEvent { name: None, data: EventData::parse(data).unwrap() };
    let events = events.iter().map(event).collect();
    stamped(Command::Append(Append { stream: name(), events, then, once, author }))
}

const STAMP: &str = "0201000000000000 0403000000000000 0503000000000000";
/// "a/b"
const NAME: &str = "0300612f62";
/// "k1"
const KEY: &str = "02006b31";
const DIGEST: &str = "0a000000000000000000000000000000";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn check(command: &Stamped, head: &str, body: &[&str]) {
    let want = format!("{head}{}", body.concat()).replace(' ', "");
    assert_eq!(hex(&encoded(command)), want);
}

#[test]
fn appends_have_the_specified_bytes() {
    let digest = Digest(10);
    check(
        &an_append(&[], Then::Close, Once::Unkeyed),
        "2b000000 178b5b07 02",
        &[STAMP, "00000000 175a000000000000", NAME, "01", "00"],
    );
    check(
        &an_append(&["x", ""], Then::StayOpen, Once::Whole { key: a_key(), digest }),
        "3f000000 4783914c 02",
        &[
            STAMP,
            "02000000 61978cb151fe684f",
            NAME,
            "00",
            "01",
            KEY,
            DIGEST,
            "03000000 42067fe5 03 ffff 78",
            "02000000 534fe687 03 ffff",
        ],
    );
    let claim = Claim { key: a_key(), generation: 7 };
    check(
        &an_append(&["x"], Then::StayOpen, Once::Block { claim, number: 8, digest }),
        "4f000000 ae4ce87c 02",
        &[
            STAMP,
            "01000000 20848cd9b11fd05f",
            NAME,
            "00",
            "02",
            KEY,
            "0700000000000000 0800000000000000",
            DIGEST,
            "03000000 42067fe5 03 ffff 78",
        ],
    );
}

#[test]
fn other_commands_have_the_specified_bytes() {
    let stream = name();
    let claim = stamped(Command::Claim { stream: stream.clone(), key: a_key() });
    check(&claim, "21000000 cb5a8f6d 04", &[STAMP, NAME, KEY]);

    let settings = SettingsPatch {
        max_age: SettingChange::Set(Some(Duration::new(5, 6))),
        max_events: SettingChange::Set(None),
        max_bytes: SettingChange::Default,
        ttl_after_close: SettingChange::Keep,
        slow: SettingChange::Set(Slow::Disconnect),
        ..SettingsPatch::default()
    };
    let put = stamped(Command::Put { stream: stream.clone(), put: Put { settings } });
    let patch = "0201 0500000000000000 06000000 0200 01 00 0202";
    check(&put, "31000000 61d6232a 05", &[STAMP, NAME, patch]);

    let damage = stamped(Command::Damage { stream: stream.clone(), position: Position(0x0a0b) });
    check(&damage, "25000000 523f5927 0a", &[STAMP, NAME, "0b0a000000000000"]);
    check(&stamped(Command::Delete { stream }), "1d000000 fd6295ff 06", &[STAMP, NAME]);
    let streams = vec![name(), name()];
    check(&stamped(Command::Sweep { streams }), "26000000 3fed4386 0b", &[STAMP, "02000000", NAME, NAME]);

    let defaults = Settings {
        max_age: None,
        max_events: Some(4),
        max_bytes: Some(5),
        ttl_after_close: Duration::from_secs(6),
        slow: Slow::Latest,
        ..Settings::default()
    };
    let limits = EngineLimits {
        log_bytes_max: 1,
        streams_max: 2,
        keys_max: 3,
        key_ttl: Duration::from_millis(1),
        tombstones_max: 7,
        defaults,
    };
    check(
        &stamped(Command::Limits(limits)),
        "64000000 16669829 08",
        &[
            STAMP,
            "0100000000000000 0200000000000000 0300000000000000",
            "0000000000000000 40420f00 0700000000000000",
            "00 01 0400000000000000 01 0500000000000000 0600000000000000 00000000 01",
        ],
    );
}

#[test]
fn fields_that_format_1_did_not_have_follow_a_flagged_tag() {
    let stream = name();
    let by_publisher = |then| an_append_by(Author::Publisher, &[], then, Once::Unkeyed);
    let head = |then| {
        let body = bodies(&encoded(&by_publisher(then))).remove(0).1;
        hex(&body[body.len() - 2..])
    };
    assert_eq!((head(Then::StayOpen), head(Then::Close)), ("0200".to_owned(), "0300".to_owned()));

    let put = |from, control_names, slow| {
        let settings = SettingsPatch { from, control_names, slow, ..SettingsPatch::default() };
        stamped(Command::Put { stream: stream.clone(), put: Put { settings } })
    };
    let tail = |command: &Stamped, bytes: usize| {
        let body = bodies(&encoded(command)).remove(0).1;
        hex(&body[body.len() - bytes..])
    };
    let last = "-258".parse().unwrap();
    let command = put(SettingChange::Set(last), SettingChange::Keep, SettingChange::Keep);
    assert_eq!(tail(&command, 16), "0000000010".to_owned() + "0202" + "0201000000000000" + "00");
    let command = put(
        SettingChange::Default,
        SettingChange::Set(ControlNames::Shared),
        SettingChange::Set(Slow::Latest),
    );
    assert_eq!(tail(&command, 9), "0000000012".to_owned() + "01" + "01" + "0201");
    let (kind, body) =
        bodies(&encoded(&put(SettingChange::Default, SettingChange::Keep, SettingChange::Keep))).remove(0);
    let mut said_twice = body.clone();
    let at = body.len() - 2;
    said_twice[at] = 0;
    assert_eq!(
        decode(&[(kind, said_twice)]),
        Err(Fault::Tag { tag: 16 }),
        "nothing more has a shorter encoding"
    );
}

#[test]
fn kept_heads_have_the_specified_bytes() {
    let events = EncodedEvents::new(SALT, &[]).unwrap();
    let head = KeptHead { base: Position(0x0102), time: UnixMs(0x0305), stream: name() };
    let mut out = Vec::new();
    head.encode(&mut out, SALT, &events);
    let want = "21000000 00ae87a8 09 0201000000000000 0503000000000000 00000000 175a000000000000 0300612f62";
    assert_eq!(hex(&out), want.replace(' ', ""));
    assert_eq!(KeptHead::decode(&out[9..]), Ok((head, EventsHead::of(&events))));
}

/// A valid command whose body has `to` instead of the last `from`, decoded.
fn changed(command: &Stamped, from: &str, to: &[u8]) -> Result<Stamped, Fault> {
    let (kind, mut body) = bodies(&encoded(command)).remove(0);
    let from = from.as_bytes();
    let at = body.windows(from.len()).rposition(|bytes| bytes == from).expect("it is there");
    body.splice(at..at + from.len(), to.iter().copied());
    decode(&[(kind, body)])
}

#[test]
fn a_body_that_is_not_a_command_is_rejected() {
    let delete = stamped(Command::Delete { stream: name() });
    let claim = stamped(Command::Claim { stream: name(), key: a_key() });
    let close = an_append(&[], Then::Close, Once::Unkeyed);
    let check = |command, from, to: &[u8], want| {
        assert_eq!(changed(command, from, to), Err(want), "{from:?} to {to:?}");
    };
    check(&delete, "a/b", b"a/", Fault::Short);
    check(&delete, "a/b", b"a/bc", Fault::Rest);
    check(&delete, "a/b", b"a//", Fault::StreamName);
    check(&delete, "a/b", b"a*b", Fault::StreamName);
    check(&delete, "a/b", b"a/\xFF", Fault::Utf8);
    check(&delete, "\x03\0a/b", b"\0\0", Fault::StreamName);
    check(&claim, "k1", b"k\n", Fault::Key);
    check(&close, "b\x01\0", b"b\x04\0", Fault::Tag { tag: 4 });
    check(&close, "b\x01\0", b"b\x01\x03", Fault::Tag { tag: 3 });
    check(&delete, "\x02\x01\0\0\0\0\0\0", b"\x02\x01\0\0\0\0\0\x80", Fault::Number);

    let settings = SettingsPatch {
        ttl_after_close: SettingChange::Set(Duration::new(1, 0xABCD)),
        ..SettingsPatch::default()
    };
    let put = stamped(Command::Put { stream: name(), put: Put { settings } });
    let (second, nanos) = (b"\x02\x01\0\0\0\0\0\0\0", [0, 0, 0, 0xFF]);
    let long = [&second[..], &nanos].concat();
    let (kind, mut body) = bodies(&encoded(&put)).remove(0);
    let at = body.len() - 1 - long.len();
    body[at..at + long.len()].copy_from_slice(&long);
    assert_eq!(decode(&[(kind, body)]), Err(Fault::Number), "more nanoseconds than in a second");

    for kind in [Kind::Group, Kind::Event, Kind::Kept] {
        assert_eq!(Stamped::decode(kind, b""), Err(Fault::Misplaced { kind }));
    }
}
