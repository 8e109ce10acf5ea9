//! HEAD: a stream's state in headers.
//!
//! Does not begin a reader, so it can tell a stream that is not there.

use std::convert::Infallible;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;
use largesse_log::StreamName;

use crate::{Door, refusal::Refusal};

pub(crate) async fn answer(door: &Door, stream: &StreamName) -> Result<Response, Refusal> {
    let state = door.hub.state(stream).await.map_err(|error| Refusal::of_engine(&error))?;
    let Some(state) = state else { return Err(Refusal::no_such_stream(stream)) };
    // A GET would be an event stream, whose length nobody knows; saying 0 would be untrue (RFC 9110, 9.3.2).
    let mut response =
        Response::new(Body::new(StreamBody::new(stream::empty::<Result<Frame<Bytes>, Infallible>>())));
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
