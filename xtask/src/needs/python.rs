//! Python packages that are locked, each list in an environment of its own in cargo's target folder.
//!
//! Invariant: the environment contains a copy of the list that it was made from, written last. If the copy differs, the
//! environment is made again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::shell::{self, Failure};

/// A list of packages, and the folder that they are in.
pub(super) struct Environment {
    locked: &'static str,
    folder: &'static str,
}

/// Readers that the trials start.
pub(super) const TRIALS: Environment =
    Environment { locked: "trials/readers/requirements.txt", folder: "trials-python" };

/// Tools that are downloaded because they take long to build.
pub(super) const TOOLS: Environment =
    Environment { locked: "xtask/requirements.txt", folder: "tools-python" };

const COPY: &str = "requirements.txt";

/// Whether Python is there with what makes an environment: on Debian that is a separate package.
pub(super) fn is_missing() -> bool {
    let mut probe = shell::program("python3", &["-c", "import ensurepip, venv"]);
    !probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Environment {
    /// Makes the environment, unless it is there.
    ///
    /// # Errors
    /// It cannot be made, or a package cannot be installed.
    pub(super) fn make(&self) -> Result<(), Failure> {
        let folder = self.folder()?;
        let locked = shell::root().join(self.locked);
        if is_made_of(&folder, &locked) {
            return Ok(());
        }
        let words = ["-m", "venv", "--clear"];
        shell::pass(shell::program("python3", &words).arg(&folder))?;
        let python = folder.join("bin/python").display().to_string();
        let words = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--require-hashes", "-r"];
        shell::pass(shell::program(&python, &words).arg(&locked))?;
        let copied = std::fs::copy(&locked, folder.join(COPY));
        copied.map(|_| ()).map_err(|error| Failure(format!("{} cannot be copied: {error}.", self.locked)))
    }

    /// A program of the environment, if it is there.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        self.folder().ok().map(|folder| folder.join("bin").join(name)).filter(|place| place.is_file())
    }

    /// Beside our own profile's folder, so that whatever names cargo's target folder names it for the trials as well.
    fn folder(&self) -> Result<PathBuf, Failure> {
        Ok(shell::target()?.join(self.folder))
    }
}

fn is_made_of(folder: &Path, locked: &Path) -> bool {
    let copy = std::fs::read(folder.join(COPY));
    copy.is_ok_and(|copy| std::fs::read(locked).is_ok_and(|locked| locked == copy))
}
