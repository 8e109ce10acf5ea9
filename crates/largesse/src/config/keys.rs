//! The table of all keys: path, default, flag, meaning, and what may be written.
//!
//! Invariants: keys without a section come first, and a section's keys stand together; every default is
//! right; `docs/configuration.md` has the same keys. Tests hold them.

use std::time::Duration;

use super::{field_kind::FieldKind, raw::Raw};

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// Section and name, with a dot between.
    pub(crate) path: &'static str,
    /// The value when nobody gives one, as TOML.
    pub(crate) default: &'static str,
    /// The flag of the command line that gives it, too.
    pub(crate) flag: Option<Flag>,
    /// What it means, in half a sentence.
    pub(crate) means: &'static str,
    /// What may be written, and where it goes.
    pub(crate) slot: FieldKind,
}

/// A key's flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Its long name, without dashes.
    pub(crate) name: &'static str,
    /// Another name it may be called by.
    pub(crate) alias: Option<&'static str>,
    /// What the help calls its value.
    pub(crate) value: &'static str,
}

impl Key {
    /// What stands before the dot; empty for a key without a section.
    pub(crate) fn section(&self) -> &'static str {
        self.path.split_once('.').map_or("", |(section, _)| section)
    }

    /// What stands after the dot.
    pub(crate) fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// The environment variable that gives it, too.
    pub(crate) fn env(&self) -> String {
        format!("LARGESSE_{}", self.path.replace('.', "_").to_uppercase())
    }

    /// The default, as if somebody had written it.
    pub(crate) fn default_raw(&self) -> Raw {
        let list = self.default.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let unquoted = |text: &str| text.trim().trim_matches('"').to_owned();
        match (list, self.default.parse()) {
            (Some(items), _) => {
                Raw::List(items.split(',').map(unquoted).filter(|text| !text.is_empty()).collect())
            }
            (None, Ok(integer)) => Raw::Integer(integer),
            (None, Err(_)) => Raw::Text(unquoted(self.default)),
        }
    }
}

const fn flag(name: &'static str, value: &'static str) -> Option<Flag> {
    Some(Flag { name, alias: None, value })
}

const MS: Duration = Duration::from_millis(1);
const TENTH_SECOND: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * 1024;

/// All keys.
pub(crate) const KEYS: &[Key] = &[
    Key {
        path: "listen",
        default: r#"["127.0.0.1:8084", "[::1]:8084"]"#,
        flag: flag("listen", "ADDR"),
        means: "Addresses to listen on; port 0 takes a free one",
        slot: FieldKind::Addresses(|config| &mut config.listen),
    },
    Key {
        path: "shutdown_grace",
        default: r#""5s""#,
        flag: flag("shutdown-grace", "TIME"),
        means: "How long a shutdown waits for connections to end",
        slot: FieldKind::Duration {
            within: Duration::ZERO..=HOUR,
            field: |config| &mut config.shutdown_grace,
        },
    },
    Key {
        path: "data",
        default: r#""./largesse-data""#,
        flag: flag("data", "DIR"),
        means: "The folder that events are kept in; without the flag --memory",
        slot: FieldKind::Folder(|config| &mut config.data),
    },
    Key {
        path: "log.max_bytes",
        default: r#""auto""#,
        flag: flag("log-max-bytes", "SIZE"),
        means: "What all streams keep together; \"auto\" is 10 GiB or what fits; the oldest events go first",
        slot: FieldKind::BytesOrAuto {
            within: 1024 * KIB..=u64::MAX,
            field: |config| &mut config.log.max_bytes,
        },
    },
    Key {
        path: "log.streams_max",
        default: "1000000",
        flag: None,
        means: "The most streams there may be",
        slot: FieldKind::Count { within: 1..=1_000_000_000, field: |config| &mut config.log.streams_max },
    },
    Key {
        path: "log.sync",
        default: r#""always""#,
        flag: None,
        means: "When events are made safe on the disk: \"always\", before anybody is told, or \"interval\"",
        slot: FieldKind::Sync(|config| &mut config.log.sync),
    },
    Key {
        path: "log.sync_interval",
        default: r#""1s""#,
        flag: None,
        means: "How often, with sync = \"interval\"",
        slot: FieldKind::Duration { within: MS..=HOUR, field: |config| &mut config.log.sync_interval },
    },
    Key {
        path: "stream.max_age",
        default: r#""7d""#,
        flag: None,
        means: "How long a stream keeps an event, or \"unlimited\"",
        slot: FieldKind::DurationOrUnlimited {
            within: MS..=CENTURY,
            field: |config| &mut config.stream.max_age,
        },
    },
    Key {
        path: "stream.max_events",
        default: r#""unlimited""#,
        flag: None,
        means: "How many events a stream keeps, or \"unlimited\"",
        slot: FieldKind::CountOrUnlimited { field: |config| &mut config.stream.max_events },
    },
    Key {
        path: "stream.max_bytes",
        default: r#""64 MiB""#,
        flag: None,
        means: "How many bytes a stream keeps, or \"unlimited\"",
        slot: FieldKind::BytesOrUnlimited { field: |config| &mut config.stream.max_bytes },
    },
    Key {
        path: "stream.ttl_after_close",
        default: r#""24h""#,
        flag: None,
        means: "How long a closed stream can still be read",
        slot: FieldKind::Duration {
            within: Duration::ZERO..=CENTURY,
            field: |config| &mut config.stream.ttl_after_close,
        },
    },
    Key {
        path: "stream.slow",
        default: r#""catch-up""#,
        flag: None,
        means: "What happens to readers that fall behind: \"catch-up\", \"latest\" or \"disconnect\"",
        slot: FieldKind::Slow(|config| &mut config.stream.slow),
    },
    Key {
        path: "stream.from",
        default: r#""start""#,
        flag: None,
        means: "Where a reader begins that does not say where: \"start\", \"now\" or \"-N\", the last N events",
        slot: FieldKind::From(|config| &mut config.stream.from),
    },
    Key {
        path: "stream.control_names",
        default: r#""reserved""#,
        flag: None,
        means: "Whether publishers may use the names of control events: \"reserved\" or \"shared\"",
        slot: FieldKind::ControlNames(|config| &mut config.stream.control_names),
    },
    Key {
        path: "http.allowed_origins",
        default: "[]",
        flag: flag("allowed-origin", "ORIGIN"),
        means: "Pages that may use the server, beside those from loopback addresses",
        slot: FieldKind::Origins(|config| &mut config.http.allowed_origins),
    },
    Key {
        path: "http.allowed_hosts",
        default: "[]",
        flag: flag("allowed-host", "HOST"),
        means: "Names the server may be called by, beside loopback ones",
        slot: FieldKind::Hosts(|config| &mut config.http.allowed_hosts),
    },
    Key {
        path: "http.event_bytes_max",
        default: r#""1 MiB""#,
        flag: None,
        means: "The largest event",
        slot: FieldKind::Bytes { within: 1..=GIB, field: |config| &mut config.http.event_bytes_max },
    },
    Key {
        path: "http.batch_bytes_max",
        default: r#""16 MiB""#,
        flag: None,
        means: "The largest request body that is appended all or none",
        slot: FieldKind::Bytes { within: 1..=GIB, field: |config| &mut config.http.batch_bytes_max },
    },
    Key {
        path: "http.bodies_bytes_max",
        default: r#""256 MiB""#,
        flag: None,
        means: "What all such bodies that are arriving may hold together",
        slot: FieldKind::Bytes { within: 1..=u64::MAX, field: |config| &mut config.http.bodies_bytes_max },
    },
    Key {
        path: "http.heartbeat",
        default: r#""15s""#,
        flag: None,
        means: "Silence after which a reader gets a sign of life",
        slot: FieldKind::Duration { within: SECOND..=HOUR, field: |config| &mut config.http.heartbeat },
    },
    Key {
        path: "http.retry_min",
        default: r#""1s""#,
        flag: None,
        means: "The shortest time after which a reader is told to come back",
        slot: FieldKind::Duration { within: MS..=DAY, field: |config| &mut config.http.retry_min },
    },
    Key {
        path: "http.retry_max",
        default: r#""3s""#,
        flag: None,
        means: "The longest time after which a reader is told to come back",
        slot: FieldKind::Duration { within: MS..=DAY, field: |config| &mut config.http.retry_max },
    },
    Key {
        path: "http.readers_max",
        default: r#""auto""#,
        flag: None,
        means: "The most readers at once; \"auto\" fits the limit on open files",
        slot: FieldKind::CountOrAuto {
            within: 1..=100_000_000,
            field: |config| &mut config.http.readers_max,
        },
    },
    Key {
        path: "http.head_timeout",
        default: r#""75s""#,
        flag: None,
        means: "How long a request's head may take to arrive, and a connection may stay open between requests",
        slot: FieldKind::Duration {
            within: TENTH_SECOND..=HOUR,
            field: |config| &mut config.http.head_timeout,
        },
    },
    Key {
        path: "http.body_idle",
        default: r#""30s""#,
        flag: None,
        means: "How long a request's body may pause",
        slot: FieldKind::Duration { within: TENTH_SECOND..=HOUR, field: |config| &mut config.http.body_idle },
    },
    Key {
        path: "http.gallery",
        default: r#""on""#,
        flag: None,
        means: "Whether the gallery is at /: \"on\" or \"off\"",
        slot: FieldKind::Gallery(|config| &mut config.http.gallery),
    },
    Key {
        path: "http.body_time_max",
        default: r#""2m""#,
        flag: None,
        means: "How long a request's body that is appended all or none may take to arrive",
        slot: FieldKind::Duration {
            within: TENTH_SECOND..=DAY,
            field: |config| &mut config.http.body_time_max,
        },
    },
    Key {
        path: "http.write_stall",
        default: r#""30s""#,
        flag: None,
        means: "How long an answer that is no event stream may make no progress",
        slot: FieldKind::Duration {
            within: TENTH_SECOND..=HOUR,
            field: |config| &mut config.http.write_stall,
        },
    },
    Key {
        path: "readers.lag_max",
        default: r#""30s""#,
        flag: None,
        means: "How far in time a reader of a stream with slow = \"disconnect\" may fall behind",
        slot: FieldKind::Duration { within: MS..=DAY, field: |config| &mut config.readers.lag_max },
    },
    Key {
        path: "readers.lag_bytes_max",
        default: r#""8 MiB""#,
        flag: None,
        means: "How far in bytes a reader of a stream with slow = \"disconnect\" may fall behind",
        slot: FieldKind::Bytes { within: 1..=u64::MAX, field: |config| &mut config.readers.lag_bytes_max },
    },
    Key {
        path: "trace.level",
        default: r#""info""#,
        flag: Some(Flag { name: "trace-level", alias: Some("log-level"), value: "LEVEL" }),
        means: "How much the server tells on stderr: \"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        slot: FieldKind::Level(|config| &mut config.trace.level),
    },
    Key {
        path: "trace.format",
        default: r#""text""#,
        flag: Some(Flag { name: "trace-format", alias: Some("log-format"), value: "FORMAT" }),
        means: "How it tells it: \"text\" or \"json\"",
        slot: FieldKind::Format(|config| &mut config.trace.format),
    },
];
