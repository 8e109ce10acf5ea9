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
    core::Core,
    old::{OldError, Walk},
    pool::ReadPool,
};

/// So often a walk goes on at most because events were moved out of memory. After that it has found enough, and
/// the next read goes on.
const LEGS_MAX: usize = 8;

/// Reads what a look left to be read.
pub(crate) async fn read_old(
    core: &Arc<Core>,
    pool: &ReadPool,
    look: Look,
    selection: &Selection,
    place: Place,
    limits: ReadLimits,
) -> Result<Batch, OldError> {
    let core = Arc::clone(core);
    match look {
        Look::Whole(batch) => Ok(batch),
        Look::Merge(batch) => pool.run(move || Ok(core.old.merge(batch, limits))).await?,
        Look::Walk => {
            let selection = selection.clone();
            pool.run(move || Ok(walk_old(&core, &selection, place, limits))).await?
        }
    }
}

/// Reads a stretch of the log, without waiting for anything but the disk.
///
/// While it walks, events may be moved out of memory behind what it has looked at: then it walks on.
pub(crate) fn walk_old(
    core: &Core,
    selection: &Selection,
    place: Place,
    limits: ReadLimits,
) -> Result<Batch, OldError> {
    let mut walk = Walk::from(place, limits);
    let mut reach = core.state().floor();
    let mut legs_left = LEGS_MAX;
    let judged = loop {
        core.old.walk_on(&mut walk, selection, reach)?;
        legs_left -= 1;
        let state = core.state();
        if state.floor() == reach || walk.is_full() || legs_left == 0 {
            break state.judge(selection, place, &walk.walked, walk.upto, limits);
        }
        reach = state.floor();
    };
    core.old.read_walk(&walk, judged, limits)
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
                let position = pool.run(move || reader.old.before_last(&deep)).await?;
                let place = Place::knowing(position, tail);
                return Ok(Located { place, repeat: Repeat::AnotherPlace });
            }
            Locating::WalkBack(back) => {
                let (reader, wanted) = (Arc::clone(core), selection.clone());
                let (walked, to) = pool.run(move || reader.old.stretch_back(&wanted, back)).await?;
                core.state().judge_back(back, &walked, to)
            }
            Locating::Time { time, floor } => {
                let reader = Arc::clone(core);
                let position = pool.run(move || reader.old.before_time(time)).await?;
                // Where the archive has none of them any more, the first in memory is one.
                return Ok(core.state().located_at(position.unwrap_or(floor), Repeat::SamePlace));
            }
        };
    }
}
