//! What the log refuses, as a problem: whose move it is, whether it was written, and what now.
//!
//! Does not ask the log.

use largesse_log::{AppendError, Blame, EngineError, RESERVED_NAMES, StreamName, WriteOutcome};
use largesse_wire::EventName;

use super::{Refusal, sentence};
use crate::kit::problem::Problem;

impl Refusal {
    /// A publish or a PUT that the log refused.
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
                "This Idempotency-Key was already used on this stream for a different request (another body, \
             event name, close or content type). Use a new key for a new publish.",
            ),
            AppendError::Superseded => Self::new(
                Problem::Superseded,
                "A newer request with the same Idempotency-Key has taken over this publish. This request has \
             nothing left to do.",
            ),
            AppendError::TooLarge { bytes_max, .. } => {
                let detail = format!("{}. Publish less in one request.", sentence(&error.to_string()));
                Self::new(Problem::TooLarge, detail).with("limit", *bytes_max)
            }
            AppendError::TooManyStreams { streams_max } => {
                let detail =
                    format!("{}. Delete some, or publish to an existing one.", sentence(&error.to_string()));
                Self::new(Problem::TooManyStreams, detail).with("limit", *streams_max).with_retry_after()
            }
            AppendError::ReservedName { name } => Self::reserved_name(name, stream),
            AppendError::Engine(inner) => Self::of_engine(inner),
        };
        let refusal = refusal.with("stream", stream.as_str());
        match error.outcome() {
            WriteOutcome::NotWritten => refusal,
            WriteOutcome::Unknown => refusal
                .with("outcome", "unknown")
                .and("It may have been written: only a retry with the same Idempotency-Key is safe."),
        }
    }

    /// A name that only the server and its sources may use. Offers both solutions.
    fn reserved_name(name: &EventName, stream: &StreamName) -> Self {
        let name = name.as_str();
        let mut detail = format!(
            "'{name}' is the name of one of the server's control events, and a page could not tell the \
             two apart. Use another name; or, if its readers can trust its publishers, let the stream \
             '{stream}' share these names: PUT {{\"control_names\":\"shared\"}}."
        );
        if name == "failed" {
            detail
                .push_str(" A publish of one event that also closes the stream (?event=failed&close, with the data as the body) may use this name.");
        }
        Self::new(Problem::ReservedName, detail).with("event", name).with("reserved", RESERVED_NAMES.to_vec())
    }

    /// A log that failed. The answer includes what the disk reported about which file: it isn't secret, and
    /// publishers can pass it on.
    pub(crate) fn of_engine(error: &EngineError) -> Self {
        if error.blame() == Blame::Server {
            tracing::error!(%error, "the log failed; requests that need it are refused until it is repaired");
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
                    "{told}. Nothing was written. Try again later; the operator can raise the limit on open files \
             (ulimit -n)."
                );
                Self::new(Problem::TooManyFiles, detail).with_retry_after()
            }
            EngineError::Unwritable { .. } => {
                let detail = format!("{told}. Nothing was written. Reads still work.");
                Self::new(Problem::LogUnwritable, detail).with_retry_after()
            }
            EngineError::Unsafe { .. } => Self::new(Problem::LogUnsafe, format!("{told}.")),
            EngineError::Stopping => {
                let detail = "The server is shutting down. Nothing was written. Try again when it is back.";
                Self::new(Problem::Stopping, detail).with_retry_after()
            }
            EngineError::Unreadable { .. } => {
                let detail = format!("{told}. Everything else can still be read.");
                Self::new(Problem::LogFailed, detail)
            }
            EngineError::BeyondTail { .. } => Self::new(Problem::LogFailed, format!("{told}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header;
    use largesse_log::Position;
    use serde_json::Value;

    use super::{super::Details, *};

    /// The status, the name, whether it says when to come again, whether nobody knows what was written, and the reason.
    #[track_caller]
    fn check(error: EngineError, want: (u16, &str, bool, bool), part: &str) {
        let stream = StreamName::parse("a").unwrap();
        let Refusal(told) = Refusal::of_append(&AppendError::Engine(error), &stream);
        let Details { problem, detail, members, headers } = *told;
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
