//! What the commands say: results on stdout, everything else on stderr.
//!
//! Invariant: text from elsewhere is printed without control characters, so it can't drive the terminal.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

/// Why a command did not do what it was asked; the text is for people.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Prints a line on stdout, at once.
///
/// # Errors
/// The pipe is broken, or the disk behind it is full.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Prints a line on stderr. Where that fails, there is nowhere left to say so.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// `1 event`, `2 events`: for things whose plural has an s and no more.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// `text` on one line: control characters but the tab are shown as escapes.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let drives = |char: char| char.is_control() && char != '\t';
    if !text.contains(drives) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if drives(char) { plain.extend(char.escape_default()) } else { plain.push(char) }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_text_stays() {
        let rows = [
            ("plain, grün\t\u{1f600} \\n", "plain, grün\t\u{1f600} \\n"),
            ("two\nlines", "two\\nlines"),
            ("\u{1b}[2J\u{9b}", "\\u{1b}[2J\\u{9b}"),
        ];
        for (text, want) in rows {
            assert_eq!(plain(text), want);
        }
    }
}
