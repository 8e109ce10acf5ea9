//! `largesse log export --url`: the log of a running server, as lines, over HTTP.
//!
//! Invariants: it has the streams that existed when it began, with their events up to the tail at that moment; so it
//! ends while publishers continue. Events that were there and are not in it are counted, see [`tally`](super::tally).
//! Does not retry: run it again.

use std::io::{self, BufWriter, Write};

use largesse::client::{Client, HeaderValue, Request, header::ACCEPT};
use largesse::log::{Position, WireId};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    export::unwritten,
    line::Written,
    tally::{Kept, Tally},
};
use crate::{
    client::{ServerUrl, client, encoded_query, problem, unread, unsent, upto},
    progress::{Output, Progress, Unit},
    terminal::{Failure, plain},
};

/// The most bytes of one page: a server sends about a mebibyte of data, or one larger event.
const PAGE_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// All streams.
const ALL: &str = "/streams?name=**&limit=1000";

#[derive(Deserialize)]
struct ListJson {
    streams: Vec<StreamJson>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct StreamJson {
    stream: String,
    closed: bool,
    events: u64,
    first_id: Option<String>,
    last_id: Option<String>,
    /// Unparsed, so that its order stays.
    settings: Box<RawValue>,
}

#[derive(Deserialize)]
struct PageJson {
    events: Vec<EventJson>,
    next: String,
    reset: Option<ResetJson>,
}

#[derive(Deserialize)]
struct ResetJson {
    reason: String,
}

#[derive(Deserialize)]
struct EventJson {
    stream: String,
    event: String,
    id: String,
    time: String,
    data: String,
}

/// Writes the log to stdout.
///
/// # Errors
/// The server can't be reached, refuses, or is not a Largesse server; or events are broken: then all others were
/// written.
pub(super) fn run(url: &ServerUrl) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut fetch =
        Fetch { url, client: client(), out, tally: Tally::default(), streams: 0, events: 0, kept: 0 };
    runtime.block_on(fetch.all())?;
    fetch.tally.told()
}

struct Fetch<'a, W: Write> {
    url: &'a ServerUrl,
    client: Client,
    out: W,
    tally: Tally,
    streams: u64,
    events: u64,
    /// What the streams kept when it began.
    kept: u64,
}

impl<W: Write> Fetch<'_, W> {
    async fn all(&mut self) -> Result<(), Failure> {
        let tail: PageJson = self.json(&format!("{ALL}&from=now")).await?;
        let (log, tail) = self.place(&tail.next)?;
        self.line(&Written::head(log))?;
        self.each_stream(|fetch, state| {
            let kept = fetch.kept(&state)?;
            fetch.line(&Written::Stream { stream: &state.stream, settings: state.settings })?;
            fetch.streams += 1;
            fetch.kept += kept.events;
            fetch.tally.begin(state.stream, kept);
            Ok(())
        })
        .await?;
        self.all_events(tail).await?;
        self.each_stream(|fetch, state| {
            let kept = fetch.kept(&state)?;
            let was_there = fetch.tally.end(&state.stream, &kept);
            if state.closed && was_there {
                fetch.line(&Written::Closed { stream: &state.stream, closed: true })
            } else {
                Ok(())
            }
        })
        .await?;
        let (streams, events) = (self.streams, self.events);
        self.line(&Written::End { end: true, streams, events })?;
        self.out.flush().map_err(|error| unwritten(&error))
    }

    async fn each_stream(
        &mut self,
        mut each: impl FnMut(&mut Self, StreamJson) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut after = String::new();
        loop {
            let target = format!("/streams?limit=1000&after={}", encoded_query(&after));
            let list: ListJson = self.json(&target).await?;
            for state in list.streams {
                each(self, state)?;
            }
            match list.next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    /// Writes the events up to `tail`.
    async fn all_events(&mut self, tail: Position) -> Result<(), Failure> {
        let mut target = ALL.to_owned();
        let progress = Progress::begin("exporting", Unit::Events, Some(self.kept), Output::Flows);
        loop {
            let page: PageJson = self.json(&target).await?;
            if let Some(ResetJson { reason }) = page.reset.filter(|reset| reset.reason != "trimmed") {
                let (url, reason) = (self.url, plain(&reason));
                return Err(Failure(format!("{url}: another log is there than when it began ({reason})")));
            }
            for event in &page.events {
                let (_, position) = self.place(&event.id)?;
                if position > tail {
                    return Ok(());
                }
                self.event(event, position)?;
                progress.advance(1);
            }
            if page.events.is_empty() || self.place(&page.next)?.1 >= tail {
                return Ok(());
            }
            target = format!("{ALL}&after={}", encoded_query(&page.next));
        }
    }

    fn event(&mut self, event: &EventJson, position: Position) -> Result<(), Failure> {
        let EventJson { stream, event, id, time, data } = event;
        if !self.tally.written(stream, position) {
            return Ok(());
        }
        self.events += 1;
        // The part before the mark names the event.
        let id = id.split('~').next().unwrap_or(id);
        self.line(&Written::Event { stream, id, event, time, data })
    }

    fn kept(&self, state: &StreamJson) -> Result<Kept, Failure> {
        let position = |id: &Option<String>| -> Result<Option<Position>, Failure> {
            id.as_deref().map(|id| self.place(id).map(|(_, position)| position)).transpose()
        };
        Ok(Kept { events: state.events, first: position(&state.first_id)?, last: position(&state.last_id)? })
    }

    /// Which log an id is from, and where in it.
    fn place(&self, id: &str) -> Result<(String, Position), Failure> {
        match WireId::parse(id) {
            Ok(WireId::Place { incarnation, place, .. }) => {
                Ok((format!("{:016x}", incarnation.0), place.position()))
            }
            _ => Err(self.unlike(&format!("the id {id:?} is none of ours"))),
        }
    }

    async fn json<T: DeserializeOwned>(&self, path_and_query: &str) -> Result<T, Failure> {
        let url = self.url;
        let json = HeaderValue::from_static("application/json");
        let told = |told: String| Failure(format!("{url}: {told}"));
        let request = Request::get(url.to(path_and_query)).header(ACCEPT, json);
        let mut response = self.client.send(&request).await.map_err(|error| told(unsent(&error)))?;
        if !response.status().is_success() {
            return Err(told(problem(response).await));
        }
        let body = response.collected(upto(PAGE_BYTES_MAX)).await.map_err(|error| told(unread(&error)))?;
        serde_json::from_slice(&body).map_err(|error| self.unlike(&error.to_string()))
    }

    fn unlike(&self, why: &str) -> Failure {
        Failure(format!("{}: {}: is this a Largesse server?", self.url, plain(why)))
    }

    fn line(&mut self, line: &Written<'_, Box<RawValue>>) -> Result<(), Failure> {
        line.write(&mut self.out).map_err(|error| unwritten(&error))
    }
}
