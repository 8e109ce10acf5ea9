//! Fills a log with single events on random streams, as publishers would, with about a thousand in flight. Then
//! closes it, or continues until it is killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use largesse_disk::DiskEngine;
use largesse_log::EngineExt;
use largesse_wire::EventData;
use tokio::task::JoinSet;

use crate::{
    BenchResult,
    acks::{Publishers, publish},
    log,
    rng::Rng,
    row::{Target, grouped, killable, megabytes, row, short},
    times::shown,
    words::Words,
};

/// Appends in flight.
const UNDER_WAY: usize = 1_024;
/// A process that should have been killed and was not ends after this time.
const KILL_WAIT: Duration = Duration::from_secs(60);
const KILLED_PUBLISHERS: usize = 64;

pub(crate) fn run(words: &Words) -> BenchResult<()> {
    let folder = words.folder()?;
    let (events, streams) = (words.number("events")?, words.number("streams")?);
    let event_bytes = words.number("event_bytes")?;
    let is_killed = match words.text("end")? {
        "closed" => false,
        "killed" => true,
        other => return Err(format!("`end={other}` is neither closed nor killed").into()),
    };
    let engine = log::open(&folder, None)?;
    let runtime = log::runtime()?;
    let begun = Instant::now();
    runtime.block_on(fill(&engine, Fill { events, streams, event_bytes }))?;
    let took = begun.elapsed();
    if is_killed {
        killable();
        let publishers = Publishers { count: KILLED_PUBLISHERS, streams, event_bytes };
        runtime.block_on(publish(&engine, publishers, Instant::now() + KILL_WAIT))?;
        return Err("nobody killed it".into());
    }
    let begun = Instant::now();
    drop((runtime, engine));
    let closed = begun.elapsed();
    let what = format!("{} events of {event_bytes} B, {} streams: load", short(events), short(streams));
    let rate = grouped(events as f64 / took.as_secs_f64());
    row(&what, &format!("{rate}/s, {}; closed in {}", shown(took), shown(closed)), &Target::No);
    let bytes = log::disk_bytes(&folder)?;
    let per_event = bytes as f64 / events as f64;
    row("  on disk", &format!("{}, {per_event:.0} B an event", megabytes(bytes)), &Target::No);
    Ok(())
}

/// How to fill a log.
#[derive(Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) events: u64,
    pub(crate) streams: u64,
    pub(crate) event_bytes: usize,
}

/// Appends `fill.events` events.
pub(crate) async fn fill(engine: &Arc<DiskEngine>, fill: Fill) -> BenchResult<()> {
    let begun_events = Arc::new(AtomicU64::new(0));
    let data = log::data(fill.event_bytes)?;
    let mut tasks = JoinSet::new();
    for number in 0..UNDER_WAY {
        let filling = Filling {
            engine: Arc::clone(engine),
            data: data.clone(),
            begun_events: Arc::clone(&begun_events),
        };
        tasks.spawn(filling.run(fill, Rng::new(number as u64)));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// One of the tasks that fill it.
struct Filling {
    engine: Arc<DiskEngine>,
    data: EventData,
    begun_events: Arc<AtomicU64>,
}

impl Filling {
    async fn run(self, fill: Fill, mut rng: Rng) -> BenchResult<()> {
        while self.begun_events.fetch_add(1, Relaxed) < fill.events {
            let stream = log::stream(rng.below(fill.streams))?;
            self.engine.append(log::now().into(), log::append(stream, self.data.clone())).await?;
        }
        Ok(())
    }
}
