//! One connection of a reader after the other: the request, and what comes back.
//!
//! Invariant: what one connection leaves to the next is the last id and the reconnection time, nothing else.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{
    Request, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, HOST},
};
use http_body_util::Full;
use largesse::wire::{ParsedEvent, Parser, ParserLimits};
use tokio::time::timeout;

use super::print::{Printed, Printer, is_said};
use crate::{
    client::{Answer, ServerUrl, send},
    progress::{Output, Progress, Unit},
};

/// Silence after which a connection counts as lost, unless the server says that it may be silent for longer.
const SILENCE: Duration = Duration::from_secs(90);
/// The longest silence that a server may have us bear.
const SILENCE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// So many times the silence after which a server says that it gives a sign of life: one may be late, or on its way.
const HEARTBEATS: u32 = 2;
/// A pause after which all that was old is taken to be read.
const CAUGHT_UP_AFTER: Duration = Duration::from_secs(1);
/// The largest event that is read.
const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How a connection was over.
#[derive(Debug)]
pub(super) enum Over {
    /// The streams have ended.
    Finished,
    /// The server won't have it, however often it is asked.
    Refused(String),
    /// What was read could not be printed.
    Unprinted(io::Error),
    /// The server ended it in order.
    Ended,
    /// It could not be had, or broke.
    Lost(String),
}

/// A reader, between and on its connections.
pub(super) struct Attempt<'a> {
    url: &'a ServerUrl,
    target: &'a str,
    parser: Parser,
    printer: Printer,
}

impl<'a> Attempt<'a> {
    /// A reader that has not asked yet.
    pub(super) fn new(url: &'a ServerUrl, target: &'a str, printer: Printer) -> Self {
        let parser = Parser::new(ParserLimits { event_bytes_max: EVENT_BYTES_MAX });
        Self { url, target, parser, printer }
    }

    /// The wait the server last asked for.
    pub(super) fn retry_ms(&self) -> Option<u64> {
        self.parser.reconnection_time_ms()
    }

    /// Asks, and reads as long as it lasts. `opened` is called when the server lets the reader in.
    pub(super) async fn run(&mut self, opened: impl FnOnce()) -> Over {
        self.parser.reset_connection();
        let request = match self.request() {
            Ok(request) => request,
            Err(error) => return Over::Refused(format!("the request can't be made: {error}")),
        };
        let mut answer = match send(self.url, request).await {
            Ok(answer) => answer,
            Err(error) => return Over::Lost(error.to_string()),
        };
        match answer.status() {
            StatusCode::NO_CONTENT => Over::Finished,
            StatusCode::OK if answer.is("text/event-stream") => {
                opened();
                self.read(answer).await
            }
            StatusCode::OK => Over::Refused(answer.unlike("an event stream")),
            status if passes(status) => Over::Lost(answer.problem().await),
            _ => Over::Refused(answer.problem().await),
        }
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::get(self.target)
            .header(HOST, self.url.host_header())
            .header(ACCEPT, "text/event-stream")
            .header(CACHE_CONTROL, "no-store");
        if !self.parser.last_event_id().is_empty() {
            request = request.header("Last-Event-ID", self.parser.last_event_id());
        }
        request.body(Full::default())
    }

    async fn read(&mut self, mut answer: Answer) -> Over {
        let silence_max = silence_max(answer.header("largesse-heartbeat"));
        // What is old comes in one go; it is shown until there is a pause.
        let mut behind = Some(Progress::begin("catching up", Unit::Events, None, Output::Flows));
        loop {
            let most = if behind.is_some() { CAUGHT_UP_AFTER } else { silence_max };
            let chunk = match timeout(most, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Over::Ended,
                Ok(Err(error)) => return Over::Lost(format!("the connection broke ({error})")),
                Err(_) if behind.take().is_some() => continue,
                Err(_) => return Over::Lost(format!("silence for {} s", silence_max.as_secs())),
            };
            if let Some(over) = self.take(&chunk, behind.as_ref()) {
                return over;
            }
        }
    }

    /// Prints what is complete; `Some` when that was the end.
    fn take(&mut self, mut input: &[u8], behind: Option<&Progress>) -> Option<Over> {
        loop {
            match self.parser.next_event(&mut input) {
                Ok(Some(event)) => match self.print(&event, behind) {
                    Ok(Printed::More) => {}
                    Ok(Printed::Finished) => return Some(Over::Finished),
                    Ok(Printed::Unknown(problem)) => return Some(Over::Refused(problem)),
                    Err(error) => return Some(Over::Unprinted(error)),
                },
                Ok(None) => return None,
                Err(error) => return Some(Over::Refused(error.to_string())),
            }
        }
    }
}

impl Attempt<'_> {
    /// Prints one event; what the server says goes where progress is drawn.
    fn print(&self, event: &ParsedEvent, behind: Option<&Progress>) -> io::Result<Printed> {
        match behind {
            Some(behind) if is_said(event) => behind.beside(|| self.printer.print(event)),
            Some(behind) => {
                behind.advance(1);
                self.printer.print(event)
            }
            None => self.printer.print(event),
        }
    }
}

/// How long a server may be silent that names this many seconds for its heartbeat.
fn silence_max(heartbeat_s: Option<&str>) -> Duration {
    let heartbeat =
        heartbeat_s.and_then(|text| text.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    heartbeat.saturating_mul(HEARTBEATS).clamp(SILENCE, SILENCE_MAX)
}

/// What a proxy says while the server behind it is away or has too much to do.
fn passes(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_how_long_its_silence_means_nothing() {
        let rows = [
            (None, 90),
            (Some("15"), 90),
            (Some("45"), 90),
            (Some("46"), 92),
            (Some(" 3600 "), 7_200),
            (Some("0"), 90),
            (Some("often"), 90),
            (Some("-5"), 90),
            (Some("18446744073709551615"), 86_400),
        ];
        for (stated, want) in rows {
            assert_eq!(silence_max(stated).as_secs(), want, "{stated:?}");
        }
    }
}
