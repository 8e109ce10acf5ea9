//! A host as an operator writes it, in an allow-list or in the URL of a server.
//!
//! Invariant: what is accepted can be the host of a request. A `Host` header is parsed more leniently
//! (`authority.rs`): an odd one just is not on the allow-list, whereas an entry that can never match would be ignored
//! silently. Does not resolve names.

use std::net::Ipv6Addr;

use super::{Authority, AuthorityError, HostName};

/// The longest label of a name, in bytes. Source: RFC 1035, clause 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// Why a written text is not a host that a request could name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenHostError {
    /// It is not a host and port at all.
    #[error(transparent)]
    Malformed(#[from] AuthorityError),
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// There is white space or a control character in it.
    #[error("it contains a space or a control character")]
    Space,
    /// There are quotes in it.
    #[error("the quotes are part of it: leave them out")]
    Quotes,
    /// There is a user before the host.
    #[error("it contains a user name: leave out everything up to @")]
    User,
    /// There is more behind the host.
    #[error("something follows the host: leave out the path, and any trailing slash")]
    Path,
    /// It is a pattern for several hosts.
    #[error("no patterns are supported here: list each host")]
    Pattern,
    /// It is an internationalised name; requests have it in ASCII.
    #[error("browsers send the name in ASCII: write the form that begins with xn--")]
    NotAscii,
    /// It is an IPv6 address without brackets.
    #[error("an IPv6 address must be in [ ], such as [2001:db8::1]")]
    NoBrackets,
    /// It ends in a number but is not an address. Source: WHATWG URL, clause 3.5, "ends in a number checker".
    #[error("it ends in a number but is not an IPv4 address, which has four numbers from 0 to 255")]
    Number,
    /// A part between two dots is empty or too long.
    #[error("between the dots of a name there must be 1 to 63 characters")]
    Label,
    /// The port is 0.
    #[error("the port is 0, which nobody can connect to")]
    PortZero,
}

impl Authority {
    /// Checks a text that an operator wrote, such as `events.example` or `[::1]:8084`.
    ///
    /// # Errors
    /// [`WrittenHostError`], for the first thing that is wrong.
    pub fn parse_written(raw: &str) -> Result<Self, WrittenHostError> {
        check_letters(raw)?;
        let parsed = Self::parse(raw)?;
        if let HostName::Name(name) = &parsed.host {
            check_name(name)?;
        }
        if parsed.port == Some(0) { Err(WrittenHostError::PortZero) } else { Ok(parsed) }
    }
}

fn check_letters(raw: &str) -> Result<(), WrittenHostError> {
    use WrittenHostError as E;
    let is_bare_ipv6 =
        || raw.parse::<Ipv6Addr>().is_ok() || (raw.matches(':').count() > 1 && !raw.contains('['));
    let rows = [
        (raw.is_empty(), E::Empty),
        (raw.contains(|letter: char| letter.is_whitespace() || letter.is_control()), E::Space),
        (raw.contains(['"', '\'']), E::Quotes),
        (raw.contains("://"), E::Malformed(AuthorityError::Scheme)),
        (raw.contains('@'), E::User),
        (raw.contains(['/', '\\', '?', '#']), E::Path),
        (raw.contains('*') || raw.starts_with('.'), E::Pattern),
        (!raw.is_ascii(), E::NotAscii),
        (is_bare_ipv6(), E::NoBrackets),
    ];
    rows.into_iter().find(|(is_wrong, _)| *is_wrong).map_or(Ok(()), |(_, error)| Err(error))
}

fn check_name(name: &str) -> Result<(), WrittenHostError> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(is_hexadecimal) {
        return Err(WrittenHostError::Number);
    }
    let is_sized = |label: &str| (1..=LABEL_BYTES_MAX).contains(&label.len());
    if name.split('.').all(is_sized) { Ok(()) } else { Err(WrittenHostError::Label) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_can_name_passes() {
        for raw in [
            "localhost",
            "events.example",
            "Events.Example",
            "events.example.",
            "events.example:8443",
            "a-b_c.d",
            "192.0.2.1",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[::1]:8084",
            "xn--bcher-kva.example",
            "a1.b2",
            "1a.example",
            "0x1g",
        ] {
            let found = Authority::parse_written(raw);
            assert!(found.is_ok(), "{raw}: {found:?}");
        }
    }

    #[test]
    fn what_no_request_can_name_is_told() {
        use AuthorityError as A;
        use WrittenHostError as E;
        let long = "a".repeat(64) + ".example";
        for (raw, want) in [
            ("", E::Empty),
            (" a", E::Space),
            ("a ", E::Space),
            ("a b", E::Space),
            ("a\n", E::Space),
            ("\"a\"", E::Quotes),
            ("'a'", E::Quotes),
            ("http://a", E::Malformed(A::Scheme)),
            ("https://a:1/b", E::Malformed(A::Scheme)),
            ("me@a", E::User),
            ("a/", E::Path),
            ("a/b", E::Path),
            ("10.0.0.0/8", E::Path),
            ("//a", E::Path),
            ("a?b", E::Path),
            ("a#b", E::Path),
            ("a\\b", E::Path),
            ("*", E::Pattern),
            ("*.example", E::Pattern),
            ("a.*", E::Pattern),
            (".example", E::Pattern),
            ("bücher.example", E::NotAscii),
            ("::1", E::NoBrackets),
            ("2001:db8::1", E::NoBrackets),
            ("::1:8084", E::NoBrackets),
            ("a:99999", E::Malformed(A::Port)),
            ("a:65536", E::Malformed(A::Port)),
            ("a:-1", E::Malformed(A::Port)),
            ("a:http", E::Malformed(A::Port)),
            ("a:0", E::PortZero),
            ("[::1]:0", E::PortZero),
            ("8084", E::Number),
            ("127.1", E::Number),
            ("1.2.3.4.5", E::Number),
            ("192.0.2.256", E::Number),
            ("192.0.2.01", E::Number),
            ("0x7f.0.0.0x1", E::Number),
            ("a..b", E::Label),
            (long.as_str(), E::Label),
            (":80", E::Malformed(A::Host)),
            ("[::1", E::Malformed(A::Host)),
            ("[a]", E::Malformed(A::Host)),
            ("a,b", E::Malformed(A::Host)),
            ("a;b", E::Malformed(A::Host)),
        ] {
            assert_eq!(Authority::parse_written(raw), Err(want), "{raw}");
        }
    }
}
