//! A refused request: the problem, which value is wrong, and what is expected.
//!
//! Invariant: the answer is `application/problem+json` (RFC 9457), whatever the details contain. Does not decide what
//! is a problem.

mod log;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::kit::{json, problem::Problem};

/// When a caller may retry after it was refused because of load, in seconds.
const RETRY_AFTER_S: &str = "5";

/// The answer to a refused request: a [`Problem`] and the details of this case.
///
/// - Shape: becomes an answer of `application/problem+json`. Boxed, because it rides in every `Result` of the
///   door.
/// - Source: RFC 9457.
#[derive(Debug)]
pub struct Refusal(Box<Details>);

#[derive(Debug)]
struct Details {
    problem: Problem,
    detail: String,
    members: Map<String, Value>,
    headers: HeaderMap,
}

/// The answer's JSON. Source: RFC 9457, clause 3.
#[derive(Serialize)]
struct Shape<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl Refusal {
    /// A refusal; `detail` says what is wrong and what is expected.
    #[must_use]
    pub fn new(problem: Problem, detail: impl Into<String>) -> Self {
        let details =
            Details { problem, detail: detail.into(), members: Map::new(), headers: HeaderMap::new() };
        Self(Box::new(details))
    }

    /// Adds a member to the problem.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a header whose value is specific to this answer.
    pub(crate) fn with_value(mut self, (name, value): (HeaderName, HeaderValue)) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Adds a sentence to the detail.
    pub(crate) fn and(mut self, sentence: &str) -> Self {
        self.0.detail.push(' ');
        self.0.detail.push_str(sentence);
        self
    }

    /// Adds `Retry-After`, for a temporary problem.
    #[must_use]
    pub fn with_retry_after(self) -> Self {
        self.with_header(header::RETRY_AFTER, RETRY_AFTER_S)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Details { problem, detail, members, headers } = *self.0;
        let shape = Shape {
            r#type: format!("urn:largesse:problem:{}", problem.slug()),
            title: problem.title(),
            status: problem.status().as_u16(),
            detail: &detail,
            members: &members,
        };
        let mut response = Response::new(Body::from(json::bytes(&shape)));
        *response.status_mut() = problem.status();
        response.headers_mut().extend(headers);
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}

/// An error's text with a capital letter, to begin a sentence.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
