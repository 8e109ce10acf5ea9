//! What the proxy saw: each request's head, and how its response ended.
//!
//! Invariant: exchanges are in the order in which their requests came, and are never removed.

use super::plan::Manner;

/// One request and its response.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// `GET`.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// The header `Last-Event-ID`.
    pub last_event_id: Option<String>,
    /// The header `Origin`.
    pub origin: Option<String>,
    /// The status, once the response's head was passed on.
    pub status: Option<u16>,
    /// How many bytes after the head were passed on.
    pub body_bytes: u64,
    /// How it ended, once it did.
    pub end: Option<End>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The next request came on the same connection, so this one was complete.
    Next,
    /// The server closed the connection, or its connection broke.
    Server,
    /// There was no server to connect to.
    NoServer,
    /// The reader closed the connection, or its connection broke.
    Reader,
    /// The proxy cut it in this manner. [`Manner::Stall`]: it is stalled now.
    Cut(Manner),
}

impl Exchange {
    /// What a request's head says; it ends in an empty line.
    pub(super) fn of_head(connection: usize, head: &str) -> Self {
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let header = |name| header(head, name).map(str::to_owned);
        let (last_event_id, origin) = (header("last-event-id"), header("origin"));
        Self { connection, method, target, last_event_id, origin, ..Self::default() }
    }
}

/// The value of a header in a head, whatever its case.
pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
