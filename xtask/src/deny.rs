//! `cargo xtask deny`: licences, duplicate versions and sources of all dependencies, held to `deny.toml`.
//!
//! Invariant: before the repository is judged, `deny.toml` is: a sample that should pass passes, and those that should
//! not are refused. So a configuration that refuses nothing is found.
//!
//! Does not ask for advisories: their database is not in a package registry.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs;
use crate::shell::{self, Failure};

/// What is checked of the repository.
const CHECKS: &[&str] = &["licenses", "bans", "sources"];

/// One of them.
#[derive(Clone, Copy)]
enum Check {
    Bans,
    Licenses,
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Self::Bans => "bans",
            Self::Licenses => "licenses",
        }
    }

    /// How cargo-deny ends when this check fails alone. Source: its book, "check", "Exit codes".
    fn code(self) -> i32 {
        match self {
            Self::Bans => 2,
            Self::Licenses => 4,
        }
    }
}

/// A package that depends on others, each with a version and a licence.
struct Sample {
    name: &'static str,
    dependencies: &'static [(&'static str, &'static str)],
    check: Check,
    wanted: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Refused,
}

const SAMPLES: &[Sample] = &[
    Sample {
        name: "allowed-licence",
        dependencies: &[("1.0.0", "MIT OR Apache-2.0")],
        check: Check::Licenses,
        wanted: Verdict::Passed,
    },
    Sample {
        name: "other-licence",
        dependencies: &[("1.0.0", "GPL-3.0-only")],
        check: Check::Licenses,
        wanted: Verdict::Refused,
    },
    // Allowed for one package, and so for no other.
    Sample {
        name: "licence-of-an-exception",
        dependencies: &[("1.0.0", "MPL-2.0")],
        check: Check::Licenses,
        wanted: Verdict::Refused,
    },
    Sample {
        name: "one-version",
        dependencies: &[("1.0.0", "MIT")],
        check: Check::Bans,
        wanted: Verdict::Passed,
    },
    Sample {
        name: "two-versions",
        dependencies: &[("1.0.0", "MIT"), ("2.0.0", "MIT")],
        check: Check::Bans,
        wanted: Verdict::Refused,
    },
];

/// Judges `deny.toml` by the samples, then the repository by `deny.toml`.
///
/// # Errors
/// cargo-deny is missing, a sample has another verdict than it should, or the repository breaks a rule.
pub(crate) fn run() -> Result<(), Failure> {
    let tool = needs::cargo_deny()?;
    let folder = shell::target()?.join("deny-samples");
    SAMPLES.iter().try_for_each(|sample| judge(&tool, &folder, sample))?;
    shell::pass(&mut cargo_deny(&tool, &shell::root().join("Cargo.toml"), CHECKS))
}

fn judge(tool: &Path, folder: &Path, sample: &Sample) -> Result<(), Failure> {
    let unwritten =
        |error: io::Error| Failure(format!("the sample {} can't be written: {error}.", sample.name));
    let manifest = write(&folder.join(sample.name), sample).map_err(unwritten)?;
    let mut command = cargo_deny(tool, &manifest, &[sample.check.name()]);
    let output = command.output();
    let output =
        output.map_err(|error| Failure(format!("`{}` does not start: {error}.", shell::shown(&command))))?;
    let verdict = match output.status.code() {
        Some(0) => Some(Verdict::Passed),
        code if code == Some(sample.check.code()) => Some(Verdict::Refused),
        // Any other failure is not a refusal.
        _ => None,
    };
    if verdict == Some(sample.wanted) {
        return Ok(());
    }
    let (Sample { name, wanted, .. }, said) = (sample, String::from_utf8_lossy(&output.stderr));
    Err(Failure(format!("deny.toml: the sample {name} should be {wanted:?}, and is {verdict:?}.\n{said}")))
}

fn cargo_deny(tool: &Path, manifest: &Path, checks: &[&str]) -> Command {
    let mut command = shell::program(&tool.display().to_string(), &["--config"]);
    command.arg(shell::root().join("deny.toml")).arg("--manifest-path").arg(manifest);
    command.args(["check", "--hide-inclusion-graph"]).args(checks);
    command
}

/// Writes a sample, and gives the manifest of the package that has the dependencies.
fn write(folder: &Path, sample: &Sample) -> io::Result<PathBuf> {
    let mut wanted = String::new();
    for (place, (version, license)) in sample.dependencies.iter().enumerate() {
        package(&folder.join(version), "dependency", version, license, "")?;
        wanted += &format!(
            "d{place} = {{ package = \"dependency\", version = \"{version}\", path = \"../{version}\" }}\n"
        );
    }
    package(&folder.join("root"), "root", "1.0.0", "MIT", &wanted)
}

fn package(
    folder: &Path,
    name: &str,
    version: &str,
    license: &str,
    dependencies: &str,
) -> io::Result<PathBuf> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let manifest = folder.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nlicense = \"{license}\"\nedition = \"2024\"\n\
         [workspace]\n[dependencies]\n{dependencies}"
    );
    fs::write(&manifest, text)?;
    Ok(manifest)
}
