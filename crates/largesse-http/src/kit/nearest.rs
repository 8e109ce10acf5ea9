//! Which known word a misspelled one was meant to be.
//!
//! Invariant: quadratic in words of at most [`WORD_CHARS_MAX`] characters; longer ones match nothing. Does not decide
//! whether a word is wrong.

use http::{HeaderMap, HeaderName};
use strsim::{normalized_damerau_levenshtein as likeness, osa_distance};

/// Words longer than this are not typing errors of ours.
const WORD_CHARS_MAX: usize = 64;

/// How like a name's last segment must be, from 0 to 1, for the name to be near.
const LAST_LIKE: f64 = 0.6;
/// The same for a whole name: more, because a right section alone makes the whole alike.
const WHOLE_LIKE: f64 = 0.75;

/// Of `right`, the name most like `wrong`, if it is near. Case does not count. Names may have segments, with dots between them: a
/// right last segment under a wrong section counts much.
#[must_use]
pub fn nearest<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.chars().nth(WORD_CHARS_MAX).is_some() {
        return None;
    }
    let wrong = wrong.to_lowercase();
    let whole = |name: &str| likeness(&wrong, &name.to_lowercase());
    let end = |name: &str| likeness(last(&wrong), &last(name).to_lowercase());
    let score = |name: &str| whole(name) + end(name) / 2.0;
    let most = right.into_iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (end(most) >= LAST_LIKE || whole(most) >= WHOLE_LIKE).then_some(most)
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether two words are at most one slip apart: one letter more, less or other, or two in each other's place.
pub(crate) fn is_slip(one: &str, other: &str) -> bool {
    osa_distance(one, other) <= 1
}

/// The end of a sentence about an unknown word.
pub(crate) fn hint(word: &str, known: &[&str]) -> String {
    nearest(word, known.iter().copied())
        .map_or_else(|| ".".to_owned(), |right| format!("; did you mean '{right}'?"))
}

/// A header of the request that is not `ours` and was meant to be: with `x-` before it, with other separators between
/// its words, or one slip away.
pub(crate) fn header_meant<'a>(headers: &'a HeaderMap, ours: &HeaderName) -> Option<&'a HeaderName> {
    let right = letters(ours);
    headers.keys().find(|name| {
        *name != ours && name.as_str().len() <= WORD_CHARS_MAX && is_slip(&letters(name), &right)
    })
}

fn letters(name: &HeaderName) -> String {
    let name = name.as_str();
    name.strip_prefix("x-").unwrap_or(name).replace(['-', '_'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_header(name: &'static str, want: bool) {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static(name), http::HeaderValue::from_static("x"))]);
        let ours = HeaderName::from_static("idempotency-key");
        assert_eq!(header_meant(&headers, &ours).is_some(), want, "{name}");
    }

    #[test]
    fn a_header_that_was_meant_to_be_ours_is_found() {
        for name in [
            "x-idempotency-key",
            "idempotency_key",
            "idempotencykey",
            "idempotency-keys",
            "idempotency-ky",
            "idempotnecy-key",
            "dempotency-key",
        ] {
            check_header(name, true);
        }
        for name in ["idempotency-key", "x-request-id", "key", "idempotency", "last-event-id", "x-"] {
            check_header(name, false);
        }
    }

    #[track_caller]
    fn check(word: &str, want: Option<&str>) {
        assert_eq!(nearest(word, ["event", "close", "max_events", "max_bytes"]), want, "{word}");
    }

    #[test]
    fn a_typing_error_finds_its_word() {
        check("evnt", Some("event"));
        check("Event", Some("event"));
        check("closed", Some("close"));
        check("max_event", Some("max_events"));
        check("maxbytes", Some("max_bytes"));
    }

    #[test]
    fn a_word_that_is_near_nothing_finds_none() {
        check("", None);
        check("x", None);
        check("banana", None);
        check(&"e".repeat(10_000), None);
    }

    #[test]
    fn a_name_under_the_wrong_section_finds_its_own() {
        let names = ["http.heartbeat", "stream.slow", "listen"];
        assert_eq!(nearest("stream.heartbeat", names), Some("http.heartbeat"));
        assert_eq!(nearest("http.slow", names), Some("stream.slow"));
        assert_eq!(nearest("http.port", names), None);
    }
}
