//! Accepts connections from several listeners in turn, and survives running out of file descriptors.
//!
//! Invariant: after an error that the next attempt would meet again it pauses for [`REST`], so it never spins. Does
//! not count connections: the caller does.

use std::{
    future::poll_fn,
    io, mem,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until},
};

/// Pause after a failed accept.
const REST: Duration = Duration::from_millis(250);

/// The listeners of a server.
pub(crate) struct Acceptor {
    listeners: Vec<TcpListener>,
    /// The listener to poll first next time.
    turn: usize,
    rest_until: Option<Instant>,
    /// Whether the failure was traced since the last connection was accepted.
    is_traced: bool,
}

impl Acceptor {
    pub(crate) fn new(listeners: Vec<TcpListener>) -> Self {
        Self { listeners, turn: 0, rest_until: None, is_traced: false }
    }

    /// The next connection. Cancellation: loses nothing.
    pub(crate) async fn next(&mut self) -> TcpStream {
        loop {
            if let Some(until) = self.rest_until {
                sleep_until(until).await;
                self.rest_until = None;
            }
            match poll_fn(|cx| self.poll(cx)).await {
                Ok(socket) => {
                    if mem::take(&mut self.is_traced) {
                        tracing::info!("connections are accepted again");
                    }
                    return socket;
                }
                Err(error) if is_of_one_peer(&error) => {
                    tracing::debug!(%error, "a connection failed while it was accepted")
                }
                Err(error) => {
                    self.rest_until = Some(Instant::now() + REST);
                    if !mem::replace(&mut self.is_traced, true) {
                        tracing::error!(
                            %error,
                            "no connection can be accepted; retrying. If there are too many open files, raise the limit \
                        (ulimit -n)"
                        );
                    }
                }
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        for step in 0..self.listeners.len() {
            let at = (self.turn + step) % self.listeners.len();
            if let Poll::Ready(accepted) = self.listeners[at].poll_accept(cx) {
                self.turn = at + 1;
                return Poll::Ready(accepted.map(|(socket, _)| socket));
            }
        }
        Poll::Pending
    }
}

/// Errors of one connection alone; the next accept may succeed. Source: accept(2), "Error handling".
fn is_of_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::Interrupted
    )
}
