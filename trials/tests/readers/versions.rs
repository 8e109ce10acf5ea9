//! Which version of a reader is tried: read from the lock files, so that it is written down in one place.

use std::path::Path;

use largesse_trials::fail;

use crate::program::readers;

/// Where a reader's version is found.
pub(crate) enum Version {
    /// `readers/package-lock.json`.
    Npm(&'static str),
    /// `readers/requirements.txt`.
    Pip(&'static str),
    /// The workspace's `Cargo.lock`.
    Crate(&'static str),
    /// The machine's own: any version, as the trial needs nothing new.
    Any,
}

impl Version {
    /// The version as text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Npm(package) => npm(package),
            Self::Pip(package) => {
                after(&text(&readers().join("requirements.txt")), &format!("\n{package}=="), " ")
            }
            Self::Crate(package) => {
                let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
                after(&text(&lock), &format!("\nname = \"{package}\"\nversion = \""), "\"")
            }
            Self::Any => "any".to_owned(),
        }
    }
}

fn npm(package: &str) -> String {
    let lock = text(&readers().join("package-lock.json"));
    let lock: serde_json::Value = serde_json::from_str(&lock).expect("npm writes JSON");
    let version = &lock["packages"][format!("node_modules/{package}")]["version"];
    version.as_str().unwrap_or_else(|| fail(&format!("{package} is not in package-lock.json"))).to_owned()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())))
}

/// The text between `begin` and the next `end`.
fn after(text: &str, begin: &str, end: &str) -> String {
    let (_, rest) =
        text.split_once(begin).unwrap_or_else(|| fail(&format!("{begin:?} is not in the lock file")));
    rest.split_once(end).unwrap_or((rest, "")).0.to_owned()
}
