//! A request's head, as the verbs see it.
//!
//! Does not know which verb it is.

use std::sync::Arc;

use axum::extract::OriginalUri;
use http::{HeaderMap, Method, Version, header, request::Parts};

use crate::{
    kit::{listen::stall::StallLimit, problem::Problem, query::Query, refusal::Refusal},
    native::path::{self, Resource},
};

/// A request's head, parsed.
pub(crate) struct RequestHead<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) query: Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path: &'a str,
    /// What comes before `/streams` where the door is nested.
    pub(crate) prefix: &'a str,
    /// Where a read says how long its writes may stall; `None` under another server than ours.
    pub(crate) stall: Option<Arc<StallLimit>>,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn new(parts: &'a Parts, resource: &'a Resource) -> Self {
        let original = parts.extensions.get::<OriginalUri>();
        Self {
            resource,
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            headers: &parts.headers,
            path: parts.uri.path(),
            prefix: original.map_or("", |original| path::prefix(&original.0, &parts.uri)),
            stall: parts.extensions.get::<Arc<StallLimit>>().cloned(),
        }
    }

    /// Refuses an HTTP/1.0 body of unknown length: it would be ignored. Source: RFC 1945, clause 7.2.2.
    ///
    /// A request that makes sense without a body is taken to have none: HTTP/1.0 proxies omit a length of 0.
    pub(crate) fn check_length(&self, parts: &Parts) -> Result<(), Refusal> {
        let is_said = parts.headers.contains_key(header::CONTENT_LENGTH);
        if is_said || !matches!(parts.version, Version::HTTP_10 | Version::HTTP_09) {
            return Ok(());
        }
        let needs_body = parts.method == Method::POST && !self.query.names().any(|name| name == "close");
        let has_type = parts.headers.contains_key(header::CONTENT_TYPE);
        let may_have_body = matches!(parts.method, Method::POST | Method::PUT);
        if !may_have_body || !(needs_body || has_type) {
            return Ok(());
        }
        let detail = "HTTP/1.0 needs a Content-Length for a body. Send one (0 if there is no body), or use \
                 HTTP/1.1.";
        Err(Refusal::new(Problem::BadHeader, detail))
    }
}
