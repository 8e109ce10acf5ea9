//! The message for a name that is not a key, with the key that was probably meant.
//!
//! Invariant: a key is suggested only if its name is near, or has this name in other servers. Does not read values.

use serde_path_to_error::Segment;

use super::{
    alias,
    key::Key,
    nearest::nearest,
    sections::{key_at, keys},
    tree::{Node, Value, key_text},
};

/// A path for people: the names as TOML writes them. The line tells which of several sections it is.
pub(crate) fn shown(path: &[Segment]) -> String {
    names(path).map(key_text).collect::<Vec<_>>().join(".")
}

fn names(path: &[Segment]) -> impl Iterator<Item = &str> {
    path.iter()
        .filter_map(|segment| if let Segment::Map { key } = segment { Some(key.as_str()) } else { None })
}

/// The message for `name` in the table at `path`, where only the names `known` are right.
pub(crate) fn unknown(path: &[Segment], name: &str, node: &Node, known: &[&'static str]) -> String {
    let within = |name| names(path).chain([name]).collect::<Vec<_>>().join(".");
    let at = &within(name);
    let told = shown(&[path, &[Segment::Map { key: name.to_owned() }]].concat());
    if let Some(flag) = alias::flag_of(at) {
        return format!("{told} is not a key; there is only the flag {flag}");
    }
    let is_section = match &node.value {
        Value::Table(_) => true,
        Value::List(items) => !items.is_empty() && items.iter().all(|item| item.entries().is_some()),
        _ => false,
    };
    let nearest = if path.iter().any(|segment| matches!(segment, Segment::Seq { .. })) {
        // In one of several sections, only its own names can be meant.
        nearest(name, known.iter().copied()).map(within)
    } else if is_section {
        near_section(path, at, node, known).map(str::to_owned)
    } else {
        alias::key_of(at).or_else(|| nearest(at, keys().map(|key| key.path))).map(str::to_owned)
    };
    let what = if is_section { "section" } else { "key" };
    let hint = nearest.map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"));
    format!("{told} is not a {what}{hint}")
}

/// One key of an unknown section may be known by another name.
fn near_section(path: &[Segment], at: &str, node: &Node, known: &[&'static str]) -> Option<&'static str> {
    let lists = known.iter().copied().filter(|name| path.is_empty() && key_at(name).is_none());
    let mut inner = node.entries().into_iter().flatten();
    let of_a_key = || inner.find_map(|(name, _)| alias::key_of(&format!("{at}.{name}")));
    nearest(at, keys().map(Key::section).chain(lists)).or_else(of_a_key)
}
