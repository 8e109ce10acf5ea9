//! A disk for tests: it separates what is *durable* from what is only written, and fails on demand.
//!
//! Invariant: the same seeds and the same calls in the same order give the same disk, bit for bit. It promises no
//! more than [`Disk`] does, and less than most file systems: syncing a file does not sync its name, unsynced writes
//! reach the disk in any order and in part, and what a failed sync left behind is never made durable by a later
//! one. Does not simulate time, nor failing reads (except after a power cut).

mod bytes;
mod layers;
mod names;
mod operation;
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

pub use operation::{Act, Fault, OPERATIONS_KEPT_MAX, Operation, Outcome};
use state::{DiskRequest, FileId, State};

use super::{Disk, DiskFile, flat};

/// A simulated disk. Clones share the disk.
///
/// It is for tests: invalid calls (a bit outside of a file, a write beyond the end) are bugs of the test or of the
/// tested code, and panic.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    /// An empty disk. The seed decides how much of a failing operation is done.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(State::new(seed))
    }

    fn of(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// How many changing operations it has had: creates, renames, removes, writes, syncs, truncates and syncs of
    /// names, done or failed. Those after a power cut are not counted.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Makes the operation with this number fail, as counted by [`Self::operations`]. Several can be armed; one
    /// whose number has passed never happens.
    pub fn fail_at(&self, number: u64, fault: Fault) {
        self.state().faults.insert(number, fault);
    }

    /// Fills the disk, or makes room. While it is full, every create and write fails, and a write may be done in
    /// part.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Limits the bytes of all files together. A write that would need more fails, and may be done in part.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity_bytes = bytes;
    }

    /// The disk after a power cut now, decided by `seed`: what was synced is there; an unsynced write is there, or
    /// not, or in part (up to a byte, some of its sectors, or only its length), over what was there before; of the
    /// changes of names since their sync, the first few are. All of that is durable.
    ///
    /// The result is not full, has no armed faults, and counts from 0. This disk and its open files stay as they
    /// are.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> Self {
        Self::of(self.state().after_power_cut(seed, &mut Rng::with_seed(seed)))
    }

    /// The disk after the process died and the machine did not: everything written is there, and what was not
    /// durable still is not. Otherwise like [`Self::after_power_cut`].
    #[must_use]
    pub fn after_exit(&self) -> Self {
        Self::of(self.state().after_exit())
    }

    /// Permanently flips bit `bit` (0 is the lowest) of the byte at `byte`.
    pub fn flip_bit(&self, name: &str, byte: u64, bit: u8) {
        self.state().flip_bit(name, place(byte), bit);
    }

    /// The file's contents, even after a power cut; `None` if there is no such file.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.state().contents(name)
    }

    /// The names of all files, sorted, even after a power cut.
    #[must_use]
    pub fn file_names(&self) -> Vec<String> {
        self.state().names()
    }

    /// The newest [`OPERATIONS_KEPT_MAX`] counted operations, in order.
    #[must_use]
    pub fn record(&self) -> Vec<Operation> {
        self.state().record.iter().cloned().collect()
    }

    /// A panic in here must not be hidden by the poisoned lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, name: &str, id: FileId) -> Arc<dyn DiskFile> {
        Arc::new(OpenFile { disk: self.clone(), name: name.to_owned(), id })
    }
}

/// An offset in a file, in memory.
fn place(at: u64) -> usize {
    usize::try_from(at).expect("a simulated file is in memory")
}

impl Disk for SimulatedDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.perform(&DiskRequest::Create { name: flat(name)? })?;
        Ok(self.file(name, state.found(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state();
        state.powered()?;
        Ok(self.file(name, state.found(flat(name)?)?))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.powered()?;
        Ok(state.names())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().perform(&DiskRequest::Rename { from: flat(from)?, to: flat(to)? })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().perform(&DiskRequest::Remove { name: flat(name)? })
    }

    fn sync_names(&self) -> io::Result<()> {
        self.state().perform(&DiskRequest::SyncNames)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.state();
        state.powered()?;
        Ok(state.free_bytes())
    }
}

/// An open file of a simulated disk.
struct OpenFile {
    disk: SimulatedDisk,
    /// The name it was opened by, for the record once the file has none.
    name: String,
    id: FileId,
}

impl DiskFile for OpenFile {
    fn bytes(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.powered()?;
        Ok(state.bytes_of(&self.id).len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        let state = self.disk.state();
        state.powered()?;
        let bytes = state.bytes_of(&self.id);
        let asked = usize::try_from(at).ok().and_then(|at| bytes.get(at..at.checked_add(into.len())?));
        if into.is_empty() {
            return Ok(());
        }
        into.copy_from_slice(asked.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let (id, name) = (&self.id, self.name.as_str());
        self.disk.state().perform(&DiskRequest::Write { id, name, at: place(at), bytes })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().perform(&DiskRequest::Sync { id: &self.id, name: &self.name })
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let (id, name) = (&self.id, self.name.as_str());
        self.disk.state().perform(&DiskRequest::Truncate { id, name, bytes: place(bytes) })
    }

    fn links(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.powered()?;
        Ok(state.links_of(&self.id))
    }
}
