//! What the tests need beside Rust's toolchain, and its installation on Debian.
//!
//! It never asks for rights: without root it says what to install by hand. It installs nothing that is there
//! already, and nothing that no test uses.

use std::process::Stdio;

use crate::shell::{self, Failure};

/// A program the tests start, and the Debian package that brings it.
struct Need {
    program: &'static str,
    package: &'static str,
}

const NEEDS: &[Need] = &[
    // The rules look at the files git lists.
    Need { program: "git", package: "git" },
    // The README's examples are run as they stand.
    Need { program: "curl", package: "curl" },
];

/// What fuzzing needs beside: a C++ compiler, for libFuzzer.
const FUZZ_NEEDS: &[Need] = &[Need { program: "c++", package: "g++" }];

/// Parts of Rust's toolchain that its minimal profile leaves out: the cargo command, the component.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// How this machine gets a package.
#[derive(Clone, Copy)]
enum Means {
    /// Debian, and we are root.
    Ours,
    /// Debian, and only root may.
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
    install(NEEDS)
}

/// Installs the C++ compiler that fuzzing needs.
///
/// # Errors
/// As [`run`].
pub(crate) fn cpp() -> Result<(), Failure> {
    install(FUZZ_NEEDS)
}

fn install(needs: &[Need]) -> Result<(), Failure> {
    let missing: Vec<&Need> = needs.iter().filter(|need| shell::find(need.program).is_none()).collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    refusal(&missing, means()).map_or(Ok(()), Err)?;
    apt_get(&["update", "--quiet"])?;
    let mut words = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    words.extend(missing.iter().map(|need| need.package));
    apt_get(&words)
}

/// Why nothing can be installed from here, if nothing can.
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

    const CURL: Need = Need { program: "curl", package: "curl" };
    const SQL: Need = Need { program: "psql", package: "postgresql-client" };

    #[test]
    fn root_on_debian_is_not_refused() {
        assert!(refusal(&[&CURL], Means::Ours).is_none());
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
