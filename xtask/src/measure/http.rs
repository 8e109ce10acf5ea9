//! As little HTTP as the measurements need: publish on a kept-alive connection, open a read.
//!
//! It trusts the server's framing and is not a client for anything else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::shell::Failure;

/// A server that is silent for this long has failed.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// One kept-alive connection that publishes.
pub(super) struct Publisher {
    host: String,
    connection: BufReader<TcpStream>,
}

impl Publisher {
    pub(super) fn connect(address: &str) -> Result<Self, Failure> {
        Ok(Self { host: address.to_owned(), connection: BufReader::new(connect(address)?) })
    }

    /// Publishes one event and waits until it is acknowledged.
    pub(super) fn publish(&mut self, stream: &str, data: &[u8]) -> Result<(), Failure> {
        let mut request = format!(
            "POST /streams/{stream} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            data.len()
        )
        .into_bytes();
        request.extend_from_slice(data);
        self.connection.get_mut().write_all(&request).map_err(broken)?;
        let status = self.answer().map_err(broken)?;
        if status.starts_with("HTTP/1.1 201") {
            return Ok(());
        }
        Err(Failure(format!("A publish was answered with {}", status.trim_end())))
    }

    fn answer(&mut self) -> std::io::Result<String> {
        let mut status = String::new();
        self.connection.read_line(&mut status)?;
        let mut body_bytes = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(bytes) = line.strip_prefix("content-length:") {
                body_bytes = bytes.trim().parse().unwrap_or(0);
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; body_bytes];
        self.connection.read_exact(&mut body)?;
        Ok(status)
    }
}

/// Opens a read of `stream` from now and waits for its first bytes.
pub(super) fn open_read(address: &str, stream: &str) -> Result<TcpStream, Failure> {
    let mut connection = connect(address)?;
    let request = format!("GET /streams/{stream}?from=now HTTP/1.1\r\nHost: {address}\r\n\r\n");
    connection.write_all(request.as_bytes()).map_err(broken)?;
    // `begin` is the first block of a read from now: after it, every event is heard.
    let mut heard = Vec::new();
    let mut piece = [0; 512];
    while !heard.windows(12).any(|window| window == b"event: begin") {
        match connection.read(&mut piece).map_err(broken)? {
            0 => return Err(Failure("A read ended before it began.".to_owned())),
            bytes => heard.extend_from_slice(&piece[..bytes]),
        }
    }
    Ok(connection)
}

fn connect(address: &str) -> Result<TcpStream, Failure> {
    let connection = TcpStream::connect(address).map_err(broken)?;
    connection.set_nodelay(true).map_err(broken)?;
    connection.set_read_timeout(Some(ANSWER_WAIT)).map_err(broken)?;
    Ok(connection)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err calls")]
fn broken(error: std::io::Error) -> Failure {
    Failure(format!("A connection to the server broke: {error}."))
}
