//! Running other programs: in the repository's root, their output passed through, their failure as a sentence.
//!
//! It does not interpret output, and uses no shell: a command is a program and its arguments.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why one of our commands stops: sentences for a person at a terminal.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// The repository's root: the folder above this crate.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// Cargo's target folder, whatever names it: above our own profile's.
///
/// # Errors
/// The system does not say where this program is.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let ours = std::env::current_exe().map_err(|error| Failure(format!("Where xtask is: {error}.")))?;
    Ok(ours.parent().and_then(Path::parent).unwrap_or(root()).to_owned())
}

/// Cargo, to be started in the repository's root.
pub(crate) fn cargo(words: &[&str]) -> Command {
    program("cargo", words)
}

/// A program, to be started in the repository's root.
pub(crate) fn program(name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs it to the end, with the output on our terminal.
///
/// # Errors
/// The program does not start, or ends with anything but success.
pub(crate) fn pass(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| does_not_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure(format!("`{}` failed: {status}.", shown(command)))) }
}

/// Runs it to the end and returns stdout.
///
/// # Errors
/// Like [`pass`]; the failure contains stderr.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.output().map_err(|error| does_not_start(command, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure(format!("`{}` failed: {}.\n{}", shown(command), output.status, said.trim_end())))
}

/// Where the shell would find a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|place| place.is_file())
}

fn does_not_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure(format!("`{}` does not start: {error}.", shown(command)))
}

/// A program and its arguments, as they would be typed.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_named_with_its_words_and_its_stderr() {
        let failure = output(&mut cargo(&["no-such-command"])).expect_err("cargo has no such command").0;
        assert!(failure.starts_with("`cargo no-such-command` failed"), "{failure}");
        assert!(failure.contains("no such command"), "{failure}");
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        let failure = pass(&mut program("no-such-program", &[])).expect_err("there is none").0;
        assert!(failure.contains("`no-such-program` does not start"), "{failure}");
        assert_eq!(find("no-such-program"), None);
        assert!(find("cargo").is_some());
    }
}
