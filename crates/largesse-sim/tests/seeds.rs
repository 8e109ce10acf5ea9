//! A thousand seeds of the simulation, or those that `LARGESSE_SIM_SEEDS=from..to` names.

use std::{ops::Range, thread};

use largesse_sim::run_seed;

const SEEDS: Range<u64> = 0..1_000;
const SEEDS_RUN_TWICE: Range<u64> = 0..25;

#[expect(clippy::disallowed_methods, reason = "a test reads its seeds from nowhere else")]
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("LARGESSE_SIM_SEEDS") else { return SEEDS };
    let ends = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.expect("LARGESSE_SIM_SEEDS is like 0..1000")
}

#[test]
fn every_reader_hears_each_kept_event_once_in_order_and_every_loss_and_end() {
    let seeds = seeds();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            let own = seeds.clone().skip(first).step_by(threads);
            scope.spawn(move || {
                own.for_each(|seed| {
                    let _sum = run_seed(seed);
                })
            });
        }
    });
}

#[test]
fn the_same_seed_makes_the_same_trace() {
    for seed in SEEDS_RUN_TWICE {
        assert_eq!(run_seed(seed), run_seed(seed), "seed {seed}");
    }
}

#[test]
fn other_seeds_make_other_traces() {
    let mut sums: Vec<u64> = SEEDS_RUN_TWICE.map(run_seed).collect();
    sums.sort_unstable();
    sums.dedup();
    assert_eq!(sums.len() as u64, SEEDS_RUN_TWICE.end);
}
