//! Content negotiation of a read: an event stream or JSON.
//!
//! Invariant: JSON only where `Accept` names `application/json` and not `text/event-stream`. Many readers send `*/*`
//! or nothing and want the event stream. Ignores quality values, except `q=0`, which means "not this".

use http::{HeaderMap, header};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    EventStream,
    Json,
}

/// Source: RFC 9110, clause 12.5.1.
pub(crate) fn media(headers: &HeaderMap) -> Media {
    let accepts = |wanted: &str| {
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|range| names(range, wanted))
    };
    if accepts("application/json") && !accepts("text/event-stream") {
        Media::Json
    } else {
        Media::EventStream
    }
}

fn names(range: &str, wanted: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let is_wanted = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(wanted));
    is_wanted && !parts.any(is_zero_quality)
}

fn is_zero_quality(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let is_zero = value.starts_with('0') && value.bytes().skip(1).all(|b| matches!(b, b'0' | b'.'));
    name.eq_ignore_ascii_case("q") && is_zero
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &[&'static str], want: Media) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, http::HeaderValue::from_static(value));
        }
        assert_eq!(media(&headers), want, "{accept:?}");
    }

    #[test]
    fn json_is_only_for_who_names_it_alone() {
        check(&["application/json"], Media::Json);
        check(&["text/html, Application/JSON;q=0.5, */*"], Media::Json);
        check(&["application/json; charset=utf-8"], Media::Json);
        check(&["application/json, text/event-stream;q=0"], Media::Json);
    }

    #[test]
    fn everyone_else_gets_the_event_stream() {
        check(&[], Media::EventStream);
        check(&["*/*"], Media::EventStream);
        check(&["text/html"], Media::EventStream);
        check(&["application/*"], Media::EventStream);
        check(&["application/json", "text/event-stream"], Media::EventStream);
        check(&["text/event-stream;q=0.1, application/json"], Media::EventStream);
        check(&["application/json;q=0"], Media::EventStream);
        check(&["application/json;q=0.000"], Media::EventStream);
        check(&["application/jsonl"], Media::EventStream);
    }
}
