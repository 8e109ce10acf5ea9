//! A disk that remembers that a sync failed.
//!
//! After a sync that failed, of a file or of the names, nobody knows what is safe of what came before, and a sync
//! that succeeds later says nothing about it. So nothing is to be written any more until a start has read what is
//! there. Invariant: the memory of it never goes away. Does not keep anybody from writing: those who write ask.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use super::{Disk, DiskFile, FileIdentity, Location};

/// Another disk, watched. Clones remember together.
#[derive(Clone)]
pub(crate) struct Watched {
    disk: Arc<dyn Disk>,
    failure: Arc<OnceLock<String>>,
}

impl Watched {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, failure: Arc::default() }
    }

    /// What the first sync said that failed, and of which file.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    fn watch(&self, file: Arc<dyn DiskFile>, name: &str) -> Arc<dyn DiskFile> {
        Arc::new(WatchedFile { file, name: name.to_owned(), failure: Arc::clone(&self.failure) })
    }
}

fn note(synced: io::Result<()>, what: &str, failure: &OnceLock<String>) -> io::Result<()> {
    if let Err(error) = &synced {
        failure.get_or_init(|| {
            tracing::error!(
                what, %error,
                "the disk could not make this safe; nothing more is published until the server is started again"
            );
            format!("{what} could not be synced: {error}")
        });
    }
    synced
}

impl Disk for Watched {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.watch(self.disk.create(name)?, name))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.watch(self.disk.open(name)?, name))
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
        note(self.disk.sync_names(), "the folder", &self.failure)
    }

    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        self.disk.identity(name)
    }

    fn location(&self) -> io::Result<Location> {
        self.disk.location()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }
}

struct WatchedFile {
    file: Arc<dyn DiskFile>,
    name: String,
    failure: Arc<OnceLock<String>>,
}

impl DiskFile for WatchedFile {
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
        note(self.file.sync(), &self.name, &self.failure)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.truncate(bytes)
    }

    fn links(&self) -> io::Result<u64> {
        self.file.links()
    }
}
