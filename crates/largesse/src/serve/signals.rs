//! Signals: two that end the server, the first one cleanly, the second at once; and SIGHUP, which does not end it.
//!
//! Invariant: signals are caught from [`Signals::begin`] and [`Hangups::begin`] on, so none falls between the start and
//! the wait. Does not know what is stopped: it runs until the log is closed, so it must hold nothing that holds the
//! log.

use std::{fs, io};

use nix::sys::signal::{SigSet, Signal as Masked};
use rustix::process::Signal as Number;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::terminal;

/// The exit status after a second signal. Source: shells' convention, 128 plus the number of SIGINT.
const HURRIED: i32 = 130;

/// The signals that end the server, caught.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(super) fn begin() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Notifies `stop` at the first signal, and ends the process at the second.
    pub(super) async fn run(mut self, stop: oneshot::Sender<()>) {
        let name = self.next().await;
        tracing::info!(signal = name, "stopping; another signal stops at once");
        // The receiver lives as long as the server runs; after that there is nothing to stop.
        let _ = stop.send(());
        let name = self.next().await;
        tracing::warn!(signal = name, "stopping at once");
        terminal::end();
        std::process::exit(HURRIED);
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// SIGHUP: a terminal was closed, which ends other programs. Daemons reread their files on it.
///
/// `None` if the process was started so that it ignores it, as by `nohup`: that stays so.
#[derive(Debug)]
pub(super) struct Hangups(Option<Signal>);

/// A background server may write to its terminal (`stty tostop`): it would be stopped for that, and could not be
/// ended cleanly. Call this before there is another thread: threads inherit the signal mask.
pub(super) fn outlive_terminal() {
    // If that fails, this process is like any other program.
    let _ = SigSet::from(Masked::SIGTTOU).thread_block();
}

impl Hangups {
    /// Catches it from now on.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(super) fn begin() -> io::Result<Self> {
        if is_ignored(Number::HUP) {
            Ok(Self(None))
        } else {
            signal(SignalKind::hangup()).map(Some).map(Self)
        }
    }

    /// Reports each one and that it changes nothing, until this is dropped.
    pub(super) async fn run(self) {
        let Some(mut hangups) = self.0 else { return };
        while hangups.recv().await.is_some() {
            tracing::info!("SIGHUP: there is nothing to reopen; continuing. SIGTERM stops the server");
        }
    }
}

/// Whether the process was started with it ignored. Where the system does not tell, it was not.
fn is_ignored(number: Number) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status).is_some_and(|mask| mask >> (number.as_raw() - 1) & 1 == 1)
}

/// One bit for each signal that is ignored. Source: proc_pid_status(5), `SigIgn`.
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_linux_output() {
        let rows = [
            ("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n", Some(0x1001)),
            ("SigBlk:\t0000000000000000\n", None),
            ("SigIgn:\tnone\n", None),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(ignored(text), want, "{text}");
        }
        // Rust's runtime ignores the first; nobody can ignore the second.
        assert_eq!((is_ignored(Number::PIPE), is_ignored(Number::KILL)), (true, false));
    }
}
