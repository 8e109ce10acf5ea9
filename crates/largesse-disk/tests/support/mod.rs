//! A temporary folder for one test.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct TempFolder(PathBuf);

impl TempFolder {
    pub(crate) fn new() -> Self {
        let number = getrandom::u64().expect("the system has random numbers");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("folder-{number:016x}"));
        fs::create_dir(&path).expect("the number is not used yet");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
