//! Why there is no answer to a request.
//!
//! The library below reports what happened as a chain of errors; the first one in it that says more than "it failed" is
//! looked for here, and nowhere else.

use std::{error::Error, io, time::Duration};

use rustls::CertificateError as Invalid;

/// Any error, as the source of one of ours.
type Source = Box<dyn Error + Send + Sync>;

/// Why there is no answer. The request may have been acted on all the same, except after [`SendError::Unreachable`] and
/// [`SendError::Tls`]. The move is the operator's, where [`SendError::is_futile`]; else time may mend it.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no connection.
    #[error("there is no connection")]
    Unreachable(#[source] Source),
    /// There is a connection, and no TLS on it that is to be trusted.
    #[error("there is no secure connection")]
    Tls(#[source] TlsError),
    /// What answers doesn't speak HTTP/1.1, or its head is too large.
    #[error("the answer is not HTTP/1.1")]
    NotHttp(#[source] Source),
    /// The connection ended, or something that isn't HTTP came, before anything was asked.
    #[error("the connection ended before anything was asked")]
    Canceled(#[source] Source),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] Source),
    /// It took longer than this.
    #[error("there is no answer within {} s", .0.as_secs_f64())]
    Slow(Duration),
    /// More than [`REDIRECTS_MAX`](crate::REDIRECTS_MAX) redirects.
    #[error("there are too many redirects")]
    TooManyRedirects,
    /// The request can't be sent at all: its URL is too long, or neither `http` nor `https`.
    #[error("the request can't be made")]
    Unaskable(#[source] Source),
}

/// Why there is no TLS that is to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// Nobody who is trusted here has signed the server's certificate.
    #[error("the server's certificate is from an issuer that is not trusted here")]
    Untrusted,
    /// The certificate was valid once.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate is not valid yet; or the clock here is wrong.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// The certificate is another server's.
    #[error("the server's certificate is not for this host")]
    WrongHost,
    /// The certificate is wrong in another way; says which.
    #[error("the server's certificate is invalid ({0})")]
    Invalid(String),
    /// What answers doesn't speak TLS.
    #[error("what answers does not speak TLS")]
    NotTls,
    /// No certificates to trust were found on this machine; says why.
    #[error("no certificates to trust were found on this machine ({0})")]
    NoRoots(String),
    /// The two could not agree, or the server ended it; says what it said.
    #[error("TLS could not be agreed on ({0})")]
    Other(String),
}

impl SendError {
    /// Whether another attempt is to fail as well, unless somebody changes something first.
    #[must_use]
    pub fn is_futile(&self) -> bool {
        match self {
            Self::Tls(tls) => !matches!(tls, TlsError::Other(_)),
            Self::Unaskable(_) | Self::TooManyRedirects => true,
            Self::Unreachable(_) | Self::NotHttp(_) | Self::Canceled(_) | Self::Broken(_) | Self::Slow(_) => {
                false
            }
        }
    }

    /// What the library says, with the longest that a connection may take.
    pub(crate) fn of(error: reqwest::Error, connect_max: Duration) -> Self {
        if error.is_builder() {
            return Self::Unaskable(error.into());
        }
        if error.is_redirect() {
            return Self::TooManyRedirects;
        }
        if let Some(tls) = found::<rustls::Error>(&error) {
            return Self::Tls(TlsError::of(tls));
        }
        if error.is_connect() {
            return Self::of_connect(error, connect_max);
        }
        match found::<hyper::Error>(&error) {
            Some(http) if http.is_parse() => Self::NotHttp(error.into()),
            Some(http) if is_early(http) => Self::Canceled(error.into()),
            _ => Self::Broken(error.into()),
        }
    }

    fn of_connect(error: reqwest::Error, connect_max: Duration) -> Self {
        if error.is_timeout() {
            return Self::Slow(connect_max);
        }
        let is_cut = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
        // A connection of TCP alone is not cut before it is there.
        if chain(&error).filter_map(|error| error.downcast_ref()).any(is_cut) {
            return Self::Tls(TlsError::Other("the server ended the connection".to_owned()));
        }
        Self::Unreachable(error.into())
    }
}

impl TlsError {
    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(invalid) => Self::of_certificate(invalid),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::General(why) => Self::NoRoots(why.clone()),
            other => Self::Other(other.to_string()),
        }
    }

    fn of_certificate(invalid: &Invalid) -> Self {
        match invalid {
            Invalid::UnknownIssuer => Self::Untrusted,
            Invalid::Expired | Invalid::ExpiredContext { .. } => Self::Expired,
            Invalid::NotValidYet | Invalid::NotValidYetContext { .. } => Self::NotYetValid,
            Invalid::NotValidForName | Invalid::NotValidForNameContext { .. } => Self::WrongHost,
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// Whether it happened before the request was written. Of bytes that come unasked, `hyper` only says that it is nothing
/// of what it can name.
fn is_early(error: &hyper::Error) -> bool {
    let is_cut = error.is_incomplete_message() || error.is_closed() || found::<io::Error>(error).is_some();
    let is_ours = error.is_user() || error.is_timeout() || error.is_body_write_aborted();
    error.is_canceled() || !(is_cut || is_ours)
}

/// The first error of this type in a chain.
fn found<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and its sources. What an `io::Error` was made of is hidden from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// The last cause in an error's chain: what the system, or the other side, has said.
///
/// The libraries between say that something failed, and each of them again; this says what.
#[must_use]
pub fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}
