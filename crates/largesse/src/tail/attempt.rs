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
use largesse::wire::{Parser, ParserLimits};
use tokio::time::timeout;

use super::print::{Printed, Printer};
use crate::client::{Answer, ServerUrl, send};

/// Silence after which a connection counts as lost. Servers give a sign of life every 15 s; one that is set
/// to be rarer is only asked again, and nothing is missed.
const SILENCE_MAX: Duration = Duration::from_secs(90);
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
        loop {
            let chunk = match timeout(SILENCE_MAX, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Over::Ended,
                Ok(Err(error)) => return Over::Lost(format!("the connection broke ({error})")),
                Err(_) => return Over::Lost(format!("silence for {} s", SILENCE_MAX.as_secs())),
            };
            if let Some(over) = self.take(&chunk) {
                return over;
            }
        }
    }

    /// Prints what is complete; `Some` when that was the end.
    fn take(&mut self, mut input: &[u8]) -> Option<Over> {
        loop {
            match self.parser.next_event(&mut input) {
                Ok(Some(event)) => match self.printer.print(&event) {
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
