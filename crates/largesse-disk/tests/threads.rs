//! A thread of the log panics: all who wait for it are answered, the log's owner is notified, and a start finds
//! everything acknowledged.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog,
    io::{PanickingDisk, SimulatedDisk},
};
use largesse_log::{
    Append, AppendError, Author, EngineError, EngineExt, EngineLimits, IdempotencyKey, Incarnation, NewEvent,
    Once, Place, Position, Put, ReadLimits, Record, Selection, Selector, Stopped, StreamName, Then, UnixMs,
    WriteOutcome,
};
use largesse_wire::EventData;
use tokio::task::JoinSet;

/// Much longer than anything here takes.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Publishes that wait together.
const CROWD: usize = 8;
/// More publishes than it takes any thread to reach its panic.
const PUBLISHES_MAX: usize = 2_000;
/// After how many calls a thread panics; the writer begins some segments in these.
const CALLS: std::ops::Range<u64> = 0..24;

struct Log {
    disk: SimulatedDisk,
    panicking: PanickingDisk,
    engine: Arc<DiskEngine>,
}

/// Each event is read from a segment, and segments soon get full.
fn settings() -> DiskSettings {
    DiskSettings { segment_bytes: 2_000, hot_bytes_max: 0, ..DiskSettings::DEFAULT }
}

fn open(disk: &SimulatedDisk) -> Log {
    let panicking = PanickingDisk::new(disk.clone());
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    let engine =
        DiskEngine::open(Arc::new(panicking.clone()), EngineLimits::default(), settings(), new).unwrap();
    Log { disk: disk.clone(), panicking, engine: Arc::new(engine) }
}

async fn soon<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_MAX, answer).await.expect("every caller is answered")
}

fn name() -> StreamName {
    StreamName::parse("a").unwrap()
}

impl Log {
    async fn publish(&self) -> Result<Position, AppendError> {
        let events = vec![NewEvent { name: None, data: EventData::parse("some text").unwrap() }];
        let append = Append {
            stream: name(),
            events,
            then: Then::StayOpen,
            once: Once::Unkeyed,
            author: Author::Source,
        };
        soon(self.engine.append(UnixMs(1_000).into(), append)).await.map(|appended| appended.position)
    }

    /// One of each kind of command.
    async fn write_all_kinds(&self) -> Vec<Result<(), AppendError>> {
        let (stream, key) = (name(), IdempotencyKey::parse("key").unwrap());
        let now = UnixMs(1_000);
        vec![
            self.publish().await.map(|_| ()),
            soon(self.engine.claim(now.into(), &stream, &key)).await.map(|_| ()),
            soon(self.engine.put(now.into(), &stream, Put::default())).await.map(|_| ()),
            soon(self.engine.delete(now.into(), &stream)).await.map(|_| ()).map_err(AppendError::Engine),
        ]
    }

    async fn read(&self) -> Result<Vec<Position>, EngineError> {
        let selection = Selection::many(vec![Selector::parse("a").unwrap()]).unwrap();
        let limits = ReadLimits { records_max: NonZeroUsize::MAX, bytes_max: u64::MAX };
        let (mut place, mut positions) = (Place::default(), Vec::new());
        loop {
            let batch = soon(self.engine.read(&selection, place, limits)).await?;
            positions.extend(batch.records.iter().map(Record::position));
            place = place.advanced_to(batch.upto);
            if batch.stopped == Stopped::Tail {
                return Ok(positions);
            }
        }
    }

    /// Closes it, and checks what a start finds.
    async fn check_kept(self, acknowledged: &[Position]) {
        let Self { disk, engine, .. } = self;
        let close = tokio::task::spawn_blocking(move || drop(Arc::into_inner(engine).unwrap()));
        soon(close).await.unwrap();
        let found = open(&disk.after_exit()).read().await.unwrap();
        let lost: Vec<_> = acknowledged.iter().filter(|position| !found.contains(position)).collect();
        assert!(lost.is_empty(), "{lost:?} were acknowledged and are gone");
    }
}

#[track_caller]
fn check_refused(answer: Result<Position, AppendError>, wants: &[WriteOutcome]) {
    let error = answer.unwrap_err();
    assert!(wants.contains(&error.outcome()), "{error}");
    assert!(
        !matches!(error, AppendError::Engine(EngineError::Stopping)),
        "the log is not being closed: {error}"
    );
}

#[tokio::test]
async fn when_the_writer_panics_every_publisher_is_answered_and_the_owner_notified() {
    for calls in CALLS {
        let log = Arc::new(open(&SimulatedDisk::new(calls)));
        let mut acknowledged = vec![log.publish().await.unwrap()];
        log.panicking.arm("log-write", calls);
        let mut crowd = JoinSet::new();
        for _ in 0..CROWD {
            let log = Arc::clone(&log);
            crowd.spawn(async move {
                let mut acknowledged = Vec::new();
                for _ in 0..PUBLISHES_MAX {
                    match log.publish().await {
                        Ok(position) => acknowledged.push(position),
                        refused => {
                            check_refused(refused, &[WriteOutcome::Unknown, WriteOutcome::NotWritten]);
                            return acknowledged;
                        }
                    }
                }
                panic!("the thread that writes does not panic");
            });
        }
        acknowledged.extend(crowd.join_all().await.into_iter().flatten());
        let failure = soon(log.engine.health().failed()).await;
        assert!(failure.contains("writes the log panicked: the test made the disk"), "{failure}");
        for refused in log.write_all_kinds().await {
            check_refused(refused.map(|()| Position::ZERO), &[WriteOutcome::NotWritten]);
        }
        // Reading still works.
        let read = log.read().await.unwrap();
        assert!(acknowledged.iter().all(|position| read.contains(position)));
        Arc::into_inner(log).unwrap().check_kept(&acknowledged).await;
    }
}

#[tokio::test]
async fn when_maintenance_panics_every_publisher_is_answered_and_the_owner_notified() {
    for calls in CALLS {
        let log = open(&SimulatedDisk::new(calls));
        log.panicking.arm("log-maintain", calls);
        let mut acknowledged = Vec::new();
        let refused = loop {
            assert!(acknowledged.len() < PUBLISHES_MAX, "the thread that maintains does not panic");
            match log.publish().await {
                Ok(position) => acknowledged.push(position),
                refused => break refused,
            }
        };
        check_refused(refused, &[WriteOutcome::NotWritten]);
        let failure = soon(log.engine.health().failed()).await;
        assert!(failure.contains("maintains the log panicked: the test made the disk"), "{failure}");
        assert_eq!(log.read().await.unwrap(), acknowledged);
        log.check_kept(&acknowledged).await;
    }
}

#[tokio::test]
async fn a_read_that_panics_fails_alone() {
    let log = open(&SimulatedDisk::new(1));
    let mut acknowledged = Vec::new();
    for _ in 0..100 {
        acknowledged.push(log.publish().await.unwrap());
    }
    log.panicking.arm("log-read", 0);
    assert!(matches!(log.read().await, Err(EngineError::Unreadable { .. })));
    log.panicking.disarm();
    assert_eq!(log.read().await.unwrap(), acknowledged);
    acknowledged.push(log.publish().await.unwrap());
    log.check_kept(&acknowledged).await;
}
