//! `largesse log import`: makes a log from lines, in an empty folder.
//!
//! Invariants: all lines are in the log, or none: if one is wrong, the folder is emptied again, and a server refuses
//! a folder whose import was cut off. The log is a new one: old ids mean nothing in it. Does not know where the
//! lines were saved.

use std::{
    io::{self, BufRead, Read},
    time::Duration,
};

use largesse::{
    disk::{
        DiskEngine, DiskSettings, SyncRule,
        inspect::OfflineLog,
        io::{Disk, lock::LOCK_NAME},
    },
    log::{
        Append, Author, Engine, EngineExt, EngineLimits, NewEvent, Once, Put, SettingsPatch, StreamName,
        Then, UnixMs,
    },
};

use super::{lead, line::Line, saved};
use crate::{
    data_folder::{DataFolder, IMPORTING},
    distance::distance,
    progress::{Output, Progress, Unit},
    terminal::{Failure, counted, note},
};

/// No line of a saved log is longer: the largest event, with every byte escaped.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// The most events that are appended together, and their bytes.
const TOGETHER_MAX: usize = 1000;
const TOGETHER_BYTES_MAX: u64 = 1024 * 1024;

/// What happens to times that are ahead of this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    Kept,
    /// They become the clock's.
    Capped,
}

/// Reads the lines from stdin.
///
/// # Errors
/// The folder is not empty, a line is wrong, or the disk fails. Nothing is imported then.
pub(super) fn run(folder: &DataFolder, ahead: Ahead) -> Result<(), Failure> {
    let path = folder.path().display();
    let disk = folder.disk();
    let unmade = |error: io::Error| Failure(format!("the folder {path} can't be written: {error}"));
    let names = disk.names().map_err(|error| Failure(format!("the folder {path} can't be read: {error}")))?;
    if names.iter().any(|name| name != LOCK_NAME) {
        return Err(Failure(format!("the folder {path} is not empty; --data DIR names another one")));
    }
    let marker = disk.create(IMPORTING).and_then(|_| disk.sync_names());
    let imported = marker.map_err(unmade).and_then(|()| all(folder, ahead)).and_then(|said| {
        disk.remove(IMPORTING).and_then(|()| disk.sync_names()).map_err(unmade)?;
        Ok(said)
    });
    match imported {
        Ok(said) => {
            note(&said);
            Ok(())
        }
        Err(Failure(why)) => {
            let left = empty(folder);
            let end = left.map_or_else(
                |error| format!("what was made in {path} can't be taken away: {error}"),
                |()| "nothing was imported".to_owned(),
            );
            Err(Failure(format!("{why}; {end}")))
        }
    }
}

/// Removes what was made.
fn empty(folder: &DataFolder) -> io::Result<()> {
    let disk = folder.disk();
    for name in disk.names()? {
        // The file that says that it is incomplete goes last.
        if name != LOCK_NAME && name != IMPORTING {
            disk.remove(&name)?;
        }
    }
    disk.sync_names()?;
    disk.remove(IMPORTING)?;
    disk.sync_names()
}

/// Imports all lines, and returns what to report.
fn all(folder: &DataFolder, ahead: Ahead) -> Result<String, Failure> {
    // Whatever a server may keep: what was saved must not be dropped on the way.
    let limits = EngineLimits { log_bytes_max: u64::MAX, streams_max: u64::MAX, ..EngineLimits::default() };
    // It is synced at the end: until then nobody relies on it.
    let settings =
        DiskSettings { sync: SyncRule::Interval(Duration::from_secs(1)), ..DiskSettings::default() };
    let engine = folder.open_new(limits, settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    let bytes = saved::bytes(&io::stdin());
    let mut input = saved::opened(io::stdin().lock())?;
    let progress = Progress::begin("importing", Unit::Bytes, bytes, Output::Rare);
    let leads = Leads { clock: lead::now(), ahead, events: 0, longest: Duration::ZERO };
    let mut import =
        Import { engine: &engine, progress, waiting: Vec::new(), bytes: 0, streams: 0, events: 0, leads };
    runtime.block_on(import.read(&mut input))?;
    let Import { streams, events, leads, .. } = import;
    let tail = engine.tail();
    // Closing comes first: only then is everything safe, or the failure below says that it is not.
    let health = engine.health();
    drop(engine);
    if let Some(reason) = health.failure() {
        return Err(Failure(format!("the log could not be made safe: {reason}")));
    }
    let log = OfflineLog::load(folder.disk()).map_err(|error| folder.unopened(&error))?;
    if log.tail() != tail || !log.left_out().is_empty() {
        return Err(Failure(
            "the log is not whole after it was closed: is the disk full (df), or broken (dmesg)?".to_owned(),
        ));
    }
    let (streams, events) = (counted(streams, "stream"), counted(events, "event"));
    Ok(format!("imported {streams} and {events}, as log {:016x}{}", log.incarnation().0, leads.said()))
}

/// The events whose times were ahead of this machine's clock.
struct Leads {
    /// What the clock said when the import began.
    clock: UnixMs,
    ahead: Ahead,
    events: u64,
    longest: Duration,
}

impl Leads {
    /// The time for an event of this time.
    fn take(&mut self, time: UnixMs) -> UnixMs {
        let Some(lead) = lead::of(time, self.clock) else { return time };
        self.events += 1;
        self.longest = self.longest.max(lead);
        match self.ahead {
            Ahead::Kept => time,
            Ahead::Capped => self.clock,
        }
    }

    fn said(&self) -> String {
        if self.events == 0 {
            return String::new();
        }
        let (events, longest) = (counted(self.events, "event"), distance(self.longest));
        let what = match self.ahead {
            Ahead::Kept => {
                "a server continues from there, at half speed; import with --cap-times to give them the clock's time"
            }
            Ahead::Capped => "they have the clock's time now",
        };
        format!("; {events} had times up to {longest} ahead of this machine's clock: {what}")
    }
}

/// Events on their way into the log.
struct Waiting {
    stream: StreamName,
    time: UnixMs,
    event: NewEvent,
}

struct Import<'a> {
    engine: &'a DiskEngine,
    /// In bytes of the lines.
    progress: Progress,
    /// All from one stream and of one time.
    waiting: Vec<Waiting>,
    bytes: u64,
    streams: u64,
    events: u64,
    leads: Leads,
}

/// Checks the first byte, before reading a whole line that may have no end.
fn begins_as_a_line(input: &mut impl BufRead) -> Result<(), String> {
    let first = input.fill_buf().map_err(|error| format!("stdin: {error}"))?.first().copied();
    match first {
        None | Some(b'{' | b' ' | b'\t' | b'\r' | b'\n') => Ok(()),
        Some(_) => Err("it does not begin with {, as each line of a saved log does".to_owned()),
    }
}

impl Import<'_> {
    async fn read(&mut self, input: &mut impl BufRead) -> Result<(), Failure> {
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            number += 1;
            line.clear();
            begins_as_a_line(input).map_err(|why| Failure(format!("line {number}: {why}")))?;
            let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
            let bytes = read.map_err(|error| Failure(format!("stdin: {error}")))?;
            if bytes == 0 {
                return Err(Failure(format!("the last line is missing: it ends after line {}", number - 1)));
            }
            let wrong = |why: String| Failure(format!("line {number}: {why}"));
            self.progress.advance(bytes as u64);
            let parsed = Line::parse(line.trim_ascii_end()).map_err(wrong)?;
            if (number == 1) != (parsed == Line::Head) {
                return Err(wrong("a saved log begins with {\"export\":1,…}, once".to_owned()));
            }
            if self.take(parsed).await.map_err(wrong)? == Came::ToTheEnd {
                return nothing_after(input, number);
            }
        }
    }

    async fn take(&mut self, line: Line) -> Result<Came, String> {
        match line {
            Line::Head => {}
            Line::Stream { stream, settings } => {
                self.append().await?;
                self.put(&stream, settings).await?;
                self.streams += 1;
            }
            Line::Event { stream, name, time, data } => {
                let (event, time) = (NewEvent { name, data }, self.leads.take(time));
                if !self.fits(&stream, time, &event) {
                    self.append().await?;
                }
                self.bytes += event.counted_bytes();
                self.waiting.push(Waiting { stream, time, event });
                self.events += 1;
            }
            Line::Closed { stream } => {
                self.append().await?;
                // The time for which it can be read starts again.
                self.publish(
                    lead::now(),
                    Append {
                        stream,
                        events: Vec::new(),
                        then: Then::Close,
                        once: Once::Unkeyed,
                        author: Author::Source,
                    },
                )
                .await?;
            }
            Line::End { streams, events } if (streams, events) == (self.streams, self.events) => {
                self.append().await?;
                return Ok(Came::ToTheEnd);
            }
            Line::End { streams, events } => {
                let saved = (counted(streams, "stream"), counted(events, "event"));
                return Err(format!(
                    "saved were {} and {}, and {} and {} came before it",
                    saved.0, saved.1, self.streams, self.events
                ));
            }
        }
        Ok(Came::ToALine)
    }

    fn fits(&self, stream: &StreamName, time: UnixMs, event: &NewEvent) -> bool {
        let is_alike = self.waiting.first().is_none_or(|first| first.stream == *stream && first.time == time);
        let bytes = self.bytes + event.counted_bytes();
        is_alike
            && self.waiting.len() < TOGETHER_MAX
            && (bytes <= TOGETHER_BYTES_MAX || self.waiting.is_empty())
    }

    /// Appends what waits.
    async fn append(&mut self) -> Result<(), String> {
        let Some(Waiting { stream, time, .. }) = self.waiting.first() else { return Ok(()) };
        let (stream, time) = (stream.clone(), *time);
        let events = self.waiting.drain(..).map(|waiting| waiting.event).collect();
        self.bytes = 0;
        self.publish(
            time,
            Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source },
        )
        .await
    }

    async fn publish(&self, time: UnixMs, append: Append) -> Result<(), String> {
        let stream = append.stream.clone();
        let appended = self.engine.append(time.into(), append).await;
        appended.map(|_| ()).map_err(|error| format!("an event of {stream} before it can't be kept: {error}"))
    }

    async fn put(&self, stream: &StreamName, settings: SettingsPatch) -> Result<(), String> {
        let put = self.engine.put(lead::now().into(), stream, Put { settings }).await;
        put.map(|_| ()).map_err(|error| format!("the stream {stream} can't be made: {error}"))
    }
}

/// How far the lines have come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    ToALine,
    ToTheEnd,
}

fn nothing_after(input: &mut impl BufRead, number: u64) -> Result<(), Failure> {
    match input.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(Failure(format!("line {}: something follows the last line", number + 1))),
        Err(error) => Err(Failure(format!("stdin: {error}"))),
    }
}
