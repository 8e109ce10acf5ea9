//! The conformance suite: with as much as possible in memory, with almost nothing, and with the boundary between
//! hot and cold in the middle of what is read.

use std::{num::NonZeroUsize, sync::Arc};

use largesse_disk::{
    DiskEngine, DiskSettings, NewLog, SyncRule,
    io::{Disk, SimulatedDisk},
};
use largesse_log::{Engine, EngineLimits, Incarnation};

fn engine(disk: impl Disk, limits: EngineLimits, settings: DiskSettings) -> Arc<dyn Engine> {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    Arc::new(DiskEngine::open(Arc::new(disk), limits, settings, new).expect("a log opens on an empty disk"))
}

/// With a server's settings.
fn usual(limits: EngineLimits) -> Arc<dyn Engine> {
    engine(SimulatedDisk::new(1), limits, DiskSettings::default())
}

/// Each event is read from a segment, and segments soon get full and are compacted.
fn bare(limits: EngineLimits) -> Arc<dyn Engine> {
    let settings = DiskSettings {
        sync: SyncRule::Always,
        segment_bytes: 2_000,
        hot_bytes_max: 0,
        open_files_max: NonZeroUsize::new(2).expect("it is not 0"),
    };
    engine(SimulatedDisk::new(2), limits, settings)
}

/// The newest two or three events are in memory, and older ones in segments.
fn parted(limits: EngineLimits) -> Arc<dyn Engine> {
    let settings = DiskSettings {
        sync: SyncRule::Always,
        segment_bytes: 2_000,
        hot_bytes_max: 300,
        open_files_max: NonZeroUsize::new(2).expect("it is not 0"),
    };
    engine(SimulatedDisk::new(3), limits, settings)
}

mod with_the_usual_settings {
    largesse_log::mount_conformance!(crate::usual);
}

mod with_nothing_in_memory {
    largesse_log::mount_conformance!(crate::bare);
}

mod with_the_newest_in_memory {
    largesse_log::mount_conformance!(crate::parted);
}
