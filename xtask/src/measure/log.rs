//! The log on disk, in one table: what an acknowledgement costs, how soon a returning reader is served, what
//! retention costs, and how much memory it takes.
//!
//! The engine's own numbers come from the bench `table` of `largesse-disk`, started once per measurement;
//! those over HTTP from the release binary. What is compared is measured in turns within one run. A missed target
//! is a word in the table and not a failure: on a shared machine, nothing else would be true.
//!
//! It does not know how the engine works.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::server;
use crate::shell::Failure;

mod bench;
mod over_http;
mod table;

use bench::{Bench, End};
use table::Table;

/// One part of the table.
struct Part {
    name: &'static str,
    does: &'static str,
    run: fn(&Measuring<'_>, &mut Table) -> Result<(), Failure>,
}

/// The last is large, and is measured only when named.
const PARTS: &[Part] = &[
    Part { name: "acks", does: "publishers in one process, beside write + fdatasync", run: acks },
    Part {
        name: "http",
        does: "publishers over HTTP, beside the same server with --memory",
        run: over_http::publish,
    },
    Part {
        name: "reads",
        does: "readers that come back, at 1M and 10M events, 10k and 1M streams",
        run: reads,
    },
    Part {
        name: "retention",
        does: "publishing into full streams, beside streams without a limit",
        run: retention,
    },
    Part { name: LARGE, does: "reads of a log of 10 GB and more; only when it is named", run: large },
];

const LARGE: &str = "large";
const SMALL: &str = "small";

/// What to measure with, and how much.
struct Measuring<'a> {
    bench: &'a Bench,
    folder: &'a Path,
    size: &'static Size,
}

/// A log to read from.
struct Filled {
    events: u64,
    streams: u64,
    event_bytes: u64,
    /// The target that the bench compares with.
    judge: &'static str,
    /// Events to publish before it is killed, if it is.
    killed_after: Option<u64>,
}

/// How much to measure.
struct Size {
    rounds: u32,
    seconds: u64,
    /// Long enough for segments to fill up and be compacted.
    turn_seconds: u64,
    reads: u64,
    filled: &'static [Filled],
    large: Filled,
    retained_streams: u64,
}

const FULL: Size = Size {
    rounds: 7,
    seconds: 1,
    turn_seconds: 10,
    reads: 1_000,
    filled: &[
        Filled::new(1_000_000, 10_000, "nothing"),
        Filled { killed_after: Some(1_000_000), ..Filled::new(10_000_000, 10_000, "resume") },
        Filled::new(1_000_000, 1_000_000, "nothing"),
        Filled::new(10_000_000, 1_000_000, "resume"),
    ],
    large: Filled { event_bytes: 1024, ..Filled::new(10_000_000, 10_000, "memory") },
    retained_streams: 10_000,
};

/// To see within a minute that all of it works; the numbers are not a measurement.
const QUICK: Size = Size {
    rounds: 1,
    seconds: 1,
    turn_seconds: 2,
    reads: 100,
    filled: &[
        Filled { killed_after: Some(10_000), ..Filled::new(100_000, 1_000, "resume") },
        Filled::new(100_000, 100_000, "nothing"),
    ],
    large: Filled { event_bytes: 1024, ..Filled::new(100_000, 1_000, "memory") },
    retained_streams: 500,
};

impl Filled {
    const fn new(events: u64, streams: u64, judge: &'static str) -> Self {
        Self { events, streams, event_bytes: EVENT_BYTES as u64, judge, killed_after: None }
    }
}

const EVENT_BYTES: usize = 256;
const PUBLISHERS: &[usize] = &[1, 64, 1024];
const RETENTION_KEPT: u64 = 50;
const RETENTION_ROUNDS: u32 = 2;
/// Filling retained streams, and the seconds of all turns, take less.
const RUN_TIME_MAX: Duration = Duration::from_secs(180);
/// The slowest load that is still worth waiting for.
const LOAD_TIME_MAX: Duration = Duration::from_secs(600);

/// Builds, measures the named parts, or all but the large one, and prints the table.
///
/// # Errors
/// A word is not known, the build fails, or there is no room for files. A part that fails is a row of the table.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let named: Vec<&str> = words.iter().copied().filter(|word| *word != SMALL).collect();
    if let Some(unknown) = named.iter().find(|word| PARTS.iter().all(|part| part.name != **word)) {
        return Err(misused(unknown));
    }
    let is_wanted = |part: &&Part| match named.as_slice() {
        [] => part.name != LARGE,
        named => named.contains(&part.name),
    };
    let size = if words.contains(&SMALL) { &QUICK } else { &FULL };
    let bench = Bench::built()?;
    let folder = Folder::make()?;
    let measuring = Measuring { bench: &bench, folder: &folder.0, size };
    let mut table = Table::begin();
    for part in PARTS.iter().filter(is_wanted) {
        if let Err(failure) = (part.run)(&measuring, &mut table) {
            table.failed(part.name, &failure);
        }
        folder.empty()?;
    }
    table.end();
    Ok(())
}

fn misused(word: &str) -> Failure {
    let parts = PARTS.iter().map(|part| format!("  {:<9} {}\n", part.name, part.does));
    Failure(format!(
        "cargo xtask measure log: there is no part `{word}`.\n\nUsage: cargo xtask measure log [PART…] [{SMALL}]\n\n{}  \
         {SMALL:<9} little of each, to see that it works",
        parts.collect::<String>()
    ))
}

fn acks(measuring: &Measuring<'_>, table: &mut Table) -> Result<(), Failure> {
    let Size { rounds, seconds, .. } = measuring.size;
    for publishers in PUBLISHERS {
        let words = format!("publishers={publishers} rounds={rounds} seconds={seconds}");
        measuring.run("acks", &words, RUN_TIME_MAX, End::ByItself, table)?;
    }
    Ok(())
}

fn reads(measuring: &Measuring<'_>, table: &mut Table) -> Result<(), Failure> {
    measuring.size.filled.iter().try_for_each(|filled| measuring.read(filled, table))
}

fn large(measuring: &Measuring<'_>, table: &mut Table) -> Result<(), Failure> {
    measuring.read(&measuring.size.large, table)
}

fn retention(measuring: &Measuring<'_>, table: &mut Table) -> Result<(), Failure> {
    let Size { turn_seconds, retained_streams, .. } = measuring.size;
    let words = format!(
        "publishers=64 streams={retained_streams} kept={RETENTION_KEPT} rounds={RETENTION_ROUNDS} \
         seconds={turn_seconds}"
    );
    measuring.run("retention", &words, RUN_TIME_MAX, End::ByItself, table)
}

impl Measuring<'_> {
    fn run(
        &self,
        command: &str,
        words: &str,
        time_max: Duration,
        end: End,
        table: &mut Table,
    ) -> Result<(), Failure> {
        let folder = format!("folder={}", self.folder.join("log").display());
        let words: Vec<&str> = [command, &folder].into_iter().chain(words.split(' ')).collect();
        self.bench.run(&words, time_max, end, table)
    }

    /// Fills a log, reads it, and kills it if asked to.
    fn read(&self, filled: &Filled, table: &mut Table) -> Result<(), Failure> {
        let Filled { events, streams, event_bytes, judge, killed_after } = filled;
        let load = |events: &u64, end: &str| {
            format!("events={events} streams={streams} event_bytes={event_bytes} end={end}")
        };
        self.run("load", &load(events, "closed"), LOAD_TIME_MAX, End::ByItself, table)?;
        let read = format!("streams={streams} reads={} judge={judge}", self.size.reads);
        self.run("read", &read, RUN_TIME_MAX, End::ByItself, table)?;
        if let Some(events) = killed_after {
            self.run("load", &load(events, "killed"), LOAD_TIME_MAX, End::Killed, table)?;
            self.run("open", "after=kill", RUN_TIME_MAX, End::ByItself, table)?;
        }
        let log = self.folder.join("log");
        fs::remove_dir_all(&log).map_err(|error| unwritable(&log, &error))
    }
}

/// Where the measured logs are: emptied before, and removed at the end.
struct Folder(PathBuf);

impl Folder {
    /// Beside cargo's build output, so on a disk that has room.
    fn make() -> Result<Self, Failure> {
        let folder = Self(server::profiles()?.join("measure-log"));
        folder.empty()?;
        Ok(folder)
    }

    fn empty(&self) -> Result<(), Failure> {
        if self.0.exists() {
            fs::remove_dir_all(&self.0).map_err(|error| unwritable(&self.0, &error))?;
        }
        fs::create_dir_all(&self.0).map_err(|error| unwritable(&self.0, &error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run removes what is left.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("{}: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_part_is_answered_with_all_parts() {
        let said = run(&["small", "akcs"]).expect_err("there is no such part").0;
        for part in PARTS {
            assert!(said.contains(&format!("  {} ", part.name)), "{} is missing in:\n{said}", part.name);
        }
    }
}
