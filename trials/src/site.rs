//! Where the page comes from: a server of its own, so that its origin differs from the event stream's.
//!
//! It serves the page and its plan, and takes what the page heard. Invariant: what was heard is in the order in
//! which the page reported it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::{Value, json};

use crate::WAIT_MAX;

/// The `readyState` of an `EventSource` that gave up.
const CLOSED: u64 = 2;

/// What a page reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A connection was opened.
    Open,
    /// A connection ended, and the browser will try again.
    Lost,
    /// The browser gave up for good: `readyState` is `CLOSED`.
    Stopped,
    /// An event.
    Event {
        /// Its name: `message` where it had none.
        name: String,
        /// Its data.
        data: String,
        /// The last event id.
        id: String,
    },
}

#[derive(Debug, Default)]
struct Inside {
    heard: Vec<Heard>,
    fault: Option<String>,
    is_stopped: bool,
}

/// What the page reported so far, and what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Told {
    inside: Mutex<Inside>,
    changed: Condvar,
}

impl Told {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("nobody panics while holding the lock")
    }

    fn change(&self, change: impl FnOnce(&mut Inside)) {
        change(&mut self.inside());
        self.changed.notify_all();
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.inside().heard.clone()
    }

    /// Nothing more will be heard, for this reason.
    pub(crate) fn fault(&self, why: &str) {
        self.change(|inside| {
            inside.fault.get_or_insert_with(|| why.to_owned());
        });
    }

    /// Waits until `found` finds what it looks for in what was heard.
    ///
    /// # Errors
    /// A sentence: the page has a fault, or the time is over.
    pub(crate) fn wait_for<T>(&self, mut found: impl FnMut(&[Heard]) -> Option<T>) -> Result<T, String> {
        let until = Instant::now() + WAIT_MAX;
        let mut inside = self.inside();
        loop {
            if let Some(found) = found(&inside.heard) {
                return Ok(found);
            }
            if let Some(fault) = &inside.fault {
                return Err(fault.clone());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("the time is over".to_owned());
            }
            let waited = self.changed.wait_timeout(inside, left);
            inside = waited.expect("nobody panics while holding the lock").0;
        }
    }
}

/// The page's server, which ends with its owner.
#[derive(Debug)]
pub(crate) struct Site {
    address: SocketAddr,
    pub(crate) told: Arc<Told>,
    accepting: Option<JoinHandle<()>>,
}

impl Site {
    /// Serves a page that listens to `url`, for events of these names and those without one.
    pub(crate) fn start(url: &str, names: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let plan = json!({ "url": url, "names": names }).to_string();
        let told = Arc::new(Told::default());
        let shared = Arc::clone(&told);
        let accepting = Some(std::thread::spawn(move || accept(&listener, &plan, &shared)));
        Self { address, told, accepting }
    }

    /// The page's URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.told.change(|inside| inside.is_stopped = true);
        // Wakes the listener. It fails only if the listener is gone.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            // A thread that panicked has reported it, and we may be panicking already.
            let _ = accepting.join();
        }
    }
}

/// One request per connection, each on a thread: a browser opens connections ahead of need.
fn accept(listener: &TcpListener, plan: &str, told: &Told) {
    std::thread::scope(|scope| {
        for connection in listener.incoming() {
            if told.inside().is_stopped {
                break;
            }
            let Ok(connection) = connection else { continue };
            // What fails here is the browser's fault: it is gone, and reports nothing any more.
            scope.spawn(move || serve(&connection, plan, told).unwrap_or(()));
        }
    });
}

fn serve(mut connection: &TcpStream, plan: &str, told: &Told) -> std::io::Result<()> {
    connection.set_read_timeout(Some(WAIT_MAX))?;
    connection.set_write_timeout(Some(WAIT_MAX))?;
    let mut from = BufReader::new(connection);
    let mut first = String::new();
    from.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or(0);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, answer) = answer(path, &body, plan, told);
    write!(connection, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", answer.len())?;
    write!(connection, "Connection: close\r\nCache-Control: no-store\r\n\r\n{answer}")
}

fn answer<'a>(path: &str, body: &[u8], plan: &'a str, told: &Told) -> (&'a str, &'a str, &'a str) {
    match path {
        "/" => ("200 OK", "text/html; charset=utf-8", include_str!("../browsers/page.html")),
        "/page.js" => ("200 OK", "text/javascript; charset=utf-8", include_str!("../browsers/page.js")),
        "/plan" => ("200 OK", "application/json", plan),
        "/heard" => {
            match reports(body) {
                Ok(reports) => told.change(|inside| inside.heard.extend(reports)),
                Err(why) => told.fault(&why),
            }
            ("200 OK", "text/plain", "")
        }
        _ => ("404 Not Found", "text/plain", ""),
    }
}

/// The reports in a body, as `page.js` writes them. An error is what went wrong in the page.
fn reports(body: &[u8]) -> Result<Vec<Heard>, String> {
    let reports: Vec<Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    reports.iter().map(|report| heard(report).ok_or_else(|| report.to_string())).collect()
}

fn heard(report: &Value) -> Option<Heard> {
    let text = |at: usize| report.get(at)?.as_str().map(str::to_owned);
    match text(0)?.as_str() {
        "open" => Some(Heard::Open),
        "error" if report.get(1)?.as_u64()? == CLOSED => Some(Heard::Stopped),
        "error" => Some(Heard::Lost),
        "event" => Some(Heard::Event { name: text(1)?, data: text(2)?, id: text(3)? }),
        _ => None,
    }
}
