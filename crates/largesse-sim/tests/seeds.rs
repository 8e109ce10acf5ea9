//! A thousand seeds of the simulation, or those that `LARGESSE_SIM_SEEDS=from..to` names.

use std::{ops::Range, thread};

use largesse_sim::{run_seed, run_seed_on_disk};

const SEEDS: Range<u64> = 0..1_000;
/// One seed in this many is run on the disk too, where a run takes longer.
const SEEDS_A_DISK: usize = 5;
const SEEDS_RUN_TWICE: Range<u64> = 0..25;

#[expect(clippy::disallowed_methods, reason = "a test reads its seeds from nowhere else")]
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("LARGESSE_SIM_SEEDS") else { return SEEDS };
    let ends = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.expect("LARGESSE_SIM_SEEDS is like 0..1000")
}

/// Runs these seeds on all processors.
fn each(seeds: &(impl Iterator<Item = u64> + Clone + Send), play: fn(u64) -> u64) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            let own = seeds.clone().skip(first).step_by(threads);
            scope.spawn(move || {
                own.for_each(|seed| {
                    let _hash = play(seed);
                })
            });
        }
    });
}

#[test]
fn every_reader_hears_each_kept_event_once_in_order_and_every_loss_and_end() {
    each(&seeds(), run_seed);
}

#[test]
fn every_reader_does_so_too_when_the_server_is_killed_or_loses_power() {
    each(&seeds().step_by(SEEDS_A_DISK), run_seed_on_disk);
}

#[test]
fn the_same_seed_makes_the_same_trace() {
    for seed in SEEDS_RUN_TWICE {
        assert_eq!(run_seed(seed), run_seed(seed), "seed {seed}");
    }
}

#[test]
fn the_same_seed_makes_the_same_trace_on_a_disk() {
    for seed in SEEDS_RUN_TWICE {
        assert_eq!(run_seed_on_disk(seed), run_seed_on_disk(seed), "seed {seed}");
    }
}

#[test]
fn other_seeds_make_other_traces() {
    let mut sums: Vec<u64> = SEEDS_RUN_TWICE.map(run_seed).collect();
    sums.sort_unstable();
    sums.dedup();
    assert_eq!(sums.len() as u64, SEEDS_RUN_TWICE.end);
}
