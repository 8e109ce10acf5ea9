//! Rust text as tokens of three kinds: comment, literal, plain.
//!
//! Invariant: the tokens, joined, are the text. Every token has at least one byte, so reading ends.
//!
//! Numbers are plain: no rule looks into them. The prefix of a string that is not raw (`b`, `c`) is plain too.

use super::is_word;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    /// A string or a character, with its quotes.
    Literal,
    Plain,
}

/// The tokens of a text, in order.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (Kind, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (kind, bytes) = token(rest, first);
        let (token, after) = rest.split_at(bytes);
        rest = after;
        Some((kind, token))
    })
}

/// The kind and the length of the token a text begins with.
fn token(text: &str, first: char) -> (Kind, usize) {
    match first {
        '/' if text.starts_with("//") => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        '/' if text.starts_with("/*") => (Kind::Comment, block_comment(text)),
        '"' => (Kind::Literal, quoted(text, '"')),
        '\'' if is_char(text) => (Kind::Literal, quoted(text, '\'')),
        _ if is_word(first) => match raw_string(text) {
            Some(bytes) => (Kind::Literal, bytes),
            None => (Kind::Plain, text.find(|letter| !is_word(letter)).unwrap_or(text.len())),
        },
        _ => (Kind::Plain, first.len_utf8()),
    }
}

/// Block comments nest. The text begins with one, so the depth is at least 1 until it ends.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = text[at..].find(['/', '*']) {
        at += found;
        let (mark_bytes, now) = match text[at..].get(..2) {
            Some("/*") => (2, depth + 1),
            Some("*/") => (2, depth - 1),
            _ => (1, depth),
        };
        at += mark_bytes;
        depth = now;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// To the next quote that no backslash precedes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + letter.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A quote begins a character literal if one follows it after one character, or a backslash does; else a lifetime.
fn is_char(text: &str) -> bool {
    let mut letters = text.chars().skip(1);
    match letters.next() {
        Some('\\') => true,
        Some(_) => letters.next() == Some('\''),
        None => false,
    }
}

/// The length of the raw string a text begins with, if there is one.
fn raw_string(text: &str) -> Option<usize> {
    let hashes_on = ["r", "br", "cr"].iter().find_map(|prefix| {
        text.strip_prefix(prefix).filter(|rest| rest.starts_with(['#', '"'])).map(|rest| (prefix.len(), rest))
    });
    let (prefix, rest) = hashes_on?;
    let inside = rest.trim_start_matches('#');
    let hashes = rest.len() - inside.len();
    let body = inside.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let body_end = body.find(&closing).map_or(body.len(), |at| at + closing.len());
    Some(prefix + hashes + 1 + body_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(Kind, &str)]) {
        let found: Vec<_> = tokens(text).filter(|(kind, _)| *kind != Kind::Plain).collect();
        assert_eq!(found, want);
        assert_eq!(tokens(text).map(|(_, token)| token).collect::<String>(), text);
    }

    #[test]
    fn strings_of_every_kind_are_literals() {
        check(r#"a"b\"c"d"#, &[(Kind::Literal, r#""b\"c""#)]);
        check("r##\"a\"#b\"##c", &[(Kind::Literal, "r##\"a\"#b\"##")]);
        check("br\"\\\"c", &[(Kind::Literal, "br\"\\\"")]);
        check("b\"a\"", &[(Kind::Literal, "\"a\"")]);
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        check(
            "&'a str, 'b', '\\n', '\\'', ('x'..='y')",
            &[
                (Kind::Literal, "'b'"),
                (Kind::Literal, "'\\n'"),
                (Kind::Literal, "'\\''"),
                (Kind::Literal, "'x'"),
                (Kind::Literal, "'y'"),
            ],
        );
    }

    #[test]
    fn raw_identifiers_are_plain() {
        check("r#type = for\"a\"", &[(Kind::Literal, "\"a\"")]);
    }

    #[test]
    fn comments_nest_and_hide_quotes() {
        check("/* \" /* */ ' */ // \"\na", &[(Kind::Comment, "/* \" /* */ ' */"), (Kind::Comment, "// \"")]);
        check("/*/ */ a", &[(Kind::Comment, "/*/ */")]);
    }

    #[test]
    fn an_unclosed_token_runs_to_the_end() {
        for text in ["\"a", "/* a", "r#\"a\"", "'\\", "'", "r#", "é'é"] {
            assert_eq!(tokens(text).map(|(_, token)| token).collect::<String>(), text);
        }
    }
}
