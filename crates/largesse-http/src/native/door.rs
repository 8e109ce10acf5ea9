//! The native door: every request's way from its head to its answer.
//!
//! Invariant: every request passes the gate first. Several verbs, one way in and one way out. Does not know how
//! connections come.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::{OriginalUri, Request},
    response::Response,
    routing::any,
};
use http::{HeaderMap, Method, header};
use largesse_hub::{Hub, ReadError};

use crate::{
    kit::{
        body::RequestBody,
        cors,
        gate::{Admitted, Entry, Gate},
        listen::stall::StallLimit,
        printable::Printable,
        problem::Problem,
        query::{self, Query},
        refusal::Refusal,
    },
    native::{
        append, body_length,
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

/// The native door of a hub.
#[derive(Debug)]
pub struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) config: DoorConfig,
    gate: Arc<Gate>,
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
    /// A door to `hub`, behind a gate that it may share with other doors.
    #[must_use]
    pub fn new(gate: Arc<Gate>, hub: Arc<Hub>, config: DoorConfig) -> Self {
        Self { hub, config, gate, overload_traced_ms: AtomicU64::new(0) }
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
        self.gate.answer(Entry::AllowedPage, request, async |request| self.route(request).await).await
    }

    async fn route(&self, request: &mut Admitted) -> Result<Response, Refusal> {
        let Admitted { head: parts, caller, body } = request;
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
        body_length::check(parts, &asked.query)?;
        match (&parts.method, &resource) {
            (&Method::OPTIONS, _) => Ok(cors::options(resource.methods(), caller)),
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
