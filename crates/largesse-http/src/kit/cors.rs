//! CORS headers, with which an allowed page may read the answer.
//!
//! Invariant: only an origin that the guard admitted is echoed; there is never a `*`. Does not decide who is allowed.
//!
//! Source: WHATWG Fetch, clause 3.2 (the CORS protocol).

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::kit::guard::Caller;

/// Response headers that a page may read.
const EXPOSED: &str = "Content-Location, Location, Retry-After, Largesse-Closed, Largesse-Events, Largesse-Bytes, \
                       Largesse-First-ID, Largesse-Last-ID, Largesse-Tail-ID, Largesse-Heartbeat, Largesse-Run";

/// Request headers that a page may send: those that doors read, and those that libraries add to every request of a
/// page, which would otherwise fail at the preflight. Doors ignore the latter. Source: W3C Trace Context and Baggage;
/// B3, Datadog, Sentry and others have names of their own.
const ALLOWED: &str = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Cache-Control, Pragma, \
                       traceparent, tracestate, baggage, sentry-trace, b3, X-B3-TraceId, X-B3-SpanId, \
                       X-B3-ParentSpanId, X-B3-Sampled, X-B3-Flags, X-Datadog-Trace-Id, X-Datadog-Parent-Id, \
                       X-Datadog-Sampling-Priority, X-Datadog-Origin, X-Datadog-Tags, newrelic, X-Amzn-Trace-Id, \
                       X-Cloud-Trace-Context, uber-trace-id, elastic-apm-traceparent, X-Requested-With, \
                       X-Request-ID, X-Correlation-ID, X-CSRF-Token, X-XSRF-Token, ngsw-bypass";

/// How long a browser may cache a preflight, in seconds: short, so that changes take effect soon.
const MAX_AGE_S: &str = "600";

/// Lets the page that sent the request read the answer.
pub(crate) fn mark(headers: &mut HeaderMap, caller: &Caller) {
    let Caller::Page(origin) = caller else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// Answers OPTIONS: a browser's preflight, or a question for the methods of a path.
pub(crate) fn options(methods: &'static str, caller: &Caller) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static(methods);
    headers.insert(header::ALLOW, methods.clone());
    if let Caller::Page(_) = caller {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_S));
    }
    response
}
