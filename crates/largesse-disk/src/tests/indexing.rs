//! The thread that indexes panics: whoever writes does, too, so that nothing is written behind events that no index
//! has.

use std::panic::{AssertUnwindSafe, catch_unwind};

use largesse_log::UnixMs;

use super::world::{SETTINGS, World, publish};
use crate::{io::SimulatedDisk, settings::DiskSettings};

/// More than whoever writes indexes by itself.
const PUBLISHES: usize = 20;
/// A group is indexed while the next is synced, and waited for after that.
const GROUPS: usize = 3;

#[test]
fn when_the_thread_that_indexes_panics_nothing_is_written_behind_it() {
    let disk = SimulatedDisk::new(1);
    // No segment is full meanwhile: that would have the writer index by itself.
    let settings = DiskSettings { segment_bytes: 1024 * 1024, ..SETTINGS };
    let mut world = World::open_with(&disk, settings).expect("an empty disk takes a log");
    world.break_indexing();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..GROUPS {
            world.apply_together(UnixMs(1_000), (0..PUBLISHES).map(|_| publish()));
        }
    }));
    assert_eq!(panic.expect_err("whoever writes ends").downcast_ref(), Some(&"a bug"));
    let tail = world.tail();
    drop(world);
    // A start takes the steps again, and finds all that was answered.
    let again = World::open_with(&disk.after_exit(), settings).expect("the log is whole");
    assert!(again.tail() >= tail);
    assert!(again.indexes_answer());
}
