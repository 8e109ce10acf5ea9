//! Bodies of HTTP/1.0, which need a Content-Length.
//!
//! Does not read bodies.

use http::{Method, Version, header, request::Parts};

use crate::kit::{problem::Problem, query::Query, refusal::Refusal};

/// Refuses an HTTP/1.0 body of unknown length: it would be ignored. Source: RFC 1945, clause 7.2.2.
///
/// A request that makes sense without a body is taken to have none: HTTP/1.0 proxies omit a length of 0.
pub(crate) fn check(parts: &Parts, query: &Query) -> Result<(), Refusal> {
    let is_said = parts.headers.contains_key(header::CONTENT_LENGTH);
    if is_said || !matches!(parts.version, Version::HTTP_10 | Version::HTTP_09) {
        return Ok(());
    }
    let needs_body = parts.method == Method::POST && !query.names().any(|name| name == "close");
    let has_type = parts.headers.contains_key(header::CONTENT_TYPE);
    let may_have_body = matches!(parts.method, Method::POST | Method::PUT);
    if !may_have_body || !(needs_body || has_type) {
        return Ok(());
    }
    let detail = "HTTP/1.0 needs a Content-Length for a body. Send one (0 if there is no body), or use \
             HTTP/1.1.";
    Err(Refusal::new(Problem::BadHeader, detail))
}
