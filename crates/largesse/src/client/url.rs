//! The address of a server, and how names are encoded in it.
//!
//! Invariant: whatever is written is used or refused; no part is ignored, or read as something else. Does not resolve
//! names.

use std::fmt;

use largesse::client::Url;
use largesse::http::{Authority as WrittenHost, WrittenHostError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is not encoded in a query's value. Source: RFC 3986 §2.3, "Unreserved Characters".
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

/// What would be right.
const RIGHT: &str = "write a URL like http://127.0.0.1:8084";

/// Where a server is: `http://host:port` or `https://host:port`, with a path if the server is mounted below one.
///
/// Its path is never the path of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl(Url);

impl ServerUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        check_letters(text)?;
        let rest = after_scheme(text)?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        check_rest(rest, host)?;
        WrittenHost::parse_written(host).map_err(|error| wrong_host(error, host))?;
        check_path(path)?;
        let url = Url::parse(text).map_err(|error| format!("this is not a URL ({error}); {RIGHT}"))?;
        // One URL can be written in several ways; what is written must be what is sent.
        let is_as_written = url.path().trim_end_matches('/') == path.trim_end_matches('/');
        let strange = "this is not a URL: there is a letter in its path that must be encoded";
        refuse_first(&[(!is_as_written, strange)])?;
        Ok(Self(url))
    }

    /// The URL of one of the server's paths, with its query.
    pub(crate) fn to(&self, path_and_query: &str) -> Url {
        Url::parse(&format!("{self}{path_and_query}")).expect("a URL with an encoded path behind it is one")
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn check_letters(text: &str) -> Result<(), String> {
    let rows = [
        (text.is_empty(), "this is not a URL: it is empty"),
        (
            text.contains(|letter: char| letter.is_whitespace() || letter.is_control()),
            "this is not a URL: there is a space or a control character in it",
        ),
        (text.contains(['"', '\'']), "this is not a URL: the quotes are part of it, leave them out"),
        (text.contains('\\'), "this is not a URL: there is a backslash in it"),
    ];
    refuse_first(&rows)
}

/// What follows `http://` or `https://`.
fn after_scheme(text: &str) -> Result<&str, String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!("only http and https are supported, and its http:// is missing here; {RIGHT}"));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => Ok(rest),
        _ => Err(format!("only http and https are supported; {RIGHT}")),
    }
}

fn check_rest(rest: &str, host: &str) -> Result<(), String> {
    refuse_first(&[
        (rest.contains('?'), "there must be no query (?)"),
        (rest.contains('#'), "there must be no fragment (#)"),
        (host.contains('@'), "there must be no user in it (@)"),
        (host.is_empty() || (host.starts_with(':') && !host.starts_with("::")), "there is no host"),
        (host.ends_with(':'), "there is no port after the colon"),
    ])
}

fn wrong_host(error: WrittenHostError, host: &str) -> String {
    format!("the host is {host:?}: {error}; {RIGHT}")
}

/// A server may be mounted below a path. If that were a stream's path, every request would go to another stream below it.
fn check_path(path: &str) -> Result<(), String> {
    let segments: Vec<_> = path.split('/').map(|raw| percent_decode_str(raw).decode_utf8_lossy()).collect();
    let has = |name: &str| segments.iter().any(|segment| segment.eq_ignore_ascii_case(name));
    refuse_first(&[
        (
            has("streams"),
            "this is the URL of streams: write the server's own, without /streams; the stream's name is the argument",
        ),
        (has(".") || has(".."), "there must be no . or .. in its path"),
    ])
}

fn refuse_first(rows: &[(bool, &str)]) -> Result<(), String> {
    let wrong = rows.iter().find(|(is_wrong, _)| *is_wrong);
    wrong.map_or(Ok(()), |(_, problem)| Err(format!("{problem}; {RIGHT}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str, asked: &str) {
        let url = ServerUrl::parse(text).unwrap();
        assert_eq!((url.to_string().as_str(), url.to("/streams?a=b%2Fc").as_str()), (shown, asked));
        assert_eq!(ServerUrl::parse(shown).unwrap().to_string(), shown);
    }

    #[test]
    fn a_server_url_gives_the_urls_of_requests() {
        check("http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1/streams?a=b%2Fc");
        check("http://127.0.0.1:1/", "http://127.0.0.1:1", "http://127.0.0.1:1/streams?a=b%2Fc");
        check("http://127.0.0.1:1//", "http://127.0.0.1:1", "http://127.0.0.1:1/streams?a=b%2Fc");
        check("http://localhost", "http://localhost", "http://localhost/streams?a=b%2Fc");
        check("https://localhost", "https://localhost", "https://localhost/streams?a=b%2Fc");
        check("HTTPS://a:8443/x", "https://a:8443/x", "https://a:8443/x/streams?a=b%2Fc");
        check("http://a:443", "http://a:443", "http://a:443/streams?a=b%2Fc");
        check("https://a:443", "https://a", "https://a/streams?a=b%2Fc");
        check("http://[::1]:2/", "http://[::1]:2", "http://[::1]:2/streams?a=b%2Fc");
        check("HTTP://LocalHost:65535", "http://localhost:65535", "http://localhost:65535/streams?a=b%2Fc");
        check(
            "http://my_host.example.:1",
            "http://my_host.example.:1",
            "http://my_host.example.:1/streams?a=b%2Fc",
        );
        check("http://a:3/events/", "http://a:3/events", "http://a:3/events/streams?a=b%2Fc");
        check("http://a/%C3%BC", "http://a/%C3%BC", "http://a/%C3%BC/streams?a=b%2Fc");
    }

    #[test]
    fn an_encoded_stream_name_stays_as_it_is() {
        let url = ServerUrl::parse("http://a").unwrap();
        for name in
            ["x", "a/b", "a b", "...", ".a", "%2e", "%2e%2e", "\\", "?#", "\u{fc}", "a:b", "{}|^`'\"<>"]
        {
            let path = format!("/streams/{}", encoded_path(name));
            assert_eq!(url.to(&path).as_str(), format!("http://a{path}"), "{name}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_with_what_is_wrong() {
        let rows = [
            ("ftp://a", "only http"),
            ("unix:///run/largesse", "only http"),
            ("127.0.0.1:1", "http:// is missing"),
            ("localhost:8084", "http:// is missing"),
            ("localhost", "http:// is missing"),
            ("//localhost", "http:// is missing"),
            ("http:/localhost", "http:// is missing"),
            ("http:localhost", "http:// is missing"),
            ("/streams", "only http"),
            ("http://a/?b=c", "no query"),
            ("http://a?b=c", "no query"),
            ("http://a/?", "no query"),
            ("http://a/#b", "no fragment"),
            ("http://a#", "no fragment"),
            ("http://me@a/", "no user"),
            ("http://me:secret@a:1", "no user"),
            ("http://a b", "not a URL"),
            (" http://a", "a space"),
            ("http://a ", "a space"),
            ("http://a\n", "a control character"),
            ("http://a\t", "a space or a control character"),
            ("\"http://a\"", "quotes"),
            ("'http://a'", "quotes"),
            ("http:\\\\a", "backslash"),
            ("", "empty"),
            ("http://", "no host"),
            ("http:///streams", "no host"),
            ("http://:8084", "no host"),
            ("http://a:", "no port"),
            ("http://a:99999", "port"),
            ("http://a:65536", "port"),
            ("http://a:-1", "port"),
            ("http://a:+1", "port"),
            ("http://a:x", "port"),
            ("http://a:0", "the port is 0"),
            ("http://[::1]:0", "the port is 0"),
            ("http://[::1]:99999", "port"),
            ("http://::1", "[ ]"),
            ("http://::1:8084", "[ ]"),
            ("http://[::1", "IPv6"),
            ("http://[fe80::1%25eth0]", "IPv6"),
            ("http://8084", "ends in a number"),
            ("http://127.1", "ends in a number"),
            ("http://1.2.3.4.5", "ends in a number"),
            ("http://b\u{fc}cher", "ASCII"),
            ("http://*", "patterns"),
            ("http://a..b", "dots"),
            ("http://a,b", "name"),
            ("http://a/streams", "server's own"),
            ("http://a/streams/", "server's own"),
            ("http://a/streams/news", "server's own"),
            ("http://a//streams/news", "server's own"),
            ("http://a/events/streams/news", "server's own"),
            ("http://a/%73treams", "server's own"),
            ("http://a/x/../streams", "server's own"),
            ("http://a/..", "no . or .."),
            ("http://a/%2e%2e/b", "no . or .."),
            ("http://a/<b>", "not a URL"),
            ("http://a/\u{fc}", "not a URL"),
            ("https://", "no host"),
            ("https://a/streams", "server's own"),
            ("https://a:0", "the port is 0"),
        ];
        for (text, want) in rows {
            let told = ServerUrl::parse(text).unwrap_err();
            assert!(told.contains(want), "{text}: {told}");
        }
    }

    #[test]
    fn names_are_encoded_in_paths_and_queries() {
        assert_eq!(encoded_path("team/a b/ü?#%"), "team/a%20b/%C3%BC%3F%23%25");
        assert_eq!(encoded_query("a/*&=+ü"), "a%2F%2A%26%3D%2B%C3%BC");
    }
}
