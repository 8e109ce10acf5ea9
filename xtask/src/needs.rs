//! What the tests need besides Rust's toolchain, and how to install it: Debian packages, and the packages
//! locked for the trials.
//!
//! It never asks for privileges: without root it says what to install by hand. It installs nothing that is there
//! already, and nothing that no test uses. What it installs runs no script of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::SystemTime;

use crate::shell::{self, Failure};

mod python;

/// A program the tests start, and the Debian package that provides it.
struct Need {
    program: &'static str,
    /// Another program that will do.
    or: Option<&'static str>,
    package: &'static str,
}

impl Need {
    const fn new(program: &'static str, package: &'static str) -> Self {
        Self { program, or: None, package }
    }

    fn is_missing(&self) -> bool {
        shell::find(self.program).or_else(|| shell::find(self.or?)).is_none()
    }
}

const NEEDS: &[Need] = &[
    // The rules look at the files that git lists.
    Need::new("git", "git"),
    // The README's examples are run as written.
    Need::new("curl", "curl"),
    // When root runs the tests, one of them drops root's privileges with it.
    Need::new("setpriv", "util-linux"),
    // A test closes a server's terminal with it.
    Need::new("setsid", "util-linux"),
    // A test changes the clock of a server with it.
    Need::new("faketime", "faketime"),
    // Tests set a server's limits with it.
    Need::new("prlimit", "util-linux"),
    // A test mounts something over a server's folder, where only that server sees it.
    Need::new("unshare", "util-linux"),
    Need::new("nsenter", "util-linux"),
    Need::new("mount", "mount"),
    // A trial checks the order of system calls with it.
    Need::new("strace", "strace"),
    // The trials open pages in them.
    Need::new("chromium", "chromium"),
    Need { program: "firefox-esr", or: Some("firefox"), package: "firefox-esr" },
    // The trials drive browsers with it.
    Need::new("node", "nodejs"),
    Need::new("npm", "npm"),
];

/// Some of the readers that are tried. It can be there without the part that installs packages.
const PYTHON: Need = Need::new("python3", "python3-venv");

/// Folders whose packages npm installs according to their lock files.
const NODE_FOLDERS: &[&str] = &["trials/browsers", "trials/readers"];

/// What fuzzing needs besides: a C++ compiler, for libFuzzer.
const FUZZ_NEEDS: &[Need] = &[Need::new("c++", "g++")];

/// Parts of Rust's toolchain that its minimal profile leaves out: the cargo command, the component.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// What checks licences and versions of dependencies. Its build takes minutes, so it is downloaded where there is none.
const CARGO_DENY: &str = "cargo-deny";

/// How this machine gets a package.
#[derive(Clone, Copy)]
enum Means {
    /// Debian, and we are root.
    Ours,
    /// Debian, but only root may install.
    Roots,
    /// Not Debian.
    Unknown,
}

/// Installs what is missing.
///
/// # Errors
/// Something is missing and cannot be installed from here. The failure says what to install by hand.
pub(crate) fn run() -> Result<(), Failure> {
    components()?;
    programs()?;
    NODE_FOLDERS.iter().try_for_each(|folder| node_packages(folder))?;
    python::TRIALS.make()?;
    if shell::find(CARGO_DENY).is_none() {
        python::TOOLS.make()?;
    }
    println!("nothing is missing");
    Ok(())
}

/// Where cargo-deny is: on the path, or where [`run`] installed it.
///
/// # Errors
/// It is not there.
pub(crate) fn cargo_deny() -> Result<PathBuf, Failure> {
    shell::find(CARGO_DENY).or_else(|| python::TOOLS.program(CARGO_DENY)).ok_or_else(|| {
        Failure(format!(
            "{CARGO_DENY} is missing. Run: cargo xtask needs (or cargo install --locked {CARGO_DENY})"
        ))
    })
}

/// Installs the C++ compiler that fuzzing needs.
///
/// # Errors
/// Like [`run`].
pub(crate) fn cpp() -> Result<(), Failure> {
    let missing: Vec<&Need> = FUZZ_NEEDS.iter().filter(|need| need.is_missing()).collect();
    install(&missing)
}

fn programs() -> Result<(), Failure> {
    let mut missing: Vec<&Need> = NEEDS.iter().filter(|need| need.is_missing()).collect();
    missing.extend(python::is_missing().then_some(&PYTHON));
    install(&missing)
}

fn install(missing: &[&Need]) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    refusal(missing, means()).map_or(Ok(()), Err)?;
    apt_get(&["update", "--quiet"])?;
    let mut words = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    words.extend(missing.iter().map(|need| need.package));
    apt_get(&words)
}

/// Installs a folder's packages, if its lock file is newer than they are.
fn node_packages(folder: &str) -> Result<(), Failure> {
    let changed = |name: &str| -> Option<SystemTime> {
        shell::root().join(folder).join(name).metadata().ok()?.modified().ok()
    };
    // npm writes this file last.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder];
    shell::pass(&mut shell::program("npm", &words))
}

/// Why nothing can be installed from here, if so.
fn refusal(missing: &[&Need], means: Means) -> Option<Failure> {
    let programs = missing.iter().map(|need| need.program).collect::<Vec<_>>().join(", ");
    let packages = missing.iter().map(|need| need.package).collect::<Vec<_>>().join(" ");
    let by_hand = match means {
        Means::Ours => return None,
        Means::Roots => {
            format!(
                "Only root may install them. Run:\n  sudo apt-get update && sudo apt-get install {packages}"
            )
        }
        Means::Unknown => format!("There is no apt-get here. Install by the system's own means: {packages}"),
    };
    Some(Failure(format!("Programs that are needed are missing: {programs}.\n{by_hand}")))
}

fn means() -> Means {
    if shell::find("apt-get").is_none() {
        return Means::Unknown;
    }
    match shell::output(&mut shell::program("id", &["-u"])) {
        Ok(id) if id.trim_ascii() == b"0" => Means::Ours,
        _ => Means::Roots,
    }
}

fn apt_get(words: &[&str]) -> Result<(), Failure> {
    shell::pass(shell::program("apt-get", words).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn components() -> Result<(), Failure> {
    for (command, component) in COMPONENTS {
        let mut probe = shell::cargo(&[command, "--version"]);
        let is_there = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
        if !is_there {
            shell::pass(&mut shell::program("rustup", &["component", "add", component]))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURL: Need = Need::new("curl", "curl");
    const SQL: Need = Need::new("psql", "postgresql-client");

    #[test]
    fn root_on_debian_is_not_refused() {
        assert!(refusal(&[&CURL], Means::Ours).is_none());
    }

    #[test]
    fn one_of_two_programs_is_enough() {
        let need = |or| Need { program: "no-such-program", or, package: "none" };
        assert!(need(None).is_missing());
        assert!(need(Some("no-such-program-either")).is_missing());
        assert!(!need(Some("cargo")).is_missing());
    }

    #[test]
    fn anyone_else_is_told_the_packages_to_install_by_hand() {
        for means in [Means::Roots, Means::Unknown] {
            let said = refusal(&[&CURL, &SQL], means).expect("a refusal").0;
            assert!(said.contains("missing: curl, psql."), "{said}");
            assert!(said.contains("curl postgresql-client"), "{said}");
        }
    }
}
