//! The HTTP/1.1 server: accepts connections and serves a router on them.
//!
//! Invariants: at most `connections_max` connections; each is a task of one set that is joined; a stalled connection
//! holds at most its write buffer and its share of the kernel's. Does not speak TLS or HTTP/2: a proxy in front does.

mod accept;
mod socket;
pub(crate) mod stall;

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, response::Response};
use futures_util::{TryFutureExt, future::MapOk};
use http::{HeaderValue, Request, header::DATE};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::timeout,
};

use self::{
    accept::Acceptor,
    stall::{StallIo, StallLimit},
};

/// Limits of a server. Source: ours.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections open at once. At the limit no more are accepted: they wait in the kernel until one ends.
    pub connections_max: usize,
    /// How long the head of a request may take, and how long a connection may be idle, before it is closed. The
    /// default is longer than the 60 s for which nginx keeps idle connections: if the server closed first, a request
    /// just being sent would be lost.
    pub head_timeout: Duration,
    /// Bytes of a connection's read buffer, and so of a request's head, and of its write buffer; at least
    /// [`BUFFER_BYTES_MIN`]. A longer head is answered 431 by hyper.
    pub buffer_bytes_max: usize,
    /// Unsent bytes that the kernel buffers for a connection.
    pub unsent_bytes_max: u32,
    /// How long the writes of an answer may make no progress before the connection is cut. Reads have a limit only if
    /// their stream disconnects slow readers.
    pub write_stall: Duration,
    /// How long connections may continue after the shutdown begins, before they are cut.
    pub shutdown_grace: Duration,
}

/// The least [`ServeLimits::buffer_bytes_max`]. Source: hyper.
pub const BUFFER_BYTES_MIN: usize = 8 * 1024;

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 100_000,
            head_timeout: Duration::from_secs(75),
            buffer_bytes_max: 32 * 1024,
            unsent_bytes_max: 64 * 1024,
            write_stall: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(5),
        }
    }
}

/// What a server did, told when it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Connections accepted.
    pub connections: u64,
    /// Connections cut at the end of the grace period.
    pub cut: usize,
}

/// Whether connections may begin another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Closing,
}

/// Serves `router` until `shutdown` completes, then lets requests finish within the grace period.
///
/// A read does not end by itself: drain the hub as well.
///
/// Cancellation: dropping the future cuts every connection.
pub async fn serve<S: Future>(
    listeners: Vec<TcpListener>,
    router: Router,
    limits: ServeLimits,
    shutdown: S,
) -> Served {
    let mut shutdown = pin!(shutdown);
    let mut acceptor = Acceptor::new(listeners);
    let mut tasks = JoinSet::new();
    let (phase, seen) = watch::channel(Phase::Serving);
    let mut connections = 0;
    loop {
        tokio::select! {
            biased;
            _ = &mut shutdown => break,
            Some(ended) = tasks.join_next() => trace_end(ended),
            socket = acceptor.next(), if tasks.len() < limits.connections_max => {
                connections += 1;
                tasks.spawn(connection(socket, router.clone(), limits, seen.clone()));
            }
        }
    }
    // New connections are now refused by the kernel instead of waiting in vain.
    drop(acceptor);
    phase.send_replace(Phase::Closing);
    let cut = join(tasks, limits.shutdown_grace).await;
    Served { connections, cut }
}

/// Waits for all within the grace period, and cuts the rest. Returns how many were cut.
async fn join(mut tasks: JoinSet<()>, grace: Duration) -> usize {
    let all_ended = async {
        while let Some(ended) = tasks.join_next().await {
            trace_end(ended);
        }
    };
    let _ = timeout(grace, all_ended).await;
    let cut = tasks.len();
    if cut > 0 {
        tracing::warn!(cut, ?grace, "connections were cut: they did not end within the grace period");
    }
    tasks.shutdown().await;
    cut
}

fn trace_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed; this is a bug, please report it");
    }
}

async fn connection(
    socket: TcpStream,
    router: Router,
    limits: ServeLimits,
    mut phase: watch::Receiver<Phase>,
) {
    socket::set_up(&socket, limits.unsent_bytes_max);
    let stall = Arc::new(StallLimit::new(limits.write_stall));
    let io = TokioIo::new(StallIo::new(socket, Arc::clone(&stall)));
    let service = OneConnection { router: TowerToHyperService::new(router), stall };
    let mut http = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // A client that shuts down its side after a request still gets the answer. `StallIo` closes readers that
            // do so.
            .half_close(true)
            // hyper's panics on a clock outside its range; ours is below.
            .auto_date_header(false)
            .header_read_timeout(limits.head_timeout)
            .max_buf_size(limits.buffer_bytes_max.max(BUFFER_BYTES_MIN))
            .serve_connection(io, service)
    );
    let ended = tokio::select! {
        ended = http.as_mut() => ended,
        () = closing(&mut phase) => {
            http.as_mut().graceful_shutdown();
            http.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended in an error");
    }
}

/// Waits for the shutdown to begin.
async fn closing(phase: &mut watch::Receiver<Phase>) {
    // The sender outlives every connection, unless the server's future was dropped, and the connections with it.
    let _ = phase.wait_for(|phase| *phase == Phase::Closing).await;
}

/// The router for one connection: gives each request the connection's stall limit.
struct OneConnection {
    router: TowerToHyperService<Router>,
    stall: Arc<StallLimit>,
}

impl Service<Request<Incoming>> for OneConnection {
    type Response = Response;
    type Error = Infallible;
    type Future = MapOk<
        <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future,
        fn(Self::Response) -> Self::Response,
    >;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.stall.begin_answer();
        request.extensions_mut().insert(Arc::clone(&self.stall));
        self.router.call(request).map_ok(dated)
    }
}

/// The last moment a `Date` can express: the end of the year 9999. Source: RFC 9110, clause 5.6.7.
const DATE_MAX: Duration = Duration::from_secs(253_402_300_799);

/// The answer with a `Date`, whatever the machine's clock says. Source: RFC 9110, clause 6.6.1.
fn dated(mut response: Response) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    response.headers_mut().entry(DATE).or_insert_with(|| date(now));
    response
}

/// The text of a time since 1970.
fn date(since: Duration) -> HeaderValue {
    let text = httpdate::fmt_http_date(UNIX_EPOCH + since.min(DATE_MAX));
    HeaderValue::from_str(&text).expect("a date is of letters, digits, spaces, commas and colons")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clock_has_a_date() {
        let rows = [
            (Duration::ZERO, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (Duration::from_secs(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT"),
            (Duration::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (since, want) in rows {
            assert_eq!(date(since), want);
        }
    }
}
