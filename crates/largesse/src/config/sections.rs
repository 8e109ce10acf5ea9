//! All keys: the checked configuration as structs that serde reads, each field with its help, default and flag.
//!
//! Invariants: keys without a section come first; every default is right; `docs/configuration.md` has the same keys.
//! Tests hold them. A new key is one field here and its row there; a new section is also in [`keys`].

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use largesse::{
    http::{Authority, Origin as PageOrigin},
    log::{ControlNames, FromSetting, Settings, Slow},
};
use serde::Deserialize;
use tracing::level_filters::LevelFilter;

use super::{
    key::{Key, section},
    kinds::{Addresses, Auto, Beginning, Bytes, Count, Folder, Hosts, Kind, Origins, Time, Unlimited},
};
use crate::gallery::GalleryRule;

const TENTH_SECOND: u64 = 100;
const SECOND: u64 = 1000;
const HOUR: u64 = 60 * 60 * SECOND;
const DAY: u64 = 24 * HOUR;
const CENTURY: u64 = 100 * 365 * DAY;
const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
const MAX: u64 = u64::MAX;

/// All keys, in the order of the file.
pub(crate) fn keys() -> impl Iterator<Item = &'static Key> + Clone {
    let sections = [
        Config::KEYS,
        LogConfig::KEYS,
        StreamConfig::KEYS,
        HttpConfig::KEYS,
        ReadersConfig::KEYS,
        TraceConfig::KEYS,
    ];
    sections.into_iter().flatten()
}

/// The key of a path.
pub(crate) fn key_at(path: &str) -> Option<&'static Key> {
    keys().find(|key| key.path == path)
}

section! {
    /// The checked configuration, one field for each key.
    Config under "" {
        /// Addresses to listen on; port 0 takes a free one
        ///
        /// Never empty.
        #[serde(with = "Addresses")]
        listen: Vec<SocketAddr> = ["127.0.0.1:8084", "[::1]:8084"], "listen" ADDR;
        /// How long a shutdown waits for connections to end
        #[serde(with = "Time::<0, HOUR>")]
        shutdown_grace: Duration = "5s", "shutdown-grace" TIME;
        /// The folder that events are kept in, unless --memory is given
        #[serde(with = "Folder")]
        data: PathBuf = "./largesse-data", "data" DIR;
        /// The store under all streams.
        log: LogConfig;
        /// The settings of a stream that its first event creates.
        #[serde(with = "StreamConfig")]
        stream: Settings;
        /// The native door.
        http: HttpConfig;
        /// Readers that fall behind.
        readers: ReadersConfig;
        /// What the server says about itself on stderr.
        trace: TraceConfig;
    }
}

section! {
    /// The section `log`: the store under all streams.
    LogConfig under "log." {
        /// The most that all streams keep together; "auto" is 10 GiB or what fits; the oldest events go first
        ///
        /// `None`: what fits, up to a bound.
        #[serde(with = "Auto::<Bytes<MIB, MAX>>")]
        max_bytes: Option<u64> = "auto", "log-max-bytes" SIZE;
        /// The most streams
        #[serde(with = "Count::<1, 1_000_000_000>")]
        streams_max: u64 = 1000000;
        /// When events are synced to the disk: "always", before they are acknowledged or read, or "interval"
        sync: SyncWord = "always";
        /// How often, with sync = "interval"
        #[serde(with = "Time::<1, HOUR>")]
        sync_interval: Duration = "1s";
    }
}

/// When published events are made safe on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SyncWord {
    /// Before they are acknowledged or read.
    Always,
    /// At regular intervals.
    Interval,
}

section! {
    /// The section `stream`, read into [`Settings`].
    #[serde(remote = "Settings")]
    StreamConfig under "stream." {
        /// How long a stream keeps an event, or "unlimited"
        #[serde(with = "Unlimited::<Time<1, CENTURY>>")]
        max_age: Option<Duration> = "7d";
        /// How many events a stream keeps, or "unlimited"
        #[serde(with = "Unlimited::<Count<1, MAX>>")]
        max_events: Option<u64> = "unlimited";
        /// How many bytes a stream keeps, or "unlimited"
        #[serde(with = "Unlimited::<Bytes<1, MAX>>")]
        max_bytes: Option<u64> = "64 MiB";
        /// How long a closed stream can still be read
        #[serde(with = "Time::<0, CENTURY>")]
        ttl_after_close: Duration = "24h";
        /// What happens to readers that fall behind: "catch-up", "latest" or "disconnect"
        #[serde(with = "SlowWord")]
        slow: Slow = "catch-up";
        /// Where readers start that don't say where: "start", "now" or "-N", the last N events
        #[serde(with = "Beginning")]
        from: FromSetting = "start";
        /// Whether publishers may use the names of control events: "reserved" or "shared"
        #[serde(with = "ControlNamesWord")]
        control_names: ControlNames = "reserved";
    }
}

/// The words for [`Slow`].
#[derive(Deserialize)]
#[serde(remote = "Slow", rename_all = "kebab-case")]
enum SlowWord {
    CatchUp,
    Latest,
    Disconnect,
}

/// The words for [`ControlNames`].
#[derive(Deserialize)]
#[serde(remote = "ControlNames", rename_all = "kebab-case")]
enum ControlNamesWord {
    Reserved,
    Shared,
}

section! {
    /// The section `http`: the native door.
    HttpConfig under "http." {
        /// Origins whose pages may use the server, besides loopback addresses
        #[serde(with = "Origins")]
        allowed_origins: Vec<PageOrigin> = [], "allowed-origin" ORIGIN;
        /// Names the server may be called by, besides loopback ones
        #[serde(with = "Hosts")]
        allowed_hosts: Vec<Authority> = [], "allowed-host" HOST;
        /// The largest event
        #[serde(with = "Bytes::<1, GIB>")]
        event_bytes_max: u64 = "1 MiB";
        /// The largest request body that is appended as a whole
        ///
        /// At least `event_bytes_max`.
        #[serde(with = "Bytes::<1, GIB>")]
        batch_bytes_max: u64 = "16 MiB";
        /// The most memory for all request bodies being received
        ///
        /// At least `batch_bytes_max`.
        #[serde(with = "Bytes::<1, MAX>")]
        bodies_bytes_max: u64 = "256 MiB";
        /// Silence after which a reader gets a heartbeat
        #[serde(with = "Time::<SECOND, HOUR>")]
        heartbeat: Duration = "15s";
        /// The shortest delay before a reader reconnects
        #[serde(with = "Time::<1, DAY>")]
        retry_min: Duration = "1s";
        /// The longest delay before a reader reconnects
        ///
        /// At least `retry_min`.
        #[serde(with = "Time::<1, DAY>")]
        retry_max: Duration = "3s";
        /// The most readers at once; "auto" fits the limit on open files
        ///
        /// `None`: as many as the limit on open files lets in.
        #[serde(with = "Auto::<Count<1, 100_000_000>>")]
        readers_max: Option<u64> = "auto";
        /// How long a request head may take to arrive, and how long an idle connection is kept
        #[serde(with = "Time::<TENTH_SECOND, HOUR>")]
        head_timeout: Duration = "75s";
        /// How long a request body may pause
        #[serde(with = "Time::<TENTH_SECOND, HOUR>")]
        body_idle: Duration = "30s";
        /// Whether the gallery is at /: "on" or "off"
        gallery: GalleryRule = "on";
        /// How long a request body that is appended as a whole may take to arrive
        #[serde(with = "Time::<TENTH_SECOND, DAY>")]
        body_time_max: Duration = "2m";
        /// How long a response may make no progress, unless it is an event stream
        #[serde(with = "Time::<TENTH_SECOND, HOUR>")]
        write_stall: Duration = "30s";
    }
}

section! {
    /// The section `readers`: readers that fall behind.
    ReadersConfig under "readers." {
        /// How far in time a reader of a stream with slow = "disconnect" may fall behind
        #[serde(with = "Time::<1, DAY>")]
        lag_max: Duration = "30s";
        /// How far in bytes a reader of a stream with slow = "disconnect" may fall behind
        #[serde(with = "Bytes::<1, MAX>")]
        lag_bytes_max: u64 = "8 MiB";
    }
}

section! {
    /// The section `trace`: what the server says about itself on stderr.
    TraceConfig under "trace." {
        /// How much the server says on stderr: "off", "error", "warn", "info", "debug" or "trace"
        #[serde(with = "LevelWord")]
        level: LevelFilter = "info", "trace-level" LEVEL or "log-level";
        /// How it says it: "text" or "json"
        format: TraceFormat = "text", "trace-format" FORMAT or "log-format";
    }
}

/// The words for [`LevelFilter`].
#[derive(Deserialize)]
#[serde(remote = "LevelFilter", rename_all = "lowercase")]
#[expect(clippy::upper_case_acronyms, reason = "the names of tracing's constants")]
enum LevelWord {
    OFF,
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE,
}

/// How a line of the trace looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TraceFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
