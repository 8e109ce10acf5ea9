//! What a file says to people, as words: the comments of Rust, the text of Markdown.
//!
//! Invariants: words are in lower case and in the file's order, each with its line; a clause's end, a blank line and
//! code between two comments are an [`END`]. What is in backquotes, in a fence or in a link's target is code, and
//! left out: a name there is not a word of ours.
//!
//! It does not know which words are good.

use super::rust::Code;
use super::tree::File;

/// The end of a clause or a paragraph.
pub(super) const END: &str = ".";

/// A piece of code in the middle of a sentence.
const CODE: &str = "`";

/// History stays as it was written.
const HISTORY: &str = "CHANGELOG.md";

/// One word, or an [`END`].
pub(super) struct Word {
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
}

/// The words of a file. None where it has no prose.
pub(super) fn words(file: &File) -> Vec<Word> {
    let mut words = Vec::new();
    if let Some(code) = file.code() {
        for (line, text) in (1..).zip(comments(&file.text, code)) {
            push_line(&mut words, line, text.trim_start_matches(['/', '!', '*', ' ']));
        }
    } else if file.name().ends_with(".md") && file.path != HISTORY {
        let mut is_fenced = false;
        for (line, text) in file.lines() {
            let is_fence = text.trim_start().starts_with("```");
            is_fenced ^= is_fence;
            push_line(&mut words, line, if is_fence || is_fenced { "" } else { text });
        }
    }
    words
}

/// For each line, its comment. Letters beyond ASCII are left out.
fn comments<'a>(text: &'a str, code: &'a Code) -> impl Iterator<Item = String> + 'a {
    text.split('\n').zip(code.with_literals.split('\n')).map(|(text, bare)| {
        let pairs = text.bytes().zip(bare.bytes());
        pairs.filter(|(byte, bare)| byte != bare || *byte == b' ').map(|(byte, _)| char::from(byte)).collect()
    })
}

fn push_line(words: &mut Vec<Word>, line: usize, text: &str) {
    let mut push = |text: &str| words.push(Word { text: text.to_lowercase(), line });
    if text.trim().is_empty() {
        return push(END);
    }
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            push(CODE);
            continue;
        }
        let mut rest = part;
        while let Some(at) = rest.find(|letter: char| !is_in_word(letter)) {
            let (word, after) = rest.split_at(at);
            if !word.is_empty() {
                push(word);
            }
            let is_target = after.starts_with('(') && part[..part.len() - after.len()].ends_with(']');
            let mark = after.chars().next().unwrap_or(' ');
            if ".,;:!?()|–".contains(mark) && !is_target {
                push(END);
            }
            let skipped =
                if is_target { after.find(')').map_or(after.len(), |end| end + 1) } else { mark.len_utf8() };
            rest = &after[skipped..];
        }
        if !rest.is_empty() {
            push(rest);
        }
    }
}

fn is_in_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '\'' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, want: &str) {
        let tree = Tree::of_sample(&[(path, text)]);
        let said: Vec<_> = words(&tree.files()[0]).into_iter().map(|word| word.text).collect();
        assert_eq!(said.join(" "), want);
    }

    #[test]
    fn comments_are_prose_and_code_and_literals_are_not() {
        check(
            "crates/a/src/a.rs",
            "//! One two,\n//! three `four`.\nlet a = \"five\"; // Six",
            "one two . three ` . six",
        );
    }

    #[test]
    fn fences_and_targets_of_links_are_not_prose() {
        check("a.md", "See [one](two/three.md) now.\n\n```sh\nfour\n```\nfive", "see one now . . . . . five");
        check("CHANGELOG.md", "One", "");
        check("a.toml", "# One", "");
    }
}
