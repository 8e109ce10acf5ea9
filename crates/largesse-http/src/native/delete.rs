//! DELETE: removes a stream with its events, and notifies its readers.
//!
//! Does not stop publishers: the next publish creates the stream again.

use axum::{body::Body, response::Response};
use http::StatusCode;
use largesse_log::StreamName;

use crate::{
    kit::{query::Query, refusal::Refusal},
    native::{door::Door, path},
};

pub(crate) async fn answer(door: &Door, stream: &StreamName, query: &Query) -> Result<Response, Refusal> {
    query.only(&[])?;
    let deleted = door.hub.delete(stream).await.map_err(|error| Refusal::of_engine(&error))?;
    if deleted.is_none() {
        return Err(path::no_such_stream(stream));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
