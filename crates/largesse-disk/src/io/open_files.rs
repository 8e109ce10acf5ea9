//! Lazily opened files, of which a bounded number stays open.
//!
//! A log has two files per segment, and may have thousands; a process has a thousand descriptors, or fewer. So the
//! files of sealed segments are opened when they are read, and the most recently used ones stay open.
//!
//! Invariants: at most the given number stays open, besides those being read at the moment, and removed ones that
//! are still in use. If the process runs out of descriptors, some of these are closed. Does not open the active
//! segment.

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use lru::LruCache;
use rustix::io::Errno;

use super::{Disk, DiskFile, FileIdentity, Watched};

/// Whether an error means that descriptors have run out: in the process, or in the whole system.
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    is_code_out_of_files(error.raw_os_error())
}

/// The same for the system's error number.
pub(crate) fn is_code_out_of_files(code: Option<i32>) -> bool {
    code.is_some_and(|code| [Errno::MFILE, Errno::NFILE].contains(&Errno::from_raw_os_error(code)))
}

/// The open files, least recently used last.
pub(super) struct OpenFiles {
    open: Mutex<LruCache<u64, Arc<dyn DiskFile>>>,
    next_key: AtomicU64,
    /// Whether the last attempt to open a file failed for lack of descriptors.
    is_short: AtomicBool,
}

impl OpenFiles {
    pub(super) fn new(files_max: NonZeroUsize) -> Self {
        let open = Mutex::new(LruCache::new(files_max));
        Self { open, next_key: AtomicU64::new(0), is_short: AtomicBool::new(false) }
    }

    pub(super) fn is_short(&self) -> bool {
        self.is_short.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<u64, Arc<dyn DiskFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: u64) -> Option<Arc<dyn DiskFile>> {
        self.lock().get(&key).cloned()
    }

    /// Closing may take a while, so it happens outside the lock.
    fn put(&self, key: u64, file: Arc<dyn DiskFile>) {
        let pushed_out = self.lock().push(key, file);
        drop(pushed_out);
    }

    fn close(&self, key: u64) {
        let closed = self.lock().pop(&key);
        drop(closed);
    }

    /// Closes the least recently used file. Returns whether there was one.
    fn close_oldest(&self) -> bool {
        let closed = self.lock().pop_lru();
        closed.is_some()
    }

    /// Opens something, and closes some of these files if needed.
    ///
    /// # Errors
    /// Those of `open`.
    pub(super) fn closing_others<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        loop {
            match open() {
                Err(error) if is_out_of_files(&error) && self.close_oldest() => {}
                opened => {
                    let is_short = opened.as_ref().is_err_and(is_out_of_files);
                    if is_short != self.is_short() {
                        self.is_short.store(is_short, Relaxed);
                    }
                    return opened;
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}

/// A file that is opened on demand.
pub(super) struct LazyFile {
    disk: Watched,
    name: String,
    key: u64,
    /// Set once its name is removed: the file, or `None` if it was already gone.
    nameless: OnceLock<Option<Arc<dyn DiskFile>>>,
}

impl LazyFile {
    pub(super) fn new(disk: Watched, name: &str, open: Arc<dyn DiskFile>) -> Self {
        let key = disk.open_files().next_key.fetch_add(1, Relaxed);
        disk.open_files().put(key, open);
        Self { disk, name: name.to_owned(), key, nameless: OnceLock::new() }
    }

    fn file(&self) -> io::Result<Arc<dyn DiskFile>> {
        if self.nameless.get().is_none() {
            if let Some(open) = self.disk.open_files().get(self.key) {
                return Ok(open);
            }
            let opened = self.disk.open(&self.name);
            // The name can only be gone, or another file's, if `keep_open` was called before.
            if self.nameless.get().is_none() {
                let opened = opened?;
                self.disk.open_files().put(self.key, Arc::clone(&opened));
                return Ok(opened);
            }
        }
        let nameless = self.nameless.get().cloned().flatten();
        nameless.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Drop for LazyFile {
    fn drop(&mut self) {
        self.disk.open_files().close(self.key);
    }
}

impl DiskFile for LazyFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file()?.bytes()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        self.file()?.read_at(into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file()?.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.file()?.sync()
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file()?.truncate(bytes)
    }

    fn links(&self) -> io::Result<u64> {
        self.file()?.links()
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        self.file()?.identity()
    }

    fn keep_open(&self) -> io::Result<()> {
        let file = match self.file() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        self.nameless.get_or_init(|| file);
        self.disk.open_files().close(self.key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::SimulatedDisk;

    fn disk(files_max: usize) -> Watched {
        Watched::new(Arc::new(SimulatedDisk::new(1)), NonZeroUsize::new(files_max).unwrap())
    }

    fn made(disk: &Watched, name: &str) -> Arc<dyn DiskFile> {
        let file = disk.create(name).unwrap();
        file.write_at(name.as_bytes(), 0).unwrap();
        disk.open_lazily(name, file)
    }

    fn first_byte(file: &Arc<dyn DiskFile>) -> io::Result<u8> {
        let mut byte = [0];
        file.read_at(&mut byte, 0).map(|()| byte[0])
    }

    #[test]
    fn all_files_can_be_read_and_few_are_open() {
        let disk = disk(3);
        let files: Vec<_> = "abcdefgh".chars().map(|name| made(&disk, &name.to_string())).collect();
        for _ in 0..2 {
            for (file, name) in files.iter().zip("abcdefgh".bytes()) {
                assert_eq!(first_byte(file).unwrap(), name);
                assert!(disk.open_files().count() <= 3);
            }
        }
        drop(files);
        assert_eq!(disk.open_files().count(), 0);
    }

    #[test]
    fn a_file_stays_readable_when_its_name_is_removed_or_replaced() {
        let disk = disk(1);
        let (kept, gone) = (made(&disk, "kept"), made(&disk, "gone"));
        disk.remove("gone").unwrap();
        // Pushes the other out, so that it is not open.
        made(&disk, "other");
        gone.keep_open().unwrap();
        kept.keep_open().unwrap();
        disk.remove("kept").unwrap();
        let _others = [made(&disk, "kept"), made(&disk, "gone")];
        assert_eq!(first_byte(&kept).unwrap(), b'k');
        assert_eq!(first_byte(&gone).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// Each is kept open before it is removed; a read at that moment finds it one way or the other.
    #[test]
    fn a_read_during_the_removal_succeeds() {
        let disk = disk(1);
        for _ in 0..500 {
            let file = made(&disk, "a");
            made(&disk, "b");
            std::thread::scope(|threads| {
                let reader =
                    threads.spawn(|| (0..20).all(|_| first_byte(&file).is_ok_and(|byte| byte == b'a')));
                file.keep_open().unwrap();
                disk.remove("a").unwrap();
                assert!(reader.join().unwrap());
            });
            disk.remove("b").unwrap();
        }
    }

    #[test]
    fn when_descriptors_run_out_the_least_recently_used_are_closed() {
        let disk = disk(8);
        let files: Vec<_> = "abc".chars().map(|name| made(&disk, &name.to_string())).collect();
        let opened = disk.open_files().closing_others(|| match disk.open_files().count() {
            2.. => Err(Errno::MFILE.into()),
            few => Ok(few),
        });
        assert_eq!(opened.unwrap(), 1);
        let none_left = || Err::<(), _>(io::Error::from(Errno::NFILE));
        assert!(is_out_of_files(&disk.open_files().closing_others(none_left).unwrap_err()));
        assert_eq!(disk.open_files().count(), 0);
        assert!(disk.is_short());
        assert_eq!(first_byte(&files[0]).unwrap(), b'a', "it is reopened");
        assert!(!disk.is_short());
    }
}
