//! The address of a server, and how names stand in it.

use std::fmt;

use http::uri::{Authority, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands unencoded in a query's value. Source: RFC 3986 §2.3, "Unreserved Characters".
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for a path that keeps its segments.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A stream's name as a path.
pub(crate) fn encoded_path(name: &str) -> String {
    utf8_percent_encode(name, PATH).to_string()
}

/// A value in a query.
pub(crate) fn encoded_query(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// Where a server is: `http://host:port`, and possibly a path below which it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    authority: Authority,
    /// Without a slash at its end.
    mounted: String,
}

impl ServerUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let right = "write a URL like http://127.0.0.1:8084";
        let uri: Uri = text.parse().map_err(|_| format!("this is not a URL; {right}"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err("https is not supported here yet; use http, or curl".to_owned()),
            _ => return Err(format!("only http is supported; {right}")),
        }
        if uri.query().is_some() {
            return Err(format!("there must be no query; {right}"));
        }
        let authority = uri.authority().ok_or_else(|| format!("there is no host; {right}"))?.clone();
        if authority.as_str().contains('@') {
            return Err(format!("there must be no user in it; {right}"));
        }
        Ok(Self { authority, mounted: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The value of the `Host` header.
    pub(crate) fn host_header(&self) -> &str {
        self.authority.as_str()
    }

    /// The host's name or address, without brackets, and the port.
    pub(crate) fn endpoint(&self) -> (&str, u16) {
        let host = self.authority.host();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        (bare, self.authority.port_u16().unwrap_or(80))
    }

    /// The target of a request for a path of ours.
    pub(crate) fn target(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.mounted)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.mounted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: (&str, u16), target: &str) {
        let url = ServerUrl::parse(text).unwrap();
        assert_eq!(url.endpoint(), want);
        assert_eq!(url.target("/streams"), target);
    }

    #[test]
    fn a_url_gives_an_endpoint_and_targets() {
        check("http://127.0.0.1:1", ("127.0.0.1", 1), "/streams");
        check("http://localhost", ("localhost", 80), "/streams");
        check("http://[::1]:2/", ("::1", 2), "/streams");
        check("http://example.com:3/events/", ("example.com", 3), "/events/streams");
    }

    #[test]
    fn a_wrong_url_is_told_what_is_wrong() {
        let rows = [
            ("https://a", "https is not supported"),
            ("ftp://a", "only http"),
            ("127.0.0.1:1", "http"),
            ("/streams", "only http"),
            ("http://a/?b=c", "no query"),
            ("http://me@a/", "no user"),
            ("http://a b", "not a URL"),
            ("", "not a URL"),
        ];
        for (text, want) in rows {
            let told = ServerUrl::parse(text).unwrap_err();
            assert!(told.contains(want), "{text}: {told}");
        }
    }

    #[test]
    fn names_stand_encoded_in_paths_and_queries() {
        assert_eq!(encoded_path("team/a b/ü?#%"), "team/a%20b/%C3%BC%3F%23%25");
        assert_eq!(encoded_query("a/*&=+ü"), "a%2F%2A%26%3D%2B%C3%BC");
    }
}
