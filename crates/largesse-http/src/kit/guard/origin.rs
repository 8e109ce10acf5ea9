//! Where a page came from: the value of an `Origin` header, or an entry of the allow-list.
//!
//! Invariant: two origins are equal when a browser would call them the same: default ports are dropped. An app's
//! origin (`capacitor://localhost`) is one like any other, whereas to `url` it is opaque and equal to none. Does not
//! decide who is allowed: see `guard.rs`.

mod written;

pub use written::WrittenOriginError;

use std::fmt;

use crate::kit::guard::authority::{Authority, AuthorityError};

/// A page's origin: scheme, host and port.
///
/// - Shape: `https://app.example`, `http://localhost:3000`. No path, no trailing slash, no `*`.
/// - Source: RFC 6454, clause 6.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    authority: Authority,
    /// The port, with the scheme's default filled in.
    port: Option<u16>,
}

/// Why a text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// There is no scheme before `://`.
    #[error("an origin is scheme://host[:port], such as https://app.example")]
    Scheme,
    /// What follows `://` is not a host and port alone.
    #[error("after scheme:// an origin has only host[:port], without a path or a trailing slash")]
    Authority(#[from] AuthorityError),
}

impl Origin {
    /// Checks a text such as `https://app.example`.
    ///
    /// # Errors
    /// [`OriginError`], for the part that is wrong.
    pub fn parse(raw: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = raw.split_once("://").ok_or(OriginError::Scheme)?;
        let is_plain = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if scheme.is_empty() || !is_plain {
            return Err(OriginError::Scheme);
        }
        let scheme = scheme.to_ascii_lowercase();
        let authority = Authority::parse(rest)?;
        let port = authority.port().or_else(|| default_port(&scheme));
        Ok(Self { scheme, authority, port })
    }

    /// A page served by this machine to itself.
    pub(crate) fn is_loopback(&self) -> bool {
        default_port(&self.scheme).is_some() && self.authority.is_loopback()
    }

    /// Whether a page of this origin calls the host it came from. The scheme is ignored: a proxy may terminate TLS.
    pub(crate) fn is_at(&self, host: &Authority) -> bool {
        default_port(&self.scheme).is_some() && self.authority.is_same(host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// Equal as browsers compare them, whether or not the default port was written.
pub(crate) fn same(one: &Origin, other: &Origin) -> bool {
    (&one.scheme, one.authority.host(), one.port) == (&other.scheme, other.authority.host(), other.port)
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(raw: &str) -> Origin {
        Origin::parse(raw).expect("an origin")
    }

    #[test]
    fn texts_that_are_no_origin_are_refused() {
        for raw in
            ["", "null", "localhost", "http://", "http://a/", "http://a b", "://a", "*", "http://a,http://b"]
        {
            assert!(Origin::parse(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn default_ports_are_the_same_as_none() {
        assert!(same(&origin("https://a.example"), &origin("HTTPS://A.example:443")));
        assert!(!same(&origin("https://a.example"), &origin("http://a.example")));
        assert!(!same(&origin("https://a.example"), &origin("https://a.example:444")));
    }

    #[test]
    fn loopback_needs_a_scheme_of_the_web() {
        assert!(origin("http://127.0.0.1:5500").is_loopback());
        assert!(origin("https://dev.localhost").is_loopback());
        assert!(!origin("capacitor://localhost").is_loopback());
        assert!(!origin("http://localhost.example").is_loopback());
    }

    #[test]
    fn a_page_is_at_the_host_it_came_from() {
        let at = |page, host| origin(page).is_at(&Authority::parse(host).expect("a host"));
        assert!(at("https://a.example", "a.example"));
        assert!(at("http://a.example:8084", "a.example:8084"));
        assert!(!at("http://a.example", "a.example:8084"));
        assert!(at("http://a.example", "a.example:80") && at("http://a.example:80", "a.example"));
        assert!(at("https://a.example", "a.example:443") && at("https://a.example:443", "a.example"));
        assert!(!at("http://b.example", "a.example"));
    }
}
