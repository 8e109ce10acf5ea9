//! Answers that need the archive: looks at the state, and reads on the threads for it.
//!
//! Invariant: what was dropped between a look and the read is told as lost, never skipped. Dropping one of these
//! futures leaves nothing but a read that ends by itself.

use std::sync::Arc;

use largesse_log::{
    Batch, EngineError, Located, Place, ReadLimits, Repeat, Selection, StartFrom,
    state::{Locating, Look},
};

use crate::{
    cold::{ColdError, Walk},
    core::Core,
    pool::ReadPool,
};

/// So often a walk goes on at most because events were moved out of memory. After that it has found enough, and
/// the next read goes on.
const LEGS_MAX: usize = 8;

/// Reads what a look left to be read.
pub(crate) async fn read_cold(
    core: &Arc<Core>,
    pool: &ReadPool,
    look: Look,
    selection: &Selection,
    place: Place,
    limits: ReadLimits,
) -> Result<Batch, ColdError> {
    let core = Arc::clone(core);
    match look {
        Look::Whole(batch) => Ok(batch),
        Look::Merge(batch) => pool.run(move || Ok(core.cold.merge(batch, limits))).await?,
        Look::Walk => {
            let selection = selection.clone();
            pool.run(move || Ok(walk_cold(&core, &selection, place, limits))).await?
        }
    }
}

/// Reads a stretch of the log, without waiting for anything but the disk.
///
/// While it walks, events may be moved out of memory behind what it has looked at: then it walks on.
pub(crate) fn walk_cold(
    core: &Core,
    selection: &Selection,
    place: Place,
    limits: ReadLimits,
) -> Result<Batch, ColdError> {
    let mut walk = Walk::from(place, limits);
    let mut reach = core.state().evicted_upto();
    let mut legs_left = LEGS_MAX;
    let judged = loop {
        core.cold.walk_on(&mut walk, selection, reach)?;
        legs_left -= 1;
        let state = core.state();
        if state.evicted_upto() == reach || walk.is_full() || legs_left == 0 {
            break state.judge(selection, place, &walk.walked, walk.upto, limits);
        }
        reach = state.evicted_upto();
    };
    core.cold.read_walk(&walk, judged, limits)
}

/// Finds where a first request begins.
pub(crate) async fn locate(
    core: &Arc<Core>,
    pool: &ReadPool,
    selection: &Selection,
    from: StartFrom,
) -> Result<Located, EngineError> {
    let mut step = core.state().locate(selection, from);
    loop {
        step = match step {
            Locating::Found(located) => return Ok(located),
            Locating::GoOn(back) => {
                tokio::task::yield_now().await;
                core.state().locate_back(selection, back)
            }
            Locating::Deep(deep) => {
                let reader = Arc::clone(core);
                let tail = deep.tail;
                let position = pool.run(move || reader.cold.before_last(&deep)).await?;
                let place = Place::knowing(position, tail);
                return Ok(Located { place, repeat: Repeat::AnotherPlace });
            }
            Locating::WalkBack(back) => {
                let (reader, wanted) = (Arc::clone(core), selection.clone());
                let (walked, to) = pool.run(move || reader.cold.stretch_back(&wanted, back)).await?;
                core.state().judge_back(back, &walked, to)
            }
            Locating::Time { time, evicted_upto } => {
                let reader = Arc::clone(core);
                let position = pool.run(move || reader.cold.before_time(time)).await?;
                // Where the archive has none of them any more, the first in memory is one.
                return Ok(core.state().located_at(position.unwrap_or(evicted_upto), Repeat::SamePlace));
            }
        };
    }
}
