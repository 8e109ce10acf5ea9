//! A reader that comes back whenever its connection ends, with the last id that it heard.
//!
//! It records what it hears, each event once it is complete, and judges nothing except that it is never told to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use largesse_trials::{WAIT_MAX, fail};
use largesse_wire::{ParsedEvent, Parser, ParserLimits};
use serde_json::Value;

use crate::gate::Gate;

/// How often a reader that hears nothing checks whether it should have.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a reader reads.
#[derive(Debug)]
pub(crate) struct Asks {
    pub(crate) target: &'static str,
    /// The same in words: names, or the beginnings of names before a `*`.
    pub(crate) streams: &'static [&'static str],
    pub(crate) format: Format,
    pub(crate) until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Json,
}

/// When it has heard everything.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After the event that says that it is the last of this stream.
    LastOf(&'static str),
    /// When it is answered that there is nothing more.
    Stopped,
}

/// One thing that a reader heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Event { stream: Option<String>, data: String, id: String },
    Closed { stream: String, id: String },
    End { id: String },
}

impl Heard {
    pub(crate) fn id(&self) -> &str {
        let (Self::Event { id, .. } | Self::Closed { id, .. } | Self::End { id }) = self;
        id
    }
}

impl Asks {
    pub(crate) fn matches(&self, stream: &str) -> bool {
        self.streams.iter().any(|asked| match asked.strip_suffix('*') {
            Some(beginning) => stream.starts_with(beginning),
            None => stream == *asked,
        })
    }

    fn is_last(&self, heard: &Heard) -> bool {
        match (self.until, heard) {
            (Until::LastOf(stream), Heard::Event { data, .. }) => *data == format!("last of {stream}"),
            _ => false,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    HeardAll,
    Cut,
}

/// Reads until it has heard everything, through as many connections as it takes.
pub(crate) fn run(address: SocketAddr, asks: &Asks, gate: &Gate) -> Vec<Heard> {
    let _guard = gate.guard();
    let mut parser = Parser::new(ParserLimits { event_bytes_max: EVENT_BYTES_MAX });
    let (mut heard, mut run) = (Vec::new(), None);
    loop {
        // A reader that was told the end asks the same server once more.
        if !matches!(heard.last(), Some(Heard::End { .. })) {
            run = Some(gate.next_run(run));
        }
        match connection(address, asks, gate, &mut parser, &mut heard) {
            Ok(Ended::HeardAll) => return heard,
            Ok(Ended::Cut) => {}
            Err(error) => {
                let is_cut = is_cut(&error);
                assert!(is_cut, "{}: {error}", asks.target);
                if matches!(heard.last(), Some(Heard::End { .. })) {
                    run = Some(gate.next_run(run));
                }
            }
        }
        parser.reset_connection();
    }
}

fn is_cut(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionRefused | ConnectionReset | UnexpectedEof
    )
}

fn connection(
    address: SocketAddr,
    asks: &Asks,
    gate: &Gate,
    parser: &mut Parser,
    heard: &mut Vec<Heard>,
) -> io::Result<Ended> {
    let mut socket = TcpStream::connect_timeout(&address, WAIT_MAX)?;
    socket.set_read_timeout(Some(LOOK_EVERY))?;
    let last = parser.last_event_id();
    let presented = if last.is_empty() { String::new() } else { format!("Last-Event-ID: {last}\r\n") };
    let target = asks.target;
    // To this version of HTTP the body comes unframed.
    write!(socket, "GET {target} HTTP/1.0\r\nHost: {address}\r\n{presented}\r\n")?;
    let mut bytes = Vec::new();
    let head_bytes = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end + 4;
        }
        if more(&mut socket, &mut bytes, asks, gate)? == 0 {
            return Ok(Ended::Cut);
        }
    };
    match bytes.get(9..12) {
        Some(b"200") => {}
        Some(b"204") => {
            assert!(matches!(asks.until, Until::Stopped), "{target} was stopped");
            return Ok(Ended::HeardAll);
        }
        _ => fail(&format!("{target}: {}", String::from_utf8_lossy(&bytes))),
    }
    bytes.drain(..head_bytes);
    loop {
        let mut input = bytes.as_slice();
        while let Some(event) = parser.next_event(&mut input).expect("an event stream") {
            let one = judged(asks, event);
            let is_last = asks.is_last(&one);
            heard.push(one);
            if is_last {
                return Ok(Ended::HeardAll);
            }
        }
        bytes.clear();
        if more(&mut socket, &mut bytes, asks, gate)? == 0 {
            return Ok(Ended::Cut);
        }
    }
}

/// Reads more; 0 is the end.
fn more(socket: &mut TcpStream, bytes: &mut Vec<u8>, asks: &Asks, gate: &Gate) -> io::Result<usize> {
    let mut piece = [0; 16 * 1024];
    loop {
        match socket.read(&mut piece) {
            Ok(count) => {
                bytes.extend_from_slice(&piece[..count]);
                return Ok(count);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(!gate.is_too_late(), "{} never hears all", asks.target);
            }
            Err(error) => return Err(error),
        }
    }
}

/// What an event on the wire is. No reader here may be told that its place is lost.
fn judged(asks: &Asks, event: ParsedEvent) -> Heard {
    let ParsedEvent { name, data, last_event_id } = event;
    let id = last_event_id.to_string();
    let member = |name: &str| {
        let body: Value = serde_json::from_str(&data).expect("the server's own data is JSON");
        body.get(name).and_then(Value::as_str).map(str::to_owned).expect("it has this member")
    };
    match (name.as_str(), asks.format) {
        ("" | "message", Format::Plain) => Heard::Event { stream: None, data, id },
        ("" | "message", Format::Json) => {
            assert_eq!(bare(&member("id")), bare(&id), "{}", asks.target);
            Heard::Event { stream: Some(member("stream")), data: member("data"), id }
        }
        ("closed", _) => Heard::Closed { stream: member("stream"), id },
        ("end", _) => Heard::End { id },
        _ => fail(&format!("{} heard {name}: {data}", asks.target)),
    }
}

/// The part of an id that names the event.
pub(crate) fn bare(id: &str) -> &str {
    id.split('~').next().unwrap_or(id)
}
