//! Everything this door refuses, by name.
//!
//! Invariant: one variant, one slug, one status. A slug is its variant's name, and never changes, because programs
//! compare them.
//! `docs/http.md` has the same table, and a test compares the two. Does not word the details: whoever refuses
//! knows the value.

use http::StatusCode;
use strum::{IntoStaticStr, VariantArray};

/// Why a request was refused. Source: RFC 9457; the slugs are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Problem {
    /// The stream's name breaks the rules of names.
    BadName,
    /// A query parameter is unknown, given twice, or has a value that means nothing.
    BadQuery,
    /// The event's name breaks the rules of names.
    BadEventName,
    /// A publisher named an event as control events are named.
    ReservedName,
    /// The idempotency key breaks its rules.
    BadIdempotencyKey,
    /// A header that is needed is missing, doubled or unreadable.
    BadHeader,
    /// There is a NUL in the data of an event.
    NulInData,
    /// A line of an NDJSON body is not JSON.
    BadLine,
    /// A body of several events has none, and nothing else was asked for.
    NothingToAppend,
    /// The body ended before it was complete.
    BodyCut,
    /// The body's chunks are no chunks.
    BadChunks,
    /// The settings are not such settings.
    BadSettings,
    /// The page or the program behind the request may not ask.
    OriginRefused,
    /// There is nothing at this path.
    NotFound,
    /// There is no such stream.
    NoSuchStream,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The body did not go on in time.
    BodyTimeout,
    /// The stream is closed.
    StreamClosed,
    /// A newer request took over the idempotency key.
    Superseded,
    /// One event, or the whole body, is larger than may be.
    TooLarge,
    /// The body is not plain UTF-8 text.
    UnsupportedBody,
    /// The request names a host that is not this server.
    WrongHost,
    /// The idempotency key was used with another body.
    KeyReused,
    /// A part of the log can't be read.
    LogFailed,
    /// A source of ours could not begin its run.
    SourceFailed,
    /// There are as many streams as there may be.
    TooManyStreams,
    /// As many runs of a source are under way as may be.
    TooManyRuns,
    /// There is no memory left for the body now.
    Overloaded,
    /// No file of the log can be opened now.
    TooManyFiles,
    /// The log can't be written.
    LogUnwritable,
    /// What was written could not be made safe.
    LogUnsafe,
    /// The server is being stopped.
    Stopping,
    /// There is no space left for the log.
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

    /// What is the same for every occurrence, in a few words.
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
