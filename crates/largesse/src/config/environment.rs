//! The environment: every key is a variable, and every `LARGESSE_…` variable is a key.
//!
//! Lists are separated by commas. Does not read the process's environment itself: it is handed in.

use std::ffi::OsString;

use super::{
    Given,
    keys::{KEYS, Key},
    mistake::Mistake,
    nearest::nearest,
    origin::Origin,
    raw::Raw,
};

/// What all our variables begin with.
const PREFIX: &str = "LARGESSE_";

/// The keys that `variables` give values to. Unknown `LARGESSE_…` variables are mistakes.
pub(crate) fn read(
    variables: impl Iterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Given> {
    let mut given = Vec::new();
    for (name, value) in variables {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with(PREFIX) {
            match one(&name, value) {
                Ok(one) => given.push(one),
                Err(problem) => mistakes.push(Mistake::at(&"environment", &problem)),
            }
        }
    }
    given
}

fn one(name: &str, value: OsString) -> Result<Given, String> {
    let Some(key) = KEYS.iter().find(|key| key.env() == name) else { return Err(unknown(name)) };
    let value = value.into_string().map_err(|_| format!("{name} is not UTF-8 text"))?;
    Ok(Given { key, raw: raw(key, value), origin: Origin::Environment { name: name.to_owned() } })
}

fn raw(key: &Key, value: String) -> Raw {
    if key.slot.takes_a_list() {
        let texts = value.split(',').map(str::trim).filter(|text| !text.is_empty());
        Raw::List(texts.map(str::to_owned).collect())
    } else {
        Raw::Text(value)
    }
}

fn unknown(name: &str) -> String {
    let names: Vec<String> = KEYS.iter().map(Key::env).collect();
    let nearest = nearest(name, names.iter().map(String::as_str)).unwrap_or_default();
    format!("{name} is not a key; the nearest is {nearest}")
}
