//! GET as an event stream: opens a reader and hands it to the body.
//!
//! Invariant: whatever a reader must know is sent in-band with a 200, or with the 204 that stops it for good; a
//! browser never retries after any other status. Errors are only for requests that no retry can fix.
//!
//! Does not write events: `sse_body.rs` does.

mod encode;
mod long_block;
mod pending;
mod retry;
mod sse_body;

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use largesse_hub::{ControlEvents, HeartbeatForm, Opening, ReadError, ReadRequest};
use largesse_log::Selection;

use self::{encode::Format, sse_body::Reading};
use crate::{
    kit::{
        query::{Query, refuse_value},
        refusal::Refusal,
    },
    native::{door::Door, last_event_id, path, request::RequestHead, selection::start_from},
};

/// Seconds of silence after which a heartbeat follows, give or take 20 %.
const HEARTBEAT: HeaderName = HeaderName::from_static("largesse-heartbeat");

/// Answers a read. Cancellation: nothing is left behind.
pub(crate) async fn answer(
    door: &Door,
    head: &RequestHead<'_>,
    selection: Selection,
) -> Result<Response, Refusal> {
    last_event_id::refuse_slip(head.headers)?;
    let format = format(&head.query)?;
    let control = control(&head.query)?;
    let request = ReadRequest {
        selection: selection.clone(),
        presented: last_event_id::presented(head.headers, &head.query),
        from: start_from(&head.query)?,
        control,
        heartbeat: heartbeat(&head.query)?,
    };
    let location = path::location(head.prefix, &selection);
    let mut response = match door.hub.read(request).await {
        Ok(Opening::Stopped) => return Ok(stopped()),
        Ok(Opening::Reading(reader)) => {
            let (hub, retry, stall) = (Arc::clone(&door.hub), retry::drawn(&door.config), head.stall.clone());
            Response::new(Reading::new(hub, reader, format, retry, stall, head.path).into_body())
        }
        Err(error @ (ReadError::TooManyReaders { .. } | ReadError::TooManyPatterns { .. })) => {
            door.trace_overload(&error);
            Response::new(Body::from(encode::away(retry::away(), "overload", control)))
        }
        Err(ReadError::Engine(error)) => return Err(Refusal::of_engine(&error)),
    };
    mark(door, response.headers_mut(), location);
    Ok(response)
}

/// The headers with which a read of `selection` would be answered.
///
/// # Errors
/// Those of the read that its query alone causes.
pub(crate) fn head(
    door: &Door,
    head: &RequestHead<'_>,
    selection: &Selection,
    headers: &mut HeaderMap,
) -> Result<(), Refusal> {
    format(&head.query)?;
    control(&head.query)?;
    heartbeat(&head.query)?;
    start_from(&head.query)?;
    mark(door, headers, path::location(head.prefix, selection));
    Ok(())
}

/// The headers of an event stream. Source: WHATWG HTML, clause 9.2.6; the others keep proxies from buffering it, and
/// say how much silence is normal.
fn mark(door: &Door, headers: &mut HeaderMap, location: Option<String>) {
    headers.insert(HEARTBEAT, HeaderValue::from(heartbeat_s(door)));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(header::CONTENT_LOCATION, location);
    }
}

/// In seconds, rounded up.
fn heartbeat_s(door: &Door) -> u64 {
    let heartbeat = door.hub.heartbeat();
    heartbeat.as_secs() + u64::from(heartbeat.subsec_nanos() > 0)
}

fn stopped() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn format(query: &Query) -> Result<Format, Refusal> {
    match query.one("format")? {
        None | Some("plain") => Ok(Format::Plain),
        Some("json") => Ok(Format::Json),
        Some(other) => Err(refuse_value("format", other, "json or plain")),
    }
}

fn control(query: &Query) -> Result<ControlEvents, Refusal> {
    match query.one("control")? {
        None | Some("on") => Ok(ControlEvents::On),
        Some("off") => Ok(ControlEvents::Off),
        Some(other) => Err(refuse_value("control", other, "on or off")),
    }
}

fn heartbeat(query: &Query) -> Result<HeartbeatForm, Refusal> {
    match query.one("heartbeat")? {
        None | Some("comment") => Ok(HeartbeatForm::Comment),
        Some("event") => Ok(HeartbeatForm::Event),
        Some(other) => Err(refuse_value("heartbeat", other, "comment or event")),
    }
}
