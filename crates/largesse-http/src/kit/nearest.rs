//! Which right word a wrong one was meant to be.
//!
//! Invariant: quadratic in words of at most [`WORD_CHARS_MAX`] characters; longer ones are near nothing. Does
//! not judge whether the word was wrong.

use http::{HeaderMap, HeaderName};
use strsim::{damerau_levenshtein as distance, osa_distance as slips};

/// Words longer than this are no typing errors of ours.
const WORD_CHARS_MAX: usize = 32;

/// The known word nearest to `word`, if one is near: at most a third of it wrong, and at most three letters.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = word.chars().count();
    if letters > WORD_CHARS_MAX {
        return None;
    }
    let steps_max = (letters / 3).clamp(1, 3);
    let steps = known.iter().map(|right| (distance(&word.to_lowercase(), right), *right));
    steps.filter(|(steps, _)| *steps <= steps_max).min().map(|(_, right)| right)
}

/// The end of a sentence about a wrong word.
pub(crate) fn hint(word: &str, known: &[&str]) -> String {
    nearest(word, known).map_or_else(|| ".".to_owned(), |right| format!("; did you mean '{right}'?"))
}

/// A header of the request that is not `ours` and was meant to be: with `x-` before it, with other signs between its
/// words, or one slip away.
pub(crate) fn header_meant<'a>(headers: &'a HeaderMap, ours: &HeaderName) -> Option<&'a HeaderName> {
    let right = letters(ours);
    headers.keys().find(|name| {
        *name != ours && name.as_str().len() <= WORD_CHARS_MAX && slips(&letters(name), &right) <= 1
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
        assert_eq!(nearest(word, &["event", "close", "max_events", "max_bytes"]), want, "{word}");
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
}
