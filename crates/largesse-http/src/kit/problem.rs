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
            Self::BadName => (S::BAD_REQUEST, "The stream name is not allowed"),
            Self::BadQuery => (S::BAD_REQUEST, "A query parameter is not understood"),
            Self::BadEventName => (S::BAD_REQUEST, "The event name is not allowed"),
            Self::ReservedName => (S::BAD_REQUEST, "The event name is kept for control events"),
            Self::BadIdempotencyKey => (S::BAD_REQUEST, "The idempotency key is not allowed"),
            Self::BadHeader => (S::BAD_REQUEST, "A header is missing or not understood"),
            Self::NulInData => (S::BAD_REQUEST, "An event's data may not hold a NUL"),
            Self::BadLine => (S::BAD_REQUEST, "A line is not JSON"),
            Self::NothingToAppend => (S::BAD_REQUEST, "The body holds no event"),
            Self::BodyCut => (S::BAD_REQUEST, "The body was cut off"),
            Self::BadChunks => (S::BAD_REQUEST, "The body's chunks can't be read"),
            Self::BadSettings => (S::BAD_REQUEST, "The settings are not understood"),
            Self::OriginRefused => (S::FORBIDDEN, "This page may not ask here"),
            Self::NotFound => (S::NOT_FOUND, "There is nothing at this path"),
            Self::NoSuchStream => (S::NOT_FOUND, "There is no such stream"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "The path does not take this method"),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "The body did not go on"),
            Self::StreamClosed => (S::CONFLICT, "The stream is closed"),
            Self::Superseded => (S::CONFLICT, "A newer request took over the key"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "This is larger than may be"),
            Self::UnsupportedBody => (S::UNSUPPORTED_MEDIA_TYPE, "The body is not plain UTF-8 text"),
            Self::WrongHost => (S::MISDIRECTED_REQUEST, "This server is not that host"),
            Self::KeyReused => (S::UNPROCESSABLE_ENTITY, "The idempotency key was used for something else"),
            Self::LogFailed => (S::INTERNAL_SERVER_ERROR, "The log can't be read"),
            Self::SourceFailed => (S::INTERNAL_SERVER_ERROR, "The source failed"),
            Self::TooManyStreams => (S::SERVICE_UNAVAILABLE, "There are too many streams"),
            Self::TooManyRuns => (S::SERVICE_UNAVAILABLE, "There are too many runs"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "The server has too much to do"),
            Self::TooManyFiles => (S::SERVICE_UNAVAILABLE, "Too many files are open"),
            Self::LogUnwritable => (S::SERVICE_UNAVAILABLE, "The log can't be written"),
            Self::LogUnsafe => (S::SERVICE_UNAVAILABLE, "The log could not be made safe"),
            Self::Stopping => (S::SERVICE_UNAVAILABLE, "The server is being stopped"),
            Self::DiskFull => (S::INSUFFICIENT_STORAGE, "There is no space left for the log"),
        }
    }
}
