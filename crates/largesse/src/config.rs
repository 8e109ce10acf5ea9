//! The configuration: every key, where its value comes from, and the checked result.
//!
//! Invariants: one table ([`KEYS`]) names all keys; a flag wins over the environment, which wins over the
//! file, which wins over the default; a value that loses is checked all the same; all mistakes are told at
//! once. Only this folder reads the environment. Does not act on any value: commands do.

mod alias;
mod environment;
mod error;
mod field_kind;
mod file;
mod flags;
mod keys;
mod nearest;
mod origin;
mod raw;
mod show;
mod values;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use largesse::{
    http::{Authority, Origin as PageOrigin},
    log::Settings,
};
use tracing::level_filters::LevelFilter;

use crate::{
    gallery::GalleryRule,
    terminal::{Failure, TerminalWishes},
};

pub(crate) use self::{environment::SERVER_URL, flags::KeyFlags, origin::Origin};
use self::{
    error::ConfigError,
    keys::{KEYS, Key},
    raw::Raw,
};

/// The file that is read when the command line names none and it exists.
const FILE_DEFAULT: &str = "largesse.toml";

/// The checked configuration, one field for each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// Addresses to listen on; never empty.
    pub(crate) listen: Vec<SocketAddr>,
    /// The folder of the log, unless it is kept in memory.
    pub(crate) data: PathBuf,
    /// How long a shutdown waits for connections to end.
    pub(crate) shutdown_grace: Duration,
    pub(crate) log: LogConfig,
    /// What a stream gets that is made by its first event.
    pub(crate) stream: Settings,
    pub(crate) http: HttpConfig,
    pub(crate) readers: ReadersConfig,
    pub(crate) trace: TraceConfig,
}

/// The section `log`: the store under all streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogConfig {
    /// What all streams may keep together; `None`: what fits, up to a bound.
    pub(crate) max_bytes: Option<u64>,
    pub(crate) streams_max: u64,
    pub(crate) sync: SyncWord,
    /// How often it is synced with [`SyncWord::Interval`].
    pub(crate) sync_interval: Duration,
}

/// When what was published is made safe on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SyncWord {
    /// Before anybody is told of it.
    #[default]
    Always,
    /// Every now and then.
    Interval,
}

/// The section `http`: the native door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HttpConfig {
    pub(crate) allowed_origins: Vec<PageOrigin>,
    pub(crate) allowed_hosts: Vec<Authority>,
    pub(crate) event_bytes_max: u64,
    /// At least `event_bytes_max`.
    pub(crate) batch_bytes_max: u64,
    /// At least `batch_bytes_max`.
    pub(crate) bodies_bytes_max: u64,
    pub(crate) heartbeat: Duration,
    pub(crate) retry_min: Duration,
    /// At least `retry_min`.
    pub(crate) retry_max: Duration,
    /// `None`: as many as the limit on open files lets in.
    pub(crate) readers_max: Option<u64>,
    pub(crate) head_timeout: Duration,
    pub(crate) body_idle: Duration,
    pub(crate) gallery: GalleryRule,
    pub(crate) body_time_max: Duration,
    pub(crate) write_stall: Duration,
}

/// The section `readers`: those that fall behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadersConfig {
    pub(crate) lag_max: Duration,
    pub(crate) lag_bytes_max: u64,
}

/// The section `trace`: what the server says about itself on stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceConfig {
    pub(crate) level: LevelFilter,
    pub(crate) format: TraceFormat,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self { level: LevelFilter::INFO, format: TraceFormat::default() }
    }
}

/// How a line of the trace looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TraceFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The configuration in force, and where each value came from.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) config: Config,
    /// The strongest value given for each key, by the key's path; those at their default are not in it.
    given: HashMap<&'static str, (Raw, Origin)>,
    /// The value of the variable `PORT`.
    port: Option<OsString>,
}

/// The path of a folder that a command is given.
///
/// # Errors
/// What would have to be another path.
pub(crate) fn folder(text: &str) -> Result<PathBuf, &'static str> {
    values::path(text)
}

/// The value of [`SERVER_URL`] in this process's environment: where `publish` and `tail` find the server.
pub(crate) fn server_url() -> Option<OsString> {
    std::env::var_os(SERVER_URL)
}

/// What this process's environment says of terminals.
pub(crate) fn terminal_wishes() -> TerminalWishes {
    TerminalWishes::of(std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
}

/// A value somebody gave for a key, not yet checked.
#[derive(Clone, Debug)]
struct Given {
    key: &'static Key,
    raw: Raw,
    origin: Origin,
}

impl Effective {
    /// Loads the configuration: the file that is named (else `largesse.toml` where it exists), this
    /// process's environment, and the command line's flags.
    ///
    /// # Errors
    /// Every mistake in all of them, one a line.
    pub(crate) fn load(file: Option<&Path>, flags: &KeyFlags) -> Result<Self, Failure> {
        let standing = PathBuf::from(FILE_DEFAULT);
        let file = file.or_else(|| standing.exists().then_some(standing.as_path()));
        let mut mistakes = Vec::new();
        let mut given = file.map_or_else(Vec::new, |path| file::read(path, &mut mistakes));
        given.extend(environment::read(std::env::vars_os(), &mut mistakes));
        given.extend(flags.given());
        let effective = Self::check(given, mistakes).map_err(|mistakes| failure(&mistakes))?;
        Ok(Self { port: std::env::var_os("PORT"), ..effective })
    }

    /// What is right, but may not be what was meant.
    pub(crate) fn warning(&self) -> Option<String> {
        let is_default = *self.origin("listen") == Origin::Default;
        self.port.as_ref().filter(|_| is_default).and_then(|port| environment::unused_port(port))
    }

    /// Where nothing is given.
    #[cfg(test)]
    pub(crate) fn defaults() -> Self {
        Self::check(Vec::new(), Vec::new()).unwrap()
    }

    /// Checks what was given, the weakest first.
    fn check(given: Vec<Given>, mut mistakes: Vec<ConfigError>) -> Result<Self, Vec<ConfigError>> {
        let mut config = Config::default();
        for key in KEYS {
            key.slot.put(&mut config, &key.default_raw()).expect("a test checks all defaults");
        }
        let mut strongest = HashMap::new();
        for Given { key, raw, origin } in given {
            if let Err(problem) = key.slot.put(&mut config, &raw) {
                let dressing = raw.dressing().filter(|dressing| !problem.contains(dressing));
                let problem = dressing.map_or(problem.clone(), |dressing| format!("{dressing}; {problem}"));
                mistakes.push(ConfigError::at_value(key, &raw, &origin, &problem));
            }
            strongest.insert(key.path, (raw, origin));
        }
        let effective = Self { config, given: strongest, port: None };
        if mistakes.is_empty() {
            mistakes.extend(effective.contradictions());
        }
        if mistakes.is_empty() { Ok(effective) } else { Err(mistakes) }
    }

    /// Where a key's value came from.
    pub(crate) fn origin(&self, path: &str) -> &Origin {
        self.given.get(path).map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// Whether the machine need not have all addresses to listen on: nobody named them one by one.
    pub(crate) fn may_lack_addresses(&self) -> bool {
        *self.origin("listen") == Origin::Default || values::names_localhost(&self.raw("listen"))
    }

    /// The configuration as a TOML file, each key with a comment that says where its value came from.
    pub(crate) fn shown(&self) -> String {
        show::shown(self)
    }

    /// Values that are right alone, but not together.
    fn contradictions(&self) -> impl Iterator<Item = ConfigError> {
        let http = &self.config.http;
        let pairs = [
            ("http.retry_min", "http.retry_max", http.retry_min > http.retry_max),
            ("http.event_bytes_max", "http.batch_bytes_max", http.event_bytes_max > http.batch_bytes_max),
            ("http.batch_bytes_max", "http.bodies_bytes_max", http.batch_bytes_max > http.bodies_bytes_max),
        ];
        let wrong = pairs.into_iter().filter(|(_, _, contradict)| *contradict);
        wrong.map(|(low, high, _)| {
            let (low_raw, high_raw) = (self.raw(low), self.raw(high));
            ConfigError::between(&format!("{low} = {low_raw}"), &format!("{high} = {high_raw}"))
        })
    }

    fn raw(&self, path: &str) -> Raw {
        let default = || KEYS.iter().find(|key| key.path == path).map_or_else(Raw::empty, Key::default_raw);
        self.given.get(path).map_or_else(default, |(raw, _)| raw.clone())
    }
}

/// All mistakes, one a line.
fn failure(mistakes: &[ConfigError]) -> Failure {
    let lines: String = mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
    Failure(format!("the configuration is wrong:{lines}"))
}
