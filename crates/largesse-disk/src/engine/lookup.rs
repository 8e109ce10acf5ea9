//! Looks at the log that need the disk, on the threads that may wait for it.
//!
//! Invariant: no file is used on the caller's thread. Dropping the future leaves nothing but a read that ends by itself.

use std::sync::Arc;

use largesse_log::{QueryReply, state::Looked};

use crate::{
    core::Core,
    read::{ColdError, pool::ReadPool},
};

/// Goes on with a look to its end.
pub(crate) async fn look_on(
    core: &Arc<Core>,
    pool: &ReadPool,
    mut looked: Looked,
) -> Result<QueryReply, ColdError> {
    loop {
        looked = match looked {
            Looked::Ready(reply) => return Ok(reply),
            Looked::More(search) => {
                tokio::task::yield_now().await;
                core.state().look_on(search)
            }
            Looked::Cold(cold) => {
                let core = Arc::clone(core);
                pool.run(move || Ok(cold.run(&*core))).await??
            }
        };
    }
}
