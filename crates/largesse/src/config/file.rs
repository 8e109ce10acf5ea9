//! The configuration file: TOML, with the line of every value and every mistake.
//!
//! Invariant: what is not a key is a mistake that names the nearest one, where one is near. Does not check values.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Given, alias, error::ConfigError, keys::KEYS, nearest::nearest, origin::Origin, raw::Raw, values,
};

/// The values in the file at `path`.
pub(crate) fn read(path: &Path, mistakes: &mut Vec<ConfigError>) -> Vec<Given> {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&shown, &text, mistakes),
        Err(error) => {
            let why = values::path(&path.to_string_lossy())
                .err()
                .map_or_else(String::new, |why| format!("; {why}"));
            mistakes.push(ConfigError::at(
                &shown,
                &format!("the configuration file cannot be read: {error}{why}"),
            ));
            Vec::new()
        }
    }
}

/// The values in `text`.
pub(crate) fn parse(path: &str, text: &str, mistakes: &mut Vec<ConfigError>) -> Vec<Given> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut walk = Walk { path, text, given: Vec::new(), mistakes };
    for error in &errors {
        let problem = format!("not TOML: {}", error.message().replace('\n', ", "));
        walk.mistake(&error.span().unwrap_or_default(), &problem);
    }
    // What was recovered around a syntax error may not be what was meant.
    if errors.is_empty() {
        walk.table("", table.get_ref());
    }
    walk.given
}

struct Walk<'a> {
    path: &'a str,
    text: &'a str,
    given: Vec<Given>,
    mistakes: &'a mut Vec<ConfigError>,
}

impl Walk<'_> {
    fn table(&mut self, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let dot = if section.is_empty() { "" } else { "." };
            let at = format!("{section}{dot}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if is_section(&at) => self.table(&at, inner),
                value => self.value(&at, &name.span(), value),
            }
        }
    }

    fn value(&mut self, at: &str, span: &Range<usize>, value: &DeValue<'_>) {
        if let Some(key) = KEYS.iter().find(|key| key.path == at) {
            let origin = self.origin(span);
            self.given.push(Given { key, raw: raw(value), origin });
        } else if is_section(at) {
            self.mistake(span, &format!("{at} is a section: write [{at}] and its keys below it"));
        } else {
            self.mistake(span, &unknown(at, value));
        }
    }

    fn mistake(&mut self, span: &Range<usize>, problem: &str) {
        let origin = self.origin(span);
        self.mistakes.push(ConfigError::at(&origin, problem));
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::File { path: self.path.to_owned(), line }
    }
}

fn unknown(at: &str, value: &DeValue<'_>) -> String {
    if let Some(flag) = alias::flag_of(at) {
        return format!("{at} is not a key; there is only the flag {flag}");
    }
    let (what, nearest) = match value {
        // Of a section that there is not, one key may be known by another name.
        DeValue::Table(inner) => {
            let of_a_key =
                || inner.keys().find_map(|name| alias::key_of(&format!("{at}.{}", name.get_ref())));
            ("section", nearest(at, KEYS.iter().map(|key| key.section())).or_else(of_a_key))
        }
        _ => ("key", alias::key_of(at).or_else(|| nearest(at, KEYS.iter().map(|key| key.path)))),
    };
    let hint = nearest.map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"));
    format!("{at} is not a {what}{hint}")
}

fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| key.section() == path) && !path.is_empty()
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| other("a number out of range", &integer.to_string()), Raw::Integer),
        DeValue::Float(float) => other("a fraction", float.as_str()),
        DeValue::Boolean(boolean) => other("a truth value", &boolean.to_string()),
        DeValue::Datetime(time) => other("a time", &time.to_string()),
        DeValue::Table(_) => other("a section", "{…}"),
        DeValue::Array(items) => texts(items.iter().map(Spanned::get_ref)),
    }
}

/// A list of texts; with anything else in it, something no key takes.
fn texts<'a, 'i: 'a>(items: impl Iterator<Item = &'a DeValue<'i>>) -> Raw {
    let text = |item: &DeValue<'_>| match item {
        DeValue::String(text) => Some(text.clone().into_owned()),
        _ => None,
    };
    let texts: Option<Vec<String>> = items.map(text).collect();
    texts.map_or_else(|| other("a list of other things than texts", "[…]"), Raw::List)
}

fn other(what: &'static str, written: &str) -> Raw {
    Raw::Other { what, written: written.to_owned() }
}
