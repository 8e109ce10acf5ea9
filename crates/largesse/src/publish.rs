//! `largesse publish`: appends one event, or closes a stream, and prints the id.
//!
//! Invariant: a retry has the same idempotency key, so the event is appended once however often the
//! connection breaks.

use std::{
    io::{self, ErrorKind, IsTerminal, Read},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Request,
    header::{CONTENT_TYPE, HOST},
};
use http_body_util::Full;
use largesse::{log::StreamName, wire::EventName};

use crate::{
    cli::PublishArgs,
    client::{Answer, Backoff, ServerUrl, encoded_path, encoded_query, resolved_url, send},
    config::server_url,
    terminal::{Failure, note, plain, say},
};

/// How often a broken connection is tried.
const ATTEMPTS_MAX: u32 = 5;
/// The wait before the second attempt.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// The most that is read from stdin; what a server takes is its own, smaller limit.
const STDIN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What a server answers to a publish, as far as it is printed.
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
    let target = url.target(&path_and_query(args)?);
    let data = data(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    let id = runtime.block_on(publish(&url, &target, data))?;
    match say(&plain(&id)) {
        // What was asked for is done; who does not want the id is told of no failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure(format!("it is published, but stdout: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What is asked for; names are checked here, before anything is sent.
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

fn data(args: &PublishArgs) -> Result<Bytes, Failure> {
    match args.data.as_deref() {
        None if args.close && args.event.is_some() => Err(Failure(
            "--event names an event, and --close without DATA publishes none: give the data, '-' for that of stdin, or \
             '' for none"
                .to_owned(),
        )),
        None if args.close => Ok(Bytes::new()),
        None | Some("-") => stdin(),
        Some(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
    }
}

fn stdin() -> Result<Bytes, Failure> {
    if io::stdin().is_terminal() {
        note("reading the event from the terminal; Ctrl-D at the beginning of a line ends it");
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(STDIN_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure(format!("stdin: {error}")))?;
    if bytes.len() as u64 > STDIN_BYTES_MAX {
        return Err(Failure(format!("stdin has more than {STDIN_BYTES_MAX} bytes, too many for one event")));
    }
    Ok(bytes.into())
}

async fn publish(url: &ServerUrl, target: &str, data: Bytes) -> Result<String, Failure> {
    let request = Request::post(target)
        .header(HOST, url.host_header())
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .header("Idempotency-Key", format!("{:032x}", fastrand::u128(..)))
        .body(Full::new(data))
        .map_err(|error| Failure(format!("the request can't be made: {error}")))?;
    let mut backoff = Backoff::new(RETRY_FIRST);
    loop {
        let told = match attempt(url, request.clone()).await {
            Ok(answered) => return answered,
            Err(told) => told,
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

/// One attempt: the server's word, or why there was none.
async fn attempt(url: &ServerUrl, request: Request<Full<Bytes>>) -> Result<Result<String, Failure>, String> {
    let mut answer = send(url, request).await.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Ok(Err(Failure(answer.problem().await)));
    }
    id(&mut answer).await
}

async fn id(answer: &mut Answer) -> Result<Result<String, Failure>, String> {
    let body = answer.collected().await?;
    let published = serde_json::from_slice::<Published>(&body);
    Ok(published.map(|published| published.id).map_err(|error| {
        Failure(format!("{} without an id ({error}): is this a Largesse server?", answer.status()))
    }))
}
