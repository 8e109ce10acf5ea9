//! `Largesse-Tail-ID`: the id of the log's tail, so that a client that looked at the log in another way knows where
//! to start reading.
//!
//! Invariant: the id is taken before anything else of the answer is looked up, or after a write is done. So reading
//! from it yields everything that the answer does not include.

use axum::response::Response;
use http::{HeaderName, HeaderValue};

use crate::native::door::Door;

const TAIL_ID: HeaderName = HeaderName::from_static("largesse-tail-id");

/// The current tail.
pub(crate) fn now(door: &Door) -> HeaderValue {
    let id = door.hub.tail_id();
    HeaderValue::from_str(id.as_str()).expect("ids are of letters, digits and three signs")
}

/// The answer, with a tail that was taken before.
pub(crate) fn marked_with(mut response: Response, tail: HeaderValue) -> Response {
    response.headers_mut().insert(TAIL_ID, tail);
    response
}

/// The answer to a completed write, with the current tail.
pub(crate) fn marked(response: Response, door: &Door) -> Response {
    marked_with(response, now(door))
}

/// The header alone, for a refusal, with a tail that was taken before.
pub(crate) fn header(tail: HeaderValue) -> (HeaderName, HeaderValue) {
    (TAIL_ID, tail)
}
