//! `Largesse-Tail-ID`: the id of the log's tail, so that whoever looks at the log by other ways than reading a stream
//! knows where to read on.
//!
//! Invariant: the id is of a moment before whatever the answer tells was looked at, or, of a write, of one after it was
//! done. So reading from it gives all that the answer does not know of.

use axum::response::Response;
use http::{HeaderName, HeaderValue};

use crate::native::door::Door;

const TAIL_ID: HeaderName = HeaderName::from_static("largesse-tail-id");

/// The tail as it is now, for an answer to come.
pub(crate) fn now(door: &Door) -> HeaderValue {
    let id = door.hub.tail_id();
    HeaderValue::from_str(id.as_str()).expect("ids are of letters, digits and three signs")
}

/// The answer with a tail that was asked for before.
pub(crate) fn marked_with(mut response: Response, tail: HeaderValue) -> Response {
    response.headers_mut().insert(TAIL_ID, tail);
    response
}

/// The answer to a write that is done, with the tail after it.
pub(crate) fn marked(response: Response, door: &Door) -> Response {
    marked_with(response, now(door))
}

/// A refusal of something that is not there yet, with a tail that was asked for before.
pub(crate) fn header(tail: HeaderValue) -> (HeaderName, HeaderValue) {
    (TAIL_ID, tail)
}
