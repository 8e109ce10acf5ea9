//! The memory engine against the suite for all engines.

use std::sync::Arc;

use largesse_log::{Engine, EngineLimits, Incarnation, MemoryEngine, conformance};

fn memory(limits: EngineLimits) -> Arc<dyn Engine> {
    Arc::new(MemoryEngine::new(Incarnation(7), limits))
}

conformance::mount!(memory);
