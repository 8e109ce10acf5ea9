//! The text forms of values: sizes, time spans, counts, addresses, words.
//!
//! Invariant: a wrong value is answered with what would be right. Does not know keys.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use largesse::{
    http::{Authority, Origin},
    log::{BytesText, DurationText, FromSetting, SettingTextError},
};

use super::raw::{Raw, dressing};

/// What the machine calls itself. Source: RFC 6761, clause 6.3.
const LOCALHOST: &str = "localhost:";

/// `None` for the word `none`, else what `some` reads.
pub(crate) fn or<T>(
    none: &str,
    raw: &Raw,
    some: impl Fn(&Raw) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if matches!(raw, Raw::Text(text) if text == none) {
        return Ok(None);
    }
    some(raw).map(Some).map_err(|problem| format!("{problem}, or \"{none}\""))
}

/// A size in bytes: a whole number, or a text like `64 MiB`.
pub(crate) fn bytes(raw: &Raw, within: &RangeInclusive<u64>) -> Result<u64, String> {
    let parsed = match raw {
        Raw::Integer(integer) => u64::try_from(*integer).ok(),
        Raw::Text(text) => match text.parse() {
            Ok(BytesText(bytes)) => Some(bytes),
            // Zero is a size here; whether it is too small is said below.
            Err(SettingTextError::TooSmall { .. }) => Some(0),
            Err(SettingTextError::Malformed { .. }) => None,
        },
        Raw::List(_) | Raw::Other { .. } => None,
    };
    let bytes = parsed.ok_or("write a size, like \"64MiB\"")?;
    inside(bytes, within, |bytes| BytesText(*bytes).to_string())
}

/// A whole number.
pub(crate) fn count(raw: &Raw, within: &RangeInclusive<u64>) -> Result<u64, String> {
    let parsed = match raw {
        Raw::Integer(integer) => u64::try_from(*integer).ok(),
        Raw::Text(text) => text.trim().parse().ok(),
        Raw::List(_) | Raw::Other { .. } => None,
    };
    inside(parsed.ok_or("write a whole number, like 1000")?, within, u64::to_string)
}

/// A time span with its unit.
pub(crate) fn duration(raw: &Raw, within: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let parsed = match raw {
        Raw::Text(text) => text.parse().ok().map(|DurationText(duration)| duration),
        Raw::Integer(_) | Raw::List(_) | Raw::Other { .. } => None,
    };
    let duration = parsed.ok_or("write a time with its unit, like \"500ms\", \"15s\", \"24h\" or \"7d\"")?;
    inside(duration, within, |duration| DurationText(*duration).to_string())
}

/// One of some words.
pub(crate) fn word<T: Copy>(raw: &Raw, words: &[(&str, T)]) -> Result<T, String> {
    let found = match raw {
        Raw::Text(text) => words.iter().find(|(word, _)| word == text),
        Raw::Integer(_) | Raw::List(_) | Raw::Other { .. } => None,
    };
    let all = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    found.map(|(_, value)| *value).ok_or_else(|| format!("write one of {}", all()))
}

/// Where a reader begins.
pub(crate) fn beginning(raw: &Raw) -> Result<FromSetting, String> {
    let parsed = match raw {
        Raw::Text(text) => text.parse().ok(),
        Raw::Integer(integer) if *integer < 0 => integer.to_string().parse().ok(),
        Raw::Integer(_) | Raw::List(_) | Raw::Other { .. } => None,
    };
    parsed
        .ok_or_else(|| "write \"start\", \"now\", or \"-N\" for the last N events, like \"-100\"".to_owned())
}

/// The path of a folder, which need not be there.
pub(crate) fn folder(raw: &Raw) -> Result<PathBuf, String> {
    let right = "write the path of a folder, like \"./largesse-data\"";
    match raw {
        Raw::Text(text) => path(text).map_err(|problem| format!("{problem}; {right}")),
        Raw::Integer(_) | Raw::List(_) | Raw::Other { .. } => Err(right.to_owned()),
    }
}

/// A path as it was written: what only a shell would have made another path of is refused, for it would become a folder
/// of that very name.
pub(crate) fn path(text: &str) -> Result<PathBuf, &'static str> {
    if let Some(dressing) = dressing(text) {
        return Err(dressing);
    }
    match text.chars().next() {
        None => Err("it is empty"),
        Some('~') => {
            Err("~ is not a folder here, only to a shell: write the whole path (./~ for one of that name)")
        }
        Some('$' | '%') => Err(
            "variables are put in by a shell, not here: write the whole path (./ before it for one of that name)",
        ),
        Some(_) if text.contains("${") => {
            Err("variables are put in by a shell, not here: write the whole path")
        }
        Some(_) if is_url(text) => Err("it is a URL: write the path alone"),
        Some(_) => Ok(PathBuf::from(text)),
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://") || text.starts_with("file:")
}

/// Addresses with their ports; at least one.
pub(crate) fn addresses(raw: &Raw) -> Result<Vec<SocketAddr>, String> {
    let right = "write an IP address with its port, like \"127.0.0.1:8084\" or \"[::1]:8084\", or \"localhost:8084\" \
                 for both";
    let addresses = each(raw, right, address)?.concat();
    let twice = (1..addresses.len())
        .find(|at| addresses[*at].port() != 0 && addresses[..*at].contains(&addresses[*at]));
    match twice {
        _ if addresses.is_empty() => Err(format!("it is empty; {right}")),
        Some(at) => Err(format!("{} is there twice; write it once", addresses[at])),
        None => Ok(addresses),
    }
}

/// One address, or all that `localhost` means. Other names are resolved by nobody here: what they mean may change.
fn address(text: &str) -> Result<Vec<SocketAddr>, String> {
    let port = text.strip_prefix(LOCALHOST).and_then(|port| port.parse().ok());
    match (text.parse(), port) {
        (Ok(address), _) => Ok(vec![address]),
        (Err(_), Some(port)) => {
            Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()])
        }
        (Err(_), None) => Err("not an address".to_owned()),
    }
}

/// Whether an address of the list may be one that this machine does not have: who writes `localhost` asks for no IPv6.
pub(crate) fn names_localhost(raw: &Raw) -> bool {
    matches!(raw, Raw::List(texts) if texts.iter().any(|text| text.starts_with(LOCALHOST)))
        || matches!(raw, Raw::Text(text) if text.starts_with(LOCALHOST))
}

/// Origins of pages.
pub(crate) fn origins(raw: &Raw) -> Result<Vec<Origin>, String> {
    let right = "write an origin, like \"https://app.example\"";
    each(raw, right, |text| Origin::parse_written(text).map_err(|error| error.to_string()))
}

/// Hosts, with or without a port.
pub(crate) fn hosts(raw: &Raw) -> Result<Vec<Authority>, String> {
    let right = "write a host, like \"events.example\"";
    each(raw, right, |text| Authority::parse_written(text).map_err(|error| error.to_string()))
}

/// Each text of a list; one alone needs no brackets.
fn each<T>(raw: &Raw, right: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let texts = match raw {
        Raw::List(texts) => texts.as_slice(),
        Raw::Text(text) => std::slice::from_ref(text),
        Raw::Other { what, .. } => return Err(format!("this is {what}; {right}")),
        Raw::Integer(_) => return Err(right.to_owned()),
    };
    let (mut values, mut problems) = (Vec::with_capacity(texts.len()), Vec::new());
    for text in texts {
        match parse(text) {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(format!("{text:?}: {problem}")),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(format!("{}; {right}", problems.join("; "))) }
}

fn inside<T: PartialOrd>(
    value: T,
    within: &RangeInclusive<T>,
    shown: impl Fn(&T) -> String,
) -> Result<T, String> {
    if &value < within.start() {
        return Err(format!("the least is {}", shown(within.start())));
    }
    if &value > within.end() {
        return Err(format!("the most is {}", shown(within.end())));
    }
    Ok(value)
}
