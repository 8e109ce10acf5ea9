//! HEAD: a stream's state in headers, or the headers of a GET of several streams. With the tail of the log.
//!
//! Does not start a reader, so a missing stream is a 404.

use std::convert::Infallible;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;
use largesse_log::StreamName;

use crate::{
    kit::refusal::Refusal,
    native::{
        door::Door,
        get,
        negotiate::{self, Media},
        path, read, read_query,
        request::RequestHead,
        selection::selection,
        tail_id,
    },
};

/// HEAD /streams: the headers of a GET. One without names is answered too: it asks about the log, not for a list.
pub(crate) async fn of_streams(door: &Door, head: &RequestHead<'_>) -> Result<Response, Refusal> {
    let media = negotiate::media(head.headers);
    if media == Media::Json {
        // The HTTP layer omits the body.
        return get::answer(door, head).await;
    }
    read_query::check(&head.query, head.resource, read_query::Form::new(head.resource, &head.query, media))?;
    let mut response = tail_id::marked(Response::new(without_a_length()), door);
    if let Some(selection) = selection(head.resource, &head.query)? {
        read::head(door, head, &selection, response.headers_mut())?;
    }
    Ok(response)
}

/// A GET would be an event stream of unknown length; Content-Length: 0 would be wrong (RFC 9110, 9.3.2).
fn without_a_length() -> Body {
    Body::new(StreamBody::new(stream::empty::<Result<Frame<Bytes>, Infallible>>()))
}

/// HEAD /streams/{name}: its state.
pub(crate) async fn answer(door: &Door, stream: &StreamName) -> Result<Response, Refusal> {
    // Taken before the state: what is published meanwhile is in it, or is read from this id.
    let tail = tail_id::now(door);
    let state = door.hub.state(stream).await.map_err(|error| Refusal::of_engine(&error))?;
    let Some(state) = state else {
        return Err(path::no_such_stream(stream).with_value(tail_id::header(tail)));
    };
    let mut response = tail_id::marked_with(Response::new(without_a_length()), tail);
    let headers = response.headers_mut();
    let closed = if state.closed.is_some() { "true" } else { "false" };
    headers.insert("largesse-closed", HeaderValue::from_static(closed));
    headers.insert("largesse-events", HeaderValue::from(state.events));
    headers.insert("largesse-bytes", HeaderValue::from(state.bytes));
    for (name, position) in [("largesse-first-id", state.first), ("largesse-last-id", state.last)] {
        let id = position.map(|position| door.hub.event_id(position));
        if let Some(id) = id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
            headers.insert(name, id);
        }
    }
    Ok(response)
}
