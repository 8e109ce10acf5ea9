//! Sends requests: one connection each, or one that is free from an earlier request to the same server.
//!
//! Invariants: every wait up to the head of an answer has a limit; redirects are followed as [`Redirects`] allows, at most
//! [`REDIRECTS_MAX`] of them; no request is sent twice, unless nothing of it was written. Does not retry.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use reqwest::redirect::{Attempt, Policy};
use tokio::time::timeout;

use crate::{Request, Response, SendError, Trust};

/// Redirects that are followed for one request, at most.
pub const REDIRECTS_MAX: usize = 10;

/// How long an idle connection is kept for the next request: less than servers keep it, so that a request seldom meets a
/// connection that is being closed.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// The settings of a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Whose certificates are accepted.
    pub trust: Trust,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// Whether servers may compress.
    pub encodings: Encodings,
    /// The longest that connecting may take, TLS included.
    pub connect_max: Duration,
    /// The longest time from the call to the head of the answer: connecting, sending the body and redirects included.
    pub answer_max: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            redirects: Redirects::default(),
            encodings: Encodings::default(),
            connect_max: Duration::from_secs(10),
            answer_max: Duration::from_secs(60),
        }
    }
}

/// Which redirects are followed. A redirect that isn't is an answer like any other, with its `Location`.
///
/// 301, 302 and 303 turn a `POST` into a `GET` without a body; 307 and 308 repeat it. `Authorization` and `Cookie` are
/// dropped when the origin changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// None.
    #[default]
    Refused,
    /// Those to the scheme, host and port of the request.
    SameOrigin,
    /// All, except those from `https` to `http`.
    Followed,
}

/// Whether servers may compress their answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encodings {
    /// Compression isn't asked for; an answer that is compressed anyway is left as it came.
    #[default]
    Identity,
    /// gzip and brotli are accepted, and decoded piece by piece: whatever the server has flushed is there at once.
    Compressed,
}

/// Sends requests. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    sender: reqwest::Client,
    connect_max: Duration,
    answer_max: Duration,
}

impl Client {
    /// A client without connections. Trusted certificates are read from the disk only when one has to be checked.
    #[must_use]
    pub fn new(config: &ClientConfig) -> Self {
        let is_compressed = config.encodings == Encodings::Compressed;
        let sender = reqwest::Client::builder()
            .tls_backend_preconfigured(config.trust.tls())
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(policy(config.redirects))
            .gzip(is_compressed)
            .brotli(is_compressed)
            .connect_timeout(config.connect_max)
            .pool_idle_timeout(IDLE_MAX)
            .build()
            .expect("rustls is the TLS that the library was built with");
        Self { sender, connect_max: config.connect_max, answer_max: config.answer_max }
    }

    /// Sends a request and waits for the head of its answer, whatever its status.
    ///
    /// Cancellation: dropping the future closes the connection; the server may have received the request.
    ///
    /// # Errors
    /// [`SendError`] if there is no answer.
    pub async fn send(&self, request: &Request) -> Result<Response, SendError> {
        let mut asked = self.sender.request(request.method.clone(), request.url.clone());
        asked = asked.headers(HeaderMap::clone(&request.headers));
        if !request.body.is_empty() || request.method == Method::POST {
            asked = asked.body(request.body.clone());
        }
        match timeout(self.answer_max, asked.send()).await {
            Ok(Ok(response)) => Ok(Response::new(response)),
            Ok(Err(error)) => Err(SendError::of(error, self.connect_max)),
            Err(_) => Err(SendError::Slow(self.answer_max)),
        }
    }
}

fn policy(redirects: Redirects) -> Policy {
    let is_allowed: Arc<dyn Fn(&Attempt<'_>) -> bool + Send + Sync> = match redirects {
        Redirects::Refused => return Policy::none(),
        Redirects::SameOrigin => Arc::new(|attempt| {
            attempt.previous().first().is_some_and(|asked| asked.origin() == attempt.url().origin())
        }),
        Redirects::Followed => Arc::new(|attempt| {
            let is_safe = attempt.previous().iter().any(|url| url.scheme() == "https");
            !is_safe || attempt.url().scheme() == "https"
        }),
    };
    Policy::custom(move |attempt| {
        if !is_allowed(&attempt) {
            return attempt.stop();
        }
        if attempt.previous().len() > REDIRECTS_MAX {
            return attempt.error("too many redirects");
        }
        attempt.follow()
    })
}
