//! What is wrong with a configuration, in words for whoever wrote it.
//!
//! Invariant: a mistake is one line with the place, the key, the value, and what would be right.

use std::fmt;

use super::{
    key::Key,
    origin::Origin,
    sections::key_at,
    tree::{Node, Value},
};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    line: String,
}

impl ConfigError {
    /// A value that its key does not accept.
    pub(crate) fn at_value(path: &str, node: &Node, problem: &str) -> Self {
        let takes_a_list = key_at(path).is_some_and(Key::takes_a_list);
        let many = if takes_a_list { several(&node.origin) } else { "" };
        let line = match &node.origin {
            origin @ (Origin::Default | Origin::File { .. }) => {
                format!("{origin}: {path} = {}: {problem}{many}", in_brief(node))
            }
            Origin::Environment { name } => {
                format!("environment: {name} = {} ({path}): {problem}{many}", outside_a_file(node, ","))
            }
            Origin::Flag { name } => {
                let given = outside_a_file(node, &format!("\" --{name} \""));
                format!("command line: --{name} {given} ({path}): {problem}{many}")
            }
        };
        Self { line }
    }

    /// Two values that are right by themselves, but contradict each other.
    pub(crate) fn between(low: &str, high: &str) -> Self {
        Self { line: format!("{low} is more than {high}: make the first smaller or the second larger") }
    }

    /// Any other mistake, with its place.
    pub(crate) fn at(place: &impl fmt::Display, problem: &str) -> Self {
        Self { line: format!("{place}: {problem}") }
    }
}

/// A value as a file has it. Values that may be long and have the wrong type anyway are left out.
fn in_brief(node: &Node) -> String {
    match &node.value {
        Value::Table(_) => "{…}".to_owned(),
        Value::List(items) if items.iter().any(|item| item.text().is_none()) => "[…]".to_owned(),
        _ => node.to_string(),
    }
}

/// A value as a variable or flag has it: without brackets.
fn outside_a_file(node: &Node, between: &str) -> String {
    match &node.value {
        Value::List(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Node::text).collect();
            format!("\"{}\"", texts.join(between))
        }
        _ => node.to_string(),
    }
}

/// How to write several values in that place.
fn several(origin: &Origin) -> &'static str {
    match origin {
        Origin::Default | Origin::File { .. } => "; write several in [ ], with commas between",
        Origin::Environment { .. } => "; write several with commas between",
        Origin::Flag { .. } => "; for several, give the flag several times",
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
