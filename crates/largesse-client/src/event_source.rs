//! A reader of an event stream, over any number of connections.
//!
//! Invariants: each event is returned once, in order, if the server honours its ids; the id that is presented is that of
//! the last event returned, or of a later block without data; nothing is requested after the end. A connection passes the
//! id and the reconnection time on to the next one, and nothing else.
//!
//! Source: WHATWG HTML, "Server-sent events". It doesn't interpret events, not even our own `end`: a caller that has what
//! it wanted drops it.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use bytes::{Buf, Bytes};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, RETRY_AFTER},
};
use largesse_wire::{ParseError, ParsedEvent, Parser, ParserLimits};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    Answer, BodyError, Client, DisconnectKind, Reconnect, ReconnectLimits, Request, Response, SendError,
    Statuses,
    silence::silence_max,
    verdict::{Verdict, verdict},
};

/// Source: WHATWG HTML, "The Last-Event-ID header".
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How much is read of an answer that isn't an event stream, and for how long.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How a stream is read.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// The largest event that is read: data, name and id together.
    pub event_bytes_max: usize,
    /// Silence after which a connection counts as lost. If the server states a `Largesse-Heartbeat`, twice that, if it is
    /// longer, up to a day.
    pub silence_max: Duration,
    /// The id of the last event of an earlier run, if there was one.
    pub last_event_id: Option<String>,
    /// After which statuses it waits and asks again.
    pub statuses: Statuses,
    /// The waits between connections.
    pub reconnect: ReconnectLimits,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            event_bytes_max: 16 * 1024 * 1024,
            silence_max: Duration::from_secs(90),
            last_event_id: None,
            statuses: Statuses::default(),
            reconnect: ReconnectLimits::default(),
        }
    }
}

/// What a source returns next.
#[derive(Debug)]
pub enum Heard {
    /// A connection is open, and is an event stream.
    Opened {
        /// The head of the answer.
        headers: HeaderMap,
        /// How many attempts in a row failed before it.
        failures: u32,
    },
    /// An event.
    Event(ParsedEvent),
    /// The connection is gone; the next call waits and connects again.
    Disconnected(Disconnect),
}

/// A connection that is gone, or never came about.
#[derive(Debug)]
pub struct Disconnect {
    /// What happened.
    pub cause: DisconnectCause,
    /// How long the next call waits before it connects.
    pub wait: Duration,
    /// Failures in a row, including this one; 0 if the server ended the connection properly.
    pub failures: u32,
}

/// Why a connection is gone.
#[derive(Debug)]
pub enum DisconnectCause {
    /// The server ended the answer properly.
    Ended,
    /// There was no answer.
    Unanswered(SendError),
    /// A status after which it waits and asks again.
    Away(Box<Answer>),
    /// The answer broke off, or the server was silent for too long.
    Broken(BodyError),
}

/// Why a source will not connect again. [`EventSource::next`] returns `None` from then on.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The server refuses the request.
    #[error("the server refuses: {}", .0.status)]
    Refused(Box<Answer>),
    /// The answer is a 200, but not an event stream, or one in a content coding that wasn't asked for.
    #[error("the answer is not an event stream")]
    NotAStream(Box<Answer>),
    /// There was never a connection, and another attempt would fail as well ([`SendError::is_futile`]); or the last id
    /// can't be the value of a header.
    #[error("another attempt would fail as well")]
    Futile(#[source] SendError),
    /// An event is larger than [`SourceConfig::event_bytes_max`]; the server would only send it again.
    #[error("an event is too large")]
    TooLarge(#[source] ParseError),
}

/// The outcome of a request.
enum Asked {
    Reading(Response),
    Finished,
    Away(Answer),
    Refused(Answer),
    NotAStream(Answer),
    Unanswered(SendError),
}

/// What a source is doing.
enum Stage {
    New,
    Waiting(Instant),
    /// Kept between calls, so that a dropped call doesn't send the request anew.
    Asking(Pin<Box<dyn Future<Output = Asked> + Send>>),
    Reading(Reading),
    Stopped,
}

struct Reading {
    response: Response,
    /// Bytes that have arrived and are not parsed yet.
    rest: Bytes,
    silence_max: Duration,
    /// When the connection counts as lost, if nothing comes until then.
    silent_until: Option<Instant>,
}

/// Reads an event stream.
///
/// [`next_event`](Self::next_event) returns the events, [`next`](Self::next) also what happens between them.
pub struct EventSource {
    client: Client,
    request: Request,
    statuses: Statuses,
    silence_max: Duration,
    parser: Parser,
    reconnect: Reconnect,
    was_open: bool,
    stage: Stage,
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::New => "new",
            Stage::Waiting(_) => "waiting",
            Stage::Asking(_) => "asking",
            Stage::Reading(_) => "reading",
            Stage::Stopped => "stopped",
        };
        f.debug_struct("EventSource")
            .field("request", &self.request)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}

impl EventSource {
    /// A source that has not connected yet. Each connection sends `request`, with `Accept: text/event-stream`,
    /// `Cache-Control: no-store` and, if there is an id, `Last-Event-ID`.
    #[must_use]
    pub fn new(client: Client, request: Request, config: SourceConfig) -> Self {
        let SourceConfig { event_bytes_max, silence_max, last_event_id, statuses, reconnect } = config;
        let limits = ParserLimits { event_bytes_max };
        let parser = match last_event_id {
            Some(id) => Parser::resuming(limits, &id),
            None => Parser::new(limits),
        };
        let request = request
            .header(ACCEPT, HeaderValue::from_static("text/event-stream"))
            .header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let (reconnect, stage) = (Reconnect::new(reconnect), Stage::New);
        Self { client, request, statuses, silence_max, parser, reconnect, was_open: false, stage }
    }

    /// The id that the next connection presents; empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// The next event; `None` once the server has said that there are no more (204), or after an error.
    ///
    /// Waits as long as it takes: for the network, for the server, and between connections.
    ///
    /// Cancellation: nothing is lost, and the next call goes on with a connection that was being made.
    ///
    /// # Errors
    /// [`Stopped`], once.
    pub async fn next_event(&mut self) -> Result<Option<ParsedEvent>, Stopped> {
        loop {
            match self.next().await? {
                Some(Heard::Event(event)) => return Ok(Some(event)),
                Some(Heard::Opened { .. } | Heard::Disconnected(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next event, or what became of the connection. Otherwise like [`next_event`](Self::next_event).
    ///
    /// # Errors
    /// [`Stopped`], once.
    pub async fn next(&mut self) -> Result<Option<Heard>, Stopped> {
        loop {
            match &mut self.stage {
                Stage::New => self.ask()?,
                Stage::Waiting(until) => {
                    sleep_until(*until).await;
                    self.ask()?;
                }
                Stage::Asking(asking) => {
                    let asked = asking.await;
                    return self.handle_asked(asked);
                }
                Stage::Reading(reading) => match reading.next(&mut self.parser).await {
                    Ok(event) => return Ok(Some(Heard::Event(event))),
                    Err(Unread::TooLarge(error)) => return self.stop(Stopped::TooLarge(error)),
                    Err(Unread::Lost(cause)) => return Ok(Some(self.lose(cause))),
                },
                Stage::Stopped => return Ok(None),
            }
        }
    }

    /// Begins a connection.
    fn ask(&mut self) -> Result<(), Stopped> {
        self.parser.reset_connection();
        let mut request = self.request.clone();
        if !self.parser.last_event_id().is_empty() {
            match HeaderValue::from_bytes(self.parser.last_event_id().as_bytes()) {
                Ok(id) => request = request.header(LAST_EVENT_ID, id),
                Err(error) => {
                    self.stage = Stage::Stopped;
                    return Err(Stopped::Futile(SendError::Unaskable(error.into())));
                }
            }
        }
        let (client, statuses) = (self.client.clone(), self.statuses);
        self.stage = Stage::Asking(Box::pin(async move { asked(&client, &request, statuses).await }));
        Ok(())
    }

    fn handle_asked(&mut self, asked: Asked) -> Result<Option<Heard>, Stopped> {
        match asked {
            Asked::Reading(response) => Ok(Some(self.open(response))),
            Asked::Finished => {
                self.stage = Stage::Stopped;
                Ok(None)
            }
            Asked::Away(answer) => Ok(Some(self.lose(DisconnectCause::Away(Box::new(answer))))),
            Asked::Refused(answer) => self.stop(Stopped::Refused(Box::new(answer))),
            Asked::NotAStream(answer) => self.stop(Stopped::NotAStream(Box::new(answer))),
            // A server that was reached once may be mended: certificates are renewed.
            Asked::Unanswered(error) if error.is_futile() && !self.was_open => {
                self.stop(Stopped::Futile(error))
            }
            Asked::Unanswered(error) => Ok(Some(self.lose(DisconnectCause::Unanswered(error)))),
        }
    }

    fn open(&mut self, response: Response) -> Heard {
        self.was_open = true;
        let headers = response.headers().clone();
        let silence_max = silence_max(&headers, self.silence_max);
        self.stage =
            Stage::Reading(Reading { response, rest: Bytes::new(), silence_max, silent_until: None });
        Heard::Opened { headers, failures: self.reconnect.handle_open() }
    }

    fn lose(&mut self, cause: DisconnectCause) -> Heard {
        if let Some(retry_ms) = self.parser.reconnection_time_ms() {
            self.reconnect.handle_retry(retry_ms);
        }
        let kind = match &cause {
            DisconnectCause::Ended => DisconnectKind::Ended,
            DisconnectCause::Away(answer) => DisconnectKind::Away(retry_after(answer)),
            DisconnectCause::Unanswered(_) | DisconnectCause::Broken(_) => DisconnectKind::Failed,
        };
        let next = self.reconnect.handle_disconnect(kind, fastrand::f64());
        self.stage = Stage::Waiting(Instant::now() + next.wait);
        Heard::Disconnected(Disconnect { cause, wait: next.wait, failures: next.failures })
    }

    fn stop(&mut self, why: Stopped) -> Result<Option<Heard>, Stopped> {
        self.stage = Stage::Stopped;
        Err(why)
    }
}

/// Sends the request, and judges the answer.
async fn asked(client: &Client, request: &Request, statuses: Statuses) -> Asked {
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => return Asked::Unanswered(error),
    };
    let coding = response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unknown"));
    let judged = verdict(response.status(), response.essence(), coding, statuses);
    let answer = |response: Response| response.answer(ANSWER_BYTES_MAX, ANSWER_WITHIN);
    match judged {
        Verdict::Read => Asked::Reading(response),
        Verdict::Finished => Asked::Finished,
        Verdict::Again => Asked::Away(answer(response).await),
        Verdict::Refused => Asked::Refused(answer(response).await),
        Verdict::NotAStream => Asked::NotAStream(answer(response).await),
    }
}

/// The wait that an answer asks for, if it is in seconds. Source: RFC 9110, clause 10.2.3.
fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs)
}

/// Why there is no event.
enum Unread {
    TooLarge(ParseError),
    Lost(DisconnectCause),
}

impl Reading {
    /// The next event of this connection. Cancellation: nothing is lost.
    async fn next(&mut self, parser: &mut Parser) -> Result<ParsedEvent, Unread> {
        loop {
            let mut input = &self.rest[..];
            let parsed = parser.next_event(&mut input).map_err(Unread::TooLarge)?;
            let taken = self.rest.len() - input.len();
            self.rest.advance(taken);
            if let Some(event) = parsed {
                return Ok(event);
            }
            self.rest = self.more().await.map_err(Unread::Lost)?;
        }
    }

    async fn more(&mut self) -> Result<Bytes, DisconnectCause> {
        // Silence counts only while it is waited for, and goes on counting after a dropped call.
        let until = *self.silent_until.get_or_insert_with(|| Instant::now() + self.silence_max);
        let came = timeout_at(until, self.response.chunk()).await;
        self.silent_until = None;
        match came {
            Ok(Ok(Some(chunk))) => Ok(chunk),
            Ok(Ok(None)) => Err(DisconnectCause::Ended),
            Ok(Err(error)) => Err(DisconnectCause::Broken(error)),
            Err(_) => Err(DisconnectCause::Broken(BodyError::Silent(self.silence_max))),
        }
    }
}
