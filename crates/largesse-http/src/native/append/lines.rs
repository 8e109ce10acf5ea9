//! NDJSON: each line is one event's data, all lines or none.
//!
//! Invariant: a line is appended unchanged, without its line end, once it is known to be JSON. Does not interpret the
//! JSON.

use axum::response::Response;
use largesse_log::{NewEvent, Then};
use serde::de::IgnoredAny;

use super::{Publish, event_data, utf8};
use crate::kit::{body::RequestBody, printable::Printable, problem::Problem, refusal::Refusal};

pub(super) async fn append(publish: &Publish<'_>, body: &mut RequestBody) -> Result<Response, Refusal> {
    let text = utf8(body.whole(publish.door.config.batch_bytes_max).await?)?;
    let events = events(publish, &text)?;
    if events.is_empty() && publish.then == Then::StayOpen {
        let detail = "The body has no lines. Send one JSON text per line, or use ?close to close the stream.";
        return Err(Refusal::new(Problem::NothingToAppend, detail));
    }
    if events.is_empty() {
        publish.check_nothing_named()?;
    }
    publish.append_whole(events, publish.once("lines", text.as_bytes())).await
}

fn events(publish: &Publish<'_>, text: &str) -> Result<Vec<NewEvent>, Refusal> {
    // Some editors begin a file with a byte order mark, which is not allowed in JSON (RFC 8259, clause 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let events_max = publish.door.config.batch_events_max;
    let mut events = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        if events.len() == events_max {
            let detail = format!("The body has more than {events_max} lines. Send them in several requests.");
            return Err(Refusal::new(Problem::TooLarge, detail).with("limit", events_max));
        }
        let event = event(publish, number, line);
        events.push(event.map_err(|refusal| match hint(text) {
            Some(hint) => refusal.and(hint),
            None => refusal,
        })?);
    }
    Ok(events)
}

/// What probably happened to a body of valid JSON texts that are not one per line.
fn hint(text: &str) -> Option<&'static str> {
    let mut texts = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    if !texts.all(|text| text.is_ok()) {
        return None;
    }
    let is_one_line = !text.trim_ascii().contains('\n');
    Some(if is_one_line {
        "There are several JSON texts on one line. curl -d @file removes line breaks: use \
             --data-binary @file."
    } else {
        "A JSON text spans several lines. Put each text on one line, as jq -c . does."
    })
}

fn event(publish: &Publish<'_>, number: u64, line: &str) -> Result<NewEvent, Refusal> {
    let bytes_max = publish.door.config.event_bytes_max;
    if line.len() > bytes_max {
        let detail =
            format!("Line {number} has {} bytes, but the limit for one event is {bytes_max}.", line.len());
        return Err(Refusal::new(Problem::TooLarge, detail).with("limit", bytes_max).with("line", number));
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(line) {
        let column = error.column();
        let detail = format!(
            "Line {number} is not valid JSON at column {column}: '{}'. Nothing was appended.",
            Printable(line)
        );
        return Err(Refusal::new(Problem::BadLine, detail).with("line", number));
    }
    let data = event_data(line.to_owned(), &format!("line {number}"))?;
    Ok(NewEvent { name: publish.name.clone(), data })
}
