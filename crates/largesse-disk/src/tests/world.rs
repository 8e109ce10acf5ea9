//! A log on a simulated disk, one command at a time, and a model with exactly the acknowledged commands.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use largesse_log::{
    Append, Author, Batch, Command, EngineError, EngineLimits, IdempotencyKey, Incarnation, NewEvent, Once,
    Place, Position, Put, Query, ReadLimits, Record, Selection, Selector, SettingChange, Settings,
    SettingsPatch, Stopped, StreamName, StreamState, Then, UnixMs, WriteOutcome,
    conformance::rng::Rng,
    state::{LogState, QueryProgress, Stamp},
};
use largesse_wire::EventData;

use crate::{
    OpenError,
    commit::{request::Request, writer::Writer},
    format::frame::EncodedEvents,
    index::StreamEpoch,
    io::{Disk, SimulatedDisk},
    maintain::Maintenance,
    recover::{NewLog, Opened, open},
    settings::{DiskSettings, SyncRule},
};

/// Small enough that a few dozen commands fill several segments, of which some are compacted.
pub(super) const SETTINGS: DiskSettings = DiskSettings {
    sync: SyncRule::Always,
    segment_bytes: 1_200,
    hot_bytes_max: 300,
    open_files_max: NonZeroUsize::new(2).expect("it is not 0"),
};

const STREAMS: [&str; 4] = ["a", "b", "c/1", "c/2"];

pub(super) fn limits() -> EngineLimits {
    let ttl_after_close = Duration::from_millis(40);
    let defaults = Settings { max_events: Some(6), max_age: None, ttl_after_close, ..Settings::default() };
    EngineLimits { log_bytes_max: 9_000, keys_max: 8, tombstones_max: 3, defaults, ..EngineLimits::default() }
}

/// One command of a workload.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Append(Append),
    Put(StreamName, Put),
    Delete(StreamName),
    Sweep,
}

impl Action {
    fn command(&self) -> Command {
        match self.clone() {
            Self::Append(append) => Command::Append(append),
            Self::Put(stream, put) => Command::Put { stream, put },
            Self::Delete(stream) => Command::Delete { stream },
            Self::Sweep => Command::Sweep { streams: Vec::new() },
        }
    }
}

/// Publishes an event of one byte to the stream `a`.
pub(super) fn publish() -> Append {
    let event = NewEvent { name: None, data: EventData::parse("x").expect("it is text") };
    let stream = StreamName::parse("a").expect("it is a name");
    Append { stream, events: vec![event], then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source }
}

/// A workload with every kind of command.
pub(super) fn actions(seed: u64, count: usize) -> Vec<(UnixMs, Action)> {
    let mut rng = Rng::new(seed);
    let mut now = 1_000;
    (0..count)
        .map(|number| {
            now += rng.below(12);
            (UnixMs(now), action(&mut rng, number))
        })
        .collect()
}

fn action(rng: &mut Rng, number: usize) -> Action {
    let stream = StreamName::parse(rng.pick(&STREAMS)).unwrap();
    match rng.below(14) {
        0 | 1 => Action::Sweep,
        2 => Action::Delete(stream),
        3 => {
            let max_events = SettingChange::Set(Some(1 + rng.below(5)));
            Action::Put(stream, Put { settings: SettingsPatch { max_events, ..SettingsPatch::default() } })
        }
        _ => {
            let events = 1 + rng.below(3);
            let event = |n| {
                let text = format!("{number}.{n} {}", "x".repeat(rng_bytes(number, n)));
                NewEvent { name: None, data: EventData::parse(&text).unwrap() }
            };
            let events: Vec<_> = (0..events).map(event).collect();
            let then = if rng.below(8) == 0 { Then::Close } else { Then::StayOpen };
            let once = match rng.below(3) {
                0 => Once::Unkeyed,
                _ => Once::Whole {
                    key: IdempotencyKey::parse(&format!("k{}", rng.below(10))).unwrap(),
                    digest: largesse_log::Digest(rng.below(2).into()),
                },
            };
            Action::Append(Append { stream, events, then, once, author: Author::Source })
        }
    }
}

fn rng_bytes(number: usize, n: u64) -> usize {
    (number * 7 + n as usize * 13) % 50
}

/// The log as seen from outside: its streams, and all their events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    states: Vec<StreamState>,
    records: Vec<(Position, String)>,
}

/// An open log.
pub(super) struct World {
    writer: Writer,
    pub(super) maintenance: Maintenance,
    /// How many preallocated segments were ordered.
    preallocations: u64,
}

/// The outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was applied, or rejected by the log's rules, with this reply.
    Applied(String),
    /// It was not written.
    NotWritten,
    /// Its outcome is unknown.
    Unknown,
}

impl World {
    pub(super) fn open(disk: &SimulatedDisk) -> Result<Self, OpenError> {
        Self::open_with(disk, SETTINGS)
    }

    pub(super) fn open_with(disk: &SimulatedDisk, settings: DiskSettings) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(disk.clone()), settings)
    }

    pub(super) fn open_on(disk: Arc<dyn Disk>, settings: DiskSettings) -> Result<Self, OpenError> {
        let new = NewLog { incarnation: Incarnation(7), salt: 11 };
        let Opened { writer, maintenance, checkpoint_request, .. } = open(disk, limits(), settings, new)?;
        if let Some(checkpoint_request) = checkpoint_request {
            // A disk that fails here fails the next command, too.
            let _ = maintenance.checkpoint(&checkpoint_request);
        }
        Ok(Self { writer, maintenance, preallocations: 0 })
    }

    pub(super) fn apply(&mut self, now: UnixMs, action: &Action) -> Answer {
        let answer = self.submit(now, action);
        if self.writer.order_preallocation() {
            self.preallocations += 1;
            // Every second one comes too late for the next segment.
            if !self.preallocations.is_multiple_of(2) {
                self.maintenance.make_preallocation();
            }
        }
        if self.writer.is_full()
            && let Ok(checkpoint_request) = self.writer.roll()
        {
            let _ = self.maintenance.checkpoint(&checkpoint_request);
            self.maintenance.make_preallocation();
        }
        answer
    }

    fn submit(&mut self, now: UnixMs, action: &Action) -> Answer {
        let command = action.command();
        let events = match &command {
            Command::Append(append) => append.events.clone(),
            _ => Vec::new(),
        };
        let encoded = EncodedEvents::new(self.writer.core.salt, &events).unwrap();
        let (request, mut answer) = Request::new(now.into(), command, encoded);
        self.writer.commit(vec![request]);
        match answer.try_recv().expect("a command is answered before the next") {
            Ok(reply) => Answer::Applied(format!("{reply:?}")),
            Err(error) => match outcome(&error) {
                WriteOutcome::NotWritten => Answer::NotWritten,
                WriteOutcome::Unknown => Answer::Unknown,
            },
        }
    }

    /// Makes the indexing thread panic at its next batch.
    pub(super) fn break_indexing(&mut self) {
        self.writer.indexing.start_broken_thread();
    }

    /// Applies these in one group, and ignores the answers.
    pub(super) fn apply_together(&mut self, now: UnixMs, appends: impl IntoIterator<Item = Append>) {
        let request = |append: Append| {
            let encoded = EncodedEvents::new(self.writer.core.salt, &append.events).unwrap();
            Request::new(now.into(), Command::Append(append), encoded).0
        };
        let requests = appends.into_iter().map(request).collect();
        self.writer.commit(requests);
    }

    /// Begins a new segment and makes a checkpoint.
    pub(super) fn roll(&mut self) {
        let checkpoint_request = self.writer.roll().expect("the disk works");
        self.maintenance.checkpoint(&checkpoint_request).expect("the disk works");
    }

    /// Begins a new segment without a checkpoint.
    pub(super) fn roll_without_checkpoint(&mut self) {
        self.writer.roll().expect("the disk works");
    }

    /// Whether maintenance would start something by itself.
    pub(super) fn has_garbage(&self) -> bool {
        self.maintenance.has_garbage()
    }

    /// Whether every index answers for every stream.
    pub(super) fn indexes_answer(&self) -> bool {
        let answers = |segment: &crate::segments::Segment| {
            segment
                .index
                .ask(|index| index.all_postings(StreamEpoch(Position::ZERO)).all(|postings| postings.is_ok()))
        };
        // Not `all`: each index has to be read.
        self.writer.core.segments.all().iter().filter(|segment| !answers(segment)).count() == 0
    }

    pub(super) fn close(mut self) {
        if let Ok(checkpoint_request) = self.writer.finish() {
            let _ = self.maintenance.checkpoint(&checkpoint_request);
        }
        // A preallocation that was ordered and not begun is not wanted any more.
        self.maintenance.make_preallocation();
        self.maintenance.close();
    }

    /// How many preallocated segments were ordered.
    pub(super) fn preallocations(&self) -> u64 {
        self.preallocations
    }

    /// The position of the next record.
    pub(super) fn first_free(&self) -> Position {
        self.writer.first_free()
    }

    pub(super) fn tail(&self) -> Position {
        self.writer.core.state().tail()
    }

    /// Everything visible, by name and by pattern.
    pub(super) fn seen(&self) -> Seen {
        let by_name = self.records(&STREAMS.join(","));
        let by_pattern = self.records("**");
        let events: Vec<_> = by_name.iter().filter(|(_, text)| !text.contains('!')).cloned().collect();
        assert_eq!(by_pattern, events, "both ways show the same events");
        Seen { states: self.writer.core.state().list(None, NonZeroUsize::MAX), records: by_name }
    }

    fn records(&self, selectors: &str) -> Vec<(Position, String)> {
        let core = &self.writer.core;
        read_all(selectors, |selection, place, limits| {
            let read = Query::Read { selection, place, limits };
            core.query(read).expect("all is whole").into_batch()
        })
    }
}

fn outcome(error: &EngineError) -> WriteOutcome {
    largesse_log::AppendError::Engine(error.clone()).outcome()
}

fn read_all(
    selectors: &str,
    mut read: impl FnMut(&Selection, Place, ReadLimits) -> Batch,
) -> Vec<(Position, String)> {
    let selectors = selectors.split(',').map(Selector::parse).collect::<Result<Vec<_>, _>>().unwrap();
    let selection = Selection::many(selectors).unwrap();
    let limits = ReadLimits { records_max: NonZeroUsize::new(3).unwrap(), bytes_max: u64::MAX };
    let (mut place, mut records) = (Place::default(), Vec::new());
    loop {
        let batch = read(&selection, place, limits);
        records.extend(batch.records.iter().map(|record| (record.position(), text_of(record))));
        place = place.advanced_to(batch.upto);
        if batch.stopped == Stopped::Tail {
            return records;
        }
    }
}

fn text_of(record: &Record) -> String {
    match record {
        Record::Event { event, .. } => {
            format!("{}:{} at {}", event.stream, event.data.as_str(), event.time.0)
        }
        Record::End { stream, reason, .. } => format!("{stream}!{reason:?}"),
    }
}

/// The acknowledged commands, in memory.
pub(super) struct Model {
    state: LogState,
}

impl Model {
    pub(super) fn new() -> Self {
        Self { state: LogState::new(limits()) }
    }

    /// Applies a command, at the position that it has on the disk.
    pub(super) fn apply(&mut self, now: UnixMs, action: &Action, next: Position) -> String {
        let stamp = |state: &LogState| {
            let stamp = state.next_stamp(now);
            Stamp { base: stamp.base.max(next), ..stamp }
        };
        let at = stamp(&self.state);
        let mut command = action.command();
        self.state.fill_in(now.into(), &mut command);
        format!("{:?}", self.state.apply(at, command).in_memory().reply)
    }

    pub(super) fn seen(&self) -> Seen {
        let records = read_all(&STREAMS.join(","), |selection, place, limits| {
            match self.state.query(Query::Read { selection, place, limits }).unwrap() {
                QueryProgress::Ready(reply) => reply.into_batch(),
                looked => panic!("{looked:?} in memory"),
            }
        });
        Seen { states: self.state.list(None, NonZeroUsize::MAX), records }
    }
}
