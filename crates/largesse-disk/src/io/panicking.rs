//! A disk for tests on which a thread panics on demand.
//!
//! It simulates any bug in a thread that uses the disk: the tests are about those who wait for that thread.
//! Invariant: the call that panics does nothing, nor does any later one of the same threads. Does not fail
//! otherwise.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::{Disk, DiskFile, FileIdentity};

/// A wrapper of a disk that panics. Clones share the disk.
#[derive(Clone)]
pub struct PanickingDisk {
    disk: Arc<dyn Disk>,
    armed: Arc<Armed>,
}

#[derive(Default)]
struct Armed(Mutex<Option<Plan>>);

struct Plan {
    threads: &'static str,
    calls_before: u64,
}

impl PanickingDisk {
    /// Wraps a disk; harmless until it is armed.
    #[must_use]
    pub fn new(disk: impl Disk) -> Self {
        Self { disk: Arc::new(disk), armed: Arc::default() }
    }

    /// From now on, threads whose name begins with `threads` panic, after `calls_before` more calls in total.
    pub fn arm(&self, threads: &'static str, calls_before: u64) {
        *self.armed.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Plan { threads, calls_before });
    }

    /// No thread panics any more.
    pub fn disarm(&self) {
        *self.armed.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn file(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(PanickingFile { file, armed: Arc::clone(&self.armed) })
    }
}

impl Armed {
    fn check(&self) {
        if self.is_due() {
            std::panic::resume_unwind(Box::new("the test made the disk panic"));
        }
    }

    fn is_due(&self) -> bool {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(plan) = plan.as_mut() else { return false };
        if !thread::current().name().is_some_and(|name| name.starts_with(plan.threads)) {
            return false;
        }
        let is_due = plan.calls_before == 0;
        plan.calls_before = plan.calls_before.saturating_sub(1);
        is_due
    }
}

impl Disk for PanickingDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.armed.check();
        Ok(self.file(self.disk.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.armed.check();
        Ok(self.file(self.disk.open(name)?))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.armed.check();
        self.disk.names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.armed.check();
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.armed.check();
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.armed.check();
        self.disk.sync_names()
    }

    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        self.armed.check();
        self.disk.identity(name)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.armed.check();
        self.disk.free_bytes()
    }
}

struct PanickingFile {
    file: Arc<dyn DiskFile>,
    armed: Arc<Armed>,
}

impl DiskFile for PanickingFile {
    fn bytes(&self) -> io::Result<u64> {
        self.armed.check();
        self.file.bytes()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.armed.check();
        self.file.read_at(into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.armed.check();
        self.file.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.armed.check();
        self.file.sync()
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.armed.check();
        self.file.truncate(bytes)
    }
}
