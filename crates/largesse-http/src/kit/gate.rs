//! The way of every request, whichever door answers it: guard, body, answer, headers, trace.
//!
//! Invariants: what the guard refuses never reaches a door; every answer says what it varies by, whether it may be
//! cached, and to which page it may be shown; a body that nobody read is drained, so that the answer arrives. Does not
//! know paths or methods.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header, request::Parts};

use crate::kit::{
    body::{BodyLimits, RequestBody, budget::BodyBudget},
    cors,
    guard::{self, Caller, GuardConfig},
    refusal::Refusal,
};

/// What every answer depends on in addition to its URL. Source: RFC 9110, clause 12.5.5.
const VARY: &str = "Accept, Last-Event-ID, Origin";

/// What all doors of one server share: who may ask, and the memory for bodies.
#[derive(Debug)]
pub struct Gate {
    guard: GuardConfig,
    limits: BodyLimits,
    bodies: Arc<BodyBudget>,
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Anyone, from any page: the route shows only public content. Only `Host` is checked.
    AnyPage,
    /// Allowed pages and programs: `Host`, `Origin` and `Sec-Fetch-Site` are checked.
    AllowedPage,
}

/// A request that passed the guard.
pub struct Admitted {
    pub(crate) head: Parts,
    pub(crate) caller: Caller,
    pub(crate) body: RequestBody,
}

impl Admitted {
    /// The request's head.
    #[must_use]
    pub fn head(&self) -> &Parts {
        &self.head
    }
}

impl Default for Gate {
    /// Loopback callers only, and the limits of [`BodyLimits::default`].
    fn default() -> Self {
        Self::new(GuardConfig::default(), BodyLimits::default())
    }
}

impl Gate {
    /// A gate for all doors of a server.
    #[must_use]
    pub fn new(guard: GuardConfig, limits: BodyLimits) -> Self {
        Self { guard, limits, bodies: BodyBudget::new(limits.total_bytes_max) }
    }

    /// Answers a request: with the guard's refusal, or else with what `answer` makes of it. What is left of the body is
    /// read and dropped, up to 1 MiB or 1 s.
    ///
    /// Cancellation: as that of `answer`; the gate leaves nothing behind.
    ///
    /// Source: SPEC of Largesse §6 (ours).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use axum::{Router, extract::Request, response::Response, routing::any};
    /// use largesse_http::{Entry, Gate};
    ///
    /// fn page(gate: Arc<Gate>) -> Router {
    ///     let hello = move |request: Request| {
    ///         let gate = Arc::clone(&gate);
    ///         async move { gate.answer(Entry::AnyPage, request, async |_| Ok(Response::new("hello".into()))).await }
    ///     };
    ///     Router::new().route("/hello", any(hello))
    /// }
    /// ```
    pub async fn answer<F>(&self, entry: Entry, request: Request, answer: F) -> Response
    where
        F: AsyncFnOnce(&mut Admitted) -> Result<Response, Refusal>,
    {
        let begun = Instant::now();
        let (head, body) = request.into_parts();
        let body = RequestBody::new(body, &head.headers, self.limits, self.bodies.share());
        let admission = self.admit(entry, &head);
        let mut request = Admitted { head, caller: Caller::Plain, body };
        let answered = match admission {
            Ok(caller) => {
                request.caller = caller;
                answer(&mut request).await
            }
            Err(refusal) => Err(refusal),
        };
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        request.body.drop_rest().await;
        mark(response.headers_mut(), &request.caller);
        trace(&request.head, &response, begun);
        response
    }

    fn admit(&self, entry: Entry, head: &Parts) -> Result<Caller, Refusal> {
        let Parts { version, uri, headers, .. } = head;
        match entry {
            Entry::AllowedPage => guard::admit(&self.guard, *version, uri, headers),
            Entry::AnyPage => guard::admit_host(&self.guard, *version, uri, headers).map(|_| Caller::Plain),
        }
    }
}

/// Headers of every answer.
fn mark(headers: &mut HeaderMap, caller: &Caller) {
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    cors::mark(headers, caller);
}

/// One line per request; a read has its own when it ends.
fn trace(head: &Parts, response: &Response, begun: Instant) {
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == "text/event-stream") {
        return;
    }
    let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
    tracing::debug!(method = %head.method, path = head.uri.path(), status, ms, "answered");
}
