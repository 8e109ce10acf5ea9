//! The native door: every request's way from its head to its answer.
//!
//! Invariants: the guard looks at a request before anything else does; every answer says what it varies by and
//! whether it may be kept. Several verbs, one way in and one way out. Does not know how connections come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::{OriginalUri, Request},
    response::{IntoResponse, Response},
    routing::any,
};
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use largesse_hub::{Hub, ReadError};

use crate::{
    kit::{
        body::{self, RequestBody, budget::BodyBudget},
        cors,
        guard::{self, Caller},
        listen::stall::StallLimit,
        printable::Printable,
        problem::Problem,
        query::{self, Query},
        refusal::Refusal,
    },
    native::{
        append,
        config::DoorConfig,
        delete, head, list,
        negotiate::{self, Media},
        page,
        path::{self, Resource},
        put, read, read_query,
        selection::selection,
    },
};

/// Readers that are turned away are traced once in this time: there may be thousands a second.
const OVERLOAD_TRACED_EVERY_MS: u64 = 10_000;

/// What every answer depends on besides its URL. Source: RFC 9110, clause 12.5.5.
const VARY: &str = "Accept, Last-Event-ID, Origin";

/// The native door of a hub.
#[derive(Debug)]
pub struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) config: DoorConfig,
    /// What the bodies that are taken as a whole hold together.
    pub(crate) bodies: Arc<BodyBudget>,
    /// When it was last traced that readers are turned away, in milliseconds.
    overload_traced_ms: AtomicU64,
}

/// A request's head, as the verbs see it.
pub(crate) struct RequestHead<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) query: Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path: &'a str,
    /// What stands before `/streams` where the door is nested.
    pub(crate) prefix: &'a str,
    /// Where a read says how long its writes may stall; `None` under a server of another's.
    pub(crate) stall: Option<Arc<StallLimit>>,
}

impl Door {
    /// A door to `hub`.
    #[must_use]
    pub fn new(hub: Arc<Hub>, config: DoorConfig) -> Self {
        let bodies = BodyBudget::new(config.bodies_bytes_max);
        Self { hub, config, bodies, overload_traced_ms: AtomicU64::new(0) }
    }
}

/// The door as a router: `/streams` and `/streams/{name}`, and a problem for every other path.
///
/// Serve it alone, or put it under a prefix of another router with [`Router::nest`].
pub fn router(door: Arc<Door>) -> Router {
    let answer = move |request: Request| {
        let door = Arc::clone(&door);
        async move { door.answer(request).await }
    };
    Router::new()
        .route("/streams", any(answer.clone()))
        .route("/streams/{*name}", any(answer.clone()))
        .fallback(answer)
}

impl Door {
    /// Answers one request. Cancellation: what was appended stays appended.
    async fn answer(&self, request: Request) -> Response {
        let begun = Instant::now();
        let (parts, body) = request.into_parts();
        let mut body = RequestBody::new(body, &parts.headers, self.bodies.share());
        let admitted = guard::admit(&self.config, parts.version, &parts.uri, &parts.headers);
        let visitor = admitted.as_ref().map_or(Caller::Plain, Caller::clone);
        let answered = match admitted {
            Ok(_) => self.route(&parts, &visitor, &mut body).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        body.drop_rest().await;
        mark(response.headers_mut(), &visitor);
        trace(&parts, &response, begun);
        response
    }

    async fn route(
        &self,
        parts: &Parts,
        visitor: &Caller,
        body: &mut RequestBody,
    ) -> Result<Response, Refusal> {
        let path = parts.uri.path();
        let Some(resource) = Resource::parse(path) else { return Err(nothing_here(path)) };
        let original = parts.extensions.get::<OriginalUri>();
        let asked = RequestHead {
            resource: &resource,
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            headers: &parts.headers,
            path,
            prefix: original.map_or("", |original| path::prefix(&original.0, &parts.uri)),
            stall: parts.extensions.get::<Arc<StallLimit>>().cloned(),
        };
        body::check_length(parts, &asked.query)?;
        match (&parts.method, &resource) {
            (&Method::OPTIONS, _) => Ok(cors::options(&resource, visitor)),
            (&Method::GET, _) => self.look(&asked).await,
            (&Method::HEAD, Resource::Streams) => head::of_streams(self, &asked).await,
            (_, Resource::Stream(raw)) => self.act(&parts.method, raw, &asked, body).await,
            (_, Resource::Streams) => Err(not_allowed(&parts.method, &resource)),
        }
    }

    /// Tells the operator that readers are turned away, now and then.
    pub(crate) fn trace_overload(&self, error: &ReadError) {
        let now_ms = self.hub.now().0;
        let is_due =
            |last_ms| (now_ms >= u64::saturating_add(last_ms, OVERLOAD_TRACED_EVERY_MS)).then_some(now_ms);
        if self.overload_traced_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok() {
            tracing::warn!(%error, "readers are told to come again: raise the limit, or add a server");
        }
    }

    pub(crate) async fn look(&self, asked: &RequestHead<'_>) -> Result<Response, Refusal> {
        let media = negotiate::media(asked.headers);
        let form = read_query::Form::new(asked.resource, &asked.query, media);
        read_query::check(&asked.query, asked.resource, form)?;
        let selection = selection(asked.resource, &asked.query)?;
        match (media, selection) {
            (Media::EventStream, Some(selection)) => read::answer(self, asked, selection).await,
            (Media::Json, Some(selection)) => page::answer(self, asked, selection).await,
            (Media::Json, None) => list::answer(self, asked).await,
            (Media::EventStream, None) => Err(query::refuse(
                "name",
                "Which streams? Give names, such as /streams?name=a&name=prices/*, \
                 or ask with 'Accept: application/json' for the list.",
            )),
        }
    }

    async fn act(
        &self,
        method: &Method,
        raw: &str,
        asked: &RequestHead<'_>,
        body: &mut RequestBody,
    ) -> Result<Response, Refusal> {
        let stream = path::stream_name(raw)?;
        match *method {
            Method::POST => append::answer(self, stream, &asked.query, asked.headers, body).await,
            Method::PUT => put::answer(self, &stream, &asked.query, asked.headers, body).await,
            Method::DELETE => delete::answer(self, &stream, &asked.query).await,
            Method::HEAD => head::answer(self, &stream).await,
            _ => Err(not_allowed(method, asked.resource)),
        }
    }
}

/// What every answer has.
pub(crate) fn mark(headers: &mut HeaderMap, visitor: &Caller) {
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    cors::mark(headers, visitor);
}

/// One line for each request; a read has its own when it ends.
pub(crate) fn trace(parts: &Parts, response: &Response, begun: Instant) {
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == "text/event-stream") {
        return;
    }
    let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
    tracing::debug!(method = %parts.method, path = parts.uri.path(), status, ms, "answered");
}

fn nothing_here(path: &str) -> Refusal {
    let detail = format!("There is nothing at '{}'. Streams are at /streams/{{name}}.", Printable(path));
    Refusal::new(Problem::NotFound, detail)
}

fn not_allowed(method: &Method, resource: &Resource) -> Refusal {
    let methods = resource.methods();
    let mut detail = format!("This path does not take {}. It takes {methods}.", Printable(method.as_str()));
    if *resource == Resource::Streams {
        detail.push_str(" One stream is at /streams/{name}.");
    }
    Refusal::new(Problem::MethodNotAllowed, detail)
        .with("allowed", methods)
        .with_header(header::ALLOW, methods)
}
