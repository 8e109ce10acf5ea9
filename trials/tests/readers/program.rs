//! How each reader is run: the command that reads a URL.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A reader program.
pub(crate) enum Program {
    /// A script in `readers/` and its arguments, run by Node.
    Node(&'static [&'static str]),
    /// A page in `readers/pages/`, in Chromium.
    Page(&'static str),
    /// A script in `readers/`, run by the Python that has their packages.
    Python(&'static str),
    /// An example in this crate.
    Rust(&'static str),
    /// The program `curl`, which is not a reader program: it prints what comes.
    Curl,
}

impl Program {
    /// The command that reads `url`, and listens for events of these names where names must be known.
    pub(crate) fn command(&self, url: &str, names: &[&str]) -> Command {
        let mut command = match self {
            Self::Node(words) => with_words("node", words),
            Self::Page(page) => with_words("node", &["page.js", page]),
            Self::Python(script) => with_words(python(), &[script]),
            Self::Rust(example) => Command::new(example_program(example)),
            Self::Curl => {
                with_words("curl", &["--silent", "--show-error", "--no-buffer", "--max-time", "60"])
            }
        };
        command.arg(url).current_dir(readers());
        if !matches!(self, Self::Curl) {
            command.args(names);
        }
        command
    }
}

/// The folder of the reader programs.
pub(crate) fn readers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("readers")
}

fn with_words(program: impl AsRef<std::ffi::OsStr>, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words);
    command
}

/// Where `cargo xtask needs` puts the packages of `requirements.txt`.
fn python() -> PathBuf {
    target().join("trials-python/bin/python")
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder is in its target folder")
}

/// Cargo builds the examples with the tests, into a folder beside theirs.
fn example_program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let profile = test.parent().and_then(Path::parent).expect("cargo puts tests into target/<profile>/deps");
    profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
