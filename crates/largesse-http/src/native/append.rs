//! POST: appends the events of a body, in one of three formats.
//!
//! Invariant: a whole body is appended as a whole or not at all; only an event stream is appended as it arrives. Does
//! not know how the log handles a repeat: it passes on the key and a digest.

pub(crate) mod body_kind;
mod event_stream;
mod idempotency_key;
mod lines;
mod utf8_pieces;

use axum::response::Response;
use http::StatusCode;
use largesse_log::{
    Append, AppendOutcome, Appended, Author, DigestBuilder, IdempotencyKey, NewEvent, Once, StreamName, Then,
};
use largesse_wire::{EventData, EventDataError, EventName};
use serde::Serialize;

use crate::{
    kit::{
        body::RequestBody,
        json,
        printable::Printable,
        problem::Problem,
        query::{Query, refuse_value},
        refusal::{Refusal, sentence},
    },
    native::{door::Door, request::RequestHead, tail_id},
};
use body_kind::BodyKind;

/// The query parameters of a publish.
const PARAMETERS: &[&str] = &["event", "close"];

/// What the head of a publish asks for.
struct Publish<'a> {
    door: &'a Door,
    stream: StreamName,
    name: Option<EventName>,
    then: Then,
    key: Option<IdempotencyKey>,
}

/// The answer's JSON.
#[derive(Serialize)]
struct Receipt<'a> {
    stream: &'a str,
    id: String,
    count: u64,
    closed: bool,
}

/// Answers a POST. Cancellation: a whole body is then appended or not, never in part; of an event stream the blocks
/// appended so far stay.
pub(crate) async fn answer(
    door: &Door,
    stream: StreamName,
    head: &RequestHead<'_>,
    body: &mut RequestBody,
) -> Result<Response, Refusal> {
    let query = &head.query;
    query.only(PARAMETERS)?;
    let (name, then, key) = (event_name(query)?, then(query)?, idempotency_key::of(head.headers)?);
    let publish = Publish { door, stream, name, then, key };
    match body_kind::of(head.headers)? {
        BodyKind::Text => publish.append_text(body).await,
        BodyKind::Lines => lines::append(&publish, body).await,
        BodyKind::EventStream => event_stream::append(&publish, body).await,
    }
}

impl Publish<'_> {
    /// Appends a body of any textual type as one event. It is never decoded: `a=b` is the text `a=b`.
    async fn append_text(&self, body: &mut RequestBody) -> Result<Response, Refusal> {
        let text = utf8(body.whole(self.door.config.event_bytes_max).await?)?;
        // With close, an empty body isn't an event; without it, it is an empty one.
        if text.is_empty() && self.then == Then::Close {
            self.check_nothing_named()?;
            return self.append_whole(Vec::new(), self.once("close", b"")).await;
        }
        let once = self.once("text", text.as_bytes());
        let event = NewEvent { name: self.name.clone(), data: event_data(text, "the body")? };
        self.append_whole(vec![event], once).await
    }

    /// Appends the events of a whole body.
    async fn append_whole(&self, events: Vec<NewEvent>, once: Once) -> Result<Response, Refusal> {
        let append =
            Append { stream: self.stream.clone(), events, then: self.then, once, author: Author::Publisher };
        let appended = self.door.hub.append(append).await;
        appended
            .map(|appended| self.receipt(&appended))
            .map_err(|error| Refusal::of_append(&error, &self.stream))
    }

    /// Refuses a name without an event: nobody would receive it, and a close with `?event=failed` is meant to say
    /// why.
    fn check_nothing_named(&self) -> Result<(), Refusal> {
        if self.name.is_none() {
            return Ok(());
        }
        let detail = "The query names an event, but with close an empty body means no event. Send the event's data \
             as the body, or omit 'event' to only close the stream.";
        Err(Refusal::new(Problem::BadQuery, detail).with("parameter", "event"))
    }

    /// What identifies a repeat of a whole body: everything that affects its result.
    fn once(&self, kind: &str, body: &[u8]) -> Once {
        let Some(key) = &self.key else { return Once::Unkeyed };
        let mut digest = DigestBuilder::default();
        digest.push(kind.as_bytes());
        digest.push(self.name.as_ref().map_or("", EventName::as_str).as_bytes());
        digest.push(self.close_mark());
        digest.push(body);
        Once::Whole { key: key.clone(), digest: digest.digest() }
    }

    fn close_mark(&self) -> &'static [u8] {
        match self.then {
            Then::StayOpen => b"",
            Then::Close => b"close",
        }
    }

    fn receipt(&self, appended: &Appended) -> Response {
        let status = match appended.outcome {
            AppendOutcome::Appended => StatusCode::CREATED,
            AppendOutcome::AlreadyClosed => StatusCode::OK,
        };
        let id = self.door.hub.event_id(appended.position).to_string();
        let (stream, count, closed) = (self.stream.as_str(), appended.count, appended.closed);
        let receipt = json::response(status, &Receipt { stream, id, count, closed });
        tail_id::marked(receipt, self.door)
    }
}

fn event_name(query: &Query) -> Result<Option<EventName>, Refusal> {
    let parse = |raw: &str| EventName::parse(raw).map_err(|error| bad_event_name(raw, &error.to_string()));
    query.one("event")?.map(parse).transpose()
}

fn bad_event_name(raw: &str, why: &str) -> Refusal {
    let detail = format!("The event name is '{}'. {}.", Printable(raw), sentence(why));
    Refusal::new(Problem::BadEventName, detail)
}

fn then(query: &Query) -> Result<Then, Refusal> {
    match query.one("close")? {
        None | Some("false" | "0") => Ok(Then::StayOpen),
        Some("" | "true" | "1") => Ok(Then::Close),
        Some(other) => Err(refuse_value("close", other, "close, close=true or close=false")),
    }
}

/// The data of one event; `place` names it in a refusal.
fn event_data(text: String, place: &str) -> Result<EventData, Refusal> {
    EventData::parse_owned(text).map_err(|EventDataError::Nul { at }| {
        let detail = format!("There is a NUL at byte {at} of {place}, which an event stream cannot carry.");
        Refusal::new(Problem::NulInData, detail)
    })
}

/// The body as text, or a refusal with the first bad byte.
fn utf8(body: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(body).map_err(|error| {
        let refusal = not_utf8(error.utf8_error().valid_up_to());
        let known = MAGIC_BYTES.iter().find(|(first, _)| error.as_bytes().starts_with(first));
        known.map_or(refusal, |(_, what)| unsupported(what))
    })
}

/// Magic bytes of formats that text is often sent in, and how to get plain text.
const MAGIC_BYTES: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "The body is compressed with gzip. Send it uncompressed, for example through zcat."),
    (
        b"\x28\xb5\x2f\xfd",
        "The body is compressed with zstd. Send it uncompressed, for example through zstdcat.",
    ),
    (b"\xff\xfe", "The body is UTF-16. Send UTF-8, for example through iconv -f UTF-16 -t UTF-8."),
    (b"\xfe\xff", "The body is UTF-16. Send UTF-8, for example through iconv -f UTF-16 -t UTF-8."),
];

fn unsupported(what: &str) -> Refusal {
    Refusal::new(Problem::UnsupportedBody, what).with("at", 0)
}

/// A refusal of a body that is not UTF-8; `at` is its first bad byte.
fn not_utf8(at: usize) -> Refusal {
    let detail = format!(
        "The body is not valid UTF-8 at byte {at}. Send text, or encode binary data as text (for \
             example base64)."
    );
    Refusal::new(Problem::UnsupportedBody, detail).with("at", at)
}
