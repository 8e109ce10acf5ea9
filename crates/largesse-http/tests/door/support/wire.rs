//! One connection to the server: bytes out, answers and blocks in.

use std::{future::Future, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::Answer;

/// Far longer than anything here takes; a test that waits in vain fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("it should have come by now")
}

pub(crate) struct Wire {
    socket: TcpStream,
    /// Bytes that arrived and were not parsed yet.
    came: Vec<u8>,
    framing: Framing,
    /// Bytes of the body, without their framing.
    body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
    Ended,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let socket = soon(TcpStream::connect(address)).await.expect("a connection");
        Self { socket, came: Vec::new(), framing: Framing::Ended, body: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.socket.write_all(bytes.as_ref())).await.expect("sent");
    }

    /// Shuts down this side, like a publisher that has nothing more to send, or a page that was closed.
    pub(crate) async fn end(&mut self) {
        soon(self.socket.shutdown()).await.expect("an end");
    }

    /// Sends what the peer may no longer accept.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = soon(self.socket.write_all(bytes.as_ref())).await;
    }

    /// The next head, without its body.
    pub(crate) async fn head(&mut self) -> Answer {
        loop {
            if let Some(end) = find(&self.came, b"\r\n\r\n") {
                let rest = self.came.split_off(end + 4);
                let head =
                    String::from_utf8(std::mem::replace(&mut self.came, rest)).expect("a head in ASCII");
                let answer = Answer::parse(&head);
                self.framing = framing(&answer);
                return answer;
            }
            assert!(
                self.more().await,
                "the connection ended in a head: {:?}",
                String::from_utf8_lossy(&self.came)
            );
        }
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    /// The next answer with its body, of which one to HEAD has none.
    pub(crate) async fn answer_to(&mut self, line: &str) -> Answer {
        let mut answer = self.head().await;
        if !line.starts_with("HEAD") {
            answer.body = self.rest().await;
        }
        answer
    }

    /// The body up to its end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.framing != Framing::Ended {
            self.unframe_more().await;
        }
        std::mem::take(&mut self.body)
    }

    pub(crate) async fn rest_text(&mut self) -> String {
        String::from_utf8(self.rest().await).expect("text")
    }

    /// The body up to the next empty line.
    pub(crate) async fn block(&mut self) -> String {
        loop {
            if let Some(end) = find(&self.body, b"\n\n") {
                let rest = self.body.split_off(end + 2);
                return String::from_utf8(std::mem::replace(&mut self.body, rest)).expect("text");
            }
            assert_ne!(
                self.framing,
                Framing::Ended,
                "the body ended: {:?}",
                String::from_utf8_lossy(&self.body)
            );
            self.unframe_more().await;
        }
    }

    /// The body up to the end of its next line.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = find(&self.body, b"\n") {
                let rest = self.body.split_off(end + 1);
                return String::from_utf8(std::mem::replace(&mut self.body, rest)).expect("text");
            }
            assert_ne!(
                self.framing,
                Framing::Ended,
                "the body ended: {:?}",
                String::from_utf8_lossy(&self.body)
            );
            self.unframe_more().await;
        }
    }

    /// Waits for the peer to close, and returns what arrived before.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.came)
    }

    async fn unframe_more(&mut self) {
        while !self.unframe() {
            if !self.more().await {
                assert_eq!(self.framing, Framing::UntilClose, "the connection was cut in a body");
                self.framing = Framing::Ended;
                return;
            }
        }
    }

    /// Moves what it can from `came` to `body`; returns whether that was anything.
    fn unframe(&mut self) -> bool {
        match self.framing {
            Framing::Ended => true,
            Framing::UntilClose => {
                let moved = !self.came.is_empty();
                self.body.append(&mut self.came);
                moved
            }
            Framing::Length(left) => {
                let rest = self.came.split_off(left.min(self.came.len()));
                let moved = self.came.len();
                self.body.append(&mut self.came);
                self.came = rest;
                self.framing = if left == moved { Framing::Ended } else { Framing::Length(left - moved) };
                moved > 0 || left == 0
            }
            Framing::Chunked => self.unframe_chunk(),
        }
    }

    fn unframe_chunk(&mut self) -> bool {
        let Some(line_end) = find(&self.came, b"\r\n") else { return false };
        let size = std::str::from_utf8(&self.came[..line_end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size in hexadecimal digits");
        let (begin, end) = (line_end + 2, line_end + 2 + size);
        if self.came.len() < end + 2 {
            return false;
        }
        self.body.extend_from_slice(&self.came[begin..end]);
        self.came.drain(..end + 2);
        if size == 0 {
            self.framing = Framing::Ended;
        }
        true
    }

    /// Receives more bytes; returns whether there were any.
    async fn more(&mut self) -> bool {
        soon(self.socket.read_buf(&mut self.came)).await.is_ok_and(|bytes| bytes > 0)
    }
}

fn framing(answer: &Answer) -> Framing {
    if answer.header("transfer-encoding") == Some("chunked") {
        return Framing::Chunked;
    }
    match answer.header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => Framing::Length(length),
        None if matches!(answer.status, 100..=199 | 204 | 304) => Framing::Ended,
        None => Framing::UntilClose,
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
