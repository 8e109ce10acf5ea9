//! A disk in memory that counts the reads of its files, for the tests of the index. It fails on demand.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::io::{Disk, DiskFile};

/// A folder in memory.
#[derive(Default)]
pub(super) struct CountingDisk {
    files: Mutex<BTreeMap<String, Arc<CountingFile>>>,
    failing: Arc<Failing>,
}

/// Which of the next reads, writes and syncs fails, counted from 1; zero for none.
#[derive(Default)]
pub(super) struct Failing(AtomicU64);

impl Failing {
    pub(super) fn set(&self, number: u64) {
        self.0.store(number, Relaxed);
    }

    fn count(&self) -> io::Result<()> {
        match self.0.load(Relaxed) {
            0 => Ok(()),
            left => {
                self.0.store(left - 1, Relaxed);
                if left == 1 { Err(io::Error::other("the disk is on fire")) } else { Ok(()) }
            }
        }
    }
}

/// A file in memory.
#[derive(Default)]
pub(super) struct CountingFile {
    bytes: Mutex<Vec<u8>>,
    reads: AtomicU64,
    /// How many bytes are synced.
    synced: AtomicU64,
    failing: Arc<Failing>,
}

impl CountingDisk {
    pub(super) fn file(&self, name: &str) -> Arc<CountingFile> {
        Arc::clone(&self.files.lock().unwrap()[name])
    }

    pub(super) fn failing(&self) -> &Failing {
        &self.failing
    }
}

impl CountingFile {
    pub(super) fn of(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes: Mutex::new(bytes), ..Self::default() })
    }

    pub(super) fn contents(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    pub(super) fn flip(&self, bit: usize) {
        self.bytes.lock().unwrap()[bit / 8] ^= 1 << (bit % 8);
    }

    pub(super) fn synced(&self) -> u64 {
        self.synced.load(Relaxed)
    }

    /// The number of reads since the last call.
    pub(super) fn take_reads(&self) -> u64 {
        self.reads.swap(0, Relaxed)
    }
}

impl Disk for CountingDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = self.files.lock().unwrap();
        if files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = Arc::new(CountingFile { failing: Arc::clone(&self.failing), ..CountingFile::default() });
        files.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let files = self.files.lock().unwrap();
        let file = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::<CountingFile>::clone(file))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.files.lock().unwrap().keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files.lock().unwrap();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().unwrap().remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for CountingFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.failing.count()?;
        self.reads.fetch_add(1, Relaxed);
        let bytes = self.bytes.lock().unwrap();
        let at = at as usize;
        let read = bytes.get(at..at + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(read);
        Ok(())
    }

    fn write_at(&self, written: &[u8], at: u64) -> io::Result<()> {
        self.failing.count()?;
        let mut bytes = self.bytes.lock().unwrap();
        let at = at as usize;
        assert!(at <= bytes.len(), "a write after the end");
        let end = bytes.len().max(at + written.len());
        bytes.resize(end, 0);
        bytes[at..at + written.len()].copy_from_slice(written);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.failing.count()?;
        self.synced.store(self.bytes()?, Relaxed);
        Ok(())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().truncate(bytes as usize);
        Ok(())
    }
}
