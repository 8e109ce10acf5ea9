//! The floor: the bytes of a group are written and synced, and nothing else. Nothing can be read back.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::candidate::{Candidate, EVENT_BYTES, Event, Outcome};

const FILLED_BYTES: usize = 64 << 20;

/// Where the floor writes.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    /// At the end of a file that grows: the sync has to make its new length safe, too.
    End,
    /// Over zeros that were written and synced before, round and round.
    Zeros,
}

pub struct Floor {
    file: File,
    place: Place,
    at: u64,
}

impl Floor {
    pub fn open(folder: &Path, place: Place) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(folder.join("floor"))?;
        if place == Place::Zeros {
            file.write_all_at(&vec![0; FILLED_BYTES], 0)?;
        }
        file.sync_all()?;
        Ok(Self { file, place, at: 0 })
    }
}

impl Candidate for Floor {
    fn append(&mut self, _first: u64, group: &[Event], _keep_from: u64) -> Outcome<()> {
        let mut bytes = Vec::with_capacity(group.len() * EVENT_BYTES);
        group.iter().for_each(|event| bytes.extend_from_slice(&event.data));
        if self.place == Place::Zeros && self.at + bytes.len() as u64 > FILLED_BYTES as u64 {
            self.at = 0;
        }
        self.file.write_all_at(&bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(self.file.sync_data()?)
    }

    fn read(&self, _stream: u64, _seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<()> {
        Err("the floor keeps nothing".into())
    }

    fn next(&self) -> Outcome<u64> {
        Ok(1)
    }
}
