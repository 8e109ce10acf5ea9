//! Publishing into full streams, where each event drops another, compared with the same without a limit.
//!
//! The two logs are filled alike and measured in alternating rounds, each closed while the other runs, so that they
//! don't slow each other down. A reader follows one stream live all the time.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use largesse_disk::DiskEngine;
use largesse_log::{
    Engine, EngineExt, Place, Position, ReadLimits, Record, Selection, StreamName, TailListener,
};
use largesse_wire::EventData;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};

use crate::{
    BenchResult,
    acks::{Publishers, publish},
    load::{Fill, fill},
    log::{self, EVENT_BYTES},
    row::{Target, grouped, megabytes, row},
    times::{Rounds, Times},
    words::Words,
};

const LIVE: &str = "live";
/// How many streams' states are listed at once.
const STATES_MAX: std::num::NonZeroUsize = std::num::NonZeroUsize::new(1_000).expect("it is not zero");

/// One of the two logs.
struct Side {
    folder: PathBuf,
    kept: Option<u64>,
    rates: Vec<f64>,
    took: Vec<Duration>,
    heard: Vec<Duration>,
    /// Events that were published, and of those, the kept ones.
    published: u64,
    events: u64,
    /// At the end of publishing, with the log open.
    disk_bytes: u64,
}

pub(crate) fn run(words: &Words) -> BenchResult<()> {
    let (folder, kept) = (words.folder()?, words.number("kept")?);
    let streams: u64 = words.number("streams")?;
    let publishers = Publishers { count: words.number("publishers")?, streams, event_bytes: EVENT_BYTES };
    let time = Duration::from_secs(words.number("seconds")?);
    let mut without = Side::new(folder.join("without"), None);
    let mut with = Side::new(folder.join("with"), Some(kept));
    for side in [&mut without, &mut with] {
        // Streams are drawn at random, so this is more than enough for most to be full.
        side.fill(Fill { events: streams * kept * 3 / 2, streams, event_bytes: EVENT_BYTES })?;
    }
    for _ in 0..words.number::<u32>("rounds")? {
        without.run_round(publishers, time)?;
        with.run_round(publishers, time)?;
    }
    report(&mut without, &mut with, publishers)
}

fn report(without: &mut Side, with: &mut Side, publishers: Publishers) -> BenchResult<()> {
    let Publishers { count, streams, .. } = publishers;
    let kept = with.kept.unwrap_or_default();
    let ratios =
        Rounds::of(with.rates.iter().zip(&without.rates).map(|(with, without)| with / without).collect());
    let what = format!("retention, {count} publishers, {streams} streams of {kept} events");
    let rate = |side: &Side| grouped(Rounds::of(side.rates.clone()).median());
    let measured = format!(
        "{}/s, {:.2} of {}/s  ({:.2} to {:.2})",
        rate(with),
        ratios.median(),
        rate(without),
        ratios.min(),
        ratios.max()
    );
    row(&what, &measured, &Target::No);
    for (side, of) in [(&mut *without, "without"), (&mut *with, "with")] {
        row(&format!("  ack, {of}"), &Times::of(std::mem::take(&mut side.took)).to_string(), &Target::No);
        let heard = Times::of(std::mem::take(&mut side.heard));
        row(&format!("  live reader, {of}"), &format!("{heard}  ({} events)", heard.count()), &Target::No);
    }
    // An event's size on disk is measured where all are kept.
    let live = with.events as f64 * (without.disk_bytes as f64 / without.events as f64);
    let all = with.published as f64 / with.events as f64;
    let on_disk = |bytes: u64| format!("{:.2} of live, {}", bytes as f64 / live, megabytes(bytes));
    row(
        "  on disk at the end of publishing",
        &format!("{} (published: {all:.1} of live)", on_disk(with.disk_bytes)),
        &Target::No,
    );
    row("  on disk when closed", &on_disk(log::disk_bytes(&with.folder)?), &Target::No);
    Ok(())
}

impl Side {
    fn new(folder: PathBuf, kept: Option<u64>) -> Self {
        let (rates, took, heard) = (Vec::new(), Vec::new(), Vec::new());
        Self { folder, kept, rates, took, heard, published: 0, events: 0, disk_bytes: 0 }
    }

    fn fill(&mut self, events: Fill) -> BenchResult<()> {
        let engine = log::open(&self.folder, self.kept)?;
        self.published += events.events;
        log::runtime()?.block_on(fill(&engine, events))
    }

    fn run_round(&mut self, publishers: Publishers, time: Duration) -> BenchResult<()> {
        let engine = log::open(&self.folder, self.kept)?;
        let runtime = log::runtime()?;
        let until = Instant::now() + time;
        let (published, heard) = runtime.block_on(async {
            let mut live = JoinSet::new();
            live.spawn(follow(Arc::clone(&engine), until));
            let published = publish(&engine, publishers, until).await?;
            let heard = live.join_next().await.ok_or("the reader was not begun")???;
            BenchResult::Ok((published, heard))
        })?;
        self.published += (published.took.len() + heard.len()) as u64;
        self.rates.push(published.rate);
        self.took.extend(published.took);
        self.heard.extend(heard);
        self.disk_bytes = log::disk_bytes(&self.folder)?;
        self.events = runtime.block_on(events_in(&engine))?;
        Ok(())
    }
}

async fn events_in(engine: &DiskEngine) -> BenchResult<u64> {
    let (mut events, mut after) = (0, None);
    loop {
        let states = engine.list(after.as_ref(), STATES_MAX).await?;
        let Some(last) = states.last() else { return Ok(events) };
        events += states.iter().map(|state| state.events).sum::<u64>();
        after = Some(last.name.clone());
    }
}

/// Notifies when a record of one stream can be read.
struct Wake {
    stream: StreamName,
    appended_one: Arc<Notify>,
}

impl TailListener for Wake {
    fn appended(&self, stream: &StreamName, _: Position) {
        if *stream == self.stream {
            self.appended_one.notify_one();
        }
    }
}

/// Publishes one event at a time and waits until a reader has it. Returns the times from publish to reader.
async fn follow(engine: Arc<DiskEngine>, until: Instant) -> BenchResult<Vec<Duration>> {
    let stream = StreamName::parse(LIVE)?;
    let appended_one = Arc::new(Notify::new());
    engine.listen(Arc::new(Wake { stream: stream.clone(), appended_one: Arc::clone(&appended_one) }));
    let published = Arc::new(Mutex::new(Instant::now()));
    let (send_time, mut times) = mpsc::channel(1);
    let mut reading = JoinSet::new();
    let place = Place::at(engine.tail());
    reading.spawn(hear(
        Arc::clone(&engine),
        stream.clone(),
        place,
        appended_one,
        Arc::clone(&published),
        send_time,
    ));
    let data: EventData = log::data(EVENT_BYTES)?;
    let mut heard = Vec::new();
    while Instant::now() < until {
        *published.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        engine.append(log::now().into(), log::append(stream.clone(), data.clone())).await?;
        match times.recv().await {
            Some(time) => heard.push(time),
            // The reader failed; joining it gives the error.
            None => break,
        }
    }
    drop(times);
    reading.abort_all();
    match reading.join_next().await {
        Some(Ok(failed)) => failed.map(|()| heard),
        _ => Ok(heard),
    }
}

async fn hear(
    engine: Arc<DiskEngine>,
    stream: StreamName,
    mut place: Place,
    appended_one: Arc<Notify>,
    published: Arc<Mutex<Instant>>,
    send_time: mpsc::Sender<Duration>,
) -> BenchResult<()> {
    let selection = Selection::one(stream);
    let limits = ReadLimits { records_max: STATES_MAX, bytes_max: u64::MAX };
    loop {
        let batch = engine.read(&selection, place, limits).await?;
        place = place.advanced_to(batch.upto);
        for record in batch.records {
            let Record::Event { .. } = record else { continue };
            let time = published.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            if send_time.send(time).await.is_err() {
                return Ok(());
            }
        }
        appended_one.notified().await;
    }
}
