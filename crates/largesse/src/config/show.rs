//! The configuration in force as a TOML file.
//!
//! Invariant: what is shown, used as a file, gives the same configuration.

use super::{Effective, keys::KEYS};

/// All keys with their values and where each came from.
pub(crate) fn shown(effective: &Effective) -> String {
    let mut text = String::new();
    let mut section = "";
    for key in KEYS {
        if key.section() != section {
            section = key.section();
            text.push_str(&format!("\n[{section}]\n"));
        }
        let value = effective.raw(key.path);
        let origin = effective.origin(key.path);
        text.push_str(&format!("# {}\n{} = {value} # {origin}\n", key.means, key.name()));
    }
    text
}
