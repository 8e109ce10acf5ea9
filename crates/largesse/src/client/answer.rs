//! The answer to a request.

use bytes::Bytes;
use http::{
    Response, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use super::unhappy;
use crate::terminal::plain;

/// The most that is collected of an answer.
const COLLECTED_BYTES_MAX: usize = 1024 * 1024;

/// An answer whose body may still be arriving.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response<Incoming>,
    /// Drives the connection; dropping it closes it.
    _drivers: JoinSet<()>,
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
        self.essence().eq_ignore_ascii_case(essence)
    }

    /// The content type without parameters; empty where there is none.
    fn essence(&self) -> &str {
        let value = self.header(CONTENT_TYPE.as_str());
        value.and_then(|value| value.split(';').next()).unwrap_or_default().trim()
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

    /// The value of a header, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// An unhappy answer in one line, for people.
    pub(crate) async fn problem(&mut self) -> String {
        let body = self.collected().await.unwrap_or_default();
        let location = self.header(LOCATION.as_str());
        plain(&unhappy::told(self.status(), location, self.essence(), &body)).into_owned()
    }

    /// A happy answer that is not what was asked for, in one line.
    pub(crate) fn unlike(&self, wanted: &str) -> String {
        let essence = match self.essence() {
            "" => "nothing that says what it is",
            essence => essence,
        };
        let text = format!("the answer is {essence}, and not {wanted}; {}", unhappy::WHO_ANSWERS);
        plain(&text).into_owned()
    }
}
