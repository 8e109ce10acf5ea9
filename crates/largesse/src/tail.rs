//! `largesse tail`: reads streams and prints their events, over any number of connections.
//!
//! Invariants: an event is printed once, in order; an id is presented only after its event was printed; only
//! an end, a refusal or a closed stdout stops it. Does not keep anything on disk.

mod listener;
mod print;

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use largesse::client::{
    Disconnect, DisconnectCause, EventSource, Heard, Request, SourceConfig, Stopped, Url,
};
use largesse::{log::Selector, wire::ParsedEvent};
use tokio::time::timeout;

use self::print::{Form, Printed, Printer, is_said};
use crate::{
    cli::TailArgs,
    client::{ServerUrl, client, disconnected, encoded_query, resolved_url, stopped},
    config::server_url,
    progress::{Output, Progress, Unit},
    terminal::{Failure, note},
};

/// The longest URL, here and in the server: the `http` crate counts its bytes in 16 bits.
const URL_BYTES_MAX: usize = 65_534;
/// A pause after which the reader counts as caught up.
const CAUGHT_UP_AFTER: Duration = Duration::from_secs(1);
/// The largest event that is read.
const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads until the streams end.
///
/// # Errors
/// The server refuses, or isn't Largesse.
pub(crate) fn run(args: &TailArgs) -> Result<(), Failure> {
    let url = resolved_url(args.server.url.as_ref(), server_url())?;
    let target = url.to(&path_and_query(args)?);
    let bytes = target.as_str().len();
    if bytes > URL_BYTES_MAX {
        return Err(Failure(format!(
            "the names make a URL of {bytes} bytes, more than {URL_BYTES_MAX}; give fewer, or a pattern such as prices/*"
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            read = Reading::new(&url, target, Printer::new(form(args))).all() => read,
            // Whoever read our output has what they wanted, like `head`.
            () = listener::gone() => Ok(()),
        }
    })
}

fn form(args: &TailArgs) -> Form {
    let several = args.streams.len() > 1 || args.streams.iter().any(|stream| stream.contains('*'));
    match (args.json, several) {
        (true, _) => Form::Json,
        (false, true) => Form::TextOfSeveral,
        (false, false) => Form::TextOfOne,
    }
}

fn path_and_query(args: &TailArgs) -> Result<String, Failure> {
    let mut query = vec!["format=json".to_owned()];
    for stream in &args.streams {
        Selector::parse(stream).map_err(|error| Failure(format!("the stream {stream:?}: {error}")))?;
        query.push(format!("name={}", encoded_query(stream)));
    }
    query.extend(args.from.iter().map(|from| format!("from={}", encoded_query(from))));
    Ok(format!("/streams?{}", query.join("&")))
}

/// A reader that prints.
struct Reading<'a> {
    url: &'a ServerUrl,
    source: EventSource,
    printer: Printer,
    /// The progress through old events, which come in one go; it is shown until there is a pause.
    behind: Option<Progress>,
}

impl<'a> Reading<'a> {
    fn new(url: &'a ServerUrl, target: Url, printer: Printer) -> Self {
        let config = SourceConfig { event_bytes_max: EVENT_BYTES_MAX, ..SourceConfig::default() };
        let source = EventSource::new(client(), Request::get(target), config);
        Self { url, source, printer, behind: None }
    }

    async fn all(mut self) -> Result<(), Failure> {
        while let Some(heard) = self.next().await.map_err(|why| Failure(stopped(&why)))? {
            match heard {
                Heard::Opened { failures, .. } => self.open(failures),
                Heard::Disconnected(lost) => self.lose(&lost),
                Heard::Event(event) => match self.print(&event) {
                    Ok(Printed::More) => {}
                    Ok(Printed::Finished) => return Ok(()),
                    Ok(Printed::Unknown(problem)) => return Err(Failure(problem)),
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                    Err(error) => return Err(Failure(format!("stdout: {error}"))),
                },
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Heard>, Stopped> {
        if self.behind.is_some() {
            if let Ok(heard) = timeout(CAUGHT_UP_AFTER, self.source.next()).await {
                return heard;
            }
            self.behind = None;
        }
        self.source.next().await
    }

    fn open(&mut self, failures: u32) {
        if failures > 0 {
            note(&format!("{}: reading again", self.url));
        }
        self.behind = Some(Progress::begin("catching up", Unit::Events, None, Output::Flows));
    }

    fn lose(&mut self, lost: &Disconnect) {
        self.behind = None;
        // A proper end is normal, and of several failures only the first is reported.
        if lost.failures == 1 && !matches!(lost.cause, DisconnectCause::Ended) {
            note(&format!("{}: {}; trying again until it answers", self.url, disconnected(&lost.cause)));
        }
    }

    /// Prints one event; the server's own events go to stderr, where progress is drawn.
    fn print(&self, event: &ParsedEvent) -> io::Result<Printed> {
        match &self.behind {
            Some(behind) if is_said(event) => behind.beside(|| self.printer.print(event)),
            Some(behind) => {
                behind.advance(1);
                self.printer.print(event)
            }
            None => self.printer.print(event),
        }
    }
}
