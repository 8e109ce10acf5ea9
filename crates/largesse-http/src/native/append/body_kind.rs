//! The format of a body, by its headers.
//!
//! Invariants: a body whose headers say that it is not plain UTF-8 text is refused before it is read; so is one whose
//! type is an unsupported format of several events, or one slip away from a supported one: otherwise it would be
//! appended as one event. Does not look at the body.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::kit::{
    nearest,
    printable::{Printable, lossy},
    problem::Problem,
    refusal::Refusal,
};

/// The formats of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// One event.
    Text,
    /// One event a line.
    Lines,
    /// Blocks of an event stream, as they arrive.
    EventStream,
}

/// Names of NDJSON below `application/` or `text/`, without `x-` and hyphens. `stream+json` was Spring's name.
const LINES: &[&str] = &["ndjson", "jsonl", "jsonlines", "ldjson", "jsonstream", "stream+json"];

/// Names long enough that a word one slip away means nothing else: `json` is one slip from `jsonl`.
const LONG_NAMES: &[&str] = &["ndjson", "ldjson", "jsonlines", "eventstream"];

/// The format that the headers name.
pub(crate) fn of(headers: &HeaderMap) -> Result<BodyKind, Refusal> {
    check_encoding(headers)?;
    check_transfer_encoding(headers)?;
    let Some(value) = only(headers, header::CONTENT_TYPE)? else { return Ok(BodyKind::Text) };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    parts.try_for_each(check_charset)?;
    if essence.contains([',', ' ', '\t']) {
        let detail =
            format!("The Content-Type is '{}', which is not a single type. Send one.", Printable(&essence));
        return Err(Refusal::new(Problem::BadHeader, detail));
    }
    kind(&essence)
}

/// Source: RFC 6838, clause 4.2.8, for structured suffixes, after a plus.
fn kind(essence: &str) -> Result<BodyKind, Refusal> {
    if essence == "text/event-stream" {
        return Ok(BodyKind::EventStream);
    }
    let advise = |advice: &str| {
        refuse(format!("The Content-Type is '{}', which is not supported. {advice}", Printable(essence)))
    };
    let (form, subtype) = essence.split_once('/').unwrap_or(("application", essence));
    if form == "multipart" {
        return Err(advise(
            "Send the text itself as the body, not a form: with curl, --data-binary instead of -F.",
        ));
    }
    if !matches!(form, "application" | "text") {
        return Ok(BodyKind::Text);
    }
    let (whole, suffix) = (plain(subtype), plain(subtype.rsplit('+').next().unwrap_or_default()));
    if LINES.iter().any(|name| *name == whole || *name == suffix) {
        return Ok(BodyKind::Lines);
    }
    match suffix.as_str() {
        "jsonseq" => Err(advise(
            "Send application/x-ndjson: one JSON text on each line, without the record separators of a JSON sequence.",
        )),
        name if name.ends_with("eventstream") => Err(advise("For an event stream, send text/event-stream.")),
        name if LONG_NAMES.iter().any(|long| nearest::is_slip(name, long)) => Err(advise(
            "For one event per line send application/x-ndjson, for an event stream text/event-stream.",
        )),
        _ => Ok(BodyKind::Text),
    }
}

/// A subtype without `x-`, hyphens and underscores.
fn plain(subtype: &str) -> String {
    subtype.strip_prefix("x-").unwrap_or(subtype).replace(['-', '_'], "")
}

/// Source: RFC 9110, clause 8.4.
fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| lossy(value.as_bytes()));
    for line in lines {
        let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
        if !line.split(',').map(str::trim).all(is_plain) {
            let detail = format!(
                "The Content-Encoding is '{}'. Send the body uncompressed, without this header.",
                Printable(&line)
            );
            return Err(refuse(detail).with_header(header::ACCEPT_ENCODING, "identity"));
        }
    }
    Ok(())
}

/// hyper removes the chunked coding; any other would still be there. Source: RFC 9112, clause 6.1.
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let lines = headers.get_all(header::TRANSFER_ENCODING).iter().map(|value| lossy(value.as_bytes()));
    for line in lines {
        let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("chunked");
        if !line.split(',').map(str::trim).all(is_plain) {
            let detail =
                format!("The Transfer-Encoding is '{}'. Only chunked is supported.", Printable(&line));
            return Err(refuse(detail));
        }
    }
    Ok(())
}

fn check_charset(parameter: &str) -> Result<(), Refusal> {
    let Some((name, value)) = parameter.split_once('=') else { return Ok(()) };
    let charset = value.trim().trim_matches('"').to_ascii_lowercase();
    let is_ours = matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii");
    if !name.trim().eq_ignore_ascii_case("charset") || is_ours {
        return Ok(());
    }
    Err(refuse(format!("The charset is '{}'. Send UTF-8.", Printable(&charset))))
}

fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::as_bytes).map(lossy);
    match values.next() {
        None => Ok(first),
        Some(_) => {
            Err(Refusal::new(Problem::BadHeader, "The request has several Content-Type headers. Send one."))
        }
    }
}

fn refuse(detail: String) -> Refusal {
    Refusal::new(Problem::UnsupportedBody, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &'static str, want: Option<BodyKind>) {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
        assert_eq!(of(&headers).ok(), want, "{value}");
    }

    #[test]
    fn the_content_type_says_how_to_read() {
        check("text/event-stream", Some(BodyKind::EventStream));
        check("Text/Event-Stream;charset=\"utf-8\"", Some(BodyKind::EventStream));
        check("application/x-www-form-urlencoded", Some(BodyKind::Text));
        check("text/plain; charset=us-ascii", Some(BodyKind::Text));
        check("", Some(BodyKind::Text));
        check("nonsense", Some(BodyKind::Text));
    }

    #[test]
    fn every_usual_name_of_ndjson_is_ndjson() {
        for name in [
            "application/x-ndjson",
            "Application/NDJSON; charset=UTF-8",
            "application/nd-json",
            "application/jsonl",
            "application/x-jsonl;charset=utf-8",
            "application/jsonlines",
            "application/x-jsonlines",
            "APPLICATION/JSON-LINES",
            "application/x-json-lines",
            "application/ldjson",
            "application/x-ldjson",
            "application/x-json-stream",
            "application/stream+json",
            "application/vnd.elasticsearch+x-ndjson; compatible-with=8",
            "application/vnd.some+jsonl",
            "text/ndjson",
            "text/x-ndjson",
            "text/jsonl",
            "text/x-jsonlines",
            "ndjson",
        ] {
            check(name, Some(BodyKind::Lines));
        }
    }

    #[test]
    fn one_json_text_or_any_other_text_is_one_event() {
        for name in [
            "application/json",
            "text/json",
            "text/x-json",
            "application/json5",
            "application/ld+json",
            "application/problem+json",
            "application/vnd.api+json",
            "application/bson",
            "application/geo+json",
            "application/octet-stream",
            "image/svg+xml",
            "text/csv",
            "json",
        ] {
            check(name, Some(BodyKind::Text));
        }
    }

    /// Refused, with a hint that names what to send.
    #[track_caller]
    fn check_advised(value: &'static str, want: &str) {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
        let refusal = format!("{:?}", of(&headers));
        assert!(refusal.contains("UnsupportedBody") && refusal.contains(want), "{value}: {refusal}");
    }

    #[test]
    fn other_forms_of_several_events_and_slips_are_refused_with_what_to_send() {
        check_advised("application/json-seq", "application/x-ndjson");
        check_advised("application/geo+json-seq; charset=utf-8", "application/x-ndjson");
        check_advised("application/x-json-seq", "application/x-ndjson");
        check_advised("text/eventstream", "text/event-stream");
        check_advised("text/x-event-stream", "text/event-stream");
        check_advised("application/event-stream", "text/event-stream");
        check_advised("application/vnd.amazon.eventstream", "text/event-stream");
        check_advised("text/event-streem", "text/event-stream");
        check_advised("application/x-njson", "application/x-ndjson");
        check_advised("application/x-ndjsn", "application/x-ndjson");
        check_advised("application/jsonline", "application/x-ndjson");
    }

    #[test]
    fn what_is_not_plain_text_by_its_own_word_is_refused() {
        check("multipart/form-data; boundary=x", None);
        check("text/plain; charset=iso-8859-1", None);
        check("text/plain;charset = utf-16", None);
        check("text/event-stream; x=y; charset=latin1", None);
    }

    #[test]
    fn a_type_that_is_two_is_refused() {
        check("application/x-ndjson, application/json", None);
        check("application/x-ndjson charset=utf-8", None);
    }
}
