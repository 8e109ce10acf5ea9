//! A server that answers what the test writes: for what a server of ours does not do on demand.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

use crate::support::WAIT_MAX;

pub(crate) struct Script {
    listener: TcpListener,
}

/// A request that waits for its answer.
pub(crate) struct Asked {
    connection: TcpStream,
    /// The lines of its head.
    pub(crate) head: Vec<String>,
    pub(crate) body: String,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    /// The next connection's request, whole.
    pub(crate) fn asked(&self) -> Asked {
        let (connection, _) = self.listener.accept().unwrap();
        connection.set_read_timeout(Some(WAIT_MAX)).unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let mut asked = Asked { connection, head, body: String::new() };
        let bytes = asked.header("content-length").map_or(0, |value| value.parse().unwrap());
        reader.take(bytes).read_to_string(&mut asked.body).unwrap();
        asked
    }
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.iter().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// Answers, and closes the connection.
    pub(crate) fn answer(self, status: &str, content_type: &str, body: &str) {
        self.answer_with(status, &format!("Content-Type: {content_type}\r\n"), body);
    }

    /// The same with other header lines.
    pub(crate) fn answer_with(mut self, status: &str, headers: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n");
        self.connection.write_all((head + body).as_bytes()).unwrap();
    }
}
