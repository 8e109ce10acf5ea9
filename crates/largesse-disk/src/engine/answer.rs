//! Answers that may need the disk: looks at the state, and reads on the threads for it.
//!
//! Invariant: no file is used on the caller's thread. Dropping one of these futures leaves nothing but a read that ends
//! by itself.

use std::sync::Arc;

use largesse_log::{
    Batch, EngineError, Located, Place, ReadLimits, Selection, StartFrom,
    state::{Locating, Read},
};

use crate::{cold::ColdError, core::Core, pool::ReadPool};

/// Reads on from a place.
pub(crate) async fn read(
    core: &Arc<Core>,
    pool: &ReadPool,
    selection: &Selection,
    place: Place,
    limits: ReadLimits,
) -> Result<Batch, ColdError> {
    let found = core.state().read(selection, place, limits)?;
    match found {
        Read::Ready(batch) => Ok(batch),
        Read::Cold(read) => {
            let core = Arc::clone(core);
            pool.run(move || Ok(read.run(&*core))).await?
        }
    }
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
            Locating::Ready(located) => return Ok(located),
            Locating::More(search) => {
                tokio::task::yield_now().await;
                core.state().search_on(selection, search)
            }
            Locating::Cold(search) => {
                let (core, selection) = (Arc::clone(core), selection.clone());
                pool.run(move || search.read(&selection, &*core).map_err(EngineError::from)).await?
            }
        };
    }
}
