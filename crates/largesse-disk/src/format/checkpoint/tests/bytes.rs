//! The bytes of a header and of one frame of each kind.
//!
//! If a row fails, the format changed: then `header::FORMAT` has to change, too.

use largesse_log::{ControlNames, FromSetting, Settings, Slow};

use super::*;

const SETTINGS: &str = "01 02000000000000000e000000 01 0300000000000000 00 040000000000000000000000 02";
/// "a"
const NAME: &str = "0100 61";
/// "k"
const KEY: &str = "0100 6b";
const LOSS: &str = "0700000000000000 0800000000000000";
const STUB: &str = "0900000000000000 0a00000000000000 0b00000000000000";
const DIGEST: &str = "0c000000000000000000000000000000";
/// Appended.
const ANSWER: &str = "0d00000000000000 0e00000000000000 00 00";
/// Closed already.
const CLOSED: &str = "0d00000000000000 0000000000000000 01 01";

fn settings() -> Settings {
    Settings {
        max_age: Some(Duration::new(2, 14)),
        max_events: Some(3),
        max_bytes: None,
        ttl_after_close: Duration::from_secs(4),
        slow: Slow::Disconnect,
        from: FromSetting::Start,
        control_names: ControlNames::Reserved,
    }
}

fn a_loss() -> Loss {
    Loss { upto: Position(7), at: Position(8) }
}

fn a_head() -> CheckpointHead {
    let limits = EngineLimits {
        log_bytes_max: 0x11,
        streams_max: 0x12,
        keys_max: 0x13,
        key_ttl: Duration::from_secs(0x14),
        tombstones_max: 0x15,
        defaults: settings(),
    };
    let log = SavedHead {
        limits,
        tail: Position(0x16),
        last_time: Some(UnixMs(0x17)),
        low_watermark: Position(0x18),
        forgotten: Some(a_loss()),
        numbered: 0x19,
    };
    let (incarnation, written, reserved) = (Incarnation(0x1a), Sequence(0x1b), Position(0x1c));
    CheckpointHead { salt: SALT, incarnation, written, reserved, replay_from: 0x1d, log }
}

fn a_life() -> Item {
    Item::Life(SavedLife {
        stream: name("a"),
        start: Position(1),
        made: UnixMs(2),
        settings: settings(),
        events: 3,
        bytes: 4,
        first: Some(Stub { position: Position(9), time: UnixMs(10), counted_bytes: 11 }),
        last: None,
        end: Some(LifeEnd { position: Position(5), time: UnixMs(6) }),
        trim: Some(a_loss()),
    })
}

fn a_key(what: SavedUse) -> Item {
    Item::Key(SavedKey { due: UnixMs(1), number: 2, stream: name("a"), key: key_named("k"), what })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a checkpoint with these items.
fn bytes_of(items: Vec<Item>) -> Vec<u8> {
    let disk = SimulatedDisk::new(0);
    written(&disk, &(a_head(), items));
    disk.contents(FILE).unwrap()
}

fn frame_at(file: &[u8], at: usize) -> &[u8] {
    let body_bytes = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    &file[at..at + 9 + body_bytes as usize]
}

fn is(bytes: &[u8], want: &[&str]) {
    assert_eq!(hex(bytes), want.concat().replace(' ', ""));
}

/// The first frame after the head, without its length and checksum.
#[track_caller]
fn check(item: Option<Item>, want: &[&str]) {
    let file = bytes_of(item.into_iter().collect());
    let head_bytes = frame_at(&file, 64).len();
    is(&frame_at(&file, 64 + head_bytes)[8..], want);
}

#[test]
fn the_header_and_the_head_have_the_specified_bytes() {
    let file = bytes_of(Vec::new());
    let zeros = "00".repeat(36);
    is(&file[..64], &["4c41524745434b50 02000000 175a000000000000", &zeros, "ab50ca37c8efe4c4"]);
    is(
        frame_at(&file, 64),
        &[
            "a2000000 31cfc38c 10",
            // incarnation, written, reserved, replay_from
            "1a00000000000000 1b00000000000000 1c00000000000000 1d00000000000000",
            // limits
            "1100000000000000 1200000000000000 1300000000000000 140000000000000000000000 1500000000000000",
            SETTINGS,
            // tail, last_time, front
            "1600000000000000 01 1700000000000000 1800000000000000",
            // forgotten, numbered
            "01",
            LOSS,
            "1900000000000000",
        ],
    );
}

#[test]
fn the_items_have_the_specified_bytes() {
    let void_ranges = vec![(Position(6), Position(7)), (Position(8), Position(9))];
    check(
        Some(Item::Segment(SealedSegment {
            number: 1,
            generation: 2,
            first: Position(3),
            bytes: 4,
            live_bytes: 5,
            void_ranges,
        })),
        &[
            "14 0100000000000000 02000000 0300000000000000 0400000000000000 0500000000000000",
            "02000000 0600000000000000 0700000000000000 0800000000000000 0900000000000000",
        ],
    );
    check(
        Some(a_life()),
        &[
            "11",
            NAME,
            "0100000000000000 0200000000000000",
            SETTINGS,
            "0300000000000000 0400000000000000",
            "01",
            STUB,
            "00",
            "01 0500000000000000 0600000000000000",
            "01",
            LOSS,
        ],
    );
    let (stream, end, at) = (name("a"), Position(1), Position(2));
    let deleted = SavedTombstone { stream, end, reason: EndReason::Deleted, at, loss: Some(a_loss()) };
    let closed = SavedTombstone { reason: EndReason::Closed, loss: None, ..deleted.clone() };
    let tombstone = ["12", NAME, "0100000000000000 01 0200000000000000 01", LOSS];
    check(Some(Item::Tombstone(deleted)), &tombstone);
    check(Some(Item::Tombstone(closed)), &["12", NAME, "0100000000000000 00 0200000000000000 00"]);
}

#[test]
fn the_keys_and_the_end_have_the_specified_bytes() {
    let position = Position(13);
    let answer = Appended { position, count: 14, closed: false, outcome: AppendOutcome::Appended };
    let closed = Appended { position, count: 0, closed: true, outcome: AppendOutcome::AlreadyClosed };
    let key = ["13 0100000000000000 0200000000000000", NAME, KEY].concat();
    check(Some(a_key(SavedUse::Whole { digest: Digest(12), answer })), &[&key, "00", DIGEST, ANSWER]);
    let checkpoints = vec![(4, Digest(12), Position(5))];
    let blocks = SavedBlocks { generation: 1, done: 2, step: 3, checkpoints, closed: Some(closed) };
    check(
        Some(a_key(SavedUse::Blocks(blocks))),
        &[
            &key,
            "01 0100000000000000 0200000000000000 0300000000000000",
            "01000000 0400000000000000",
            DIGEST,
            "0500000000000000",
            "01",
            CLOSED,
        ],
    );
    let damage = SavedDamage { stream: name("a"), position: Position(1) };
    check(Some(Item::Damage(damage)), &["16", NAME, "0100000000000000"]);
    let nothing = "0000000000000000".repeat(4);
    check(None, &["15", &nothing, "9a4888599e2b37aa"]);
}
