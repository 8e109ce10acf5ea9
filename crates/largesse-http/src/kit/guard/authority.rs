//! A server's name: the `host[:port]` of a `Host` header, of an origin, or of the allow-list.
//!
//! Invariant: a parsed host is lower-case, and an address is compared as an address, not as text. What arrived is
//! checked and never decoded: only a browser may take `127.1` or `%6cocalhost` for this machine, and it sends what it
//! made of them. So this is not the parser of `url`, to which a test compares it. Does not resolve names: only names
//! that always mean the machine itself count as loopback.

mod written;

pub use written::WrittenHostError;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The longest name of a host, in bytes. Source: RFC 1035, clause 2.3.4, as text.
const HOST_BYTES_MAX: usize = 253;

/// The ports of `http` and `https`, which are the same as none. Source: RFC 9110, clauses 4.2.1 to 4.2.3.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// A host and, if given, a port.
///
/// - Shape: `name`, `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
/// - Source: RFC 9110, clause 7.2; RFC 3986, clause 3.2.2. Names are held to letters, digits, `.`, `-`, `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: HostName,
    port: Option<u16>,
}

/// A host: a name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostName {
    Name(String),
    Address(IpAddr),
}

/// Why a text is not a host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The host part is not a name or an address.
    #[error(
        "the host must be a name (letters, digits, dots, hyphens), an IPv4 address or an IPv6 address in [ ]"
    )]
    Host,
    /// It is a URL.
    #[error("a host has no scheme: leave out everything up to ://, and any path")]
    Scheme,
    /// The port part is not a number up to 65535.
    #[error("the port must be a number from 0 to 65535")]
    Port,
}

impl Authority {
    /// Checks a text such as `localhost:8084`.
    ///
    /// # Errors
    /// [`AuthorityError`], for the part that is wrong.
    pub fn parse(raw: &str) -> Result<Self, AuthorityError> {
        if raw.contains("://") {
            return Err(AuthorityError::Scheme);
        }
        let (host, port) = split_port(raw)?;
        Ok(Self { host: HostName::parse(host)?, port: parse_port(port)? })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.host.is_loopback()
    }

    pub(crate) fn host(&self) -> &HostName {
        &self.host
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port, unless it is the default of `http` or `https`: most clients omit that, some write it, and the scheme
    /// is unknown behind a proxy that terminates TLS.
    pub(crate) fn unusual_port(&self) -> Option<u16> {
        self.port.filter(|port| !USUAL_PORTS.contains(port))
    }

    /// Whether both name the same server, with or without the default port.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.host == other.host && self.unusual_port() == other.unusual_port()
    }

    /// Whether this entry of an allow-list covers `other`. An entry without a port covers every port.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.is_same(other) || (self.host == other.host && self.port.is_none())
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostName::Name(name) => f.write_str(name)?,
            HostName::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            HostName::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl HostName {
    fn parse(raw: &str) -> Result<Self, AuthorityError> {
        if let Some(inner) = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().map_err(|_| AuthorityError::Host)?;
            return Ok(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = raw.parse::<Ipv4Addr>() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        // A trailing dot is the DNS root: it is the same name.
        let name = raw.strip_suffix('.').unwrap_or(raw).to_ascii_lowercase();
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        let is_sized = (1..=HOST_BYTES_MAX).contains(&name.len());
        if is_plain && is_sized { Ok(Self::Name(name)) } else { Err(AuthorityError::Host) }
    }

    /// Names and addresses that always mean the machine itself. Source: RFC 6761, clause 6.3.
    fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::Address(address) => address.is_loopback(),
        }
    }
}

/// Colons inside brackets belong to an IPv6 address; any other begins the port.
fn split_port(raw: &str) -> Result<(&str, &str), AuthorityError> {
    let end = match raw.find(']') {
        Some(bracket) => bracket + 1,
        None => raw.find(':').unwrap_or(raw.len()),
    };
    let (host, rest) = raw.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if rest.is_empty() => Ok((host, "")),
        None => Err(AuthorityError::Host),
    }
}

/// An empty port is the default one. Source: RFC 3986, clause 3.2.3.
fn parse_port(raw: &str) -> Result<Option<u16>, AuthorityError> {
    if raw.is_empty() {
        return Ok(None);
    }
    if !raw.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AuthorityError::Port);
    }
    raw.parse().map(Some).map_err(|_| AuthorityError::Port)
}

#[cfg(test)]
mod tests {
    use url::{Host, Position, Url};

    use super::*;
    use crate::Origin;

    #[track_caller]
    fn check(raw: &str, want: Result<(&str, bool), AuthorityError>) {
        let found = Authority::parse(raw);
        let found = found.as_ref().map(|authority| (authority.to_string(), authority.is_loopback()));
        assert_eq!(
            found.map_err(|error| *error),
            want.map(|(text, loopback)| (text.to_owned(), loopback)),
            "{raw}"
        );
    }

    #[test]
    fn loopback_is_what_means_the_machine_itself_everywhere() {
        check("localhost", Ok(("localhost", true)));
        check("LocalHost:8084", Ok(("localhost:8084", true)));
        check("localhost.:1", Ok(("localhost:1", true)));
        check("a.b.localhost", Ok(("a.b.localhost", true)));
        check("127.0.0.1:80", Ok(("127.0.0.1:80", true)));
        check("127.9.9.9", Ok(("127.9.9.9", true)));
        check("[::1]:8084", Ok(("[::1]:8084", true)));
        check("[0:0:0:0:0:0:0:1]", Ok(("[::1]", true)));
        check("[::ffff:127.0.0.1]", Ok(("127.0.0.1", true)));
    }

    #[test]
    fn what_only_looks_like_loopback_is_not() {
        check("notlocalhost", Ok(("notlocalhost", false)));
        check("localhost.example", Ok(("localhost.example", false)));
        check("127.0.0.1.example", Ok(("127.0.0.1.example", false)));
        check("127.1", Ok(("127.1", false)));
        check("0x7f.0.0.1", Ok(("0x7f.0.0.1", false)));
        check("2130706433", Ok(("2130706433", false)));
        check("0.0.0.0", Ok(("0.0.0.0", false)));
        check("[::]", Ok(("[::]", false)));
    }

    #[test]
    fn what_is_no_host_or_port_is_refused() {
        for raw in
            ["", ":80", "a b", "a@b", "localhost/", "::1", "[::1", "[::1]x", "[localhost]", "ä", "a,b", "."]
        {
            let found = Authority::parse(raw);
            assert!(found.is_err(), "{raw}: {found:?}");
        }
        check("http://localhost", Err(AuthorityError::Scheme));
        check("localhost:65536", Err(AuthorityError::Port));
        check("localhost:+1", Err(AuthorityError::Port));
        check("localhost:", Ok(("localhost", true)));
    }

    /// What the host of a URL is to a browser. Source: WHATWG URL, clause 3.5, as the crate `url` has it.
    fn is_loopback_by_the_standard(url: &Url) -> bool {
        match url.host().expect("a URL of the web has a host") {
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.to_canonical().is_loopback(),
        }
    }

    #[test]
    fn what_a_browser_sends_for_a_url_means_what_the_url_means() {
        let rows = [
            ("http://LOCALHOST:8084", "localhost:8084"),
            ("http://localhost./", "localhost."),
            ("http://127.1/", "127.0.0.1"),
            ("http://0x7f.1:8084", "127.0.0.1:8084"),
            ("http://2130706433/", "127.0.0.1"),
            ("http://[::FFFF:127.0.0.1]/", "[::ffff:7f00:1]"),
            ("http://[0:0::1]:1/", "[::1]:1"),
            ("http://%6cocalhost/", "localhost"),
            ("http://b%C3%BCcher.example", "xn--bcher-kva.example"),
            ("http://b\u{fc}cher.example:80", "xn--bcher-kva.example"),
            ("http://a_b.1a.example", "a_b.1a.example"),
            ("https://a.example:443", "a.example"),
            ("http://localhost.example", "localhost.example"),
            ("http://0/", "0.0.0.0"),
        ];
        for (typed, sent) in rows {
            let url = Url::parse(typed).expect("a URL");
            assert_eq!(&url[Position::BeforeHost..Position::AfterPort], sent, "{typed}");
            let host = Authority::parse(sent).expect(sent);
            assert_eq!(host.is_loopback(), is_loopback_by_the_standard(&url), "{typed}");
            assert!(Authority::parse_written(sent).is_ok(), "{typed}");
            let origin = Origin::parse(&url.origin().ascii_serialization()).expect(typed);
            assert!(origin.is_at(&host), "{typed}: {origin}");
        }
    }

    #[test]
    fn an_entry_without_a_port_covers_every_port() {
        let covers = |entry, other| {
            Authority::parse(entry).expect("an entry").covers(&Authority::parse(other).expect("a host"))
        };
        assert!(covers("Example.com", "example.com:8443"));
        assert!(covers("example.com:8443", "example.com:8443"));
        assert!(covers("example.com:443", "example.com") && covers("example.com:80", "example.com"));
        assert!(!covers("example.com:8443", "example.com"));
        assert!(!covers("example.com", "www.example.com"));
    }

    #[test]
    fn a_usual_port_is_the_same_as_none() {
        let rows = [
            ("a.example", "a.example:80", true),
            ("a.example:443", "a.example", true),
            ("a.example:80", "A.example.:443", true),
            ("[::1]:80", "[::1]", true),
            ("a.example:8084", "a.example", false),
            ("a.example:8084", "a.example:8084", true),
            ("a.example:0", "a.example", false),
            ("a.example:80", "b.example:80", false),
        ];
        for (one, other, want) in rows {
            let [one, other] = [one, other].map(|raw| Authority::parse(raw).expect("a host"));
            assert_eq!((one.is_same(&other), other.is_same(&one)), (want, want), "{one} {other}");
            assert!(!want || (one.covers(&other) && other.covers(&one)), "{one} {other}");
        }
    }
}
