//! The environment: every key has a variable, and every `LARGESSE_…` variable is a key's, except those for our other
//! commands and those that Kubernetes sets.
//!
//! Invariant: a variable that was probably meant for us is reported, even in another case or with a typo in `LARGESSE`;
//! those that Kubernetes sets are recognised by their form. Lists are separated by commas. Does not read the process's
//! environment: the caller passes it.

use std::ffi::{OsStr, OsString};

use strsim::osa_distance as distance;

use super::{
    alias,
    error::ConfigError,
    key::Key,
    nearest::nearest,
    origin::Origin,
    sections::{key_at, keys},
    tree::{Node, Value},
};

/// What all our variables begin with.
const PREFIX: &str = "LARGESSE_";

/// Where `publish` and `tail` find the server. Not a key: the server itself ignores it.
pub(crate) const SERVER_URL: &str = "LARGESSE_URL";

/// How many typos `LARGESSE` may have in a variable that still counts as meant for us.
const PREFIX_TYPOS_MAX: usize = 2;

/// The values that `variables` give to keys. Other `LARGESSE_…` variables are mistakes, unless they are ignored.
pub(crate) fn read(
    variables: impl Iterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<ConfigError>,
) -> Node {
    let mut values = Node::root();
    for (name, value) in variables {
        let name = name.to_string_lossy().into_owned();
        if is_ours(&name) && !is_ignored(&name, &value) {
            match one(&name, value) {
                Ok((key, node)) => values.put(key.path, node),
                Err(problem) => mistakes.push(ConfigError::at(&"environment", &problem)),
            }
        }
    }
    values
}

/// A warning if no address is given, but `PORT`, which many hosting platforms set, has this value.
pub(crate) fn unused_port(value: &OsStr) -> Option<String> {
    let port: u16 = value.to_str()?.parse().ok()?;
    let right = format!("LARGESSE_LISTEN=127.0.0.1:{port}");
    Some(format!(
        "PORT={port} is in the environment, but this server ignores it; write {right} for that port"
    ))
}

/// Whether a variable is ours, or was meant to be: in another case, or with a typo in `LARGESSE`.
fn is_ours(name: &str) -> bool {
    let upper = name.to_uppercase().replace('-', "_");
    let Some((begin, rest)) = upper.split_once('_') else { return false };
    let typos = distance(begin, PREFIX.trim_end_matches('_'));
    let is_known = || exact(rest).is_some();
    name.starts_with(PREFIX)
        || (typos == 0 && right(rest).is_some())
        || ((1..=PREFIX_TYPOS_MAX).contains(&typos) && is_known())
}

/// Whether a variable has our prefix and is not for the server.
///
/// Kubernetes sets variables in every container for each Service of its namespace. For one named `largesse` they are
/// `LARGESSE_SERVICE_HOST`, `LARGESSE_PORT_8084_TCP` and the like; a server that took them for misspelt keys would not
/// start next to its own Service. Kubernetes makes `LARGESSE_PORT` a URL; if it is a number, somebody wants another
/// port. Source: Kubernetes, "Service", "Environment variables".
fn is_ignored(name: &str, value: &OsStr) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    match rest {
        "SERVICE_HOST" | "SERVICE_PORT" => true,
        "PORT" => value.to_string_lossy().contains("://"),
        _ if name == SERVER_URL => true,
        _ => rest.starts_with("SERVICE_PORT_") || rest.strip_prefix("PORT_").is_some_and(is_of_a_port),
    }
}

/// Whether it is `8084_TCP`, `8084_TCP_ADDR` and the like.
fn is_of_a_port(rest: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let [port, "TCP" | "UDP" | "SCTP", part @ ..] = words.as_slice() else { return false };
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_number && matches!(part, [] | ["PROTO" | "PORT" | "ADDR"])
}

fn one(name: &str, value: OsString) -> Result<(&'static Key, Node), String> {
    let Some(key) = keys().find(|key| key.env() == name) else { return Err(unknown(name)) };
    let value = value.into_string().map_err(|_| format!("{name} is not UTF-8 text"))?;
    let origin = Origin::Environment { name: name.to_owned() };
    if !key.takes_a_list() {
        return Ok((key, Node::new(Value::Text(value), origin)));
    }
    let texts = value.split(',').map(str::trim).filter(|text| !text.is_empty());
    Ok((key, Node::texts(texts.map(str::to_owned), &origin)))
}

fn unknown(name: &str) -> String {
    let upper = name.to_uppercase().replace('-', "_");
    let rest = upper.split_once('_').map_or("", |(_, rest)| rest);
    if let Some(flag) = alias::flag_of(rest) {
        return format!("{name} is not a key; there is only the flag {flag}");
    }
    let hint = right(rest).map_or_else(String::new, |right| format!("; the nearest is {right}"));
    format!("{name} is not a key{hint}")
}

/// The variable whose name after the prefix is `rest`, or is what other servers call its key.
fn exact(rest: &str) -> Option<String> {
    let key = keys().find(|key| key.env().strip_prefix(PREFIX) == Some(rest));
    let aliased = || alias::key_of(rest).and_then(key_at);
    key.or_else(aliased).map(Key::env)
}

/// The same, or else the nearest.
fn right(rest: &str) -> Option<String> {
    exact(rest).or_else(|| {
        // Without the prefix, which all have in common.
        let names: Vec<String> = keys().map(Key::env).collect();
        let nearest = nearest(rest, names.iter().filter_map(|name| name.strip_prefix(PREFIX)));
        nearest.map(|nearest| format!("{PREFIX}{nearest}"))
    })
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
            ("LARGESSE_PORT_NUMBER", false),
            ("LARGESSE_PORT_8084", false),
            ("LARGESSE_PORT_8084_TCP_MORE", false),
            ("LARGESSE_PORT_X_TCP", false),
            ("LARGESSE_PORT_9_UDP_ADDR", true),
            ("Largesse_Version", true),
            ("LARGE_FILES", true),
            ("LARGE_DATA", true),
            ("MESSAGE_LEVEL", true),
        ];
        for (name, want) in rows {
            let mut mistakes = Vec::new();
            let given = read([(name.into(), "tcp://10.0.0.1:8084".into())].into_iter(), &mut mistakes);
            assert!(given == Node::root(), "{name}");
            assert_eq!(mistakes.is_empty(), want, "{name}: {mistakes:?}");
        }
    }

    #[test]
    fn no_key_is_ignored() {
        for key in keys() {
            assert!(is_ours(&key.env()) && !is_ignored(&key.env(), OsStr::new("a://")), "{}", key.path);
        }
    }

    #[test]
    fn a_variable_that_was_meant_for_us_is_reported_with_the_right_one() {
        for (name, value, want) in [
            ("LARGESSE_PORT", "8084", "LARGESSE_LISTEN"),
            ("LARGESSE_PORT", "", "LARGESSE_LISTEN"),
            ("LARGESSE_HOST", "0.0.0.0", "LARGESSE_LISTEN"),
            ("LARGESSE_ADDR", ":80", "LARGESSE_LISTEN"),
            ("LARGESSE_ADDRESS", "a", "LARGESSE_LISTEN"),
            ("LARGESSE_BIND", "a", "LARGESSE_LISTEN"),
            ("LARGESSE_HTTP_PORT", "1", "LARGESSE_LISTEN"),
            ("LARGESSE_LISTEN_ADDR", "a", "LARGESSE_LISTEN"),
            ("LARGESSE_LISTENS", "a", "LARGESSE_LISTEN"),
            ("LARGESSE_LOG_LEVEL", "debug", "LARGESSE_TRACE_LEVEL"),
            ("LARGESSE_LOGLEVEL", "debug", "LARGESSE_TRACE_LEVEL"),
            ("LARGESSE_LEVEL", "debug", "LARGESSE_TRACE_LEVEL"),
            ("LARGESSE_LOG", "debug", "LARGESSE_TRACE_LEVEL"),
            ("LARGESSE_LOG_FORMAT", "json", "LARGESSE_TRACE_FORMAT"),
            ("LARGESSE_DATA_DIR", "/x", "LARGESSE_DATA"),
            ("LARGESSE_DATADIR", "/x", "LARGESSE_DATA"),
            ("LARGESSE_LOG_DIR", "/x", "LARGESSE_DATA"),
            ("LARGESSE_CORS_ORIGINS", "*", "LARGESSE_HTTP_ALLOWED_ORIGINS"),
            ("LARGESSE_ALLOWED_HOSTS", "a", "LARGESSE_HTTP_ALLOWED_HOSTS"),
            ("LARGESSE_HEARTBEAT", "15s", "LARGESSE_HTTP_HEARTBEAT"),
            ("LARGESSE__LISTEN", "a", "LARGESSE_LISTEN"),
            ("largesse_listen", "a", "LARGESSE_LISTEN"),
            ("Largesse_Data", "a", "LARGESSE_DATA"),
            ("LARGESSE-DATA", "a", "LARGESSE_DATA"),
            ("LARGESE_DATA", "a", "LARGESSE_DATA"),
            ("LARGESS_LISTEN", "a", "LARGESSE_LISTEN"),
            ("LAGRESSE_LISTEN", "a", "LARGESSE_LISTEN"),
            ("LARGESE_PORT", "1", "LARGESSE_LISTEN"),
        ] {
            let mut mistakes = Vec::new();
            let given = read([(name.into(), value.into())].into_iter(), &mut mistakes);
            let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            let told = told.concat();
            assert!(given == Node::root() && told.contains(name), "{name}: {told}");
            assert!(told.ends_with(&format!("the nearest is {want}")), "{name}: {told}");
        }
    }
}
