//! A reader program: somebody else's reader, run as a process that says what it hears.
//!
//! The program is given a URL, prints one JSON object a line, and runs until its stdin ends:
//! `{"open":true}`, `{"event":"message","data":"…","id":"…"}`, `{"error":"…"}`, `{"stopped":true}`.
//!
//! Invariants: the process ends with its owner; every wait has the limit [`WAIT_MAX`]; what was said is kept in
//! order. It does not judge what a reader says.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{WAIT_MAX, fail};

/// More lines than a trial takes at once; beyond that the program waits.
const LINES_MAX: usize = 10_000;

/// How long a program whose stdin has ended may take to end by itself: a browser has a profile to remove.
const END_WAIT: Duration = Duration::from_secs(10);

/// One event as a reader delivers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardEvent {
    /// The name: `message` where it had none.
    pub name: String,
    /// The data.
    pub data: String,
    /// The id, if the reader reports it.
    pub id: Option<String>,
}

/// One line of a reader program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A connection is open.
    Open,
    /// An event was heard.
    Event(HeardEvent),
    /// Something went wrong. The reader may or may not come back.
    Error(String),
    /// The reader will not come back.
    Stopped,
}

/// A running reader program, which ends with its owner.
#[derive(Debug)]
pub struct Reader {
    child: Child,
    lines: Receiver<String>,
    said: Vec<Said>,
}

impl Reader {
    /// Starts the program. The command is complete: the URL is one of its arguments.
    #[must_use]
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| {
            fail(&format!(
                "{command:?} does not start ({error}): `cargo xtask needs` installs what is missing"
            ))
        });
        let lines = lines(child.stdout.take().expect("stdout was asked for as a pipe"));
        Self { child, lines, said: Vec::new() }
    }

    /// Everything that was said before the last wait was over.
    #[must_use]
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// The events in it.
    pub fn events(&self) -> impl Iterator<Item = &HeardEvent> {
        self.said.iter().filter_map(|said| match said {
            Said::Event(event) => Some(event),
            _ => None,
        })
    }

    /// Waits for a line that `is_it` accepts, from the next one on.
    ///
    /// - `what`: the end of the sentence "the reader never said …".
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, mut is_it: impl FnMut(&Said) -> bool) {
        let until = Instant::now() + WAIT_MAX;
        loop {
            let line = match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(why) => self.never_said(what, why),
            };
            let said = parsed(&line);
            let is_found = is_it(&said);
            self.said.push(said);
            if is_found {
                return;
            }
        }
    }

    #[track_caller]
    fn never_said(&self, what: &str, why: RecvTimeoutError) -> ! {
        let last = &self.said[self.said.len().saturating_sub(5)..];
        let count = self.events().count();
        fail(&format!(
            "the reader never said {what} ({why}); it said {count} events, and at last {last:.200?}"
        ))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let until = Instant::now() + END_WAIT;
        // Its stdout ends with it; what it still says does not matter.
        while self.lines.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
        // Either fails only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they come, read on a thread so that waiting for one can have a limit. The thread ends with the
/// process, or when nobody listens.
fn lines(pipe: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[track_caller]
fn parsed(line: &str) -> Said {
    let value: Value = serde_json::from_str(line)
        .unwrap_or_else(|error| fail(&format!("a reader program's line is not JSON ({error}): {line:.200}")));
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("event"), text("data"), text("error")) {
        (Some(name), Some(data), _) => Said::Event(HeardEvent { name, data, id: text("id") }),
        (_, _, Some(error)) => Said::Error(error),
        _ if value.get("open").is_some() => Said::Open,
        _ if value.get("stopped").is_some() => Said::Stopped,
        _ => fail(&format!("a reader program said what none should: {line:.200}")),
    }
}
