//! Every problem that a door may answer with, by name.
//!
//! Invariant: one variant, one slug, one status. A slug is its variant's name, and never changes, because programs
//! compare them. `docs/http.md` has the same table, and a test compares the two. Does not word the details: the code
//! that refuses knows the value.

use http::StatusCode;
use strum::{IntoStaticStr, VariantArray};

/// Why a request was refused. Source: RFC 9457; the slugs are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Problem {
    /// The stream's name breaks the rules of names.
    BadName,
    /// A query parameter is unknown, given twice, or has an invalid value.
    BadQuery,
    /// The event's name breaks the rules of names.
    BadEventName,
    /// A publisher used the name of a control event.
    ReservedName,
    /// The idempotency key breaks its rules.
    BadIdempotencyKey,
    /// A required header is missing, duplicated or invalid.
    BadHeader,
    /// The data of an event contains a NUL.
    NulInData,
    /// A line of an NDJSON body is not JSON.
    BadLine,
    /// A body of several events has none, and the request does not close the stream.
    NothingToAppend,
    /// The body ended before it was complete.
    BodyCut,
    /// The body's chunked encoding is malformed.
    BadChunks,
    /// The settings of a PUT are invalid.
    BadSettings,
    /// The origin of the request is not allowed.
    OriginRefused,
    /// There is nothing at this path.
    NotFound,
    /// There is no such stream.
    NoSuchStream,
    /// The path does not support this method.
    MethodNotAllowed,
    /// The body stalled or took too long.
    BodyTimeout,
    /// The stream is closed.
    StreamClosed,
    /// A newer request has taken over the idempotency key.
    Superseded,
    /// One event, or the whole body, exceeds a limit.
    TooLarge,
    /// The body is not plain UTF-8 text.
    UnsupportedBody,
    /// The `Host` is not one of this server's.
    WrongHost,
    /// The idempotency key was used for a different request.
    KeyReused,
    /// A part of the log can't be read.
    LogFailed,
    /// A built-in source could not start its run.
    SourceFailed,
    /// The limit of streams is reached.
    TooManyStreams,
    /// The limit of runs is reached.
    TooManyRuns,
    /// The memory for bodies is used up.
    Overloaded,
    /// The process has too many open files.
    TooManyFiles,
    /// The log can't be written.
    LogUnwritable,
    /// What was written could not be made durable.
    LogUnsafe,
    /// The server is shutting down.
    Stopping,
    /// The disk has no space for the log.
    DiskFull,
}

impl Problem {
    /// All of them, by status.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The last part of the problem's `type`, after `urn:largesse:problem:`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.into()
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().0
    }

    /// A short text, the same for every occurrence.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadName => (S::BAD_REQUEST, "Invalid stream name"),
            Self::BadQuery => (S::BAD_REQUEST, "Invalid query parameter"),
            Self::BadEventName => (S::BAD_REQUEST, "Invalid event name"),
            Self::ReservedName => (S::BAD_REQUEST, "Reserved event name"),
            Self::BadIdempotencyKey => (S::BAD_REQUEST, "Invalid idempotency key"),
            Self::BadHeader => (S::BAD_REQUEST, "Missing or invalid header"),
            Self::NulInData => (S::BAD_REQUEST, "NUL in event data"),
            Self::BadLine => (S::BAD_REQUEST, "Invalid JSON line"),
            Self::NothingToAppend => (S::BAD_REQUEST, "No event in the body"),
            Self::BodyCut => (S::BAD_REQUEST, "Request body cut off"),
            Self::BadChunks => (S::BAD_REQUEST, "Malformed chunked body"),
            Self::BadSettings => (S::BAD_REQUEST, "Invalid stream settings"),
            Self::OriginRefused => (S::FORBIDDEN, "Origin not allowed"),
            Self::NotFound => (S::NOT_FOUND, "Not found"),
            Self::NoSuchStream => (S::NOT_FOUND, "Stream not found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "Request body timed out"),
            Self::StreamClosed => (S::CONFLICT, "Stream closed"),
            Self::Superseded => (S::CONFLICT, "Superseded by a newer request"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "Payload too large"),
            Self::UnsupportedBody => (S::UNSUPPORTED_MEDIA_TYPE, "Unsupported body"),
            Self::WrongHost => (S::MISDIRECTED_REQUEST, "Host not allowed"),
            Self::KeyReused => (S::UNPROCESSABLE_ENTITY, "Idempotency key reused"),
            Self::LogFailed => (S::INTERNAL_SERVER_ERROR, "Log unreadable"),
            Self::SourceFailed => (S::INTERNAL_SERVER_ERROR, "Source failed"),
            Self::TooManyStreams => (S::SERVICE_UNAVAILABLE, "Too many streams"),
            Self::TooManyRuns => (S::SERVICE_UNAVAILABLE, "Too many runs"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "Server overloaded"),
            Self::TooManyFiles => (S::SERVICE_UNAVAILABLE, "Too many open files"),
            Self::LogUnwritable => (S::SERVICE_UNAVAILABLE, "Log not writable"),
            Self::LogUnsafe => (S::SERVICE_UNAVAILABLE, "Write not confirmed durable"),
            Self::Stopping => (S::SERVICE_UNAVAILABLE, "Server shutting down"),
            Self::DiskFull => (S::INSUFFICIENT_STORAGE, "Disk full"),
        }
    }
}
