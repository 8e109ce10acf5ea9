//! `largesse tail`: reads streams and prints their events, over any number of connections.
//!
//! Invariants: an event is printed once, in order; an id is presented only after its event was printed; only
//! an end, a refusal or a closed stdout stops it. Does not keep anything on disk.

mod attempt;
mod listener;
mod print;

use std::io::ErrorKind;

use largesse::log::Selector;

use self::{
    attempt::{Attempt, Over},
    print::{Form, Printer},
};
use crate::{
    cli::TailArgs,
    client::{Loss, Reconnect, Say, ServerUrl, encoded_query, resolved_url},
    config::server_url,
    terminal::{Failure, note},
};

/// No URL is longer, here and at the server: the `http` crate counts its bytes in 16 bits.
const TARGET_BYTES_MAX: usize = 65_534;

/// Reads until the streams end.
///
/// # Errors
/// The server refuses, or does not speak our language.
pub(crate) fn run(args: &TailArgs) -> Result<(), Failure> {
    let url = resolved_url(args.server.url.as_ref(), server_url())?;
    let target = url.target(&path_and_query(args)?);
    if target.len() > TARGET_BYTES_MAX {
        let bytes = target.len();
        return Err(Failure(format!(
            "the names are {bytes} bytes together as a URL, and {TARGET_BYTES_MAX} may be; give fewer, or a pattern such \
             as prices/*"
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            read = read(&url, &target, Printer::new(form(args))) => read,
            // Whoever read our output has what they wanted, as with `head`.
            () = listener::gone() => Ok(()),
        }
    })
}

fn form(args: &TailArgs) -> Form {
    let several = args.streams.len() > 1 || args.streams.iter().any(|stream| stream.contains('*'));
    match (args.json, several) {
        (true, _) => Form::Json,
        (false, true) => Form::TextOfSeveral,
        (false, false) => Form::TextOfOne,
    }
}

fn path_and_query(args: &TailArgs) -> Result<String, Failure> {
    let mut query = vec!["format=json".to_owned()];
    for stream in &args.streams {
        Selector::parse(stream).map_err(|error| Failure(format!("the stream {stream:?}: {error}")))?;
        query.push(format!("name={}", encoded_query(stream)));
    }
    query.extend(args.from.iter().map(|from| format!("from={}", encoded_query(from))));
    Ok(format!("/streams?{}", query.join("&")))
}

async fn read(url: &ServerUrl, target: &str, printer: Printer) -> Result<(), Failure> {
    let mut reconnect = Reconnect::default();
    let mut attempt = Attempt::new(url, target, printer);
    loop {
        let over = attempt.run(|| {
            if reconnect.handle_open() == Say::Loud {
                note(&format!("{url}: reading again"));
            }
        });
        let (loss, told) = match over.await {
            Over::Finished => return Ok(()),
            Over::Refused(told) => return Err(Failure(told)),
            Over::Unprinted(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Over::Unprinted(error) => return Err(Failure(format!("stdout: {error}"))),
            Over::Ended => (Loss::Ended, String::new()),
            Over::Lost(told) => (Loss::Failed, told),
        };
        if let Some(retry_ms) = attempt.retry_ms() {
            reconnect.handle_retry(retry_ms);
        }
        let next = reconnect.handle_loss(loss, fastrand::f64());
        if next.say == Say::Loud {
            note(&format!("{url}: {told}; trying again until it answers"));
        }
        tokio::time::sleep(next.wait).await;
    }
}
