//! The configuration: every key, where its value comes from, and the checked result.
//!
//! Invariants: `sections.rs` has all keys; a flag overrides the environment, which overrides the file, which overrides
//! the default; overridden values are checked too; all mistakes are reported at once. Only this folder reads the
//! environment. Does not act on any value: commands do.

mod alias;
mod de;
mod environment;
mod error;
mod file;
mod flags;
mod key;
mod kinds;
mod nearest;
mod origin;
mod reading;
mod sections;
mod show;
mod tree;
mod unknown;

#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde::Deserialize;

#[cfg(test)]
pub(crate) use self::sections::HttpConfig;
pub(crate) use self::{
    environment::SERVER_URL,
    flags::KeyFlags,
    sections::{Config, LogConfig, SyncWord, TraceConfig, TraceFormat},
};
use self::{error::ConfigError, origin::Origin, tree::Node};
use crate::terminal::{Failure, TerminalWishes};

/// The file that is read if the command line names none and this one exists.
const FILE_DEFAULT: &str = "largesse.toml";

/// The configuration in force, and where each value came from.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) config: Config,
    /// The strongest value of each key, as it was written.
    tree: Node,
    /// The value of the variable `PORT`.
    port: Option<OsString>,
}

/// The path of a folder, as a command takes it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn folder(text: &str) -> Result<PathBuf, &'static str> {
    kinds::path(text)
}

/// The value of [`SERVER_URL`] in this process's environment: where `publish` and `tail` find the server.
pub(crate) fn server_url() -> Option<OsString> {
    std::env::var_os(SERVER_URL)
}

/// What this process's environment says about terminals.
pub(crate) fn terminal_wishes() -> TerminalWishes {
    TerminalWishes::of(std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
}

impl Effective {
    /// Loads the configuration: the file that is named (else `largesse.toml` where it exists), this
    /// process's environment, and the command line's flags.
    ///
    /// # Errors
    /// Every mistake in all of them, one a line.
    pub(crate) fn load(file: Option<&Path>, flags: &KeyFlags) -> Result<Self, Failure> {
        let usual = PathBuf::from(FILE_DEFAULT);
        let file = file.or_else(|| usual.exists().then_some(usual.as_path()));
        let mut mistakes = Vec::new();
        let file = file.map_or_else(Node::root, |path| file::read(path, &mut mistakes));
        let environment = environment::read(std::env::vars_os(), &mut mistakes);
        let checked = Self::check([file, environment, flags.values()], mistakes);
        let effective = checked.map_err(|mistakes| failure(&mistakes))?;
        Ok(Self { port: std::env::var_os("PORT"), ..effective })
    }

    /// What is valid, but may not be what was meant.
    pub(crate) fn warning(&self) -> Option<String> {
        let is_default = self.value("listen").origin == Origin::Default;
        self.port.as_ref().filter(|_| is_default).and_then(|port| environment::unused_port(port))
    }

    /// With nothing given.
    #[cfg(test)]
    pub(crate) fn defaults() -> Self {
        Self::check([], Vec::new()).unwrap()
    }

    /// Checks the values of all places, the weakest first. Each place is checked by itself, so that overridden values
    /// are checked too.
    fn check<const PLACES: usize>(
        places: [Node; PLACES],
        mut mistakes: Vec<ConfigError>,
    ) -> Result<Self, Vec<ConfigError>> {
        let defaults = defaults();
        let mut tree = defaults.clone();
        for values in places {
            mistakes.extend(reading::mistakes::<Config>(&defaults, values.clone()));
            tree.lay(values);
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let config = Config::deserialize(&tree)
            .map_err(|error| vec![ConfigError::at(&"configuration", &error.to_string())])?;
        let effective = Self { config, tree, port: None };
        let contradictions: Vec<ConfigError> = effective.contradictions().collect();
        if contradictions.is_empty() { Ok(effective) } else { Err(contradictions) }
    }

    /// A key's value as it was written, and where.
    fn value(&self, path: &str) -> &Node {
        self.tree.key(path).expect("every key has a default")
    }

    /// Whether the machine may lack some of the addresses to listen on, because nobody named each of them.
    pub(crate) fn may_lack_addresses(&self) -> bool {
        let listen = self.value("listen");
        let mut texts = listen.items().iter().chain([listen]).filter_map(Node::text);
        listen.origin == Origin::Default || texts.any(kinds::names_localhost)
    }

    /// The configuration as a TOML file, each key with a comment that says where its value came from.
    pub(crate) fn shown(&self) -> String {
        show::shown(self)
    }

    /// Values that are right by themselves, but contradict each other.
    fn contradictions(&self) -> impl Iterator<Item = ConfigError> {
        let http = &self.config.http;
        let pairs = [
            ("http.retry_min", "http.retry_max", http.retry_min > http.retry_max),
            ("http.event_bytes_max", "http.batch_bytes_max", http.event_bytes_max > http.batch_bytes_max),
            ("http.batch_bytes_max", "http.bodies_bytes_max", http.batch_bytes_max > http.bodies_bytes_max),
        ];
        let wrong = pairs.into_iter().filter(|(_, _, contradict)| *contradict);
        wrong.map(|(low, high, _)| {
            let [low, high] = [low, high].map(|path| format!("{path} = {}", self.value(path)));
            ConfigError::between(&low, &high)
        })
    }
}

/// The default of each key.
fn defaults() -> Node {
    let mut tree = Node::root();
    for key in sections::keys() {
        tree.put(key.path, file::default(key.default).expect("a test checks all defaults"));
    }
    tree
}

/// All mistakes, one a line.
fn failure(mistakes: &[ConfigError]) -> Failure {
    let lines: String = mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
    Failure(format!("the configuration is wrong:{lines}"))
}
