//! Queries that need the disk, run on the threads that may wait for it.
//!
//! Invariant: no file is used on the caller's thread. Dropping the future leaves at most a read that ends by
//! itself.

use std::sync::Arc;

use largesse_log::{QueryReply, state::QueryProgress};

use crate::{
    core::Core,
    read::{ColdError, pool::ReadPool},
};

/// Runs a query to its end.
pub(crate) async fn finish(
    core: &Arc<Core>,
    pool: &ReadPool,
    mut looked: QueryProgress,
) -> Result<QueryReply, ColdError> {
    loop {
        looked = match looked {
            QueryProgress::Ready(reply) => return Ok(reply),
            QueryProgress::More(search) => {
                tokio::task::yield_now().await;
                core.state().continue_query(search)
            }
            QueryProgress::Cold(cold) => {
                let core = Arc::clone(core);
                pool.run(move || Ok(cold.run(&*core))).await??
            }
        };
    }
}
