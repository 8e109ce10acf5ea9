//! A server on an ephemeral port that answers each connection as a function says, in plain text or over TLS.
//!
//! Invariants: it ends with its owner; every wait has the limit [`WAIT_MAX`].

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use largesse_client::{Client, ClientConfig, EventSource, ReconnectLimits, Request, SourceConfig, Url};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

/// What the server does after an answer.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Closes the connection.
    Close,
    /// Keeps it open, and sends nothing more.
    Hold,
    /// Sends this again and again, for as long as the client reads it.
    Repeat(&'static [u8]),
    /// Sends this a number of times, at this interval; then closes the connection.
    Beat(&'static [u8], u32, Duration),
}

/// What a server sends, and what it does then.
pub(crate) type Reply = (Vec<u8>, Then);

type Replying = dyn Fn(usize, &str) -> Reply + Send + Sync;

/// An answer with a head and a body that ends with the connection.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    (format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n{body}").into_bytes(), Then::Close)
}

pub(crate) const STREAM: &str = "Content-Type: text/event-stream\r\n";

/// The same as an event stream.
pub(crate) fn stream(body: &str) -> Reply {
    answer("200 OK", STREAM, body)
}

pub(crate) fn gone() -> Reply {
    answer("204 No Content", "", "")
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
    written: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Server {
    /// Answers the n-th request, from 0, as `reply` says.
    pub(crate) async fn start(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, reply).await
    }

    /// The same over TLS.
    pub(crate) async fn start_tls(
        acceptor: TlsAcceptor,
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(acceptor), reply).await
    }

    async fn listen(
        acceptor: Option<TlsAcceptor>,
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, written) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let talk = Talk { reply: Arc::new(reply), asked: Arc::clone(&asked), written: Arc::clone(&written) };
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut talks = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (talk, acceptor) = (talk.clone(), acceptor.clone());
                talks.spawn(async move {
                    match acceptor {
                        None => talk.over(socket).await,
                        Some(acceptor) => {
                            if let Ok(socket) = acceptor.accept(socket).await {
                                talk.over(socket).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, scheme, asked, written, _serving: serving }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}://{}{path}", self.scheme, self.address)).unwrap()
    }

    /// The same server by its name.
    pub(crate) fn url_of(&self, host: &str) -> Url {
        Url::parse(&format!("{}://{host}:{}/", self.scheme, self.address.port())).unwrap()
    }

    /// The requests so far, with their bodies.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How many bytes were sent and accepted.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// A source that reconnects at once.
    pub(crate) fn source(&self) -> EventSource {
        source(Request::get(self.url("/s")), quick())
    }
}

pub(crate) fn source(request: Request, config: SourceConfig) -> EventSource {
    EventSource::new(Client::new(&ClientConfig::default()), request, config)
}

/// Waits that are too short to slow a test down.
pub(crate) fn quick() -> SourceConfig {
    let quick = Duration::from_millis(2);
    let reconnect =
        ReconnectLimits { first: quick, grown_max: quick, asked_min: Duration::ZERO, asked_max: quick };
    SourceConfig { reconnect, ..SourceConfig::default() }
}

/// Bounds a wait.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_MAX, future).await.expect("it takes too long")
}

#[derive(Clone)]
struct Talk {
    reply: Arc<Replying>,
    asked: Arc<Mutex<Vec<String>>>,
    written: Arc<AtomicUsize>,
}

impl Talk {
    async fn over(self, mut socket: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(request) = request(&mut socket).await else { return };
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len() - 1
        };
        let (mut said, then) = (self.reply)(number, &request);
        loop {
            if socket.write_all(&said).await.is_err() {
                return;
            }
            self.written.fetch_add(said.len(), Ordering::Relaxed);
            match then {
                Then::Close => break,
                Then::Hold => {
                    let _ = socket.flush().await;
                    // Until the client has gone.
                    let _ = socket.read_to_end(&mut Vec::new()).await;
                    break;
                }
                Then::Repeat(again) => said = again.to_vec(),
                Then::Beat(again, count, every) => {
                    let mut beats = tokio::time::interval(every);
                    for _ in 0..count {
                        beats.tick().await;
                        let _ = socket.write_all(again).await;
                    }
                    break;
                }
            }
        }
        let _ = socket.shutdown().await;
    }
}

/// Reads a request; `None` if the connection ends first.
async fn request(socket: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(head) = read.windows(4).position(|at| at == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&read).into_owned();
            let length = text
                .to_ascii_lowercase()
                .split_once("content-length: ")
                .map(|(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if read.len() >= head + 4 + length.unwrap_or(0) {
                return Some(text);
            }
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
}
