//! What a request's path names, and how a stream's path is written.
//!
//! Invariant: a stream's name is percent-decoded once, from the raw path. Does not know what the verbs do with it.

use http::Uri;
use largesse_log::{Form, Selection, StreamName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::kit::{
    printable::{Printable, lossy},
    problem::Problem,
    query::escapes_are_whole,
    refusal::{Refusal, sentence},
};

/// Escapes everything except the unreserved characters of RFC 3986, clause 2.3, the slash and `*`.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// A longer `Content-Location` is omitted: proxies limit the size of heads.
const LOCATION_BYTES_MAX: usize = 4096;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/streams`: all of them, or those of the query.
    Streams,
    /// `/streams/{name}`, with the name as it came.
    Stream(String),
}

impl Resource {
    /// `None` when there is nothing at the path.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/streams")?;
        match rest.strip_prefix('/') {
            Some(name) => Some(Self::Stream(name.to_owned())),
            None => rest.is_empty().then_some(Self::Streams),
        }
    }

    /// The value of `Allow`.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Streams => "GET, HEAD, OPTIONS",
            Self::Stream(_) => "GET, HEAD, POST, PUT, DELETE, OPTIONS",
        }
    }
}

/// The name in a path.
pub(crate) fn stream_name(raw: &str) -> Result<StreamName, Refusal> {
    let bytes: Vec<u8> = percent_decode_str(raw).collect();
    if !escapes_are_whole(raw) {
        let detail =
            "The path has a % that is not followed by two hexadecimal digits. Write a literal % as %25.";
        return Err(Refusal::new(Problem::BadName, detail));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let name = lossy(&bytes);
        let detail = format!("The stream name '{}' is not UTF-8 after percent-decoding.", Printable(&name));
        return Err(Refusal::new(Problem::BadName, detail));
    };
    parse_name(text)
}

/// The name in a text that is already decoded.
pub(crate) fn parse_name(text: &str) -> Result<StreamName, Refusal> {
    StreamName::parse(text).map_err(|error| {
        let detail = format!("The stream name is '{}'. {}.", Printable(text), sentence(&error.to_string()));
        Refusal::new(Problem::BadName, detail)
    })
}

/// A refusal of a request that needs an existing stream.
pub(crate) fn no_such_stream(stream: &StreamName) -> Refusal {
    let detail = format!("There is no stream '{stream}'. Publish to it, or PUT it, to create it.");
    Refusal::new(Problem::NoSuchStream, detail).with("stream", stream.as_str())
}

/// The path before `/streams` if the door is nested in another router.
pub(crate) fn prefix<'a>(original: &'a Uri, seen: &Uri) -> &'a str {
    original.path().strip_suffix(seen.path()).unwrap_or_default()
}

/// The URL of exactly this selection, for `Content-Location`; `None` if it is too long.
pub(crate) fn location(prefix: &str, selection: &Selection) -> Option<String> {
    let location = match (selection.form(), selection.names()) {
        (Form::One, [name]) => format!("{prefix}/streams/{}", escaped(name.as_str())),
        _ => format!("{prefix}/streams?{}", names(selection)),
    };
    (location.len() <= LOCATION_BYTES_MAX).then_some(location)
}

fn names(selection: &Selection) -> String {
    let names = selection.names().iter().map(StreamName::as_str);
    let patterns = selection.patterns().iter().map(largesse_log::Pattern::as_str);
    let parts: Vec<_> = names.chain(patterns).map(|name| format!("name={}", escaped(name))).collect();
    parts.join("&")
}

fn escaped(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, want: Option<&str>) {
        let Some(Resource::Stream(raw)) = Resource::parse(path) else { panic!("{path} names no stream") };
        assert_eq!(stream_name(&raw).ok().as_ref().map(StreamName::as_str), want, "{path}");
    }

    #[test]
    fn a_name_is_the_decoded_rest_of_the_path() {
        check("/streams/a", Some("a"));
        check("/streams/team/a/chat", Some("team/a/chat"));
        check("/streams/a%2Fb", Some("a/b"));
        check("/streams/%C3%A4+b", Some("ä+b"));
        check("/streams/a%25b", Some("a%b"));
        check("/streams/a%2541", Some("a%41"));
    }

    #[test]
    fn a_name_that_breaks_the_rules_is_refused() {
        for path in [
            "", "a/", "/a", "a//b", ".", "a/../b", "%2E%2E", "a%00", "a%0A", "%FF", "%", "%4", "%zz", "a*",
            "**",
        ] {
            check(&format!("/streams/{path}"), None);
        }
        check(&format!("/streams/{}", "a".repeat(512)), Some(&"a".repeat(512)));
        check(&format!("/streams/{}", "a".repeat(513)), None);
    }

    #[test]
    fn other_paths_name_nothing() {
        assert_eq!(Resource::parse("/streams"), Some(Resource::Streams));
        for path in ["/", "", "/stream", "/streamsa", "/Streams", "//streams", "*"] {
            assert_eq!(Resource::parse(path), None, "{path}");
        }
    }
}
