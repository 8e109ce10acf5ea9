//! The answer to a request: its head, and a body that may still be arriving.
//!
//! Invariants: the body is read only when it is asked for, except for what a single read of the socket brings; what is
//! collected is limited in bytes, and so is the time for which the server may be silent.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// How much of an answer is read, and how long the server may be silent meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The most bytes.
    pub bytes_max: usize,
    /// The longest wait for the next bytes.
    pub silence_max: Duration,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the body isn't what the head announced.
    #[error("the connection broke")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// Nothing came for this long.
    #[error("nothing came for {} s", .0.as_secs_f64())]
    Silent(Duration),
    /// The body has more than this many bytes.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
}

/// An answer. Dropping it closes its connection, unless it was read to its end.
#[derive(Debug)]
pub struct Response {
    inner: reqwest::Response,
}

impl Response {
    pub(crate) fn new(inner: reqwest::Response) -> Self {
        Self { inner }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Who answered: where the last redirect led.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.inner.url()
    }

    /// The content type without its parameters; empty if there is none.
    #[must_use]
    pub fn essence(&self) -> &str {
        essence(self.headers())
    }

    /// The next bytes of the body, or `None` at its end. Waits for them without a limit.
    ///
    /// Cancellation: nothing is lost.
    ///
    /// # Errors
    /// [`BodyError::Broken`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            match self.inner.chunk().await.map_err(|error| BodyError::Broken(error.into()))? {
                Some(chunk) if chunk.is_empty() => {}
                chunk => return Ok(chunk),
            }
        }
    }

    /// The whole body, or what is left of it.
    ///
    /// Cancellation: what had arrived is lost.
    ///
    /// # Errors
    /// [`BodyError`]. A body that is announced as too large is not read at all.
    pub async fn collected(&mut self, limits: BodyLimits) -> Result<Bytes, BodyError> {
        let BodyLimits { bytes_max, silence_max } = limits;
        let too_large = |bytes: u64| bytes > bytes_max as u64;
        if self.inner.content_length().is_some_and(too_large) {
            return Err(BodyError::TooLarge(bytes_max));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) =
            timeout(silence_max, self.chunk()).await.map_err(|_| BodyError::Silent(silence_max))??
        {
            if too_large((body.len() + chunk.len()) as u64) {
                return Err(BodyError::TooLarge(bytes_max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The answer with the first bytes of its body, at most `bytes_max`: as many as come in time, even if the connection
    /// breaks then.
    pub async fn answer(mut self, bytes_max: usize, within: Duration) -> Answer {
        let until = Instant::now() + within;
        let mut body = BytesMut::new();
        while body.len() < bytes_max {
            let Ok(Ok(Some(chunk))) = timeout_at(until, self.chunk()).await else { break };
            let taken = chunk.len().min(bytes_max - body.len());
            body.extend_from_slice(&chunk[..taken]);
        }
        let (status, url) = (self.status(), self.url().clone());
        Answer { status, url, headers: std::mem::take(self.inner.headers_mut()), body: body.freeze() }
    }
}

/// An answer that isn't read any further: its head, and the beginning of its body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// Who answered: where the last redirect led.
    pub url: Url,
    /// The first bytes of the body, such as a problem in JSON.
    pub body: Bytes,
}

impl Answer {
    /// The content type without its parameters; empty if there is none.
    #[must_use]
    pub fn essence(&self) -> &str {
        essence(&self.headers)
    }

    /// The value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn essence(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.split(';').next()).unwrap_or_default().trim()
}
