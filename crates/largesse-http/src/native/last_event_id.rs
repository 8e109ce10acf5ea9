//! The last event id of a request.
//!
//! Invariant: to a read of an event stream nothing here is ever an HTTP error. A stock `EventSource` would stop for
//! good, so garbage is presented and found unknown (`reset`). Does not know what an id means: the hub does.

use http::{HeaderMap, HeaderName};
use largesse_hub::Presented;

use crate::kit::{nearest, printable::lossy, problem::Problem, query::Query, refusal::Refusal};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The spellings that polyfills use, in the order in which they count.
const PARAMETERS: &[&str] = &["last_event_id", "lastEventId", "lastEventID"];

/// The header, or else the query. Empty is how browsers say "none" (WHATWG HTML, "The `Last-Event-ID`
/// header"). A parameter given twice is one that a polyfill added again: the last counts.
pub(crate) fn presented(headers: &HeaderMap, query: &Query) -> Option<Presented> {
    let of_header = headers.get(LAST_EVENT_ID).map(|value| lossy(value.as_bytes()));
    let of_header = of_header.as_deref().and_then(Presented::parse);
    let of_query = || PARAMETERS.iter().find_map(|name| Presented::parse(query.last_lossy(name)?));
    of_header.or_else(of_query)
}

/// Refuses a misspelled header: its reader would silently start over. No browser sends one.
pub(crate) fn refuse_slip(headers: &HeaderMap) -> Result<(), Refusal> {
    let slip = nearest::header_meant(headers, &LAST_EVENT_ID);
    // Next to the right header it is a copy that a proxy made.
    let Some(name) = slip.filter(|_| !headers.contains_key(LAST_EVENT_ID)) else { return Ok(()) };
    let detail = format!("There is a header '{name}'; did you mean Last-Event-ID?");
    Err(Refusal::new(Problem::BadHeader, detail))
}

/// Refuses the header on a JSON page, which would not start where the caller expects.
pub(crate) fn refuse_header(headers: &HeaderMap) -> Result<(), Refusal> {
    refuse_slip(headers)?;
    if headers.get(LAST_EVENT_ID).is_none_or(|value| value.is_empty()) {
        return Ok(());
    }
    let detail = "The header Last-Event-ID does not apply to a JSON page. Use ?after= with the same id, or \
             'Accept: text/event-stream'.";
    Err(Refusal::new(Problem::BadHeader, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: Option<&[u8]>, query: &str, want: Option<&str>) {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(LAST_EVENT_ID, http::HeaderValue::from_bytes(value).expect("a header value"));
        }
        let presented = presented(&headers, &Query::parse(query));
        assert_eq!(presented.as_ref().map(Presented::text), want, "{header:?} {query}");
    }

    #[test]
    fn the_header_counts_before_the_query_and_empty_is_none() {
        check(None, "", None);
        check(Some(b""), "", None);
        check(Some(b""), "last_event_id=", None);
        check(Some(b"a"), "last_event_id=b", Some("a"));
        check(Some(b""), "last_event_id=b", Some("b"));
        check(None, "lastEventID=d&lastEventId=c&last_event_id=b", Some("b"));
        check(None, "lastEventID=d&lastEventId=c&last_event_id=", Some("c"));
        check(None, "lastEventID=d", Some("d"));
    }

    #[test]
    fn garbage_is_presented_and_never_refused() {
        check(Some(b"\xff\xfe"), "", Some("\u{fffd}\u{fffd}"));
        check(None, "last_event_id=%FF", Some("\u{fffd}"));
        check(None, "last_event_id=%", Some("%"));
        check(None, "last_event_id=a&last_event_id=b", Some("b"));
    }
}
