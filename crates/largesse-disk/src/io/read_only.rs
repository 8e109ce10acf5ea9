//! A read-only view of a disk: changes of files are skipped.
//!
//! Invariant: nothing that goes through here changes the underlying disk. Recovery truncates and rewrites what a
//! crash left in doubt; an inspection needs neither, and reads the files as they are.

use std::{io, sync::Arc};

use super::{Disk, DiskFile, FileIdentity, Location};

/// A disk that is not changed.
pub(crate) struct ReadOnly(pub(crate) Arc<dyn Disk>);

struct ReadOnlyFile(Arc<dyn DiskFile>);

fn refused<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the log is only open for reading"))
}

impl Disk for ReadOnly {
    fn create(&self, _name: &str) -> io::Result<Arc<dyn DiskFile>> {
        refused()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(ReadOnlyFile(self.0.open(name)?)))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        refused()
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        self.0.identity(name)
    }

    fn location(&self) -> io::Result<Location> {
        self.0.location()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.0.free_bytes()
    }
}

impl DiskFile for ReadOnlyFile {
    fn bytes(&self) -> io::Result<u64> {
        self.0.bytes()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.0.read_at(into, at)
    }

    fn write_at(&self, _bytes: &[u8], _at: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn links(&self) -> io::Result<u64> {
        self.0.links()
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        self.0.identity()
    }

    fn keep_open(&self) -> io::Result<()> {
        self.0.keep_open()
    }
}
