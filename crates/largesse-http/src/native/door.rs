//! What every request to the native door shares: the hub behind it, its settings, the gate before it.
//!
//! Does not know requests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use largesse_hub::{Hub, ReadError};

use crate::{kit::gate::Gate, native::config::DoorConfig};

/// Rejected readers are traced once in this time: there may be thousands a second.
const OVERLOAD_TRACED_EVERY_MS: u64 = 10_000;

/// The native door of a hub.
#[derive(Debug)]
pub struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) config: DoorConfig,
    pub(crate) gate: Arc<Gate>,
    /// When rejected readers were last traced, in milliseconds.
    overload_traced_ms: AtomicU64,
}

impl Door {
    /// A door to `hub`, behind a gate that it may share with other doors.
    #[must_use]
    pub fn new(gate: Arc<Gate>, hub: Arc<Hub>, config: DoorConfig) -> Self {
        Self { hub, config, gate, overload_traced_ms: AtomicU64::new(0) }
    }

    /// Traces that readers are turned away, at most once per [`OVERLOAD_TRACED_EVERY_MS`].
    pub(crate) fn trace_overload(&self, error: &ReadError) {
        let now_ms = self.hub.now().0;
        let is_due =
            |last_ms| (now_ms >= u64::saturating_add(last_ms, OVERLOAD_TRACED_EVERY_MS)).then_some(now_ms);
        if self.overload_traced_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok() {
            tracing::warn!(%error, "readers are turned away: raise the limit, or add a server");
        }
    }
}
