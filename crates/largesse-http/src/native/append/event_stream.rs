//! An event stream as a body: each block is appended as soon as it is complete, over one long request.
//!
//! Invariants: block *n* of a key is appended once, however often the body is sent; the last block and the close are
//! appended only if the body ended cleanly, not if it was cut; no invalid UTF-8 gets into an event; an unfinished
//! block counts against the memory of all bodies, and has the same time limits. The publisher's own ids and `retry`
//! are dropped: positions are the log's. Does not wait for more than one piece of the body before it appends.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use largesse_log::{
    Append, AppendError, AppendOutcome, Appended, Author, Claim, DigestBuilder, NewEvent, Once, Position,
    Then, is_reserved,
};
use largesse_wire::{EventName, ParseError, ParsedEvent, Parser, ParserLimits};
use tokio::time::Instant;

use super::{
    Publish, Receipt, bad_event_name, event_data, not_utf8,
    utf8_pieces::{NotUtf8, Utf8Pieces},
};
use crate::{
    kit::{
        body::{Incomplete, RequestBody, Stopped},
        json,
        problem::Problem,
        refusal::{Refusal, sentence},
    },
    native::tail_id,
};

/// Ends a line and a block that a complete body left open: many gateways omit the empty line.
///
/// Readers drop such a block (WHATWG HTML, "Interpreting an event stream"), because a stream that was cut looks the
/// same to them. Here the length, or the last chunk, says that the body is complete (RFC 9112, clause 8).
const BODY_END: &[u8] = b"\n\n";

/// Detects that the lines of a body were joined, as `curl -d @file` does: one line, with the fields of several.
#[derive(Default)]
struct Joined {
    has_line_end: bool,
    /// How many `data:` fields the line has, and how much of the next one matches.
    fields: usize,
    matched: usize,
}

impl Joined {
    const FIELD: &[u8] = b"data:";

    fn take(&mut self, text: &[u8]) {
        if self.has_line_end {
            return;
        }
        for byte in text {
            match byte {
                b'\r' | b'\n' => {
                    self.has_line_end = true;
                    return;
                }
                // The first letter does not occur again in a prefix of the field, so no backtracking is needed.
                byte if *byte == Self::FIELD[self.matched] => self.matched += 1,
                byte => self.matched = usize::from(*byte == Self::FIELD[0]),
            }
            if self.matched == Self::FIELD.len() {
                (self.fields, self.matched) = (self.fields + 1, 0);
            }
        }
    }

    fn is_certain(&self) -> bool {
        !self.has_line_end && self.fields > 1
    }
}

/// A long publish in progress.
struct Publishing<'a> {
    publish: &'a Publish<'a>,
    text: Utf8Pieces,
    parser: Parser,
    /// When the buffered block began.
    unfinished_since: Option<Instant>,
    joined: Joined,
    keyed: Option<Keyed>,
    /// Events appended so far, by this request or an earlier one under the key.
    count: u64,
    last: Option<Position>,
}

/// Which events get an append of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    /// All: each is a block under a key.
    All,
    /// Those with a reserved name: only the log knows whether it is allowed.
    Reserved,
}

/// The claim, and the digest of all blocks so far.
struct Keyed {
    claim: Claim,
    digest: DigestBuilder,
}

pub(super) async fn append(publish: &Publish<'_>, body: &mut RequestBody) -> Result<Response, Refusal> {
    let mut publishing = Publishing::begin(publish).await?;
    match publishing.push_all(body).await {
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
        Ok(Self {
            publish,
            text,
            parser,
            unfinished_since: None,
            joined: Joined::default(),
            keyed,
            count: 0,
            last: None,
        })
    }

    async fn push_all(&mut self, body: &mut RequestBody) -> Result<Response, Refusal> {
        while let Some(piece) = self.piece(body).await? {
            // The parser replaces invalid UTF-8, as the standard requires of readers. A publisher gets an error
            // instead.
            let (text, checked) = self.text.take(&piece);
            self.joined.take(text);
            self.push(text).await?;
            checked.map_err(|NotUtf8 { at }| not_utf8(at))?;
            self.hold(body)?;
        }
        self.text.finish().map_err(|NotUtf8 { at }| not_utf8(at))?;
        if self.joined.is_certain() {
            return Err(joined());
        }
        self.push(BODY_END).await?;
        self.finish().await
    }

    /// The next piece: without a limit between two blocks, within a time limit inside one.
    async fn piece(&self, body: &mut RequestBody) -> Result<Option<Bytes>, Refusal> {
        match self.unfinished_since {
            None => body.piece().await.map_err(|why| incomplete(&why)),
            Some(begun) => body.piece_within(begun).await.map_err(stopped),
        }
    }

    /// Counts what stays buffered until the next piece. What was buffered before counts until here, when its events
    /// are appended.
    fn hold(&mut self, body: &mut RequestBody) -> Result<(), Refusal> {
        let held_bytes = self.parser.held_bytes();
        body.hold(held_bytes)?;
        self.unfinished_since = (held_bytes > 0).then(|| self.unfinished_since.unwrap_or_else(Instant::now));
        Ok(())
    }

    async fn push(&mut self, mut piece: &[u8]) -> Result<(), Refusal> {
        let mut events = Vec::new();
        // The blocks before a bad one are appended: readers may have seen some of them already.
        let refused = loop {
            match self.parser.next_event(&mut piece) {
                Ok(Some(parsed)) => {
                    // What is buffered from here is another block, with its own time limit.
                    self.unfinished_since = None;
                    match self.event(parsed) {
                        Ok(event) => events.push(event),
                        Err(refusal) => break Some(refusal),
                    }
                }
                Ok(None) => break None,
                Err(ParseError::TooLarge { bytes_max }) => break Some(too_large(bytes_max)),
            }
        };
        self.parser.forget_last_event_id();
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
        for events in steps(events, self.alone()) {
            self.step(events, Then::StayOpen).await?;
        }
        Ok(())
    }

    fn alone(&self) -> Alone {
        if self.keyed.is_some() { Alone::All } else { Alone::Reserved }
    }

    /// One append: under a key one block, otherwise what arrived together.
    async fn step(&mut self, events: Vec<NewEvent>, then: Then) -> Result<Appended, Refusal> {
        let step_count = events.len() as u64;
        let once = self.once(&events, then);
        let append =
            Append { stream: self.publish.stream.clone(), events, then, once, author: Author::Publisher };
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
        let receipt = json::response(status, &Receipt { stream, id, count, closed });
        Ok(tail_id::marked(receipt, self.publish.door))
    }

    fn refusal(&mut self, error: &AppendError) -> Refusal {
        if matches!(error, AppendError::KeyReused) {
            // This request has appended nothing: a mismatch is only found among blocks that are already known. The
            // blocks so far counted as repeats, but the log does not remember each of them, so they are not reported.
            (self.count, self.last) = (0, None);
        }
        Refusal::of_append(error, &self.publish.stream)
    }

    /// Adds what was appended before the refusal.
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

/// Groups events into appends: one for each under a key. Otherwise what arrived together is appended together, except
/// that an event with a reserved name is alone: if it is refused, those before it stay.
fn steps(events: Vec<NewEvent>, alone: Alone) -> Vec<Vec<NewEvent>> {
    let mut steps: Vec<Vec<NewEvent>> = Vec::new();
    let mut may_join = false;
    for event in events {
        let is_alone = alone == Alone::All || event.name.as_ref().is_some_and(is_reserved);
        match steps.last_mut().filter(|_| may_join && !is_alone) {
            Some(step) => step.push(event),
            None => steps.push(vec![event]),
        }
        may_join = !is_alone;
    }
    steps
}

fn too_large(bytes_max: usize) -> Refusal {
    let words = sentence(&ParseError::TooLarge { bytes_max }.to_string());
    Refusal::new(Problem::TooLarge, format!("{words}.")).with("limit", bytes_max)
}

fn incomplete(why: &Incomplete) -> Refusal {
    why.refusal().and("With an Idempotency-Key, you can send all of it again.")
}

fn stopped(stopped: Stopped) -> Refusal {
    let (detail, advice) = match stopped {
        Stopped::Incomplete(why) => return incomplete(&why),
        Stopped::Idle(idle) => (
            format!("A block is incomplete, and nothing arrived for {} s.", idle.as_secs_f64()),
            "Send each block in one go; the body may pause between blocks.",
        ),
        Stopped::TooSlow(time_max) => (
            format!("A block was not complete after {} s.", time_max.as_secs_f64()),
            "Send each block in one go, or send smaller blocks.",
        ),
    };
    Refusal::new(Problem::BodyTimeout, detail).and(advice)
}

fn nothing() -> Refusal {
    let detail = "The body has no event. An event is a block of lines such as 'data: hello', ended by an empty \
             line. curl -d @file removes line breaks: use --data-binary @file.";
    Refusal::new(Problem::NothingToAppend, detail)
}

fn joined() -> Refusal {
    let detail = "The body is a single line that contains 'data:' several times, so it would be one event. \
             curl -d @file removes line breaks: use --data-binary @file. If it really is one event, end \
             it with an empty line.";
    Refusal::new(Problem::NothingToAppend, detail)
}
