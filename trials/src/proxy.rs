//! The cutting proxy: passes HTTP/1.1 on, byte for byte, and cuts responses where its plan says.
//!
//! Invariants: a request's head is recorded before the server can see it; a response's bytes are counted before
//! the reader can see them; at most `CONNECTIONS_MAX` connections at once, one more is closed; every thread is
//! joined when the proxy is dropped. It changes no byte that it passes on.

mod body;
mod connection;
mod plan;
mod record;
mod state;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use self::plan::{Cut, Manner, Place, Plan};
pub use self::record::{End, Exchange};
pub use self::state::Release;
use self::state::State;

/// More than any trial opens at once. One more is closed without an answer.
pub(crate) const CONNECTIONS_MAX: usize = 256;

/// A running proxy, which ends with its owner.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

impl CuttingProxy {
    /// Listens on a free port of 127.0.0.1, and passes on to `upstream`, which need not listen yet.
    #[must_use]
    #[track_caller]
    pub fn start(upstream: SocketAddr, plan: Plan) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State::new(plan));
        let shared = Arc::clone(&state);
        let accepting = Some(std::thread::spawn(move || accept(&listener, upstream, &shared)));
        Self { address, state, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path with its query.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// All exchanges so far.
    #[must_use]
    pub fn record(&self) -> Vec<Exchange> {
        self.state.record()
    }

    /// Waits until `found` finds what it looks for in the record.
    ///
    /// - `what`: the end of the sentence "the proxy never saw …".
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, found: impl FnMut(&[Exchange]) -> Option<T>) -> T {
        match self.state.wait_for(crate::WAIT_MAX, found) {
            Some(found) => found,
            None => crate::fail(&format!("the proxy never saw {what}; it saw {:#?}", self.record())),
        }
    }

    /// Whether no further request comes for this long. Returns at once when one does.
    #[must_use]
    pub fn is_quiet_for(&self, time: Duration) -> bool {
        let before = self.record().len();
        self.state.wait_for(time, |record| (record.len() > before).then_some(())).is_none()
    }

    /// Replaces what is left of the plan with another one. It applies from the next request on.
    pub fn replan(&self, plan: Plan) {
        self.state.replan(plan);
    }

    /// Ends every stall there is now, but no later one.
    pub fn release_stalls(&self, release: Release) {
        self.state.release_stalls(release);
    }

    /// Cuts all connections that are open now, cleanly ([`Manner::Fin`]) or with a reset.
    pub fn cut_all(&self, manner: Manner) {
        self.state.cut_all(manner);
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.state.stop();
        // Wakes the listener. It fails only if the listener is gone.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            // A thread that panicked has reported it, and we may be panicking already.
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, upstream: SocketAddr, state: &State) {
    std::thread::scope(|scope| {
        for (number, client) in listener.incoming().enumerate() {
            if state.is_stopped() {
                break;
            }
            let Ok(client) = client.map(Arc::new) else { continue };
            let Some(place) = state.enter(&client) else { continue };
            scope.spawn(move || {
                connection::serve(number, &client, upstream, state);
                state.leave(place);
            });
        }
    });
}
