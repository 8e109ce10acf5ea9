//! The gallery: pages at `/` that show what streams do, and the sources that write for them.
//!
//! Invariants: every request passes the gate first; anyone who names this server may look at a page, only
//! those who may use the door may start a run. Does not read streams: its pages do, as any page would.

mod assets;
mod counted;
mod runs;

use std::sync::Arc;

use axum::{Router, extract::Request, response::Response, routing::any};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use largesse::{
    http::{Entry, Gate, Problem, Refusal},
    hub::Hub,
    log::StreamName,
};
use serde::Deserialize;
use tokio::sync::oneshot;

use self::{
    assets::{ASSETS, Asset},
    runs::{DEMO_RUNS_MAX, Runs, TooManyRuns},
};

/// Whether this server has a gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GalleryRule {
    /// It has, at `/`.
    On,
    /// It has none: there is nothing at `/`.
    Off,
}

/// The gallery of one server.
#[derive(Debug)]
pub(crate) struct Gallery {
    gate: Arc<Gate>,
    hub: Arc<Hub>,
    runs: Runs,
}

impl Gallery {
    pub(crate) fn new(gate: Arc<Gate>, hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self { gate, hub, runs: Runs::default() })
    }

    /// Its routes, to be merged into the door's.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let gallery = Arc::clone(self);
        let start = move |request| {
            let gallery = Arc::clone(&gallery);
            async move { gallery.start(request).await }
        };
        ASSETS.iter().fold(Router::new().route("/demo/s4", any(start)), |router, asset| {
            let gallery = Arc::clone(self);
            let show = move |request| {
                let gallery = Arc::clone(&gallery);
                async move { gallery.show(asset, request).await }
            };
            router.route(asset.path, any(show))
        })
    }

    /// Ends all runs. Their streams stay as they are.
    pub(crate) async fn stop(&self) {
        self.runs.stop().await;
    }

    async fn show(&self, asset: &Asset, request: Request) -> Response {
        self.gate.answer(Entry::AnyPage, request, async |request| shown(asset, request.head())).await
    }

    async fn start(&self, request: Request) -> Response {
        self.gate
            .answer(Entry::AllowedPage, request, async |request| self.started(request.head()).await)
            .await
    }

    /// Starts a run of the counted source. Cancellation: a run that began continues to its end.
    async fn started(&self, head: &Parts) -> Result<Response, Refusal> {
        if head.method != Method::POST {
            return Err(not_allowed(&head.method, "POST"));
        }
        let stream = counted::new_stream().map_err(|error| {
            tracing::error!(%error, "the system has no random bits for the name of a run's stream");
            source_failed()
        })?;
        let (tell, told) = oneshot::channel();
        let run = counted::run(Arc::clone(&self.hub), stream.clone(), tell);
        self.runs.start(run).map_err(|TooManyRuns| too_many_runs())?;
        // No answer means that the run ended with the server, or by a bug, which is traced where runs are joined.
        let begun = told.await.map_err(|_| source_failed())?;
        begun.map_err(|error| Refusal::of_append(&error, &stream))?;
        Ok(receipt(&stream))
    }
}

/// An asset, or a 304 if the browser's copy is still right.
fn shown(asset: &Asset, head: &Parts) -> Result<Response, Refusal> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(not_allowed(&head.method, "GET, HEAD"));
    }
    Ok(asset.response(&head.headers))
}

fn receipt(stream: &StreamName) -> Response {
    let json = serde_json::json!({ "stream": stream.as_str() }).to_string();
    let mut response = Response::new(json.into());
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // The name has only letters, digits and slashes.
    if let Ok(location) = HeaderValue::try_from(format!("/streams/{stream}")) {
        headers.insert(header::LOCATION, location);
    }
    response
}

fn not_allowed(method: &Method, methods: &'static str) -> Refusal {
    let detail = format!("This path does not support {method}. It supports {methods}.");
    Refusal::new(Problem::MethodNotAllowed, detail)
        .with("allowed", methods)
        .with_header(header::ALLOW, methods)
}

fn too_many_runs() -> Refusal {
    let detail =
        format!("The limit of {DEMO_RUNS_MAX} gallery runs at once is reached. A run takes a few seconds.");
    Refusal::new(Problem::TooManyRuns, detail).with("limit", DEMO_RUNS_MAX).with_retry_after()
}

fn source_failed() -> Refusal {
    Refusal::new(
        Problem::SourceFailed,
        "The run could not start. Try again later; the server's trace has the details.",
    )
}
