//! GET as JSON: a page of a stream's history, or of several.
//!
//! Invariant: `next` is always there and a valid place, so that a program can go on from page to page. Does not wait
//! for events.

use std::num::NonZeroUsize;

use axum::response::Response;
use http::StatusCode;
use largesse_hub::{Page, PageRequest, Presented};
use largesse_log::{Selection, StreamName};
use serde::Serialize;

use crate::{
    kit::{
        json,
        query::{Query, refuse_value},
        refusal::Refusal,
    },
    native::{
        door::Door,
        event_json::{EventJson, Naming, ResetJson},
        last_event_id, path,
        request::RequestHead,
        selection::{single, start_from},
        tail_id,
    },
};

/// Entries of a page by default.
const LIMIT: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not zero");

/// Entries of a page at most.
const LIMIT_MAX: usize = 1000;

#[derive(Serialize)]
struct PageJson<'a> {
    events: Vec<EventJson<'a>>,
    next: &'a str,
    closed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset: Option<ResetJson<'a>>,
}

pub(crate) async fn answer(
    door: &Door,
    head: &RequestHead<'_>,
    selection: Selection,
) -> Result<Response, Refusal> {
    last_event_id::refuse_header(head.headers)?;
    let after = head.query.one("after")?.and_then(Presented::parse);
    let (from, events_max) = (start_from(&head.query)?.unwrap_or_default(), limit(&head.query)?);
    let one = single(&selection, head.resource);
    // Taken first: what is published meanwhile is on the page, or is read from this id.
    let tail = tail_id::now(door);
    // Determined before the page is read: a stream that closes in between is then reported as open, with an empty
    // next page, instead of as closed with events missing.
    let closed = closed(door, &selection, one.as_ref())
        .await
        .map_err(|refusal| refusal.with_value(tail_id::header(tail.clone())))?;
    let request = PageRequest { selection, after, from, events_max };
    let page = door.hub.page(request).await.map_err(|error| Refusal::of_engine(&error))?;
    let naming = if one.is_some() { Naming::Bare } else { Naming::WithStream };
    Ok(tail_id::marked_with(response(&page, naming, closed), tail))
}

/// The value of `limit`.
pub(crate) fn limit(query: &Query) -> Result<NonZeroUsize, Refusal> {
    let Some(raw) = query.one("limit")? else { return Ok(LIMIT) };
    let limit = raw.parse().ok().filter(|limit: &NonZeroUsize| limit.get() <= LIMIT_MAX);
    limit.ok_or_else(|| refuse_value("limit", raw, &format!("a number from 1 to {LIMIT_MAX}")))
}

fn response(page: &Page, naming: Naming, closed: bool) -> Response {
    let events = page.events.iter().map(|(id, event)| EventJson::new(event, Some(id), naming)).collect();
    let reset = page.reset.as_ref().map(ResetJson::new);
    json::response(StatusCode::OK, &PageJson { events, next: page.next.as_str(), closed, reset })
}

/// Whether no more events can follow: all streams are named, and each is closed.
async fn closed(door: &Door, selection: &Selection, one: Option<&StreamName>) -> Result<bool, Refusal> {
    for name in selection.names() {
        let state = door.hub.state(name).await.map_err(|error| Refusal::of_engine(&error))?;
        match state {
            Some(state) if state.closed.is_some() => {}
            None if one.is_some() => return Err(path::no_such_stream(name)),
            _ => return Ok(false),
        }
    }
    Ok(selection.patterns().is_empty())
}
