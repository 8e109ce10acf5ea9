//! Text from elsewhere, as an error, a trace or a terminal may show it.
//!
//! Invariant: no control character but the tab, so that text from elsewhere can neither control a terminal nor begin
//! a line. Does not judge the text.

use std::{borrow::Cow, fmt};

/// Characters of a value that are shown, at most.
const SHOWN_CHARS_MAX: usize = 200;

/// `text` on one line: control characters but the tab are shown as escapes.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(breaks_line) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if breaks_line(letter) { line.extend(letter.escape_default()) } else { line.push(letter) }
    }
    Cow::Owned(line)
}

fn breaks_line(letter: char) -> bool {
    letter.is_control() && letter != '\t'
}

/// The beginning of a text, on one line: at most [`SHOWN_CHARS_MAX`] characters, and a mark where there are more.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN_CHARS_MAX) {
            None => f.write_str(&one_line(self.0)),
            Some((at, _)) => write!(f, "{}…", one_line(&self.0[..at])),
        }
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
    fn control_characters_are_escaped_and_text_stays() {
        let rows = [
            ("plain, grün\t\u{1f600} \\n", "plain, grün\t\u{1f600} \\n"),
            ("a\r\nb\u{1b}", "a\\r\\nb\\u{1b}"),
            ("\u{1b}[2J\u{9b}", "\\u{1b}[2J\\u{9b}"),
        ];
        for (text, want) in rows {
            assert_eq!(one_line(text), want);
            assert_eq!(Printable(text).to_string(), want);
        }
    }
}
