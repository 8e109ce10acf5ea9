//! Which verb answers a request.
//!
//! Invariant: every request passes the gate first. Several verbs, one way in and one way out. Does not know how
//! connections come.

use std::sync::Arc;

use axum::{Router, extract::Request, response::Response, routing::any};
use http::{Method, header};

use crate::{
    kit::{
        body::RequestBody,
        cors,
        gate::{Admitted, Entry},
        printable::Printable,
        problem::Problem,
        refusal::Refusal,
    },
    native::{
        append, delete,
        door::Door,
        get, head,
        path::{self, Resource},
        put,
        request::RequestHead,
    },
};

/// The door as a router: `/streams` and `/streams/{name}`, and a problem for every other path.
///
/// Serve it alone, or put it under a prefix of another router with [`Router::nest`].
pub fn router(door: Arc<Door>) -> Router {
    let answer = move |request: Request| {
        let door = Arc::clone(&door);
        async move { answer(&door, request).await }
    };
    Router::new()
        .route("/streams", any(answer.clone()))
        .route("/streams/{*name}", any(answer.clone()))
        .fallback(answer)
}

/// Answers one request. Cancellation: what was appended stays appended.
async fn answer(door: &Door, request: Request) -> Response {
    door.gate.answer(Entry::AllowedPage, request, async |request| route(door, request).await).await
}

async fn route(door: &Door, request: &mut Admitted) -> Result<Response, Refusal> {
    let Admitted { head: parts, caller, body } = request;
    let path = parts.uri.path();
    let Some(resource) = Resource::parse(path) else { return Err(nothing_here(path)) };
    let head = RequestHead::new(parts, &resource);
    head.check_length(parts)?;
    match (&parts.method, &resource) {
        (&Method::OPTIONS, _) => Ok(cors::options(resource.methods(), caller)),
        (&Method::GET, _) => get::answer(door, &head).await,
        (&Method::HEAD, Resource::Streams) => head::of_streams(door, &head).await,
        (method, Resource::Stream(raw)) => act(door, method, raw, &head, body).await,
        (method, Resource::Streams) => Err(not_allowed(method, &resource)),
    }
}

async fn act(
    door: &Door,
    method: &Method,
    raw: &str,
    head: &RequestHead<'_>,
    body: &mut RequestBody,
) -> Result<Response, Refusal> {
    let stream = path::stream_name(raw)?;
    match *method {
        Method::POST => append::answer(door, stream, head, body).await,
        Method::PUT => put::answer(door, &stream, head, body).await,
        Method::DELETE => delete::answer(door, &stream, &head.query).await,
        Method::HEAD => head::answer(door, &stream).await,
        _ => Err(not_allowed(method, head.resource)),
    }
}

fn nothing_here(path: &str) -> Refusal {
    let detail = format!("There is nothing at '{}'. Streams are at /streams/{{name}}.", Printable(path));
    Refusal::new(Problem::NotFound, detail)
}

fn not_allowed(method: &Method, resource: &Resource) -> Refusal {
    let methods = resource.methods();
    let mut detail =
        format!("This path does not support {}. It supports {methods}.", Printable(method.as_str()));
    if *resource == Resource::Streams {
        detail.push_str(" A single stream is at /streams/{name}.");
    }
    Refusal::new(Problem::MethodNotAllowed, detail)
        .with("allowed", methods)
        .with_header(header::ALLOW, methods)
}
