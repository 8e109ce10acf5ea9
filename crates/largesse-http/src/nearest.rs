//! Which right word a wrong one was meant to be.
//!
//! Invariant: quadratic in words of at most [`WORD_CHARS_MAX`] characters; longer ones are near nothing. Does
//! not judge whether the word was wrong.

use strsim::damerau_levenshtein as distance;

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

#[cfg(test)]
mod tests {
    use super::*;

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
