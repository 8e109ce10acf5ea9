//! JSON answers.
//!
//! Invariant: serialising structs of strings, numbers and lists cannot fail. Does not know their content.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// The JSON text, on one line.
pub(crate) fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("structs of texts, numbers and lists with text keys always serialise")
}

/// The same as text.
pub(crate) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("structs of texts, numbers and lists with text keys always serialise")
}

/// A string as JSON, without its quotes.
pub(crate) fn escaped(value: &str) -> String {
    let mut text = text(&value);
    text.pop();
    text.split_off(1)
}

/// An answer with a JSON body.
pub(crate) fn response(status: StatusCode, value: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(bytes(value)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
