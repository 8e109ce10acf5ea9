//! `largesse log export` of a folder: a log that no server has open, as lines.
//!
//! Invariant: the events come in the order of the log, and every whole one comes once. Does not change the folder.

use std::{
    io::{self, BufWriter, Write},
    num::NonZeroUsize,
};

use largesse::{
    disk::inspect::OfflineLog,
    http::rfc3339,
    log::{
        Event, Place, PlaceKind, Position, ReadLimits, Record, Selection, Selector, Settings, Stopped,
        StreamName, StreamState, WireId,
    },
};

use super::{
    STREAMS_AT_ONCE,
    line::{Written, event_name},
    load, whole,
};
use crate::{
    data_folder::DataFolder,
    progress::{Output, Progress, Unit},
    terminal::{Failure, counted, note},
};

/// How much is read in one go.
const LIMITS: ReadLimits = ReadLimits {
    records_max: NonZeroUsize::new(4096).expect("4096 is not zero"),
    bytes_max: 4 * 1024 * 1024,
};

/// Writes the log to stdout.
///
/// # Errors
/// The log can't be read, or not all of it: then everything that is whole was written.
pub(super) fn run(folder: &DataFolder) -> Result<(), Failure> {
    let log = load(folder)?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut export = Export { log: &log, out, streams: 0, events: 0, kept: 0, broken: 0 };
    export.all()?;
    let broken = export.broken;
    if broken > 0 {
        note(&format!("{} broken, and not in it", counted(broken, "event")));
    }
    whole(&log)?;
    match broken {
        0 => Ok(()),
        _ => Err(Failure("the log is broken: all that is whole is in it".to_owned())),
    }
}

struct Export<'a, W: Write> {
    log: &'a OfflineLog,
    out: W,
    streams: u64,
    events: u64,
    /// What the streams report to keep.
    kept: u64,
    broken: u64,
}

impl<W: Write> Export<'_, W> {
    fn all(&mut self) -> Result<(), Failure> {
        self.line(&Written::head(format!("{:016x}", self.log.incarnation().0)))?;
        self.each_stream(|export, state| {
            export.streams += 1;
            export.kept += state.events;
            export.line(&Written::Stream { stream: state.name.as_str(), settings: &state.settings })
        })?;
        self.all_events()?;
        self.each_stream(|export, state| match state.closed {
            Some(_) => export.line(&Written::Closed { stream: state.name.as_str(), closed: true }),
            None => Ok(()),
        })?;
        let (streams, events) = (self.streams, self.events);
        self.line(&Written::End { end: true, streams, events })?;
        self.out.flush().map_err(|error| unwritten(&error))
    }

    fn each_stream(
        &mut self,
        mut each: impl FnMut(&mut Self, &StreamState) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut after: Option<StreamName> = None;
        loop {
            let states = self.log.list(after.as_ref(), STREAMS_AT_ONCE);
            let Some(last) = states.last() else { return Ok(()) };
            after = Some(last.name.clone());
            for state in &states {
                each(self, state)?;
            }
        }
    }

    fn all_events(&mut self) -> Result<(), Failure> {
        let all = Selector::parse("**").map(|all| Selection::many(vec![all]));
        let all = all.expect("two stars are a pattern").expect("one pattern is a selection");
        let mut place = Place::knowing(Position::ZERO, self.log.tail());
        let progress = Progress::begin("exporting", Unit::Events, Some(self.kept), Output::Flows);
        loop {
            let broken = &mut self.broken;
            let read = self.log.read(&all, place, LIMITS, &mut |error| {
                *broken += 1;
                progress.beside(|| note(&format!("{error}")));
            });
            let batch =
                read.map_err(|error| Failure(format!("{error}; what comes after it is not in it")))?;
            for record in &batch.records {
                if let Record::Event { event, .. } = record {
                    self.event(event)?;
                    progress.advance(1);
                }
            }
            if let Some(lost) = &batch.lost {
                place = place.told(lost.told_upto);
            }
            place = place.advanced_to(batch.upto);
            if batch.stopped == Stopped::Tail {
                return Ok(());
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), Failure> {
        self.events += 1;
        let place = Place::at(event.position);
        let id =
            WireId::Place { kind: PlaceKind::Event, incarnation: self.log.incarnation(), place }.encode();
        self.line(&Written::Event {
            stream: event.stream.as_str(),
            id: id.as_str(),
            event: event_name(event.name.as_ref()),
            time: &rfc3339(event.time),
            data: event.data.as_str(),
        })
    }

    fn line(&mut self, line: &Written<'_, &Settings>) -> Result<(), Failure> {
        line.write(&mut self.out).map_err(|error| unwritten(&error))
    }
}

pub(super) fn unwritten(error: &io::Error) -> Failure {
    Failure::of_stdout(error)
}
