//! A disk that remembers failed syncs, and limits its open files.
//!
//! After a failed sync, of a file or of the names, everything before it is in doubt, and a later successful sync
//! does not change that. So nothing more may be written until recovery has read what is there. Invariant: a failure
//! is never forgotten. Does not prevent writes: the code that writes has to ask.

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

/// A watched disk. Clones share what is remembered.
#[derive(Clone)]
pub(crate) struct Watched {
    disk: Arc<dyn Disk>,
    failure: Arc<OnceLock<String>>,
    presence: Arc<Presence>,
    open_files: Arc<OpenFiles>,
}

impl Watched {
    /// At most `open_files_max` lazily opened files stay open.
    pub(crate) fn new(disk: Arc<dyn Disk>, open_files_max: NonZeroUsize) -> Self {
        let open_files = Arc::new(OpenFiles::new(open_files_max));
        Self { disk, failure: Arc::default(), presence: Arc::default(), open_files }
    }

    /// Which files of the log are missing.
    pub(crate) fn presence(&self) -> &Arc<Presence> {
        &self.presence
    }

    /// Whether the last attempt to open a file failed for lack of descriptors.
    pub(crate) fn is_short(&self) -> bool {
        self.open_files.is_short()
    }

    pub(super) fn open_files(&self) -> &OpenFiles {
        &self.open_files
    }

    /// Makes an open file a lazily opened one, which need not stay open.
    pub(crate) fn open_lazily(&self, name: &str, open: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(LazyFile::new(self.clone(), name, open))
    }

    /// Stops the writer if a file is missing, or lets it continue once it is back, and logs a change.
    pub(crate) fn report_missing(&self, missing: Option<String>) {
        if !self.presence().set_missing(missing.clone()) {
            return;
        }
        match missing {
            Some(reason) => tracing::error!(
                reason,
                "publishes are refused: they would be lost. Save what can still be read with `largesse log export --url URL`; then \
                 stop the server and start it again, on a folder that is whole"
            ),
            None => tracing::info!("all files of the log are there again; publishes are accepted"),
        }
    }

    /// The first failed sync: its file and error.
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
                "a sync failed; nothing more is published until the server is started again"
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
