//! If the indexing thread panics, so does the writer, so that nothing is written after events that no index has.

use std::panic::{AssertUnwindSafe, catch_unwind};

use largesse_log::UnixMs;

use super::world::{SETTINGS, World, publish};
use crate::{io::SimulatedDisk, settings::DiskSettings};

/// More than the writer indexes inline.
const PUBLISHES: usize = 20;
/// A group is indexed while the next one syncs, and joined after that.
const GROUPS: usize = 3;

#[test]
fn when_the_indexing_thread_panics_nothing_more_is_written() {
    let disk = SimulatedDisk::new(1);
    // No segment gets full meanwhile: then the writer would index inline.
    let settings = DiskSettings { segment_bytes: 1024 * 1024, ..SETTINGS };
    let mut world = World::open_with(&disk, settings).expect("a log opens on an empty disk");
    world.break_indexing();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..GROUPS {
            world.apply_together(UnixMs(1_000), (0..PUBLISHES).map(|_| publish()));
        }
    }));
    assert_eq!(panic.expect_err("the writer panics").downcast_ref(), Some(&"a bug"));
    let tail = world.tail();
    drop(world);
    // Recovery replays the commands, and finds everything acknowledged.
    let again = World::open_with(&disk.after_exit(), settings).expect("the log is whole");
    assert!(again.tail() >= tail);
    assert!(again.indexes_answer());
}
