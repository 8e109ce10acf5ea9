//! Readers that return to a large log, in a process that did not write it: how soon they get the first events, how
//! fast they catch up with one stream, and how much memory that takes.
//!
//! A reader returns with the id of a random event, so it reads a stream that it had. A read may take several
//! batches; it has answered once there are events, or none are left. The system's file cache is as the load left
//! it.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use largesse_disk::DiskEngine;
use largesse_log::{
    Batch, Engine, EngineExt, Pattern, Place, Position, ReadLimits, Record, Selection, Selector, Stopped,
    StreamName,
};

use crate::{
    BenchResult,
    log::{self, STREAMS_IN_GROUP},
    rng::Rng,
    row::{Target, grouped, megabytes, row},
    times::{Times, shown},
    words::Words,
};

/// The hub's default.
const READ_BYTES_MAX: u64 = 32 * 1024;
const READ_RECORDS_MAX: usize = 512;
/// Reads of one kind end after this time, however many there were.
const READS_TIME_MAX: Duration = Duration::from_secs(15);
const CATCH_UP_TIME_MAX: Duration = Duration::from_secs(5);
const RESUME_MAX: Duration = Duration::from_millis(1);
const RESIDENT_BYTES_MAX: u64 = 100_000_000;
const NAMES: u64 = 10;
/// A recent id is in the last of this many equal parts of the log.
const RECENT_PART: u64 = 100;

/// Which measurements have a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judge {
    Nothing,
    Resume,
    Memory,
}

/// An id that a reader returns with, and the stream it read.
struct Id {
    stream: StreamName,
    position: Position,
}

/// What a reader of an id's stream reads.
#[derive(Clone, Copy)]
enum Reading {
    Name,
    Names,
    Group,
    All,
}

pub(crate) fn open(words: &Words) -> BenchResult<()> {
    opened(&words.folder()?, words.text("after")?).map(drop)
}

pub(crate) fn run(words: &Words) -> BenchResult<()> {
    let judge = match words.text("judge")? {
        "nothing" => Judge::Nothing,
        "resume" => Judge::Resume,
        "memory" => Judge::Memory,
        other => return Err(format!("`judge={other}` is not known").into()),
    };
    let engine = opened(&words.folder()?, "a clean stop")?;
    resident("  resident memory, opened", judge)?;
    let runtime = log::runtime()?;
    let reader = Reader { engine: Arc::clone(&engine), streams: words.number("streams")? };
    runtime.block_on(reader.come_back(words.number("reads")?, judge))?;
    runtime.block_on(reader.catch_up())?;
    resident("  resident memory, after these reads", judge)
}

fn opened(folder: &Path, after: &str) -> BenchResult<Arc<DiskEngine>> {
    let begun = Instant::now();
    let engine = log::open(folder, None)?;
    row(&format!("  open after {after}"), &shown(begun.elapsed()), &Target::No);
    Ok(engine)
}

fn resident(what: &str, judge: Judge) -> BenchResult<()> {
    let bytes = log::resident_bytes()?;
    let target = match judge {
        Judge::Memory => Target::Should { be: "< 100 MB", holds: bytes < RESIDENT_BYTES_MAX },
        Judge::Nothing | Judge::Resume => Target::No,
    };
    row(what, &megabytes(bytes), &target);
    Ok(())
}

struct Reader {
    engine: Arc<DiskEngine>,
    streams: u64,
}

impl Reader {
    async fn come_back(&self, reads: usize, judge: Judge) -> BenchResult<()> {
        let tail = self.engine.tail().0;
        let mut rng = Rng::new(1);
        let recent = self.ids(reads, tail - tail / RECENT_PART..tail, &mut rng).await?;
        let any = self.ids(reads, 0..tail, &mut rng).await?;
        for (age, ids) in [("a recent id", recent), ("any id", any)] {
            for (reading, of) in [
                (Reading::Name, "one stream"),
                (Reading::Names, "10 streams"),
                (Reading::Group, "s/N/*, 100 streams"),
                (Reading::All, "s/**, all streams"),
            ] {
                let times = self.first_events(&ids, reading, &mut rng).await?;
                let target = match (age, judge) {
                    ("a recent id", Judge::Resume) => {
                        Target::Should { be: "p99 ≤ 1 ms", holds: times.at(99) <= RESUME_MAX }
                    }
                    _ => Target::No,
                };
                let measured = format!("{times}  ({} reads)", times.count());
                row(&format!("  from {age}, {of}"), &measured, &target);
            }
        }
        Ok(())
    }

    /// Draws the ids of random events.
    async fn ids(&self, count: usize, from: std::ops::Range<u64>, rng: &mut Rng) -> BenchResult<Vec<Id>> {
        let all = Reading::All.selection(&log::stream(0)?, self.streams, rng)?;
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let position = from.start + rng.below(from.end - from.start);
            let batch = self.first_batch(&all, Position(position), 1).await?;
            let Some(Record::Event { event, .. }) = batch.records.first() else {
                return Err(format!("there is no event after position {position}").into());
            };
            ids.push(Id { stream: event.stream.clone(), position: event.position });
        }
        Ok(ids)
    }

    async fn first_events(&self, ids: &[Id], reading: Reading, rng: &mut Rng) -> BenchResult<Times> {
        let all_begun = Instant::now();
        let mut times = Vec::with_capacity(ids.len());
        for id in ids {
            if all_begun.elapsed() > READS_TIME_MAX {
                break;
            }
            let selection = reading.selection(&id.stream, self.streams, rng)?;
            let begun = Instant::now();
            self.first_batch(&selection, id.position, READ_RECORDS_MAX).await?;
            times.push(begun.elapsed());
        }
        Ok(Times::of(times))
    }

    /// The first events after a position, or the batch that says that there are none.
    async fn first_batch(
        &self,
        selection: &Selection,
        position: Position,
        records_max: usize,
    ) -> BenchResult<Batch> {
        let records_max = NonZeroUsize::new(records_max).unwrap_or(NonZeroUsize::MIN);
        let limits = ReadLimits { records_max, bytes_max: READ_BYTES_MAX };
        let mut place = Place::at(position);
        loop {
            let batch = self.engine.read(selection, place, limits).await?;
            if !batch.records.is_empty() || batch.stopped == Stopped::Tail {
                return Ok(batch);
            }
            place = place.advanced_to(batch.upto);
        }
    }

    /// Reads whole streams, one after another.
    async fn catch_up(&self) -> BenchResult<()> {
        let mut rng = Rng::new(2);
        let (begun, mut events, mut streams, mut firsts) = (Instant::now(), 0, 0_u64, Vec::new());
        while begun.elapsed() < CATCH_UP_TIME_MAX && streams < self.streams {
            streams += 1;
            let selection = Selection::one(log::stream(rng.below(self.streams))?);
            let first = Instant::now();
            let mut batch = self.first_batch(&selection, Position::ZERO, READ_RECORDS_MAX).await?;
            firsts.push(first.elapsed());
            events += batch.records.len();
            while batch.stopped == Stopped::Limits {
                batch = self.first_batch(&selection, batch.upto, READ_RECORDS_MAX).await?;
                events += batch.records.len();
            }
        }
        let rate = grouped(events as f64 / begun.elapsed().as_secs_f64());
        let each = events as f64 / streams as f64;
        row(
            "  catch-up, one stream after another",
            &format!("{rate}/s  ({each:.0} events each)"),
            &Target::No,
        );
        row("  catch-up, first events", &Times::of(firsts).to_string(), &Target::No);
        Ok(())
    }
}

impl Reading {
    fn selection(self, stream: &StreamName, streams: u64, rng: &mut Rng) -> BenchResult<Selection> {
        let pattern = |text: &str| BenchResult::Ok(Selector::Pattern(Pattern::parse(text)?));
        Ok(match self {
            Self::Name => Selection::one(stream.clone()),
            Self::Names => {
                let others = (1..NAMES).map(|_| Ok(Selector::Name(log::stream(rng.below(streams))?)));
                let this = std::iter::once(Ok(Selector::Name(stream.clone())));
                Selection::many(this.chain(others).collect::<BenchResult<_>>()?)?
            }
            Self::Group => {
                let group = rng.below(streams.div_ceil(STREAMS_IN_GROUP));
                Selection::many(vec![pattern(&format!("s/{group}/*"))?])?
            }
            Self::All => Selection::many(vec![pattern("s/**")?])?,
        })
    }
}
