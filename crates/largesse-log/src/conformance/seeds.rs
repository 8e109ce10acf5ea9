//! Long random scripts against the model, each from a seed that a failure names.
//!
//! Does not shrink: a seed runs in milliseconds, so cut the number of steps by hand.

use super::{
    script::{Knowledge, Script},
    world::{Make, World},
};

const SEEDS: u64 = 150;
const STEPS: usize = 120;

/// Whatever is called, the engine answers as the model does.
pub fn any_script_answers_as_the_model(make: Make) {
    for seed in 0..SEEDS {
        Script::new(World::new(make), seed, Knowledge::Exact).run(STEPS);
    }
}

/// However little the log may keep and remember, no event is passed over without a word.
pub fn a_small_log_tells_all_that_it_loses(make: Make) {
    for seed in 0..SEEDS {
        let world = World::with(make, |limits| {
            limits.log_bytes_max = 18_000;
            limits.tombstones_max = 1 + seed as usize % 3;
        });
        Script::new(world, seed, Knowledge::AtLeast).run(STEPS);
    }
}
