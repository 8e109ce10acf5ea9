//! Publishers that wait for each answer, compared in alternating rounds with plain writes and `fdatasync`, in
//! groups of as many events as there are publishers.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use largesse_disk::DiskEngine;
use largesse_log::{EngineExt, StreamName};
use largesse_wire::EventData;
use tokio::task::JoinSet;

use crate::{
    BenchResult,
    floor::floor,
    log::{self, EVENT_BYTES},
    rng::Rng,
    row::{Target, grouped, row},
    times::{Rounds, Times},
    words::Words,
};

const STREAMS: u64 = 10_000;
/// With this many publishers, the engine should reach this share of what the disk can do.
const JUDGED_PUBLISHERS: usize = 64;
const RATIO_MIN: f64 = 0.80;
/// Fewer rounds don't show whether another process uses the disk.
const JUDGED_ROUNDS_MIN: u32 = 3;
/// If one round of plain writes is this many times as fast as another, another process uses the disk.
const FLOOR_SPREAD_MAX: f64 = 1.5;

/// What a run of publishers achieved.
pub(crate) struct Published {
    pub(crate) rate: f64,
    pub(crate) took: Vec<Duration>,
}

/// Publishers, each with one event under way.
#[derive(Clone, Copy)]
pub(crate) struct Publishers {
    pub(crate) count: usize,
    pub(crate) streams: u64,
    pub(crate) event_bytes: usize,
}

pub(crate) fn run(words: &Words) -> BenchResult<()> {
    let (folder, count) = (words.folder()?, words.number("publishers")?);
    let (rounds, seconds) = (words.number::<u32>("rounds")?, words.number("seconds")?);
    let time = Duration::from_secs(seconds);
    let publishers = Publishers { count, streams: STREAMS, event_bytes: EVENT_BYTES };
    let (mut rates, mut floors, mut ratios, mut took) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    fs::create_dir_all(&folder)?;
    for _ in 0..rounds {
        let plain = floor(&folder, count, time)?;
        let published = engine(&folder.join("log"), publishers, time)?;
        ratios.push(published.rate / plain);
        floors.push(plain);
        rates.push(published.rate);
        took.extend(published.took);
    }
    let [rates, floors, ratios] = [rates, floors, ratios].map(Rounds::of);
    let what = format!("ack, {count} publishers, in-process");
    row(&what, &format!("{}/s  {}", grouped(rates.median()), Times::of(took)), &Target::No);
    let measured = format!(
        "{:.2} of {}/s  ({:.2} to {:.2}, {rounds} rounds)",
        ratios.median(),
        grouped(floors.median()),
        ratios.min(),
        ratios.max()
    );
    let be = "≥ 0.80";
    let is_steady = rounds >= JUDGED_ROUNDS_MIN && floors.max() <= floors.min() * FLOOR_SPREAD_MAX;
    let target = match count {
        JUDGED_PUBLISHERS if !is_steady => Target::Unsure { be },
        JUDGED_PUBLISHERS => Target::Should { be, holds: ratios.median() >= RATIO_MIN },
        _ => Target::No,
    };
    row("  of write + fdatasync in such groups", &measured, &target);
    Ok(())
}

fn engine(folder: &Path, publishers: Publishers, time: Duration) -> BenchResult<Published> {
    let engine = log::open(folder, None)?;
    let runtime = log::runtime()?;
    let published = runtime.block_on(async {
        make_streams(&engine, STREAMS).await?;
        publish(&engine, publishers, Instant::now() + time).await
    })?;
    drop(runtime);
    drop(engine);
    fs::remove_dir_all(folder)?;
    Ok(published)
}

/// Appends one event to each stream, so that no stream is new while it is measured.
async fn make_streams(engine: &Arc<DiskEngine>, streams: u64) -> BenchResult<()> {
    const TASKS: u64 = 512;
    let mut tasks = JoinSet::new();
    for first in 0..TASKS {
        let engine = Arc::clone(engine);
        tasks.spawn(async move {
            for number in (first..streams).step_by(TASKS as usize) {
                engine.append(log::now().into(), log::append(log::stream(number)?, log::data(1)?)).await?;
            }
            BenchResult::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Has the publishers publish to random streams until `until`.
pub(crate) async fn publish(
    engine: &Arc<DiskEngine>,
    publishers: Publishers,
    until: Instant,
) -> BenchResult<Published> {
    let names: Arc<[StreamName]> = (0..publishers.streams).map(log::stream).collect::<BenchResult<_>>()?;
    let data = log::data(publishers.event_bytes)?;
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..publishers.count {
        let (engine, names, data) = (Arc::clone(engine), Arc::clone(&names), data.clone());
        tasks.spawn(one_publisher(engine, names, data, Rng::new(number as u64), until));
    }
    let mut took = Vec::new();
    while let Some(done) = tasks.join_next().await {
        took.extend(done??);
    }
    Ok(Published { rate: took.len() as f64 / begun.elapsed().as_secs_f64(), took })
}

async fn one_publisher(
    engine: Arc<DiskEngine>,
    names: Arc<[StreamName]>,
    data: EventData,
    mut rng: Rng,
    until: Instant,
) -> BenchResult<Vec<Duration>> {
    let mut took = Vec::new();
    let mut begun = Instant::now();
    while begun < until {
        let name = names[rng.below(names.len() as u64) as usize].clone();
        engine.append(log::now().into(), log::append(name, data.clone())).await?;
        let answered = Instant::now();
        took.push(answered - begun);
        begun = answered;
    }
    Ok(took)
}
