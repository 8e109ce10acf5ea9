//! GET /streams as JSON: the list of streams, page by page.
//!
//! Invariant: pages are in the order of names, so a stream that exists throughout is listed once, whatever is created
//! and deleted meanwhile. Does not show events.

use axum::response::Response;
use http::StatusCode;
use largesse_log::{Settings, StreamState};
use serde::Serialize;

use crate::{
    kit::{json, refusal::Refusal, time_text::rfc3339},
    native::{door::Door, page, path, request::RequestHead, tail_id},
};

#[derive(Serialize)]
struct ListJson<'a> {
    streams: Vec<StateJson<'a>>,
    /// The `after` of the next page; null on the last one.
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct StateJson<'a> {
    stream: &'a str,
    closed: bool,
    events: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    settings: &'a Settings,
}

pub(crate) async fn answer(door: &Door, head: &RequestHead<'_>) -> Result<Response, Refusal> {
    let limit = page::limit(&head.query)?;
    let after =
        head.query.one("after")?.filter(|after| !after.is_empty()).map(path::parse_name).transpose()?;
    // Taken before the list: what is published meanwhile is in it, or is read from this id.
    let tail = tail_id::now(door);
    // One more than the page, to know whether there is a next one.
    let wanted = limit.saturating_add(1);
    let states = door.hub.list(after.as_ref(), wanted).await.map_err(|error| Refusal::of_engine(&error))?;
    let listed = states.get(..limit.get()).unwrap_or(&states);
    let next =
        if states.len() > listed.len() { listed.last().map(|state| state.name.as_str()) } else { None };
    let streams = listed.iter().map(|state| state_json(door, state)).collect();
    Ok(tail_id::marked_with(json::response(StatusCode::OK, &ListJson { streams, next }), tail))
}

fn state_json<'a>(door: &Door, state: &'a StreamState) -> StateJson<'a> {
    let id = |position| door.hub.event_id(position).to_string();
    StateJson {
        stream: state.name.as_str(),
        closed: state.closed.is_some(),
        events: state.events,
        bytes: state.bytes,
        first_id: state.first.map(id),
        last_id: state.last.map(id),
        time: state.last_time.map(rfc3339),
        settings: &state.settings,
    }
}
