//! Everything this door refuses, by name.
//!
//! Invariant: one variant, one slug, one status; slugs never change, because programs compare them.
//! `docs/http.md` has the same table, and a test compares the two. Does not word the details: whoever refuses
//! knows the value.

use http::StatusCode;

/// Why a request was refused. Source: RFC 9457; the slugs are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub const ALL: &'static [Self] = &[
        Self::BadName,
        Self::BadQuery,
        Self::BadEventName,
        Self::ReservedName,
        Self::BadIdempotencyKey,
        Self::BadHeader,
        Self::NulInData,
        Self::BadLine,
        Self::NothingToAppend,
        Self::BodyCut,
        Self::BadChunks,
        Self::BadSettings,
        Self::OriginRefused,
        Self::NotFound,
        Self::NoSuchStream,
        Self::MethodNotAllowed,
        Self::BodyTimeout,
        Self::StreamClosed,
        Self::Superseded,
        Self::TooLarge,
        Self::UnsupportedBody,
        Self::WrongHost,
        Self::KeyReused,
        Self::LogFailed,
        Self::SourceFailed,
        Self::TooManyStreams,
        Self::TooManyRuns,
        Self::Overloaded,
        Self::TooManyFiles,
        Self::LogUnwritable,
        Self::LogUnsafe,
        Self::Stopping,
        Self::DiskFull,
    ];

    /// The last part of the problem's `type`, after `urn:largesse:problem:`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.row().0
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().1
    }

    /// What is the same for every occurrence, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadName => ("bad-name", S::BAD_REQUEST, "The stream name is not allowed"),
            Self::BadQuery => ("bad-query", S::BAD_REQUEST, "A query parameter is not understood"),
            Self::BadEventName => ("bad-event-name", S::BAD_REQUEST, "The event name is not allowed"),
            Self::ReservedName => {
                ("reserved-name", S::BAD_REQUEST, "The event name is kept for control events")
            }
            Self::BadIdempotencyKey => {
                ("bad-idempotency-key", S::BAD_REQUEST, "The idempotency key is not allowed")
            }
            Self::BadHeader => ("bad-header", S::BAD_REQUEST, "A header is missing or not understood"),
            Self::NulInData => ("nul-in-data", S::BAD_REQUEST, "An event's data may not hold a NUL"),
            Self::BadLine => ("bad-line", S::BAD_REQUEST, "A line is not JSON"),
            Self::NothingToAppend => ("nothing-to-append", S::BAD_REQUEST, "The body holds no event"),
            Self::BodyCut => ("body-cut", S::BAD_REQUEST, "The body was cut off"),
            Self::BadChunks => ("bad-chunks", S::BAD_REQUEST, "The body's chunks can't be read"),
            Self::BadSettings => ("bad-settings", S::BAD_REQUEST, "The settings are not understood"),
            Self::OriginRefused => ("origin-refused", S::FORBIDDEN, "This page may not ask here"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "There is nothing at this path"),
            Self::NoSuchStream => ("no-such-stream", S::NOT_FOUND, "There is no such stream"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", S::METHOD_NOT_ALLOWED, "The path does not take this method")
            }
            Self::BodyTimeout => ("body-timeout", S::REQUEST_TIMEOUT, "The body did not go on"),
            Self::StreamClosed => ("stream-closed", S::CONFLICT, "The stream is closed"),
            Self::Superseded => ("superseded", S::CONFLICT, "A newer request took over the key"),
            Self::TooLarge => ("too-large", S::PAYLOAD_TOO_LARGE, "This is larger than may be"),
            Self::UnsupportedBody => {
                ("unsupported-body", S::UNSUPPORTED_MEDIA_TYPE, "The body is not plain UTF-8 text")
            }
            Self::WrongHost => ("wrong-host", S::MISDIRECTED_REQUEST, "This server is not that host"),
            Self::KeyReused => {
                ("key-reused", S::UNPROCESSABLE_ENTITY, "The idempotency key was used for something else")
            }
            Self::LogFailed => ("log-failed", S::INTERNAL_SERVER_ERROR, "The log can't be read"),
            Self::SourceFailed => ("source-failed", S::INTERNAL_SERVER_ERROR, "The source failed"),
            Self::TooManyStreams => {
                ("too-many-streams", S::SERVICE_UNAVAILABLE, "There are too many streams")
            }
            Self::TooManyRuns => ("too-many-runs", S::SERVICE_UNAVAILABLE, "There are too many runs"),
            Self::Overloaded => ("overloaded", S::SERVICE_UNAVAILABLE, "The server has too much to do"),
            Self::TooManyFiles => ("too-many-files", S::SERVICE_UNAVAILABLE, "Too many files are open"),
            Self::LogUnwritable => ("log-unwritable", S::SERVICE_UNAVAILABLE, "The log can't be written"),
            Self::LogUnsafe => ("log-unsafe", S::SERVICE_UNAVAILABLE, "The log could not be made safe"),
            Self::Stopping => ("stopping", S::SERVICE_UNAVAILABLE, "The server is being stopped"),
            Self::DiskFull => ("disk-full", S::INSUFFICIENT_STORAGE, "There is no space left for the log"),
        }
    }
}
