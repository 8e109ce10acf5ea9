//! Why there is no answer to a request.
//!
//! The library below reports what happened as a chain of errors. Only this file searches it for the first one that says
//! more than "it failed".

use std::{error::Error, io, time::Duration};

use rustls::CertificateError as Invalid;

/// Any error, as the source of one of ours.
type Source = Box<dyn Error + Send + Sync>;

/// Why there is no answer. The server may have acted on the request anyway, except after [`SendError::Unreachable`] and
/// [`SendError::Tls`]. If [`SendError::is_futile`], the operator has to act; otherwise a later attempt may succeed.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no connection.
    #[error("there is no connection")]
    Unreachable(#[source] Source),
    /// There is a connection, but TLS failed on it.
    #[error("there is no secure connection")]
    Tls(#[source] TlsError),
    /// The answer isn't HTTP/1.1, or its head is too large.
    #[error("the answer is not HTTP/1.1")]
    NotHttp(#[source] Source),
    /// The connection ended, or something that isn't HTTP came, before the request was sent.
    #[error("the connection ended before the request was sent")]
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

/// Why TLS failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The issuer of the server's certificate is not trusted here.
    #[error("the server's certificate is from an issuer that is not trusted here")]
    Untrusted,
    /// The certificate has expired.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate is not valid yet, or the clock of this machine is wrong.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for another host.
    #[error("the server's certificate is not for this host")]
    WrongHost,
    /// An issuer of the same name is trusted here, but did not sign the certificate: it was renewed, or the certificate is
    /// forged.
    #[error("the server's certificate was not signed by the issuer of that name that is trusted here")]
    OtherIssuer,
    /// The certificate is an authority's (`CA:TRUE`), as `openssl req -x509` makes them, and no server's.
    #[error("the server's certificate is an authority's (CA:TRUE), not a server's")]
    Authority,
    /// The certificate is invalid in another way; says which.
    #[error("the server's certificate is invalid ({0})")]
    Invalid(String),
    /// The server doesn't speak TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// This machine has no trusted certificates; says why.
    #[error("no trusted certificates were found on this machine ({0})")]
    NoRoots(String),
    /// The handshake failed in another way, or the server ended it; says how.
    #[error("the TLS handshake failed ({0})")]
    Other(String),
}

impl SendError {
    /// Whether another attempt would fail as well, unless somebody changes something first.
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

    /// From the library's error. `connect_max` is the longest that connecting may take.
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
            Invalid::BadSignature => Self::OtherIssuer,
            // The verifier has this error from `rustls-webpki`, whose own type is out of reach here.
            Invalid::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => Self::Authority,
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// Whether it happened before the request was written. `hyper` has no name for bytes that arrive before a request: such an
/// error is none of the kinds it knows.
fn is_early(error: &hyper::Error) -> bool {
    let is_cut = error.is_incomplete_message() || error.is_closed() || found::<io::Error>(error).is_some();
    let is_ours = error.is_user() || error.is_timeout() || error.is_body_write_aborted();
    error.is_canceled() || !(is_cut || is_ours)
}

/// The first error of this type in a chain.
fn found<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and its sources. `source` hides the error that an `io::Error` was made of.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// The last cause in an error's chain: what the system or the other side said.
///
/// Each of the libraries in between only says that something failed; this says what.
#[must_use]
pub fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}
