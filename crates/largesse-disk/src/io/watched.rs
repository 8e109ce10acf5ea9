//! A disk that remembers what went wrong on it, and how many files of it are open.
//!
//! After a sync that failed, of a file or of the names, nobody knows what is safe of what came before, and a sync
//! that succeeds later says nothing about it. So nothing is to be written any more until a start has read what is
//! there. Invariant: the memory of it never goes away. Does not keep anybody from writing: those who write ask.

use std::{
    io,
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
};

use super::{
    Disk, DiskFile, FileIdentity, Location, Presence,
    open_files::{LazyFile, OpenFiles},
};
use crate::state_guard::check_no_state_is_held;

/// Another disk, watched. Clones remember together.
#[derive(Clone)]
pub(crate) struct Watched {
    disk: Arc<dyn Disk>,
    failure: Arc<OnceLock<String>>,
    presence: Arc<Presence>,
    open_files: Arc<OpenFiles>,
}

impl Watched {
    /// Of the files that are read now and then, at most so many stay open.
    pub(crate) fn new(disk: Arc<dyn Disk>, open_files_max: NonZeroUsize) -> Self {
        let open_files = Arc::new(OpenFiles::new(open_files_max));
        Self { disk, failure: Arc::default(), presence: Arc::default(), open_files }
    }

    /// What is known to be missing of the log.
    pub(crate) fn presence(&self) -> &Arc<Presence> {
        &self.presence
    }

    /// Whether the last file that was to be opened could not be, because too many are open.
    pub(crate) fn is_short(&self) -> bool {
        self.open_files.is_short()
    }

    pub(super) fn open_files(&self) -> &OpenFiles {
        &self.open_files
    }

    /// A file that is there and open, and need not stay open: from now on it is opened when it is read.
    pub(crate) fn open_lazily(&self, name: &str, open: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(LazyFile::new(self.clone(), name, open))
    }

    /// Has the writer stop where something is missing, or go on where it is back, and tells it where that is news.
    pub(crate) fn report_missing(&self, missing: Option<String>) {
        if !self.presence().set_missing(missing.clone()) {
            return;
        }
        match missing {
            Some(reason) => tracing::error!(
                reason,
                "publishes are refused: nothing would be kept. Save what can still be read with `largesse log export --url URL`; then \
                 stop the server and start it again, on a folder that is whole"
            ),
            None => tracing::info!("all files of the log are there again; publishes are taken"),
        }
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
        check_no_state_is_held();
        Ok(self.watch(self.open_files.closing_others(|| self.disk.create(name))?, name))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        check_no_state_is_held();
        Ok(self.watch(self.open_files.closing_others(|| self.disk.open(name))?, name))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        check_no_state_is_held();
        self.open_files.closing_others(|| self.disk.names())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check_no_state_is_held();
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        check_no_state_is_held();
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        check_no_state_is_held();
        note(self.disk.sync_names(), "the folder", &self.failure)
    }

    fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        self.open_files.closing_others(|| self.disk.identity(name))
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
        check_no_state_is_held();
        self.file.bytes()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        check_no_state_is_held();
        self.file.read_at(into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        check_no_state_is_held();
        self.file.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        check_no_state_is_held();
        note(self.file.sync(), &self.name, &self.failure)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        check_no_state_is_held();
        self.file.truncate(bytes)
    }

    fn links(&self) -> io::Result<u64> {
        self.file.links()
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        self.file.identity()
    }
}
