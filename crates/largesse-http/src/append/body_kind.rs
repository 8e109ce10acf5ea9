//! How a body is to be read, by its headers.
//!
//! Invariant: a body that is not plain UTF-8 text by its own word is refused before it is read. Does not look
//! at the body.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Problem, refusal::Refusal, shown::Shown, shown::lossy};

/// The ways of reading a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// One event.
    Text,
    /// One event a line.
    Lines,
    /// Blocks of an event stream, as they arrive.
    EventStream,
}

pub(super) fn of(headers: &HeaderMap) -> Result<BodyKind, Refusal> {
    check_encoding(headers)?;
    let Some(value) = only(headers, header::CONTENT_TYPE)? else { return Ok(BodyKind::Text) };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    parts.try_for_each(check_charset)?;
    match essence.as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(BodyKind::Lines),
        "text/event-stream" => Ok(BodyKind::EventStream),
        form if form.starts_with("multipart/") => Err(refuse(format!(
            "The Content-Type is '{}'. Send the text itself as the body, not a form: with curl, -d or --data-binary \
             instead of -F.",
            Shown(form)
        ))),
        _ => Ok(BodyKind::Text),
    }
}

/// Source: RFC 9110, clause 8.4.
fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| lossy(value.as_bytes()));
    for line in lines {
        let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
        if !line.split(',').map(str::trim).all(is_plain) {
            let detail = format!("The Content-Encoding is '{}'. Send the body as it is.", Shown(&line));
            return Err(refuse(detail).with_header(header::ACCEPT_ENCODING, "identity"));
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
    Err(refuse(format!("The charset is '{}'. Send UTF-8.", Shown(&charset))))
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
        check("application/x-ndjson", Some(BodyKind::Lines));
        check("Application/NDJSON; charset=UTF-8", Some(BodyKind::Lines));
        check("application/jsonl", Some(BodyKind::Lines));
        check("text/event-stream;charset=\"utf-8\"", Some(BodyKind::EventStream));
        check("application/x-www-form-urlencoded", Some(BodyKind::Text));
        check("application/json", Some(BodyKind::Text));
        check("text/plain; charset=us-ascii", Some(BodyKind::Text));
        check("", Some(BodyKind::Text));
        check("nonsense", Some(BodyKind::Text));
    }

    #[test]
    fn what_is_not_plain_text_by_its_own_word_is_refused() {
        check("multipart/form-data; boundary=x", None);
        check("text/plain; charset=iso-8859-1", None);
        check("text/plain;charset = utf-16", None);
        check("text/event-stream; x=y; charset=latin1", None);
    }
}
