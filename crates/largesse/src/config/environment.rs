//! The environment: every key is a variable, and every `LARGESSE_…` variable is a key, but for those that are
//! for our other commands or come from Kubernetes.
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

/// Where `publish` and `tail` find the server. No key: a server is not told where it is to be found.
pub(crate) const SERVER_URL: &str = "LARGESSE_URL";

/// The keys that `variables` give values to. Other `LARGESSE_…` variables are mistakes, unless they are passed
/// over.
pub(crate) fn read(
    variables: impl Iterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Given> {
    let mut given = Vec::new();
    for (name, value) in variables {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with(PREFIX) && !is_passed_over(&name) {
            match one(&name, value) {
                Ok(one) => given.push(one),
                Err(problem) => mistakes.push(Mistake::at(&"environment", &problem)),
            }
        }
    }
    given
}

/// Whether a variable that begins like ours is not for the server.
///
/// Kubernetes gives every container variables for each Service near it. For one that is named `largesse` they
/// are `LARGESSE_SERVICE_HOST`, `LARGESSE_PORT_8084_TCP` and the like, and a server that took them for typing
/// errors of its keys would not start beside its own Service. Source: Kubernetes, "Service", "Environment
/// variables".
fn is_passed_over(name: &str) -> bool {
    let is_of_a_service = ["LARGESSE_SERVICE_PORT", "LARGESSE_PORT"]
        .iter()
        .any(|stem| name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')));
    is_of_a_service || name == "LARGESSE_SERVICE_HOST" || name == SERVER_URL
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
    // What all have in common says nothing about which was meant.
    let rests = names.iter().filter_map(|name| name.strip_prefix(PREFIX));
    let nearest = nearest(name.strip_prefix(PREFIX).unwrap_or(name), rests);
    let hint = nearest.map_or_else(String::new, |nearest| format!("; the nearest is {PREFIX}{nearest}"));
    format!("{name} is not a key{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_a_service_and_of_other_commands_are_passed_over() {
        let rows = [
            ("LARGESSE_SERVICE_HOST", true),
            ("LARGESSE_SERVICE_PORT", true),
            ("LARGESSE_SERVICE_PORT_HTTP", true),
            ("LARGESSE_PORT", true),
            ("LARGESSE_PORT_8084_TCP", true),
            ("LARGESSE_PORT_8084_TCP_PROTO", true),
            ("LARGESSE_PORT_8084_TCP_PORT", true),
            ("LARGESSE_PORT_8084_TCP_ADDR", true),
            ("LARGESSE_URL", true),
            ("LARGESSE_URLS", false),
            ("LARGESSE_PORTS", false),
            ("LARGESSE_SERVICE", false),
            ("LARGESSE_SERVICE_HOSTS", false),
            ("LARGESSE_SERVICE_PORTS", false),
            ("LARGESSE_NO", false),
        ];
        for (name, want) in rows {
            let mut mistakes = Vec::new();
            let given = read([(name.into(), "tcp://10.0.0.1:8084".into())].into_iter(), &mut mistakes);
            assert!(given.is_empty(), "{name}");
            assert_eq!(mistakes.is_empty(), want, "{name}: {mistakes:?}");
        }
    }

    #[test]
    fn no_key_is_passed_over() {
        for key in KEYS {
            assert!(!is_passed_over(&key.env()), "{}", key.path);
        }
    }
}
