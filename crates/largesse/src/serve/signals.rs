//! Signals that end the server: the first in order, the second at once.
//!
//! Invariant: signals are caught from [`Signals::begin`] on, so none falls between the start and the wait. Does not
//! know what is stopped: it runs until the log is closed, so it may hold nothing that has the log.

use std::io;

use tokio::sync::oneshot;

/// The exit status after a second signal. Source: the shells' custom, 128 and the number of SIGINT.
const HURRIED: i32 = 130;

/// The signals, caught.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// The system does not let us.
    #[cfg(unix)]
    pub(super) fn begin() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Catches them from now on.
    ///
    /// # Errors
    /// None here.
    #[cfg(not(unix))]
    pub(super) fn begin() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Tells `stop` at the first signal, and ends the process at the second.
    pub(super) async fn run(mut self, stop: oneshot::Sender<()>) {
        let name = self.next().await;
        tracing::info!(signal = name, "stopping; another signal stops at once");
        // The receiver lives as long as the server runs; afterwards there is nothing to stop.
        let _ = stop.send(());
        let name = self.next().await;
        tracing::warn!(signal = name, "stopping at once");
        std::process::exit(HURRIED);
    }

    #[cfg(unix)]
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            // Nothing can be waited for: never stop because of that.
            Err(_) => std::future::pending().await,
        }
    }
}
