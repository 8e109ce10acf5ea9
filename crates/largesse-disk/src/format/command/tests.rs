//! Commands to bytes and back: properties here, tables in `bytes.rs`.

use std::time::Duration;

use largesse_log::{
    Author, Claim, ControlNames, Digest, EngineLimits, FromSetting, IdempotencyKey, Once, Position,
    SettingChange, Settings, SettingsPatch, Slow, StreamName, Then, UnixMs,
};
use largesse_wire::{EventData, EventName};
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::format::frame::Frame;

mod bytes;

pub(crate) const SALT: Salt = Salt(0x5A17);

pub(crate) fn stream_name() -> impl Strategy<Value = StreamName> {
    "[a-zé]{1,8}(/[0-9A-Z]{1,4}){0,2}".prop_map(|text| StreamName::parse(&text).unwrap())
}

pub(crate) fn key() -> impl Strategy<Value = IdempotencyKey> {
    "[!-~]{1,20}".prop_map(|text| IdempotencyKey::parse(&text).unwrap())
}

fn event() -> impl Strategy<Value = NewEvent> {
    let name = option::of("[^\r\n\0]{1,9}".prop_map(|text| EventName::parse(&text).unwrap()));
    let data = "[^\r\0]{0,30}".prop_map(|text| EventData::parse(&text).unwrap());
    (name, data).prop_map(|(name, data)| NewEvent { name, data })
}

fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(|number| Position(number / 2))
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (position(), any::<u64>(), any::<u64>()).prop_map(|(base, now, time)| Stamp {
        base,
        now: UnixMs(now),
        time: UnixMs(time),
    })
}

pub(crate) fn duration() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0u32..1_000_000_000).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos))
}

fn slow() -> impl Strategy<Value = Slow> {
    prop_oneof![Just(Slow::CatchUp), Just(Slow::Latest), Just(Slow::Disconnect)]
}

fn from() -> impl Strategy<Value = FromSetting> {
    let last = any::<u64>().prop_map(|events| format!("-{events}").parse().unwrap());
    prop_oneof![Just(FromSetting::Start), Just(FromSetting::Now), last]
}

fn control_names() -> impl Strategy<Value = ControlNames> {
    prop_oneof![Just(ControlNames::Reserved), Just(ControlNames::Shared)]
}

pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    let limits = (option::of(duration()), any::<Option<u64>>(), any::<Option<u64>>());
    let parts = (limits, duration(), slow(), from(), control_names());
    parts.prop_map(|((max_age, max_events, max_bytes), ttl_after_close, slow, from, control_names)| {
        Settings { max_age, max_events, max_bytes, ttl_after_close, slow, from, control_names }
    })
}

fn change<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = SettingChange<T>> {
    prop_oneof![Just(SettingChange::Keep), Just(SettingChange::Default), value.prop_map(SettingChange::Set)]
}

fn patch() -> impl Strategy<Value = SettingsPatch> {
    let count = || change(any::<Option<u64>>());
    let limits = (change(option::of(duration())), count(), count());
    let parts = (limits, change(duration()), change(slow()), change(from()), change(control_names()));
    parts.prop_map(|((max_age, max_events, max_bytes), ttl_after_close, slow, from, control_names)| {
        SettingsPatch { max_age, max_events, max_bytes, ttl_after_close, slow, from, control_names }
    })
}

pub(crate) fn limits() -> impl Strategy<Value = EngineLimits> {
    let parts = (any::<u64>(), any::<u64>(), any::<usize>(), duration(), any::<usize>(), settings());
    parts.prop_map(|(log_bytes_max, streams_max, keys_max, key_ttl, tombstones_max, defaults)| EngineLimits {
        log_bytes_max,
        streams_max,
        keys_max,
        key_ttl,
        tombstones_max,
        defaults,
    })
}

fn once() -> impl Strategy<Value = Once> {
    let digest = || any::<u128>().prop_map(Digest);
    let claim = (key(), any::<u64>()).prop_map(|(key, generation)| Claim { key, generation });
    prop_oneof![
        Just(Once::Unkeyed),
        (key(), digest()).prop_map(|(key, digest)| Once::Whole { key, digest }),
        (claim, any::<u64>(), digest()).prop_map(|(claim, number, digest)| Once::Block {
            claim,
            number,
            digest
        }),
    ]
}

fn append() -> impl Strategy<Value = Append> {
    let then = prop_oneof![Just(Then::StayOpen), Just(Then::Close)];
    let author = prop_oneof![Just(Author::Source), Just(Author::Publisher)];
    let parts = (stream_name(), vec(event(), 0..5), then, once(), author);
    parts.prop_map(|(stream, events, then, once, author)| Append { stream, events, then, once, author })
}

/// Any command, with any stamp.
pub(crate) fn command() -> impl Strategy<Value = Stamped> {
    let command = prop_oneof![
        4 => append().prop_map(Command::Append),
        1 => (stream_name(), key()).prop_map(|(stream, key)| Command::Claim { stream, key }),
        1 => (stream_name(), patch())
            .prop_map(|(stream, settings)| Command::Put { stream, put: Put { settings } }),
        1 => stream_name().prop_map(|stream| Command::Delete { stream }),
        1 => vec(stream_name(), 0..4).prop_map(|streams| Command::Sweep { streams }),
        1 => (stream_name(), position()).prop_map(|(stream, position)| Command::Damage { stream, position }),
        1 => limits().prop_map(Command::Limits),
    ];
    (stamp(), command).prop_map(|(stamp, command)| Stamped { stamp, command })
}

/// The frames of a command, with their kinds and bodies.
fn bodies(bytes: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let mut rest = bytes;
    let mut bodies = Vec::new();
    while !rest.is_empty() {
        let frame_bytes = 9 + u32::from_le_bytes(*rest.first_chunk().unwrap()) as usize;
        let frame = Frame::check(&rest[..frame_bytes], SALT).unwrap();
        bodies.push((frame.kind, frame.body.to_vec()));
        rest = &rest[frame_bytes..];
    }
    bodies
}

fn encoded(command: &Stamped) -> Vec<u8> {
    let mut out = Vec::new();
    command.encode(&mut out, SALT).unwrap();
    out
}

/// Decodes without scanning a file.
fn decode(bodies: &[(Kind, Vec<u8>)]) -> Result<Stamped, Fault> {
    let (kind, body) = &bodies[0];
    if *kind != Kind::Append {
        return Stamped::decode(*kind, body);
    }
    let head = AppendHead::decode(body)?;
    let events = bodies[1..].iter().map(|(_, body)| crate::format::frame::decode_event(body));
    Ok(Stamped::of_append(head, events.collect::<Result<_, _>>()?))
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(command in command()) {
        prop_assert_eq!(decode(&bodies(&encoded(&command))), Ok(command));
    }

    /// Checksums keep these from a scan; decoding has to be strict on its own.
    #[test]
    fn a_changed_body_is_rejected_or_is_the_one_encoding_of_another_command(
        command in command(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bodies = bodies(&encoded(&command));
        let number = at.index(bodies.len());
        let body = &mut bodies[number].1;
        let at = at.index(body.len());
        body[at] = byte;
        if cut {
            body.truncate(at);
        }
        let Ok(Stamped { stamp, command: Command::Append(append) }) = decode(&bodies) else {
            if let Ok(other) = decode(&bodies) {
                prop_assert_eq!(self::bodies(&encoded(&other)), bodies);
            }
            return Ok(());
        };
        // The head's checksum over its events is verified by the scan.
        let head = AppendHead::decode(&bodies[0].1).unwrap();
        let other = AppendHead::decode(&self::bodies(&encoded(&Stamped { stamp, command: Command::Append(append) }))[0].1)
            .unwrap();
        prop_assert_eq!(AppendHead { events: other.events, ..head }, other);
    }

    #[test]
    fn no_body_makes_a_decoder_panic(kind in 0usize..7, body in vec(any::<u8>(), 0..200)) {
        let kinds = [Kind::Append, Kind::Claim, Kind::Put, Kind::Delete, Kind::Sweep, Kind::Limits, Kind::Damage];
        // Any result will do.
        drop(decode(&[(kinds[kind], body.clone())]));
        drop(KeptHead::decode(&body));
    }
}
