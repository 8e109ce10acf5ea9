//! The configuration in force as a TOML file.
//!
//! Invariant: used as a configuration file, it results in the same configuration.

use super::{
    Effective,
    sections::keys,
    tree::{Node, key_text},
};

/// All keys with their values and where each came from; then the lists of sections.
pub(crate) fn shown(effective: &Effective) -> String {
    let mut text = String::new();
    let mut section = "";
    for key in keys() {
        if key.section() != section {
            section = key.section();
            text.push_str(&format!("\n[{section}]\n"));
        }
        let value = effective.value(key.path);
        text.push_str(&format!("# {}\n{} = {value} # {}\n", key.help(), key.name(), value.origin));
    }
    for (name, node) in effective.tree.entries().into_iter().flatten() {
        for element in node.items().iter().filter_map(Node::entries) {
            text.push_str(&format!("\n[[{}]]\n", key_text(name)));
            for (key, value) in element {
                text.push_str(&format!("{} = {value} # {}\n", key_text(key), value.origin));
            }
        }
    }
    text
}
