//! The log under a run: in memory, or on a simulated disk, where it can end at any moment and be reopened.
//!
//! Invariant: a restart loses nothing that was acknowledged, and adds nothing: no call is in progress when it
//! happens.

use std::{num::NonZeroUsize, sync::Arc};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, SyncRule, io::SimulatedDisk};
use largesse_log::{Engine, EngineExt, EngineLimits, Incarnation, MemoryEngine, Position, StreamState};

use crate::{at_once::at_once, shared_rng::SharedRng};

const LOG: Incarnation = Incarnation(7);
/// A few events fill a segment, so that a run has many, and compacts some.
const SEGMENT_BYTES: u64 = 2_000;

/// Where a run keeps its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    Memory,
    Disk,
}

/// How a log ends before it is opened again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Close,
    Kill,
    PowerCut,
}

/// The log of a run.
pub(crate) enum Kept {
    Memory(Arc<MemoryEngine>),
    Disk(OnDisk),
}

pub(crate) struct OnDisk {
    disk: SimulatedDisk,
    limits: EngineLimits,
    settings: DiskSettings,
    engine: Arc<DiskEngine>,
}

impl Kept {
    pub(crate) fn new(keeping: Keeping, limits: EngineLimits, rng: &SharedRng) -> Self {
        match keeping {
            Keeping::Memory => Self::Memory(Arc::new(MemoryEngine::new(LOG, limits))),
            Keeping::Disk => {
                let disk = SimulatedDisk::new(rng.below(u64::MAX));
                let hot_bytes_max = rng.pick(&[0, 300, 2_000]);
                let settings = DiskSettings {
                    sync: SyncRule::Always,
                    segment_bytes: SEGMENT_BYTES,
                    hot_bytes_max,
                    ..DiskSettings::DEFAULT
                };
                let engine = open(&disk, limits, settings);
                Self::Disk(OnDisk { disk, limits, settings, engine })
            }
        }
    }

    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        match self {
            Self::Memory(engine) => Arc::<MemoryEngine>::clone(engine),
            Self::Disk(log) => Arc::<DiskEngine>::clone(&log.engine),
        }
    }

    /// Ends the log and reopens it; nobody else holds it by then. One in memory stays as it is.
    ///
    /// # Panics
    /// If it is not what it was before.
    pub(crate) fn restarted(self, ending: Ending, rng: &SharedRng) -> Self {
        let Self::Disk(OnDisk { disk, limits, settings, engine }) = self else { return self };
        let before = seen(&*engine);
        let engine = Arc::into_inner(engine).expect("nobody else has the engine when the hub is gone");
        let disk = match ending {
            Ending::Close => {
                drop(engine);
                disk.after_exit()
            }
            // Whatever the old engine still does, it does to another disk.
            Ending::Kill => disk.after_exit(),
            Ending::PowerCut => disk.after_power_cut(rng.below(u64::MAX)),
        };
        let engine = open(&disk, limits, settings);
        assert_eq!(seen(&*engine), before, "the log that was opened again, after {ending:?}");
        Self::Disk(OnDisk { disk, limits, settings, engine })
    }
}

fn open(disk: &SimulatedDisk, limits: EngineLimits, settings: DiskSettings) -> Arc<DiskEngine> {
    let new = NewLog { incarnation: LOG, salt: 11 };
    let opened = DiskEngine::open(Arc::new(disk.clone()), limits, settings, new);
    Arc::new(opened.expect("a log that ended at any moment can be opened"))
}

/// The tail, and what every stream has.
fn seen(engine: &dyn Engine) -> (Position, Vec<StreamState>) {
    let states = at_once(engine.list(None, NonZeroUsize::MAX)).expect("the engine works");
    (engine.tail(), states)
}
