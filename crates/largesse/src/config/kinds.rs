//! The kinds of values: sizes, times, counts, addresses. A field of the configuration names its kind for serde:
//! `#[serde(with = "Bytes::<1, GIB>")]`.
//!
//! Invariant: the error for a wrong value says what would be right. Does not know keys. A choice between words is an enum
//! of plain serde instead.

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
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny},
};

use super::tree::stray;

/// What the machine calls itself. Source: RFC 6761, clause 6.3.
const LOCALHOST: &str = "localhost:";

/// What may be written for a key.
pub(crate) trait Kind<T> {
    /// # Errors
    /// What would be right.
    fn read(raw: &Raw) -> Result<T, String>;

    /// For serde's `with`.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        Self::read(&Raw::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A value as kinds see it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    List(Vec<String>),
    /// A list with items other than texts.
    Mixed(#[expect(dead_code, reason = "it only tells a list")] Vec<IgnoredAny>),
    /// What no kind accepts.
    Other(IgnoredAny),
}

/// A kind, or the word `auto`, which is `None`.
pub(crate) struct Auto<K>(K);

impl<T, K: Kind<T>> Kind<Option<T>> for Auto<K> {
    fn read(raw: &Raw) -> Result<Option<T>, String> {
        or("auto", raw, K::read)
    }
}

/// A kind, or the word `unlimited`, which is `None`.
pub(crate) struct Unlimited<K>(K);

impl<T, K: Kind<T>> Kind<Option<T>> for Unlimited<K> {
    fn read(raw: &Raw) -> Result<Option<T>, String> {
        or("unlimited", raw, K::read)
    }
}

fn or<T>(none: &str, raw: &Raw, some: fn(&Raw) -> Result<T, String>) -> Result<Option<T>, String> {
    if matches!(raw, Raw::Text(text) if text == none) {
        return Ok(None);
    }
    some(raw).map(Some).map_err(|problem| format!("{problem}, or \"{none}\""))
}

/// A size in bytes: a whole number, or a text like `64 MiB`.
pub(crate) struct Bytes<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Kind<u64> for Bytes<MIN, MAX> {
    fn read(raw: &Raw) -> Result<u64, String> {
        let parsed = match raw {
            Raw::Integer(integer) => u64::try_from(*integer).ok(),
            Raw::Text(text) => match text.parse() {
                Ok(BytesText(bytes)) => Some(bytes),
                // Zero is a size here; the bounds below may refuse it.
                Err(SettingTextError::TooSmall { .. }) => Some(0),
                Err(SettingTextError::Malformed { .. }) => None,
            },
            _ => None,
        };
        let bytes = parsed.ok_or("write a size, like \"64MiB\"")?;
        inside(bytes, &(MIN..=MAX), |bytes| BytesText(*bytes).to_string())
    }
}

/// A whole number.
pub(crate) struct Count<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Kind<u64> for Count<MIN, MAX> {
    fn read(raw: &Raw) -> Result<u64, String> {
        let parsed = match raw {
            Raw::Integer(integer) => u64::try_from(*integer).ok(),
            Raw::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        inside(parsed.ok_or("write a whole number, like 1000")?, &(MIN..=MAX), u64::to_string)
    }
}

/// A time span with its unit. The bounds are in milliseconds.
pub(crate) struct Time<const MIN_MS: u64, const MAX_MS: u64>;

impl<const MIN_MS: u64, const MAX_MS: u64> Kind<Duration> for Time<MIN_MS, MAX_MS> {
    fn read(raw: &Raw) -> Result<Duration, String> {
        let parsed = match raw {
            Raw::Text(text) => text.parse().ok().map(|DurationText(duration)| duration),
            _ => None,
        };
        let wanted = "write a time with its unit, like \"500ms\", \"15s\", \"24h\" or \"7d\"";
        let within = Duration::from_millis(MIN_MS)..=Duration::from_millis(MAX_MS);
        inside(parsed.ok_or(wanted)?, &within, |duration| DurationText(*duration).to_string())
    }
}

/// Where a reader begins.
pub(crate) struct Beginning;

impl Kind<FromSetting> for Beginning {
    fn read(raw: &Raw) -> Result<FromSetting, String> {
        let parsed = match raw {
            Raw::Text(text) => text.parse().ok(),
            Raw::Integer(integer) if *integer < 0 => integer.to_string().parse().ok(),
            _ => None,
        };
        let wanted = "write \"start\", \"now\", or \"-N\" for the last N events, like \"-100\"";
        parsed.ok_or_else(|| wanted.to_owned())
    }
}

/// The path of a folder, which need not exist.
pub(crate) struct Folder;

impl Kind<PathBuf> for Folder {
    fn read(raw: &Raw) -> Result<PathBuf, String> {
        let wanted = "write the path of a folder, like \"./largesse-data\"";
        match raw {
            Raw::Text(text) => path(text).map_err(|problem| format!("{problem}; {wanted}")),
            _ => Err(wanted.to_owned()),
        }
    }
}

/// A path as it was written. What only a shell would have expanded is refused, because it would become a folder of that
/// very name.
pub(crate) fn path(text: &str) -> Result<PathBuf, &'static str> {
    if let Some(stray) = stray(text) {
        return Err(stray);
    }
    match text.chars().next() {
        None => Err("it is empty"),
        Some('~') => {
            Err("~ is not a folder here, only to a shell: write the whole path (./~ for one of that name)")
        }
        Some('$' | '%') => Err(
            "variables are expanded by a shell, not here: write the whole path (./ before it for one of that name)",
        ),
        Some(_) if text.contains("${") => {
            Err("variables are expanded by a shell, not here: write the whole path")
        }
        Some(_) if is_url(text) => Err("it is a URL: write the path alone"),
        Some(_) => Ok(PathBuf::from(text)),
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://") || text.starts_with("file:")
}

/// Addresses with their ports; at least one.
pub(crate) struct Addresses;

impl Kind<Vec<SocketAddr>> for Addresses {
    fn read(raw: &Raw) -> Result<Vec<SocketAddr>, String> {
        let wanted = "write an IP address with its port, like \"127.0.0.1:8084\" or \"[::1]:8084\", or \
                      \"localhost:8084\" for both";
        let addresses = each(raw, wanted, address)?.concat();
        let twice = (1..addresses.len())
            .find(|at| addresses[*at].port() != 0 && addresses[..*at].contains(&addresses[*at]));
        match twice {
            _ if addresses.is_empty() => Err(format!("it is empty; {wanted}")),
            Some(at) => Err(format!("{} is listed twice; write it once", addresses[at])),
            None => Ok(addresses),
        }
    }
}

/// One address, or both of `localhost`. Other names are not resolved: what they mean may change.
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

/// Whether an address is written as `localhost`, which does not insist on IPv6.
pub(crate) fn names_localhost(text: &str) -> bool {
    text.starts_with(LOCALHOST)
}

/// Origins of pages.
pub(crate) struct Origins;

impl Kind<Vec<Origin>> for Origins {
    fn read(raw: &Raw) -> Result<Vec<Origin>, String> {
        let wanted = "write an origin, like \"https://app.example\"";
        each(raw, wanted, |text| Origin::parse_written(text).map_err(|error| error.to_string()))
    }
}

/// Hosts, with or without a port.
pub(crate) struct Hosts;

impl Kind<Vec<Authority>> for Hosts {
    fn read(raw: &Raw) -> Result<Vec<Authority>, String> {
        let wanted = "write a host, like \"events.example\"";
        each(raw, wanted, |text| Authority::parse_written(text).map_err(|error| error.to_string()))
    }
}

/// Each text of a list; a single text needs no brackets.
fn each<T>(raw: &Raw, wanted: &str, parse: fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let texts = match raw {
        Raw::List(texts) => texts.as_slice(),
        Raw::Text(text) => std::slice::from_ref(text),
        Raw::Mixed(_) => return Err(format!("not every item is a text; {wanted}")),
        Raw::Integer(_) | Raw::Other(_) => return Err(wanted.to_owned()),
    };
    let (mut values, mut problems) = (Vec::with_capacity(texts.len()), Vec::new());
    for text in texts {
        match parse(text) {
            Ok(value) => values.push(value),
            Err(problem) => problems.push(format!("{text:?}: {problem}")),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(format!("{}; {wanted}", problems.join("; "))) }
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
