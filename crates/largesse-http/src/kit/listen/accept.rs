//! Takes new connections from several listeners, fairly, and survives a machine that has none left to give.
//!
//! Invariant: after an error that the next try would meet again it rests for [`REST`], so that it never spins.
//! Does not count connections: whoever asks for the next one does.

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

/// How long no connection is taken after the machine had no room for one.
const REST: Duration = Duration::from_millis(250);

/// The listeners of a server.
pub(crate) struct Acceptor {
    listeners: Vec<TcpListener>,
    /// Which listener is asked first next time.
    turn: usize,
    rest_until: Option<Instant>,
    /// Whether it was told that no connection can be taken, since one was.
    is_told: bool,
}

impl Acceptor {
    pub(crate) fn new(listeners: Vec<TcpListener>) -> Self {
        Self { listeners, turn: 0, rest_until: None, is_told: false }
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
                    if mem::take(&mut self.is_told) {
                        tracing::info!("connections are accepted again");
                    }
                    return socket;
                }
                Err(error) if is_of_one_peer(&error) => {
                    tracing::debug!(%error, "a connection failed while it was accepted")
                }
                Err(error) => {
                    self.rest_until = Some(Instant::now() + REST);
                    if !mem::replace(&mut self.is_told, true) {
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

/// Errors that say nothing about the next connection. Source: accept(2), "Error handling".
fn is_of_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::Interrupted
    )
}
