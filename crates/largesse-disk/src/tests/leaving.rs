//! Somebody removes the active segment while the next is begun: its name is not checked any more then, and its
//! contents would be gone when the server stops.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use largesse_log::UnixMs;

use super::world::{Action, Answer, SETTINGS, World, publish};
use crate::io::{Disk, DiskFile, SimulatedDisk};

/// A disk. If a file is created while `is_about` is set, all files from before lose their names.
struct Robbed {
    disk: SimulatedDisk,
    is_about: Arc<AtomicBool>,
    is_gone: Arc<AtomicBool>,
}

struct RobbedFile {
    file: Arc<dyn DiskFile>,
    is_gone: Arc<AtomicBool>,
}

impl Disk for Robbed {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let is_gone = if self.is_about.load(SeqCst) {
            self.is_gone.store(true, SeqCst);
            Arc::default()
        } else {
            Arc::clone(&self.is_gone)
        };
        Ok(Arc::new(RobbedFile { file: self.disk.create(name)?, is_gone }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }
}

impl DiskFile for RobbedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_at(into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.truncate(bytes)
    }

    fn links(&self) -> io::Result<u64> {
        Ok(u64::from(!self.is_gone.load(SeqCst)))
    }
}

#[test]
fn after_a_segment_was_removed_while_the_next_was_begun_nothing_is_published() {
    let (is_about, is_gone) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let disk = Robbed { disk: SimulatedDisk::new(1), is_about: Arc::clone(&is_about), is_gone };
    let mut world = World::open_on(Arc::new(disk), SETTINGS).expect("a log opens on an empty disk");
    assert!(matches!(world.apply(UnixMs(1_000), &Action::Append(publish())), Answer::Applied(_)));
    is_about.store(true, SeqCst);
    world.roll_without_checkpoint();
    // The watch finds every name.
    world.maintenance.check_files();
    assert_eq!(world.apply(UnixMs(2_000), &Action::Append(publish())), Answer::NotWritten);
}
