//! `largesse publish`: appends one event, or closes a stream, and prints the id.
//!
//! Invariant: all attempts have the same idempotency key, so the event is appended once however often the
//! connection breaks.

use std::{
    io::{self, ErrorKind, IsTerminal, Read},
    time::Duration,
};

use largesse::client::{
    Backoff, Client, HeaderName, HeaderValue, Request, Response, SendError, Url, header::CONTENT_TYPE,
};
use largesse::{log::StreamName, wire::EventName};

use crate::{
    cli::PublishArgs,
    client::{ServerUrl, client, encoded_path, encoded_query, problem, resolved_url, unread, unsent, upto},
    config::server_url,
    terminal::{Failure, note, plain, say},
};

/// Attempts at most, if connections fail or break.
const ATTEMPTS_MAX: u32 = 5;
/// The longest wait before the second attempt; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// The longest wait before any attempt.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The most that is read from stdin; the server has its own, smaller limit.
const STDIN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A server's answer to a publish, as far as it is printed.
#[derive(serde::Deserialize)]
struct Published {
    id: String,
}

/// Publishes.
///
/// # Errors
/// The server refuses it, or can't be reached.
pub(crate) fn run(args: &PublishArgs) -> Result<(), Failure> {
    let url = resolved_url(args.server.url.as_ref(), server_url())?;
    let target = url.to(&path_and_query(args)?);
    let data = data(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    let id = runtime.block_on(publish(&url, target, data))?;
    match say(&plain(&id)) {
        // The publish succeeded: if nobody reads the id, that isn't a failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure(format!("published, but the id can't be written to stdout: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The request's target. Names are checked here, before anything is sent.
fn path_and_query(args: &PublishArgs) -> Result<String, Failure> {
    let stream = StreamName::parse(&args.stream).map_err(|error| wrong("stream", &args.stream, &error))?;
    let mut query = Vec::new();
    if let Some(event) = &args.event {
        EventName::parse(event).map_err(|error| wrong("event name", event, &error))?;
        query.push(format!("event={}", encoded_query(event)));
    }
    if args.close {
        query.push("close".to_owned());
    }
    let question = if query.is_empty() { "" } else { "?" };
    Ok(format!("/streams/{}{question}{}", encoded_path(stream.as_str()), query.join("&")))
}

fn wrong(what: &str, value: &str, error: &impl std::fmt::Display) -> Failure {
    Failure(format!("the {what} {value:?}: {error}"))
}

fn data(args: &PublishArgs) -> Result<Vec<u8>, Failure> {
    match args.data.as_deref() {
        None if args.close && args.event.is_some() => Err(Failure(
            "--event names an event, but --close without DATA publishes none: give the data, '-' for stdin, or '' for no \
             event"
                .to_owned(),
        )),
        None if args.close => Ok(Vec::new()),
        None | Some("-") => stdin(),
        Some(text) => Ok(text.as_bytes().to_vec()),
    }
}

fn stdin() -> Result<Vec<u8>, Failure> {
    if io::stdin().is_terminal() {
        note("reading the event from the terminal; Ctrl-D at the beginning of a line ends it");
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(STDIN_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure(format!("stdin: {error}")))?;
    if bytes.len() as u64 > STDIN_BYTES_MAX {
        return Err(Failure(format!("stdin has more than {STDIN_BYTES_MAX} bytes, too many for one event")));
    }
    Ok(bytes)
}

/// How an attempt went.
enum Attempt {
    /// The server's answer, which is final.
    Answered(Result<String, Failure>),
    /// There is no answer, and a further attempt would not get one either.
    Futile(SendError),
    /// There is no answer, but there may be one later; says why.
    Lost(String),
}

async fn publish(url: &ServerUrl, target: Url, data: Vec<u8>) -> Result<String, Failure> {
    let key = HeaderValue::from_str(&format!("{:032x}", fastrand::u128(..)));
    let request = Request::post(target, data)
        .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
        .header(HeaderName::from_static("idempotency-key"), key.expect("digits are a value of a header"));
    let client = client();
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MAX);
    loop {
        let told = match attempt(&client, &request).await {
            Attempt::Answered(answered) => return answered,
            Attempt::Futile(error) => return Err(Failure(format!("{url}: {}", unsent(&error)))),
            Attempt::Lost(told) => told,
        };
        let wait = backoff.handle_failure(fastrand::f64());
        if backoff.failures() == ATTEMPTS_MAX {
            return Err(Failure(format!("{url}: {told}; tried {ATTEMPTS_MAX} times")));
        }
        if backoff.failures() == 1 {
            note(&format!("{url}: {told}; trying again"));
        }
        tokio::time::sleep(wait).await;
    }
}

async fn attempt(client: &Client, request: &Request) -> Attempt {
    match client.send(request).await {
        Ok(response) if response.status().is_success() => id(response).await,
        Ok(response) => Attempt::Answered(Err(Failure(problem(response).await))),
        Err(error) if error.is_futile() => Attempt::Futile(error),
        Err(error) => Attempt::Lost(unsent(&error)),
    }
}

async fn id(mut response: Response) -> Attempt {
    let status = response.status();
    match response.collected(upto(ANSWER_BYTES_MAX)).await {
        Ok(body) => {
            Attempt::Answered(serde_json::from_slice(&body).map(|Published { id }| id).map_err(|error| {
                Failure(format!("{status} without an id ({error}): is this a Largesse server?"))
            }))
        }
        Err(error) => Attempt::Lost(unread(&error)),
    }
}
