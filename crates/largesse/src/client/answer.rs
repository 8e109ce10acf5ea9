//! The answer to a request, and how an unhappy one reads.

use bytes::Bytes;
use http::{Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::terminal::plain;

/// The most that is collected of an answer.
const COLLECTED_BYTES_MAX: usize = 1024 * 1024;
/// How much of a body that is not ours is shown.
const SHOWN_CHARS_MAX: usize = 500;

/// An answer whose body may still be arriving.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response<Incoming>,
    /// Drives the connection; dropping it closes it.
    _drivers: JoinSet<()>,
}

/// What RFC 9457 lets a problem say, as far as people want to read it.
#[derive(serde::Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl Answer {
    pub(super) fn new(response: Response<Incoming>, drivers: JoinSet<()>) -> Self {
        Self { response, _drivers: drivers }
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Whether the content type is `essence`, whatever its parameters.
    pub(crate) fn is(&self, essence: &str) -> bool {
        let value = self.response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let stands = value.and_then(|value| value.split(';').next()).unwrap_or_default();
        stands.trim().eq_ignore_ascii_case(essence)
    }

    /// The next bytes of the body, or `None` at its end.
    ///
    /// # Errors
    /// The body was cut off.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, hyper::Error> {
        while let Some(frame) = self.response.body_mut().frame().await {
            // Trailers say nothing to us.
            if let Ok(bytes) = frame?.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The whole body.
    ///
    /// # Errors
    /// It was cut off or is too long; in words.
    pub(crate) async fn collected(&mut self) -> Result<Bytes, String> {
        self.collected_upto(COLLECTED_BYTES_MAX).await
    }

    /// The whole body, which may be so long.
    ///
    /// # Errors
    /// It was cut off or is too long; in words.
    pub(crate) async fn collected_upto(&mut self, bytes_max: usize) -> Result<Bytes, String> {
        let body = Limited::new(self.response.body_mut(), bytes_max);
        Ok(body.collect().await.map_err(|error| error.to_string())?.to_bytes())
    }

    /// An unhappy answer in one line, for people.
    pub(crate) async fn problem(&mut self) -> String {
        let status = self.status();
        let body = self.collected().await.unwrap_or_default();
        let told = serde_json::from_slice::<Problem>(&body).ok();
        let text = told.and_then(|problem| problem.detail.or(problem.title));
        let text = text
            .unwrap_or_else(|| String::from_utf8_lossy(&body).trim().chars().take(SHOWN_CHARS_MAX).collect());
        format!("{status}: {}", plain(&text))
    }
}
