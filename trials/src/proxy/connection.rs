//! One reader's connection: requests go up, responses come down, each on a thread.
//!
//! Invariants: requests do not overlap (no reader pipelines), so what comes down belongs to the request that went up
//! last; when either side ends, both end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::body::Body;
use super::plan::{Cut, Manner, Place};
use super::record::{End, Exchange, header};
use super::state::{Release, State, close, leave, reset};
use crate::WAIT_MAX;

/// Requests that may have gone up before the first byte of the first one's response comes down.
const AHEAD_MAX: usize = 16;
/// A longer head is not HTTP.
const HEAD_BYTES_MAX: u64 = 64 * 1024;
const PIECE_BYTES: usize = 16 * 1024;

/// A request that went up.
#[derive(Clone, Copy)]
struct Begun {
    index: usize,
    cut: Option<Cut>,
}

/// Serves a connection to its end.
pub(super) fn serve(number: usize, client: &TcpStream, upstream: SocketAddr, state: &State) {
    // A reader that takes nothing for this long is gone. A socket that refuses the option breaks soon enough.
    let _ = client.set_write_timeout(Some(WAIT_MAX)).and_then(|()| client.set_nodelay(true));
    let mut from_client = BufReader::new(client);
    let Some((head, begun)) = request(number, &mut from_client, state) else { return close(client) };
    let Ok(server) = TcpStream::connect_timeout(&upstream, WAIT_MAX) else {
        state.end(begun.index, End::NoServer);
        return close(client);
    };
    let _ = server.set_nodelay(true);
    let (tell, told) = sync_channel(AHEAD_MAX);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            Down { client, server: &server, state, told, begun: None, phase: Phase::Head(Vec::new()) }.run()
        });
        let last = Up { number, from_client, server: &server, state, tell }.run(head, begun);
        state.end(last, End::Reader);
        close(&server);
    });
}

/// The next request's head, recorded.
fn request(number: usize, from: &mut BufReader<&TcpStream>, state: &State) -> Option<(Vec<u8>, Begun)> {
    let mut head = Vec::new();
    let mut limited = from.take(HEAD_BYTES_MAX);
    while !head.ends_with(b"\r\n\r\n") {
        if limited.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let (index, cut) = state.begin(Exchange::of_head(number, &String::from_utf8_lossy(&head)));
    Some((head, Begun { index, cut }))
}

/// What goes up.
struct Up<'a> {
    number: usize,
    from_client: BufReader<&'a TcpStream>,
    server: &'a TcpStream,
    state: &'a State,
    tell: SyncSender<Begun>,
}

impl Up<'_> {
    /// Passes requests on until either side ends. Returns the last one's place in the record.
    fn run(mut self, mut head: Vec<u8>, mut begun: Begun) -> usize {
        loop {
            let is_passed = self.tell.send(begun).is_ok() && self.pass(&head).is_some();
            let next = is_passed.then(|| request(self.number, &mut self.from_client, self.state)).flatten();
            let Some(next) = next else { return begun.index };
            (head, begun) = next;
        }
    }

    /// Passes one request on, with its body.
    fn pass(&mut self, head: &[u8]) -> Option<()> {
        self.server.write_all(head).ok()?;
        let head = String::from_utf8_lossy(head);
        let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let mut body = self.from_client.by_ref().take(length);
        std::io::copy(&mut body, &mut self.server).ok().map(drop)
    }
}

/// What comes down.
struct Down<'a> {
    client: &'a TcpStream,
    server: &'a TcpStream,
    state: &'a State,
    told: Receiver<Begun>,
    begun: Option<Begun>,
    phase: Phase,
}

/// Where a response is.
enum Phase {
    /// In its head; this much of it has come and was not passed on.
    Head(Vec<u8>),
    /// After it.
    Body(Body),
}

/// Why nothing more comes down.
struct Over(End);

impl Down<'_> {
    fn run(mut self) {
        let mut piece = vec![0; PIECE_BYTES];
        let Over(end) = loop {
            match (&mut self.server).read(&mut piece) {
                Ok(0) | Err(_) => break Over(End::Server),
                Ok(bytes) => match self.pass(&piece[..bytes]) {
                    Ok(()) => {}
                    Err(over) => break over,
                },
            }
        };
        self.learn();
        let end = self.begun.map_or(end, |begun| self.state.end(begun.index, end));
        match end {
            End::Cut(Manner::Rst) => reset(self.client),
            // Not shut down, so that a reset that was asked for stays one.
            End::Reader => leave(self.client),
            _ => close(self.client),
        }
        close(self.server);
    }

    /// Expects the response to a new request. Called before the server can answer.
    fn learn(&mut self) {
        if let Some(begun) = self.told.try_iter().last() {
            self.begun = Some(begun);
            self.phase = Phase::Head(Vec::new());
        }
    }

    fn pass(&mut self, piece: &[u8]) -> Result<(), Over> {
        self.learn();
        // A server that speaks before it is asked does not speak HTTP.
        let begun = self.begun.ok_or(Over(End::Server))?;
        let Phase::Head(head) = &mut self.phase else { return self.pass_body(begun, piece) };
        if let Some(Cut { place: Place::BeforeHead, manner }) = begun.cut {
            return self.cut(begun, manner, piece);
        }
        head.extend_from_slice(piece);
        let Some(at) = head.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(()) };
        let body = head.split_off(at + 4);
        let head = std::mem::take(head);
        self.phase = Phase::Body(Body::new());
        self.state.pass_head(begun.index, status(&head)).ok_or(Over(End::Reader))?;
        self.write(&head)?;
        self.pass_body(begun, &body)
    }

    fn pass_body(&mut self, begun: Begun, piece: &[u8]) -> Result<(), Over> {
        let Phase::Body(body) = &mut self.phase else { return Ok(()) };
        let at = body.cut_in(piece, begun.cut.map(|cut| cut.place));
        let (now, later) = piece.split_at(at.unwrap_or(piece.len()));
        self.state.pass_body(begun.index, now.len()).ok_or(Over(End::Reader))?;
        self.write(now)?;
        match begun.cut {
            Some(Cut { manner, .. }) if at.is_some() => self.cut(begun, manner, later),
            _ => Ok(()),
        }
    }

    /// Cuts. A stall that is released to go on continues with the rest of the piece.
    fn cut(&mut self, begun: Begun, manner: Manner, rest: &[u8]) -> Result<(), Over> {
        if manner != Manner::Stall {
            return Err(Over(End::Cut(manner)));
        }
        match self.state.stalled(begun.index) {
            None => Err(Over(End::Reader)),
            Some(Release::Fin) => Err(Over(End::Cut(Manner::Fin))),
            Some(Release::Rst) => Err(Over(End::Cut(Manner::Rst))),
            Some(Release::GoOn) => {
                self.state.go_on(begun.index);
                self.begun = Some(Begun { cut: None, ..begun });
                self.pass(rest)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        let mut client = self.client;
        client.write_all(bytes).map_err(|_| Over(End::Reader))
    }
}

/// The status in a response's head, or 0 if there is none.
fn status(head: &[u8]) -> u16 {
    let head = String::from_utf8_lossy(head);
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
