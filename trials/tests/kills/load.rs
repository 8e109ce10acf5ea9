//! A publisher: single events, batches and closes, with and without a key, one after the other.
//!
//! Invariants: no two events it sends have the same data. What has a key is sent again after a kill until it is
//! acknowledged; what has none is sent once, and nobody knows what became of it.

use std::net::SocketAddr;

use fastrand::Rng;
use largesse_trials::{Answer, Publisher, fail};

use crate::gate::{Gate, Run};

/// Streams that end: one for each publisher.
pub(crate) const ENDS: usize = 8;
const STREAMS: &[&str] = &["a", "a", "b", "team/1", "team/2"];
/// Requests before a publisher ends its stream.
const REQUESTS_BEFORE_END: u64 = 60;

/// What was sent in one request, and the id it was acknowledged with.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) stream: String,
    pub(crate) events: Vec<String>,
    /// The id of the last event, or of the end if there was none.
    pub(crate) id: Option<String>,
}

/// One request.
#[derive(Clone, Debug)]
struct Request {
    stream: String,
    events: Vec<String>,
    key: Option<String>,
    closes: bool,
}

/// What the server did.
enum Outcome {
    Acked(String),
    Closed,
    Unknown,
}

/// One publisher.
#[derive(Debug)]
pub(crate) struct Load {
    address: SocketAddr,
    number: usize,
    rng: Rng,
    connection: Option<Publisher>,
    run: Option<Run>,
    requests: u64,
    events: u64,
    sent: Vec<Sent>,
    /// The last request with a key, and its answer.
    keyed: Option<(Request, String)>,
    has_ended: bool,
}

impl Load {
    pub(crate) fn new(address: SocketAddr, number: usize, rng: Rng) -> Self {
        Self {
            address,
            number,
            rng,
            connection: None,
            run: None,
            requests: 0,
            events: 0,
            sent: Vec::new(),
            keyed: None,
            has_ended: false,
        }
    }

    /// Publishes until told to stop; by then everything with a key is acknowledged, and its stream has ended.
    pub(crate) fn run(mut self, gate: &Gate) -> Vec<Sent> {
        let _guard = gate.guard();
        while !gate.has_stopped_publishers() {
            self.requests += 1;
            match self.rng.u8(0..40) {
                0 => self.repeat(gate),
                1..4 => self.own_stream(gate),
                _ => {
                    let request = self.next();
                    self.publish(request, gate);
                }
            }
        }
        if !self.has_ended {
            self.end(gate);
        }
        self.own_stream(gate);
        self.sent
    }

    fn next(&mut self) -> Request {
        let stream = self.rng.choice(STREAMS).copied().unwrap_or_default().to_owned();
        let count = if self.rng.u8(0..6) == 0 { self.rng.usize(2..20) } else { 1 };
        let events = (0..count).map(|_| self.event()).collect();
        Request { stream, events, key: self.key(), closes: false }
    }

    /// Mostly small, rarely so large that it takes many writes.
    fn event(&mut self) -> String {
        self.events += 1;
        let padding = match self.rng.u8(0..100) {
            0 => self.rng.usize(10_000..300_000),
            1..10 => self.rng.usize(300..3_000),
            _ => self.rng.usize(0..200),
        };
        format!(
            "{{\"publisher\":{},\"event\":{},\"x\":\"{}\"}}",
            self.number,
            self.events,
            "x".repeat(padding)
        )
    }

    fn key(&mut self) -> Option<String> {
        (self.rng.u8(0..5) < 2).then(|| format!("{}-{}", self.number, self.requests))
    }

    /// Sends a request; again until it is acknowledged, if repeating is allowed.
    fn publish(&mut self, request: Request, gate: &Gate) {
        let id = loop {
            match self.ask(&request, gate) {
                Outcome::Acked(id) => break Some(id),
                Outcome::Unknown if request.key.is_some() => {}
                Outcome::Unknown => break None,
                Outcome::Closed => fail(&format!("{} was never closed", request.stream)),
            }
        };
        let Request { stream, events, .. } = request.clone();
        self.sent.push(Sent { stream, events, id: id.clone() });
        if let (Some(id), true) = (id, request.key.is_some()) {
            self.keyed = Some((request, id));
        }
    }

    /// A request with its key once more: it gets the first answer, and appends nothing.
    fn repeat(&mut self, gate: &Gate) {
        let Some((request, first)) = self.keyed.clone() else { return };
        match self.ask(&request, gate) {
            Outcome::Acked(id) => assert_eq!(id, first, "a repeat of {request:.80?}"),
            Outcome::Closed => fail(&format!("a repeat is not a new request: {request:.80?}")),
            Outcome::Unknown => {}
        }
    }

    /// Publishes to its own stream, or ends it; once it has ended, it takes nothing more.
    fn own_stream(&mut self, gate: &Gate) {
        if !self.has_ended && self.requests > REQUESTS_BEFORE_END {
            return self.end(gate);
        }
        let request = Request { stream: self.own(), events: vec![self.event()], key: None, closes: false };
        match (self.has_ended, self.ask(&request, gate)) {
            (true, Outcome::Closed | Outcome::Unknown) => {}
            (false, Outcome::Acked(id)) => {
                self.sent.push(Sent { stream: request.stream, events: request.events, id: Some(id) });
            }
            (false, Outcome::Unknown) => {
                self.sent.push(Sent { stream: request.stream, events: request.events, id: None });
            }
            (true, Outcome::Acked(_)) => fail(&format!("{} takes events after its end", request.stream)),
            (false, Outcome::Closed) => fail(&format!("{} was never closed", request.stream)),
        }
    }

    fn own(&self) -> String {
        format!("ends/{}", self.number)
    }

    /// Half of the publishers end with a last event and a key, the others with neither.
    fn end(&mut self, gate: &Gate) {
        let (events, key) = match self.number % 2 {
            0 => (vec![self.event()], Some(format!("{}-end", self.number))),
            _ => (Vec::new(), None),
        };
        let request = Request { stream: self.own(), events, key, closes: true };
        let id = loop {
            if let Outcome::Acked(id) = self.ask(&request, gate) {
                break id;
            }
        };
        self.sent.push(Sent { stream: request.stream, events: request.events, id: Some(id) });
        self.has_ended = true;
    }

    /// One request over the current connection; over a new one if the server was killed.
    fn ask(&mut self, request: &Request, gate: &Gate) -> Outcome {
        let connection = loop {
            if let Some(connection) = self.connection.take() {
                break connection;
            }
            self.run = Some(gate.next_run(self.run));
            // It may have been killed already.
            self.connection = Publisher::try_connect(self.address).ok();
        };
        let (connection, answer) = request.sent_over(connection);
        let Some(answer) = answer else {
            gate.cut();
            return Outcome::Unknown;
        };
        self.connection = Some(connection);
        gate.acked();
        // A stream that is already closed is answered 200.
        let is_closed_again = answer.status == 200 && request.closes && request.events.is_empty();
        match answer.status {
            409 => Outcome::Closed,
            status if status == 201 || is_closed_again => {
                Outcome::Acked(answer.member("id").expect("an acknowledgement has an id"))
            }
            status => fail(&format!("{request:.80?} was answered {status}: {}", answer.body)),
        }
    }
}

impl Request {
    /// The answer is `None` if it did not come.
    fn sent_over(&self, mut connection: Publisher) -> (Publisher, Option<Answer>) {
        let close = if self.closes { "?close" } else { "" };
        let target = format!("/streams/{}{close}", self.stream);
        let content_type = match self.events.len() {
            0 | 1 => "Content-Type: text/plain",
            _ => "Content-Type: application/x-ndjson",
        };
        let key = self.key.as_ref().map(|key| format!("Idempotency-Key: {key}"));
        let headers: Vec<&str> = [Some(content_type), key.as_deref()].into_iter().flatten().collect();
        let answer = connection.try_ask("POST", &target, &headers, self.events.join("\n").as_bytes());
        (connection, answer.ok())
    }
}
