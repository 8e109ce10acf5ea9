//! The state of a simulated disk, behind its lock: files, names, armed faults and the record.
//!
//! Invariant: every changing operation goes through [`State::perform`], and is counted, recorded and failed there.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use fastrand::Rng;

use super::bytes::{BytesChange, flip};
use super::layers::{Layers, WriteBack};
use super::names::{NameChange, Names};
use super::operation::{Act, Fault, OPERATIONS_KEPT_MAX, Operation, Outcome};

/// A file's number. Shared by everything that can still reach the file: names in any layer, and open files.
pub(super) type FileId = Arc<u64>;

/// An operation, with its arguments. `name` of an open file is the one it was opened by.
pub(super) enum DiskRequest<'a> {
    Create { name: &'a str },
    Rename { from: &'a str, to: &'a str },
    Remove { name: &'a str },
    Write { id: &'a FileId, name: &'a str, at: usize, bytes: &'a [u8] },
    Sync { id: &'a FileId, name: &'a str },
    Truncate { id: &'a FileId, name: &'a str, bytes: usize },
    SyncNames,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    rng: Rng,
    pub(super) operations: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    pub(super) full: bool,
    pub(super) capacity_bytes: u64,
    cut: bool,
    pub(super) record: VecDeque<Operation>,
    names: Layers<NameChange>,
    files: BTreeMap<FileId, Layers<BytesChange>>,
    next_file: u64,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            operations: 0,
            faults: BTreeMap::new(),
            full: false,
            capacity_bytes: u64::MAX,
            cut: false,
            record: VecDeque::new(),
            names: Layers::safe(Names::new()),
            files: BTreeMap::new(),
            next_file: 0,
        }
    }

    /// # Errors
    /// The power is cut.
    pub(super) fn powered(&self) -> io::Result<()> {
        if self.cut { Err(Fault::PowerCut.error()) } else { Ok(()) }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.names.now().keys().cloned().collect()
    }

    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub(super) fn found(&self, name: &str) -> io::Result<FileId> {
        self.names.now().get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn bytes_of(&self, id: &FileId) -> &Vec<u8> {
        self.files.get(id).expect("an id keeps its file").now()
    }

    pub(super) fn links_of(&self, id: &FileId) -> u64 {
        self.names.now().values().filter(|named| *named == id).count() as u64
    }

    pub(super) fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.names.now().get(name).map(|id| self.bytes_of(id).clone())
    }

    pub(super) fn flip_bit(&mut self, name: &str, place: usize, bit: u8) {
        let id = self.found(name).expect("a bit is flipped in a file that is there");
        assert!(place < self.bytes_of(&id).len() && bit < 8, "{name} has no bit {bit} at {place}");
        self.file(&id).damage(|bytes| flip(bytes, place, bit), |change| change.flip(place, bit));
    }

    /// Counts, records and performs the operation, or fails it.
    ///
    /// # Errors
    /// Armed faults, those of a full disk and of one without power, and those of the operation itself.
    pub(super) fn perform(&mut self, request: &DiskRequest<'_>) -> io::Result<()> {
        self.powered()?;
        let act = self.act(request);
        let number = self.operations;
        self.operations += 1;
        let done = match self.fault(number, request) {
            None => self.whole(request),
            Some(fault) => {
                self.part(request, fault);
                self.cut = fault == Fault::PowerCut;
                Err(fault.error())
            }
        };
        let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
        if self.record.len() == OPERATIONS_KEPT_MAX {
            self.record.pop_front();
        }
        self.record.push_back(Operation { number, act, outcome });
        done
    }

    fn fault(&mut self, number: u64, request: &DiskRequest<'_>) -> Option<Fault> {
        let has_no_room = match *request {
            DiskRequest::Create { .. } => self.full,
            DiskRequest::Write { id, at, bytes, .. } => {
                let more = (at + bytes.len()).saturating_sub(self.bytes_of(id).len());
                self.full || more as u64 > self.free_bytes()
            }
            _ => false,
        };
        self.faults.remove(&number).or(has_no_room.then_some(Fault::Full))
    }

    /// The free bytes, also counting open files without a name.
    pub(super) fn free_bytes(&self) -> u64 {
        if self.full {
            return 0;
        }
        let used: usize = self.files.values().map(|file| file.now().len()).sum();
        self.capacity_bytes.saturating_sub(used as u64)
    }

    fn whole(&mut self, request: &DiskRequest<'_>) -> io::Result<()> {
        match *request {
            DiskRequest::Create { name } => self.create(name)?,
            DiskRequest::Rename { from, to } => {
                let file = self.found(from)?;
                self.names.change(NameChange::Rename { from: from.to_owned(), to: to.to_owned(), file });
            }
            DiskRequest::Remove { name } => {
                self.found(name)?;
                self.names.change(NameChange::Remove { name: name.to_owned() });
            }
            DiskRequest::Write { id, name, at, bytes } => {
                assert!(at <= self.bytes_of(id).len(), "a write into {name} begins beyond its end");
                self.file(id).change(BytesChange::Write { at, bytes: bytes.to_vec() });
            }
            DiskRequest::Sync { id, .. } => self.file(id).sync(),
            DiskRequest::Truncate { id, name, bytes } => {
                assert!(bytes <= self.bytes_of(id).len(), "{name} is cut off beyond its end");
                self.file(id).change(BytesChange::Truncate { bytes });
            }
            DiskRequest::SyncNames => {
                self.names.sync();
                self.files.retain(|id, _| Arc::strong_count(id) > 1);
            }
        }
        Ok(())
    }

    /// Performs a part of a failed operation. A change of a name or a truncation was done before the power cut, or
    /// not.
    fn part(&mut self, request: &DiskRequest<'_>, fault: Fault) {
        let cut = fault == Fault::PowerCut;
        match *request {
            DiskRequest::Write { id, name, at, bytes } => {
                let bytes = &bytes[..self.rng.usize(..=bytes.len())];
                let _ = self.whole(&DiskRequest::Write { id, name, at, bytes });
            }
            DiskRequest::Sync { id, .. } if !cut => self.file(id).fail_sync(),
            DiskRequest::SyncNames if !cut => self.names.fail_sync(),
            DiskRequest::Sync { .. } | DiskRequest::SyncNames => {}
            DiskRequest::Create { .. }
            | DiskRequest::Rename { .. }
            | DiskRequest::Remove { .. }
            | DiskRequest::Truncate { .. } => {
                if cut && self.rng.bool() {
                    let _ = self.whole(request);
                }
            }
        }
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        if self.names.now().contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = FileId::new(self.next_file);
        self.next_file += 1;
        self.files.insert(file.clone(), Layers::safe(Vec::new()));
        self.names.change(NameChange::Create { name: name.to_owned(), file });
        Ok(())
    }

    fn file(&mut self, id: &FileId) -> &mut Layers<BytesChange> {
        self.files.get_mut(id).expect("an id keeps its file")
    }

    fn act(&self, request: &DiskRequest<'_>) -> Act {
        match *request {
            DiskRequest::Create { name } => Act::Create { name: name.to_owned() },
            DiskRequest::Rename { from, to } => Act::Rename { from: from.to_owned(), to: to.to_owned() },
            DiskRequest::Remove { name } => Act::Remove { name: name.to_owned() },
            DiskRequest::Write { id, name, at, bytes } => {
                Act::Write { name: self.name_now(id, name), at: at as u64, bytes: bytes.len() as u64 }
            }
            DiskRequest::Sync { id, name } => Act::Sync { name: self.name_now(id, name) },
            DiskRequest::Truncate { id, name, bytes } => {
                Act::Truncate { name: self.name_now(id, name), bytes: bytes as u64 }
            }
            DiskRequest::SyncNames => Act::SyncNames,
        }
    }

    /// The name the file has now, or else the one it was opened by.
    fn name_now(&self, id: &FileId, opened_by: &str) -> String {
        let holds = self.names.now().iter().find(|(_, file)| *file == id);
        holds.map_or_else(|| opened_by.to_owned(), |(name, _)| name.clone())
    }

    pub(super) fn after_power_cut(&self, seed: u64, rng: &mut Rng) -> Self {
        let write_back = WriteBack::any(rng);
        // Names change in order: file systems journal them.
        let names_write_back =
            if write_back == WriteBack::Unordered { WriteBack::InOrder } else { write_back };
        let names = self.names.after_power_cut(names_write_back, rng);
        let found = names.values().map(|id| {
            let bytes = self.files.get(id).expect("a name's file is kept").after_power_cut(write_back, rng);
            (id.clone(), Layers::safe(bytes))
        });
        let files = found.collect();
        Self { names: Layers::safe(names), files, next_file: self.next_file, ..Self::new(seed) }
    }

    pub(super) fn after_exit(&self) -> Self {
        let State { rng, names, files, next_file, .. } = self.clone();
        Self { rng, names, files, next_file, ..Self::new(0) }
    }
}
