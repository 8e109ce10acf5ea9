//! Requests to the server as bytes, over one connection that stays open.
//!
//! Invariant: every wait has the limit [`WAIT_MAX`]. It does not go through the proxy, and it repeats nothing: an
//! answer that does not come is a failure, or an error for callers of [`Publisher::try_ask`].

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::WAIT_MAX;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status: 201.
    pub status: u16,
    /// The header lines, without their line breaks.
    pub headers: Vec<String>,
    /// The body: JSON, or nothing.
    pub body: String,
}

impl Answer {
    /// The value of a header, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.headers.iter().filter_map(|line| line.split_once(':'));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// A text member of the JSON body: `id`.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }
}

/// A publisher's connection to the server.
#[derive(Debug)]
pub struct Publisher {
    address: SocketAddr,
    connection: BufReader<TcpStream>,
}

impl Publisher {
    /// Connects. After the server was killed, a publisher is dead: connect again.
    #[must_use]
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the server listens")
    }

    /// Connects to a server that may not be there.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let connection = TcpStream::connect_timeout(&address, WAIT_MAX)?;
        connection.set_read_timeout(Some(WAIT_MAX))?;
        connection.set_write_timeout(Some(WAIT_MAX))?;
        connection.set_nodelay(true)?;
        Ok(Self { address, connection: BufReader::new(connection) })
    }

    /// Appends one event without a name, and returns its id.
    ///
    /// - `stream`: as written in a URL, percent-encoded where necessary.
    #[track_caller]
    pub fn publish(&mut self, stream: &str, data: &str) -> String {
        self.appended(&format!("/streams/{stream}"), data)
    }

    /// The same with a name. `event` is percent-encoded here.
    #[track_caller]
    pub fn publish_named(&mut self, stream: &str, event: &str, data: &str) -> String {
        self.appended(&format!("/streams/{stream}?event={}", percent_encoded(event)), data)
    }

    /// Closes a stream, and returns the end's id.
    #[track_caller]
    pub fn close(&mut self, stream: &str) -> String {
        self.appended(&format!("/streams/{stream}?close"), "")
    }

    #[track_caller]
    fn appended(&mut self, target: &str, data: &str) -> String {
        let answer = self.ask("POST", target, &["Content-Type: text/plain"], data.as_bytes());
        assert_eq!(answer.status, 201, "{target}: {}", answer.body);
        answer.member("id").expect("201 has an id")
    }

    /// Sends a request with further header lines, and reads the answer.
    #[track_caller]
    pub fn ask(&mut self, method: &str, target: &str, headers: &[&str], body: &[u8]) -> Answer {
        self.try_ask(method, target, headers, body).expect("an answer comes, whole and in time")
    }

    /// The same where the server may be killed before it answers. Then nobody knows what it did.
    ///
    /// # Errors
    /// The answer does not come, or is incomplete. Don't use the connection again.
    pub fn try_ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for header in headers {
            request = request + header + "\r\n";
        }
        request += &format!("Content-Length: {}\r\n\r\n", body.len());
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.connection.get_mut().write_all(&bytes)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| malformed("an answer begins with its status"))?;
        let mut answer = Answer { status, headers: Vec::new(), body: String::new() };
        loop {
            match self.line()? {
                end if end.is_empty() => break,
                header => answer.headers.push(header),
            }
        }
        let length = answer.header("content-length").map_or(Ok(0), str::parse);
        let mut body = vec![0; length.map_err(|_| malformed("a length is a number"))?];
        self.connection.read_exact(&mut body)?;
        answer.body = String::from_utf8(body).map_err(|_| malformed("an answer is text"))?;
        Ok(answer)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.connection.read_line(&mut line)?;
        if !line.ends_with("\r\n") {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("cut off: {line:?}")));
        }
        line.truncate(line.len() - 2);
        Ok(line)
    }
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Every byte but letters and digits as `%41`.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}
