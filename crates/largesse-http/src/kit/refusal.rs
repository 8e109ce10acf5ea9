//! One refused request: the problem, what was wrong with which value, and what would be right.
//!
//! Invariant: the answer is `application/problem+json` (RFC 9457) whatever the details hold. Does not decide
//! what is a problem.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use largesse_log::{AppendError, Blame, EngineError, Outcome, RESERVED_NAMES, StreamName};
use largesse_wire::EventName;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::kit::{json, problem::Problem};

/// When a caller that was turned away for load may come again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// What a refused request is told: a [`Problem`] and the details of this case.
///
/// - Shape: becomes an answer of `application/problem+json`. Boxed, because it rides in every `Result` of the
///   door.
/// - Source: RFC 9457.
#[derive(Debug)]
pub struct Refusal(Box<Told>);

#[derive(Debug)]
struct Told {
    problem: Problem,
    detail: String,
    members: Map<String, Value>,
    headers: HeaderMap,
}

/// The answer's JSON. Source: RFC 9457, clause 3.
#[derive(Serialize)]
struct Shape<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl Refusal {
    /// A refusal that says in `detail` what was wrong and what would be right.
    #[must_use]
    pub fn new(problem: Problem, detail: impl Into<String>) -> Self {
        let told = Told { problem, detail: detail.into(), members: Map::new(), headers: HeaderMap::new() };
        Self(Box::new(told))
    }

    /// Adds a member to the problem.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a header whose value is of this answer alone.
    pub(crate) fn with_value(mut self, (name, value): (HeaderName, HeaderValue)) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Adds a sentence to the detail.
    pub(crate) fn and(mut self, sentence: &str) -> Self {
        self.0.detail.push(' ');
        self.0.detail.push_str(sentence);
        self
    }

    /// The same, for a problem that will pass: the answer says when to come again.
    #[must_use]
    pub fn with_retry_after(self) -> Self {
        self.with_header(header::RETRY_AFTER, RETRY_AFTER_S)
    }

    /// A publish or a put that the log refused.
    #[must_use]
    pub fn of_append(error: &AppendError, stream: &StreamName) -> Self {
        let refusal = match error {
            AppendError::Closed => {
                let detail =
                    format!("The stream '{stream}' is closed. Publish to another one, or delete it first.");
                Self::new(Problem::StreamClosed, detail)
            }
            AppendError::KeyReused => Self::new(
                Problem::KeyReused,
                "This Idempotency-Key was used on this stream for something else (another body, event name, close \
                 or content type). Use a new key for a new publish.",
            ),
            AppendError::Superseded => Self::new(
                Problem::Superseded,
                "A newer request with the same Idempotency-Key goes on with this publish. Nothing is left to do here.",
            ),
            AppendError::TooLarge { bytes_max, .. } => {
                let detail = format!("{}. Publish less at once.", sentence(&error.to_string()));
                Self::new(Problem::TooLarge, detail).with("limit", *bytes_max)
            }
            AppendError::TooManyStreams { streams_max } => {
                let detail = format!(
                    "{}. Delete some, or publish to one that is there.",
                    sentence(&error.to_string())
                );
                Self::new(Problem::TooManyStreams, detail).with("limit", *streams_max).with_retry_after()
            }
            AppendError::ReservedName { name } => Self::reserved_name(name, stream),
            AppendError::Engine(inner) => Self::of_engine(inner),
        };
        let refusal = refusal.with("stream", stream.as_str());
        match error.outcome() {
            Outcome::NotWritten => refusal,
            Outcome::Unknown => refusal.with("outcome", "unknown").and(
                "It may have been written all the same: only a repeat with the same Idempotency-Key is safe.",
            ),
        }
    }

    /// A name that only the server and its sources may use. Says both ways out.
    fn reserved_name(name: &EventName, stream: &StreamName) -> Self {
        let name = name.as_str();
        let mut detail = format!(
            "The event name '{name}' is that of a control event of the server, and a page could not tell the two \
             apart. Publish under another name; or, where its readers may believe its publishers, let the stream \
             '{stream}' share these names: PUT {{\"control_names\":\"shared\"}}."
        );
        if name == "failed" {
            detail
                .push_str(" A publish of one event that also closes the stream (?event=failed&close, with the data as the body) may have \
                     this name.");
        }
        Self::new(Problem::ReservedName, detail).with("event", name).with("reserved", RESERVED_NAMES.to_vec())
    }

    /// A log that failed. What the disk said of which file is told: it is nobody's secret, and whoever publishes can
    /// pass it on.
    pub(crate) fn of_engine(error: &EngineError) -> Self {
        if error.blame() == Blame::Server {
            tracing::error!(%error, "the log failed; requests that need it are refused until it is mended");
        } else {
            tracing::debug!(%error, "the log refused");
        }
        let told = sentence(&error.to_string());
        match error {
            EngineError::Full { .. } => {
                let detail = format!("{told}. Nothing was written. Try again when there is space.");
                Self::new(Problem::DiskFull, detail).with_retry_after()
            }
            EngineError::TooManyFiles { .. } => {
                let detail = format!(
                    "{told}. Nothing was written. Try again when others have left; whoever runs the server may raise the \
                     limit on open files (ulimit -n)."
                );
                Self::new(Problem::TooManyFiles, detail).with_retry_after()
            }
            EngineError::Unwritable { .. } => {
                let detail = format!("{told}. Nothing was written. Reading goes on.");
                Self::new(Problem::LogUnwritable, detail).with_retry_after()
            }
            EngineError::Unsafe { .. } => Self::new(Problem::LogUnsafe, format!("{told}.")),
            EngineError::Stopping => {
                let detail = "The server is being stopped. Nothing was written. Try again when it is back.";
                Self::new(Problem::Stopping, detail).with_retry_after()
            }
            EngineError::Unreadable { .. } => {
                let detail = format!("{told}. What is whole can still be read.");
                Self::new(Problem::LogFailed, detail)
            }
            EngineError::BeyondTail { .. } => Self::new(Problem::LogFailed, format!("{told}.")),
        }
    }

    pub(crate) fn no_such_stream(stream: &StreamName) -> Self {
        let detail = format!("There is no stream '{stream}'. A publish or a PUT makes it.");
        Self::new(Problem::NoSuchStream, detail).with("stream", stream.as_str())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Told { problem, detail, members, headers } = *self.0;
        let shape = Shape {
            r#type: format!("urn:largesse:problem:{}", problem.slug()),
            title: problem.title(),
            status: problem.status().as_u16(),
            detail: &detail,
            members: &members,
        };
        let mut response = Response::new(Body::from(json::bytes(&shape)));
        *response.status_mut() = problem.status();
        response.headers_mut().extend(headers);
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}

/// An error's words as a sentence of their own.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use largesse_log::Position;

    use super::*;

    /// The status, the name, whether it says when to come again, whether nobody knows what was written, and the reason.
    #[track_caller]
    fn check(error: EngineError, want: (u16, &str, bool, bool), part: &str) {
        let stream = StreamName::parse("a").unwrap();
        let Refusal(told) = Refusal::of_append(&AppendError::Engine(error), &stream);
        let Told { problem, detail, members, headers } = *told;
        let comes_again = headers.contains_key(header::RETRY_AFTER);
        let is_unknown = members.get("outcome") == Some(&Value::from("unknown"));
        assert_eq!((problem.status().as_u16(), problem.slug(), comes_again, is_unknown), want, "{detail}");
        assert!(detail.contains(part), "{detail}");
    }

    #[test]
    fn each_failure_of_the_log_has_its_status_and_tells_what_the_disk_said() {
        let reason = || "1.segment could not be written: why".to_owned();
        let told = "1.segment could not be written: why";
        check(EngineError::Full { reason: reason() }, (507, "disk-full", true, false), told);
        check(EngineError::TooManyFiles { reason: reason() }, (503, "too-many-files", true, false), told);
        check(EngineError::Unwritable { reason: reason() }, (503, "log-unwritable", true, false), told);
        check(EngineError::Unsafe { reason: reason() }, (503, "log-unsafe", false, true), told);
        check(EngineError::Unreadable { reason: reason() }, (500, "log-failed", false, false), told);
        check(EngineError::Stopping, (503, "stopping", true, false), "Nothing was written");
        let beyond = EngineError::BeyondTail { position: Position(2), tail: Position(1) };
        check(beyond, (500, "log-failed", false, false), "beyond the log's tail");
    }
}
