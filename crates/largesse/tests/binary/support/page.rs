//! A page with a stock `EventSource`, as far as the standard specifies it: it keeps the last id over
//! connections, drops an unfinished block, asks again after a cut, and stops for good after anything but a 200.
//!
//! A connection can be cut after any number of bytes of its body.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use largesse::wire::{ParsedEvent, Parser, ParserLimits};

use crate::support::{connect, server::Server};

/// More connections than any page here needs; a page that needs more is in a loop.
const CONNECTIONS_MAX: usize = 200;

/// A page, with all it has heard.
pub(crate) struct Page {
    address: String,
    target: String,
    parser: Parser,
    pub(crate) heard: Vec<ParsedEvent>,
}

/// How a connection of the page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The page, or the test, cut it.
    Here,
    /// The server ended it.
    ByServer,
    /// The answer was not a 200: the page never asks again.
    ForGood(u16),
}

impl Page {
    pub(crate) fn open(server: &Server, target: &str) -> Self {
        let parser = Parser::new(ParserLimits { event_bytes_max: 16 * 1024 * 1024 });
        Self { address: server.address.clone(), target: target.to_owned(), parser, heard: Vec::new() }
    }

    /// The same page, where the server is now.
    pub(crate) fn goes_to(&mut self, server: &Server) {
        self.address.clone_from(&server.address);
    }

    /// Connects once, and takes at most `bytes_max` bytes of the body.
    pub(crate) fn connect(&mut self, bytes_max: usize) -> Cut {
        let mut connection = self.ask();
        let status = read_head(&mut connection);
        if status != 200 {
            return Cut::ForGood(status);
        }
        let mut body = connection.take(bytes_max as u64);
        let mut piece = [0; 4096];
        loop {
            match body.read(&mut piece) {
                Ok(0) if body.limit() == 0 => return Cut::Here,
                Ok(0) => return Cut::ByServer,
                Ok(bytes) => self.hear(&piece[..bytes]),
                // A signal interrupted it: source, signal(7), on sockets with a timeout.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Connects once, and cuts when it has heard an event. Returns how many bytes of the body that took.
    pub(crate) fn connect_until_heard(&mut self) -> usize {
        let mut connection = self.ask();
        assert_eq!(read_head(&mut connection), 200);
        let mut byte = [0];
        let mut bytes = 0;
        while self.heard.is_empty() {
            connection.read_exact(&mut byte).unwrap();
            self.hear(&byte);
            bytes += 1;
        }
        bytes
    }

    fn ask(&mut self) -> TcpStream {
        self.parser.reset_connection();
        let mut connection = connect(&self.address);
        let id = match self.parser.last_event_id() {
            "" => String::new(),
            id => format!("Last-Event-ID: {id}\r\n"),
        };
        let host = &self.address;
        let request =
            format!("GET {} HTTP/1.0\r\nHost: {host}\r\nAccept: text/event-stream\r\n{id}\r\n", self.target);
        connection.write_all(request.as_bytes()).unwrap();
        connection
    }

    /// Asks again until it is stopped for good, and returns by which status.
    pub(crate) fn until_stopped(&mut self) -> u16 {
        for _ in 0..CONNECTIONS_MAX {
            if let Cut::ForGood(status) = self.connect(usize::MAX) {
                return status;
            }
        }
        panic!("the page was never stopped");
    }

    /// The data of what it heard under `name`.
    pub(crate) fn data_of(&self, name: &str) -> Vec<&str> {
        let named = self.heard.iter().filter(|event| event.name == name);
        named.map(|event| event.data.as_str()).collect()
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while let Some(event) = self.parser.next_event(&mut bytes).unwrap() {
            self.heard.push(event);
        }
    }
}

/// Reads up to the empty line, byte by byte so that nothing of the body is consumed, and returns the status.
fn read_head(connection: &mut impl Read) -> u16 {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}
