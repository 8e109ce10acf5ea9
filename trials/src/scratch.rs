//! A new empty folder, in cargo's folder for temporary files.
//!
//! Invariant: it is removed with its owner, unless a test just failed: then it may help to say why.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder that is removed with its owner.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder whose name begins with `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}-{}-{number}", std::process::id());
        let path = target_folder().join("tmp").join(name);
        std::fs::create_dir_all(&path).expect("cargo's target folder can be written to");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // What is left is in cargo's own folder for temporary files.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// The folder of the cargo profile that this test was built in: `target/debug`.
pub(crate) fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let folder = test.parent().and_then(Path::parent);
    folder.expect("cargo puts tests into target/<profile>/deps").to_owned()
}

fn target_folder() -> PathBuf {
    profile_folder().parent().expect("cargo's profiles are folders in target").to_owned()
}
