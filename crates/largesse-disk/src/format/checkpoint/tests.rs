//! Checkpoints to bytes and back: properties here; broken files and tables of bytes in the submodules.

use std::time::Duration;

use largesse_log::{
    Append, AppendOutcome, Appended, Author, Claim, Command, Digest, EndReason, EngineLimits, IdempotencyKey,
    Incarnation, NewEvent, Once, Position, Put, Reply, StreamName, Then, UnixMs,
    state::{
        Applied, LifeEnd, LogState, Loss, Progress, SavedBlocks, SavedHead, SavedUse, Snapshot, Stamp, Stub,
        StubsFound,
    },
};
use largesse_wire::EventData;
use proptest::{collection::vec, option, prelude::*};

use super::{writing::write_items, *};
use crate::{
    format::command::tests as commands,
    io::{Disk, SimulatedDisk},
};

mod broken;
mod bytes;
mod crash;

const SALT: Salt = Salt(0x5A17);

/// The contents of a checkpoint.
type Checkpoint = (CheckpointHead, Vec<Item>);

fn written(disk: &dyn Disk, (head, items): &Checkpoint) {
    let bytes = write_items(disk, head, items.iter().cloned()).expect("the disk works");
    assert_eq!(disk.open(FILE).and_then(|file| file.bytes()).expect("it is there"), bytes);
}

fn read(disk: &dyn Disk) -> Result<Option<Checkpoint>, CheckpointError> {
    open(disk)?.map(all_of).transpose()
}

fn all_of(reading: CheckpointReader) -> Result<Checkpoint, CheckpointError> {
    let (head, mut items) = (reading.head().clone(), Vec::new());
    reading.items(&mut |item| items.push(item))?;
    Ok((head, items))
}

fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(|number| Position(number / 2))
}

fn time() -> impl Strategy<Value = UnixMs> {
    any::<u64>().prop_map(UnixMs)
}

fn loss() -> impl Strategy<Value = Loss> {
    (position(), position()).prop_map(|(upto, at)| Loss { upto, at })
}

fn stub() -> impl Strategy<Value = Stub> {
    let parts = (position(), time(), any::<u64>());
    parts.prop_map(|(position, time, counted_bytes)| Stub { position, time, counted_bytes })
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<u128>().prop_map(Digest)
}

fn answer() -> impl Strategy<Value = Appended> {
    let outcome = prop_oneof![Just(AppendOutcome::Appended), Just(AppendOutcome::AlreadyClosed)];
    (position(), any::<u64>(), any::<bool>(), outcome)
        .prop_map(|(position, count, closed, outcome)| Appended { position, count, closed, outcome })
}

fn head() -> impl Strategy<Value = CheckpointHead> {
    let log =
        (commands::limits(), position(), option::of(time()), position(), option::of(loss()), any::<u64>());
    let log = log.prop_map(|(limits, tail, last_time, low_watermark, forgotten, numbered)| SavedHead {
        limits,
        tail,
        last_time,
        low_watermark,
        forgotten,
        numbered,
    });
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (numbers, position(), log).prop_map(|((salt, incarnation, written, replay_from), reserved, log)| {
        let (salt, incarnation, written) = (Salt(salt), Incarnation(incarnation), Sequence(written));
        CheckpointHead { salt, incarnation, written, reserved, replay_from, log }
    })
}

fn segment() -> impl Strategy<Value = Item> {
    let parts = (any::<u64>(), any::<u32>(), position(), any::<u64>(), any::<u64>());
    (parts, vec((position(), position()), 0..4)).prop_map(|(parts, void_ranges)| {
        let (number, generation, first, bytes, live_bytes) = parts;
        Item::Segment(SealedSegment { number, generation, first, bytes, live_bytes, void_ranges })
    })
}

fn life() -> impl Strategy<Value = Item> {
    let end = option::of((position(), time()).prop_map(|(position, time)| LifeEnd { position, time }));
    let events =
        (any::<u64>(), any::<u64>(), option::of(stub()), option::of(stub()), end, option::of(loss()));
    (commands::stream_name(), position(), time(), commands::settings(), events).prop_map(
        |(stream, start, made, settings, (events, bytes, first, last, end, trim))| {
            Item::Life(SavedLife { stream, start, made, settings, events, bytes, first, last, end, trim })
        },
    )
}

fn tombstone() -> impl Strategy<Value = Item> {
    let reason = prop_oneof![Just(EndReason::Closed), Just(EndReason::Deleted)];
    (commands::stream_name(), position(), reason, position(), option::of(loss())).prop_map(
        |(stream, end, reason, at, loss)| Item::Tombstone(SavedTombstone { stream, end, reason, at, loss }),
    )
}

fn key() -> impl Strategy<Value = Item> {
    let whole = (digest(), answer()).prop_map(|(digest, answer)| SavedUse::Whole { digest, answer });
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>());
    let checkpoints = vec((any::<u64>(), digest(), position()), 0..66);
    let blocks = (numbers, checkpoints, option::of(answer()));
    let blocks = blocks.prop_map(|((generation, done, step), checkpoints, closed)| {
        SavedUse::Blocks(SavedBlocks { generation, done, step, checkpoints, closed })
    });
    let what = prop_oneof![whole, blocks];
    (time(), any::<u64>(), commands::stream_name(), commands::key(), what)
        .prop_map(|(due, number, stream, key, what)| Item::Key(SavedKey { due, number, stream, key, what }))
}

fn damage() -> impl Strategy<Value = Item> {
    (commands::stream_name(), position())
        .prop_map(|(stream, position)| Item::Damage(SavedDamage { stream, position }))
}

fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    let many = (vec(life(), 0..4), vec(tombstone(), 0..4), vec(key(), 0..4), vec(damage(), 0..4));
    let items = (vec(segment(), 0..4), many).prop_map(|(segments, (lives, tombstones, keys, damages))| {
        [segments, lives, tombstones, keys, damages].concat()
    });
    (head(), items)
}

fn name(raw: &str) -> StreamName {
    StreamName::parse(raw).unwrap()
}

fn key_named(raw: &str) -> IdempotencyKey {
    IdempotencyKey::parse(raw).unwrap()
}

/// Enough streams for several writes.
fn large(salt: Salt) -> Checkpoint {
    let lives = (0..800).map(|number| {
        Item::Life(SavedLife {
            stream: name(&format!("{number:04}/{}", "x".repeat(80))),
            start: Position(number + 1),
            made: UnixMs(number),
            settings: EngineLimits::default().defaults,
            events: 0,
            bytes: 0,
            first: None,
            last: None,
            end: None,
            trim: None,
        })
    });
    let log = LogState::new(EngineLimits::default()).snapshot().head;
    let (incarnation, written, reserved) = (Incarnation(1), Sequence(2), Position(3));
    (CheckpointHead { salt, incarnation, written, reserved, replay_from: 4, log }, lives.collect())
}

proptest! {
    #[test]
    fn what_is_written_is_read(checkpoint in checkpoint()) {
        let disk = SimulatedDisk::new(0);
        written(&disk, &checkpoint);
        prop_assert_eq!(read(&disk).unwrap(), Some(checkpoint));
        prop_assert_eq!(disk.file_names(), [FILE]);
    }
}

#[test]
fn a_large_checkpoint_is_written_and_read_in_pieces() {
    use crate::io::Act;
    let (disk, checkpoint) = (SimulatedDisk::new(0), large(SALT));
    written(&disk, &checkpoint);
    assert_eq!(read(&disk).unwrap(), Some(checkpoint));
    let pieces = disk.record().into_iter().filter_map(|operation| match operation.act {
        Act::Write { bytes, .. } => Some(bytes),
        _ => None,
    });
    let pieces: Vec<_> = pieces.collect();
    assert!(pieces.len() > 2, "{pieces:?}");
    let one_frame_bytes = 4_096;
    assert!(pieces.iter().all(|bytes| *bytes < writing::BUFFER_BYTES as u64 + one_frame_bytes), "{pieces:?}");
}

#[test]
fn without_the_file_there_is_no_checkpoint() {
    let disk = SimulatedDisk::new(0);
    assert_eq!(read(&disk).unwrap(), None);
    // A leftover of one that was never completed is ignored.
    disk.create(NEW_FILE).unwrap().write_at(b"LARGECKP", 0).unwrap();
    assert_eq!(read(&disk).unwrap(), None);
    written(&disk, &large(SALT));
    assert_eq!(disk.file_names(), [FILE]);
}

#[derive(Clone, Copy, Debug)]
enum LogAction {
    Append { stream: usize, key: Option<u8>, then: Then },
    Block { stream: usize, key: u8, number: u64 },
    Put { stream: usize, max_events: u64 },
    Delete { stream: usize },
    Pass { ms: u64 },
    Sweep,
    Settle,
}

fn any_action() -> impl Strategy<Value = LogAction> {
    let then = prop_oneof![6 => Just(Then::StayOpen), 1 => Just(Then::Close)];
    prop_oneof![
        8 => (0..4_usize, option::of(0..5_u8), then)
            .prop_map(|(stream, key, then)| LogAction::Append { stream, key, then }),
        3 => (0..4_usize, 5..7_u8, 0..3_u64)
            .prop_map(|(stream, key, number)| LogAction::Block { stream, key, number }),
        2 => (0..4_usize, 1..4_u64).prop_map(|(stream, max_events)| LogAction::Put { stream, max_events }),
        1 => (0..4_usize).prop_map(|stream| LogAction::Delete { stream }),
        1 => (0..200_u64).prop_map(|ms| LogAction::Pass { ms }),
        1 => Just(LogAction::Sweep),
        1 => Just(LogAction::Settle),
    ]
}

/// Applies a command to a log that finds no cold events.
fn apply(log: &mut LogState, stamp: Stamp, command: Command) -> Applied {
    let mut progress = log.apply(stamp, command);
    loop {
        match progress {
            Progress::Applied(applied) => return applied,
            Progress::Wants(wanted) => {
                let found = StubsFound { runs: vec![Vec::new(); wanted.runs.len()], order: Vec::new() };
                progress = log.resume(&wanted, found);
            }
        }
    }
}

/// Performs an action. Its reply doesn't matter here.
fn perform(log: &mut LogState, now: &mut UnixMs, action: LogAction) {
    let stream = |number: usize| name(["a", "b/1", "b/2", "é"][number]);
    let key = |number: u8| key_named(&format!("key-{number}"));
    let events = || vec![NewEvent { name: None, data: EventData::parse("some text").unwrap() }];
    let stamp = log.next_stamp(*now);
    match action {
        LogAction::Append { stream: number, key: used, then } => {
            let once = used.map_or(Once::Unkeyed, |used| Once::Whole { key: key(used), digest: Digest(7) });
            let append =
                Append { stream: stream(number), events: events(), then, once, author: Author::Source };
            apply(log, stamp, Command::Append(append));
        }
        LogAction::Block { stream: on, key: used, number } => {
            let claim = Command::Claim { stream: stream(on), key: key(used) };
            let Reply::Claim(Ok(Claim { key, generation })) = apply(log, stamp, claim).reply else { return };
            let once =
                Once::Block { claim: Claim { key, generation }, number, digest: Digest(number.into()) };
            let append = Append {
                stream: stream(on),
                events: events(),
                then: Then::StayOpen,
                once,
                author: Author::Source,
            };
            let stamp = log.next_stamp(*now);
            apply(log, stamp, Command::Append(append));
        }
        LogAction::Put { stream: number, max_events } => {
            let settings = largesse_log::SettingsPatch {
                max_events: largesse_log::SettingChange::Set(Some(max_events)),
                ..Default::default()
            };
            apply(log, stamp, Command::Put { stream: stream(number), put: Put { settings } });
        }
        LogAction::Delete { stream: number } => {
            _ = apply(log, stamp, Command::Delete { stream: stream(number) })
        }
        LogAction::Pass { ms } => now.0 += ms,
        LogAction::Sweep => {
            let mut sweep = Command::Sweep { streams: Vec::new() };
            log.fill_in((*now).into(), &mut sweep);
            apply(log, stamp, sweep);
        }
        LogAction::Settle => _ = log.evict(0, Position::MAX, usize::MAX),
    }
}

fn items(snapshot: &Snapshot) -> Vec<Item> {
    // Lives come in any order.
    let mut lives: Vec<_> = snapshot.lives().collect();
    lives.sort_unstable_by(|one, other| one.stream.cmp(&other.stream));
    let streams = lives.into_iter().map(Item::Life).chain(snapshot.tombstones().map(Item::Tombstone));
    streams.chain(snapshot.keys().map(Item::Key)).collect()
}

proptest! {
    #[test]
    fn a_log_that_is_restored_from_its_checkpoint_is_the_same(actions in vec(any_action(), 0..60)) {
        let limits = EngineLimits {
            tombstones_max: 2,
            keys_max: 5,
            key_ttl: Duration::from_millis(300),
            defaults: largesse_log::Settings {
                ttl_after_close: Duration::from_millis(100),
                ..Default::default()
            },
            ..EngineLimits::default()
        };
        let (mut log, mut now) = (LogState::new(limits), UnixMs(1));
        actions.into_iter().for_each(|action| perform(&mut log, &mut now, action));
        let (snapshot, disk) = (log.snapshot(), SimulatedDisk::new(0));
        let head = CheckpointHead { log: snapshot.head, ..large(SALT).0 };
        let void_ranges = vec![(Position(4), Position(5))];
        let segment =
            SealedSegment { number: 1, generation: 2, first: Position(3), bytes: 4, live_bytes: 5, void_ranges };
        write(&disk, &head, std::iter::once(segment.clone()), &snapshot).unwrap();

        let reading = open(&disk).unwrap().unwrap();
        prop_assert_eq!(reading.head(), &head);
        let mut restored = LogState::restored(&reading.head().log);
        let mut segments = Vec::new();
        reading.items(&mut |item| match item {
            Item::Segment(segment) => segments.push(segment),
            Item::Life(life) => restored.restore_life(&life),
            Item::Tombstone(tombstone) => restored.restore_tombstone(&tombstone),
            Item::Key(key) => restored.restore_key(key),
            Item::Damage(damage) => restored.restore_damage(damage),
        }).unwrap();
        prop_assert_eq!(segments, [segment]);
        prop_assert_eq!(restored.snapshot().head, snapshot.head);
        prop_assert_eq!(items(&restored.snapshot()), items(&snapshot));
    }
}
