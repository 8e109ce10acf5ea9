//! The Python packages that are locked for the trials, in an environment of their own in cargo's target folder.
//!
//! Invariant: the environment contains a copy of the list that it was made from, written last. If the copy differs, the
//! environment is made again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::shell::{self, Failure};

const LOCKED: &str = "trials/readers/requirements.txt";
const COPY: &str = "requirements.txt";

/// Whether Python is there with what makes an environment: on Debian that is a separate package.
pub(super) fn is_missing() -> bool {
    let mut probe = shell::program("python3", &["-c", "import ensurepip, venv"]);
    !probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Makes the environment, unless it exists.
///
/// # Errors
/// It cannot be made, or a package cannot be installed.
pub(super) fn packages() -> Result<(), Failure> {
    let folder = environment()?;
    let locked = shell::root().join(LOCKED);
    if is_made_of(&folder, &locked) {
        return Ok(());
    }
    let words = ["-m", "venv", "--clear"];
    shell::pass(shell::program("python3", &words).arg(&folder))?;
    let python = folder.join("bin/python").display().to_string();
    let words =
        ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--require-hashes", "-r", LOCKED];
    shell::pass(&mut shell::program(&python, &words))?;
    let copied = std::fs::copy(&locked, folder.join(COPY));
    copied.map(|_| ()).map_err(|error| Failure(format!("{LOCKED} cannot be copied: {error}.")))
}

fn is_made_of(folder: &Path, locked: &Path) -> bool {
    let copy = std::fs::read(folder.join(COPY));
    copy.is_ok_and(|copy| std::fs::read(locked).is_ok_and(|locked| locked == copy))
}

/// Next to our own profile's folder, so that a changed target folder of cargo is also the trials'.
fn environment() -> Result<PathBuf, Failure> {
    let ours = std::env::current_exe().map_err(|error| Failure(format!("Where xtask is: {error}.")))?;
    let target = ours.parent().and_then(Path::parent).unwrap_or(shell::root());
    Ok(target.join("trials-python"))
}
