//! A value of the caller's as an error or a trace may show it.
//!
//! Invariant: at most [`SHOWN_CHARS_MAX`] characters and one mark, and no control character. Does not judge.

use std::fmt;

/// How much of a value is shown, in characters.
const SHOWN_CHARS_MAX: usize = 200;

/// Shows the beginning of a text.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        for letter in letters.by_ref().take(SHOWN_CHARS_MAX) {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?
            } else {
                write!(f, "{letter}")?
            }
        }
        if letters.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// Bytes that may not be UTF-8, as text.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_at_a_character() {
        assert_eq!(Printable(&"ä".repeat(200)).to_string(), "ä".repeat(200));
        assert_eq!(Printable(&"ä".repeat(201)).to_string(), format!("{}…", "ä".repeat(200)));
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(Printable("a\r\nb\u{1b}").to_string(), "a\\r\\nb\\u{1b}");
    }
}
