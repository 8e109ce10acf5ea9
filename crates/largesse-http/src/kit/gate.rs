//! Routes beside the door's own, behind the same guard.
//!
//! Invariants: what the guard refuses never reaches the route; every answer is marked as the door's are. Does
//! not know what such a route does.

use std::{future::Future, time::Instant};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    kit::{
        body::RequestBody,
        guard::{self, Caller},
        refusal::Refusal,
    },
    native::door::{Door, mark, trace},
};

/// What may lead to a route beside the door's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Any link, from anywhere: the route shows what everybody may see. Only the `Host` is checked.
    AnyPage,
    /// What may use the door: `Host`, `Origin` and `Sec-Fetch-Site` are checked.
    AllowedPage,
}

impl Door {
    /// Answers a request to a route beside the door's: by the guard's refusal, else by what `answer` makes of
    /// the request's head. A body is read and dropped, up to 1 MiB or 1 s, so that the answer arrives.
    ///
    /// Cancellation: as that of `answer`; the guard leaves nothing behind.
    ///
    /// Source: SPEC of Largesse §6 (ours).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use axum::{Router, extract::Request, response::Response, routing::any};
    /// use largesse_http::{Door, Entry, router};
    ///
    /// fn with_a_page(door: Arc<Door>) -> Router {
    ///     let beside = Arc::clone(&door);
    ///     let page = move |request: Request| {
    ///         let door = Arc::clone(&beside);
    ///         async move { door.guarded(Entry::AnyPage, request, async |_| Ok(Response::new("hello".into()))).await }
    ///     };
    ///     Router::new().route("/hello", any(page)).merge(router(door))
    /// }
    /// ```
    pub async fn guarded<F, A>(&self, entry: Entry, request: Request, answer: F) -> Response
    where
        F: FnOnce(Parts) -> A,
        A: Future<Output = Result<Response, Refusal>>,
    {
        let begun = Instant::now();
        let (parts, body) = request.into_parts();
        let mut body = RequestBody::new(body, &parts.headers, self.bodies.share());
        let admitted = self.admit(entry, &parts);
        let visitor = admitted.as_ref().map_or(Caller::Plain, Caller::clone);
        let answered = match admitted {
            Ok(_) => answer(parts.clone()).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        body.drop_rest().await;
        mark(response.headers_mut(), &visitor);
        trace(&parts, &response, begun);
        response
    }

    fn admit(&self, entry: Entry, parts: &Parts) -> Result<Caller, Refusal> {
        let Parts { version, uri, headers, .. } = parts;
        match entry {
            Entry::AllowedPage => guard::admit(&self.config, *version, uri, headers),
            Entry::AnyPage => guard::admit_host(&self.config, *version, uri, headers).map(|_| Caller::Plain),
        }
    }
}
