//! Long random scripts, compared with the model. A failure names its seed.
//!
//! Does not shrink: a seed runs in milliseconds, so reduce the number of calls by hand.

use super::{
    script::{Knowledge, Script},
    world::{Make, World},
};

const SEEDS: u64 = 150;
const CALLS: usize = 120;

/// The engine answers any calls as the model does.
pub fn any_script_gets_the_answers_of_the_model(make: Make) {
    for seed in 0..SEEDS {
        Script::new(World::new(make), seed, Knowledge::Exact).run(CALLS);
    }
}

/// However little the log may keep and remember, no event is lost silently.
pub fn a_small_log_tells_all_that_it_loses(make: Make) {
    for seed in 0..SEEDS {
        let world = World::with(make, |limits| {
            limits.log_bytes_max = 18_000;
            limits.tombstones_max = 1 + seed as usize % 3;
        });
        Script::new(world, seed, Knowledge::AtLeast).run(CALLS);
    }
}
