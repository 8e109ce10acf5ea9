//! An event stream as a body: each block is appended as soon as it is complete, over one long request.
//!
//! Invariants: block *n* of a key is appended once, however often the body is sent; the close happens only
//! after a body that ended cleanly; no byte that is not UTF-8 comes into an event. The publisher's own ids and
//! `retry` are dropped: positions are the log's. Does not wait for more than one piece of the body before it appends.

use axum::response::Response;
use http::StatusCode;
use largesse_log::{
    Append, AppendError, AppendOutcome, Appended, Claim, DigestBuilder, NewEvent, Once, Position, Then,
};
use largesse_wire::{EventName, ParseError, ParsedEvent, Parser, ParserLimits};

use super::{
    Publish, Receipt, bad_event_name, event_data, not_utf8,
    utf8_pieces::{NotUtf8, Utf8Pieces},
};
use crate::{
    Problem, json,
    refusal::{Refusal, sentence},
    request_body::{Cut, RequestBody},
};

/// A long publish under way.
struct Publishing<'a> {
    publish: &'a Publish<'a>,
    text: Utf8Pieces,
    parser: Parser,
    keyed: Option<Keyed>,
    /// Events appended so far, by this request or one before it under the key.
    count: u64,
    last: Option<Position>,
}

/// The claim, and the digest of all blocks so far.
struct Keyed {
    claim: Claim,
    digest: DigestBuilder,
}

pub(super) async fn append(publish: &Publish<'_>, body: &mut RequestBody) -> Result<Response, Refusal> {
    let mut publishing = Publishing::begin(publish).await?;
    match publishing.take_all(body).await {
        Ok(response) => Ok(response),
        Err(refusal) => Err(publishing.with_count(refusal)),
    }
}

impl<'a> Publishing<'a> {
    async fn begin(publish: &'a Publish<'a>) -> Result<Self, Refusal> {
        let keyed = match &publish.key {
            None => None,
            Some(key) => {
                let claim = publish.door.hub.claim(&publish.stream, key).await;
                let claim = claim.map_err(|error| Refusal::of_append(&error, &publish.stream))?;
                Some(Keyed { claim, digest: DigestBuilder::default() })
            }
        };
        let limits = ParserLimits { event_bytes_max: publish.door.config.event_bytes_max };
        let (text, parser) = (Utf8Pieces::default(), Parser::new(limits));
        Ok(Self { publish, text, parser, keyed, count: 0, last: None })
    }

    async fn take_all(&mut self, body: &mut RequestBody) -> Result<Response, Refusal> {
        while let Some(piece) = body.piece().await.map_err(|Cut| cut())? {
            // The parser replaces what is not UTF-8, as the standard asks of readers. A publisher is told.
            let (text, checked) = self.text.take(&piece);
            self.take(text).await?;
            checked.map_err(|NotUtf8 { at }| not_utf8(at))?;
        }
        self.text.finish().map_err(|NotUtf8 { at }| not_utf8(at))?;
        self.finish().await
    }

    async fn take(&mut self, mut piece: &[u8]) -> Result<(), Refusal> {
        let mut events = Vec::new();
        // What came before a bad block stays: its publisher may have been told of it by a reader already.
        let refused = loop {
            match self.parser.next_event(&mut piece) {
                Ok(Some(parsed)) => match self.event(parsed) {
                    Ok(event) => events.push(event),
                    Err(refusal) => break Some(refusal),
                },
                Ok(None) => break None,
                Err(ParseError::TooLarge { bytes_max }) => break Some(too_large(bytes_max)),
            }
        };
        self.append(events).await?;
        refused.map_or(Ok(()), Err)
    }

    fn event(&self, parsed: ParsedEvent) -> Result<NewEvent, Refusal> {
        let name = if parsed.name.is_empty() {
            self.publish.name.clone()
        } else {
            let name = EventName::parse(&parsed.name);
            Some(name.map_err(|error| bad_event_name(&parsed.name, &error.to_string()))?)
        };
        Ok(NewEvent { name, data: event_data(parsed.data, "a block's data")? })
    }

    async fn append(&mut self, events: Vec<NewEvent>) -> Result<(), Refusal> {
        if self.keyed.is_none() {
            return if events.is_empty() {
                Ok(())
            } else {
                self.step(events, Then::StayOpen).await.map(drop)
            };
        }
        for event in events {
            self.step(vec![event], Then::StayOpen).await?;
        }
        Ok(())
    }

    /// One append: under a key one block, otherwise what came together.
    async fn step(&mut self, events: Vec<NewEvent>, then: Then) -> Result<Appended, Refusal> {
        let step_count = events.len() as u64;
        let once = self.once(&events, then);
        let append = Append { stream: self.publish.stream.clone(), events, then, once };
        let appended = match self.publish.door.hub.append(append).await {
            Ok(appended) => appended,
            Err(error) => return Err(self.refusal(&error)),
        };
        if step_count > 0 {
            self.count += step_count;
            self.last = Some(appended.position);
        }
        Ok(appended)
    }

    fn once(&mut self, events: &[NewEvent], then: Then) -> Once {
        let Some(Keyed { claim, digest }) = &mut self.keyed else { return Once::Unkeyed };
        for event in events {
            digest.push(event.name.as_ref().map_or("", EventName::as_str).as_bytes());
            digest.push(event.data.as_str().as_bytes());
        }
        if then == Then::Close {
            digest.push(b"close");
        }
        Once::Block { claim: claim.clone(), number: self.count, digest: digest.digest() }
    }

    async fn finish(&mut self) -> Result<Response, Refusal> {
        let (mut closed, mut status) = (false, StatusCode::CREATED);
        if self.publish.then == Then::Close {
            let appended = self.step(Vec::new(), Then::Close).await?;
            closed = appended.closed;
            if self.count == 0 && appended.outcome == AppendOutcome::AlreadyClosed {
                status = StatusCode::OK;
            }
            self.last = self.last.or(Some(appended.position));
        }
        let Some(last) = self.last else { return Err(nothing()) };
        let id = self.publish.door.hub.event_id(last).to_string();
        let (stream, count) = (self.publish.stream.as_str(), self.count);
        Ok(json::response(status, &Receipt { stream, id, count, closed }))
    }

    fn refusal(&mut self, error: &AppendError) -> Refusal {
        if matches!(error, AppendError::KeyReused) {
            // This request has appended nothing: only a body whose blocks are all known can be found to be
            // another one. Those until here passed for repeats, but the log does not remember each block, so
            // they are not counted.
            (self.count, self.last) = (0, None);
        }
        Refusal::of_append(error, &self.publish.stream)
    }

    /// Says what was appended before the refusal, and stays.
    fn with_count(&self, refusal: Refusal) -> Refusal {
        let refusal = refusal.with("count", self.count);
        let Some(last) = self.last else { return refusal };
        let id = self.publish.door.hub.event_id(last).to_string();
        let told = match self.count {
            1 => format!("1 block before it was appended, with the id {id}."),
            count => format!("{count} blocks before it were appended, the last one with the id {id}."),
        };
        refusal.and(&told).with("id", id)
    }
}

fn too_large(bytes_max: usize) -> Refusal {
    let words = sentence(&ParseError::TooLarge { bytes_max }.to_string());
    Refusal::new(Problem::TooLarge, format!("{words}.")).with("limit", bytes_max)
}

fn cut() -> Refusal {
    let detail = "The connection ended before the body did. With an Idempotency-Key, send all of it again.";
    Refusal::new(Problem::BodyCut, detail)
}

fn nothing() -> Refusal {
    let detail =
        "The body has no complete block. A block is lines such as 'data: hello', ended by an empty line.";
    Refusal::new(Problem::NothingToAppend, detail)
}
