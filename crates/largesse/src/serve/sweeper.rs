//! Drops what has expired, once a second.
//!
//! Invariant: a sweep works in steps, so that publishers and readers get the log in between.

use std::{sync::Arc, time::Duration};

use largesse::{hub::Hub, log::Sweep};
use tokio::time::{MissedTickBehavior, interval};

/// How late something may be dropped.
const EVERY: Duration = Duration::from_secs(1);

/// Sweeps until this is dropped, which leaves nothing half done.
pub(super) async fn run(hub: Arc<Hub>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        sweep(&hub).await;
    }
}

async fn sweep(hub: &Hub) {
    loop {
        match hub.sweep().await {
            Ok(Sweep::Done) => return,
            Ok(Sweep::More) => tokio::task::yield_now().await,
            Err(error) => {
                tracing::error!(%error, "expired events could not be dropped; trying again in a second");
                return;
            }
        }
    }
}
