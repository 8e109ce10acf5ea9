//! Rule: turns of phrase that a native reader stumbles over, in comments and in the documentation.
//!
//! Each pattern is one that was common here and is rarely good English: word order of another language, in English
//! words. Where a sentence is right all the same, another one says the same thing.
//!
//! It does not know grammar: a pattern is a row of words.

use super::prose::{self, END, Word};
use super::tree::{File, Tree};
use super::{Rule, Violation, ratchet};

/// One turn of phrase.
struct Pattern {
    /// Alternatives are parted by `|`; a leading `!` stands for any other word; `.` is a clause's end.
    words: &'static [&'static str],
    instead: &'static str,
}

const PATTERNS: &[Pattern] = &[
    Pattern {
        words: &["so", "many|much|often|little|few", "!that|as|."],
        instead: "say `this many`, or name the number: `at most N`",
    },
    Pattern {
        words: &["as|than|there|it", "may", "be", "."],
        instead: "name the limit: `at most`, `too large`",
    },
    Pattern { words: &["of", "no", "use"], instead: "say what it is for, or that it is unused" },
    Pattern { words: &["of", "no", "more", "use"], instead: "say what it is for, or that it is unused" },
    Pattern { words: &["but", "for"], instead: "`except`, `except for`" },
    Pattern {
        words: &["stand|stands|stood", "in|on|at|behind|beside|before|there|here|under"],
        instead: "`is in`, `comes after`; bytes and words don't stand",
    },
    Pattern {
        words: &["lie|lies|lay", "in|on|at|behind|beside|before|there|between"],
        instead: "`is in`, `is before`; bytes don't lie",
    },
    Pattern { words: &["for", "ever"], instead: "`forever`" },
    Pattern {
        words: &[
            "!there|has|have",
            "is|are|was|were",
            "no",
            "!longer|more|less|fewer|way|different|other|better|worse|.",
        ],
        instead: "`is not a`, `isn't`",
    },
    Pattern {
        words: &[END, "also", "where|when|if|of|in|to|with|by|after|before"],
        instead: "`even where`, or `too` at the end",
    },
    Pattern {
        words: &["for|to|by|from|than", "who"],
        instead: "`for those who`, or name them: readers, callers",
    },
    Pattern { words: &["that|what", "is|was", "has"], instead: "say who has it" },
    Pattern { words: &["as", "is", "safe"], instead: "`written and durable`" },
    Pattern { words: &["in", "the", "place", "of"], instead: "`instead of`, `replaces`" },
];

/// Folders whose sentences are still to be rewritten, and how many breaches they may have. Numbers only go down.
const LEFT: &[(&str, usize)] = &[
    ("crates/largesse-http/", 34),
    ("crates/largesse-log/", 29),
    ("crates/largesse/src/client/", 4),
    ("crates/largesse/src/config/", 7),
    ("crates/largesse/src/tail/", 2),
    ("docs/configuration.md", 4),
    ("docs/http.md", 15),
];

pub(super) const RULE: Rule = Rule { name: "sentences", check, good: GOOD, bad: BAD };

fn check(tree: &Tree) -> Vec<Violation> {
    ratchet::over(tree.files().iter().flat_map(breaches).collect(), LEFT)
}

fn breaches(file: &File) -> Vec<Violation> {
    let words = prose::words(file);
    let begins = (0..words.len()).flat_map(|at| PATTERNS.iter().map(move |pattern| (at, pattern)));
    let found = begins.filter(|(at, pattern)| is_met(pattern, &words[*at..]));
    let breach = |(at, pattern): (usize, &Pattern)| {
        let met: Vec<_> = words[at..at + pattern.words.len()].iter().map(|word| word.text.as_str()).collect();
        Violation::new(
            file,
            words[at].line,
            format!("\"{}\" is not how a native speaker says it", met.join(" ")),
            pattern.instead,
        )
    };
    found.map(breach).collect()
}

fn is_met(pattern: &Pattern, words: &[Word]) -> bool {
    pattern.words.len() <= words.len()
        && pattern.words.iter().zip(words).all(|(wanted, word)| matches(wanted, &word.text))
}

fn matches(wanted: &str, word: &str) -> bool {
    match wanted.strip_prefix('!') {
        Some(others) => others.split('|').all(|other| other != word),
        None => wanted.split('|').any(|one| one == word),
    }
}

const GOOD: &[&[(&str, &str)]] = &[
    &[(
        "crates/a/src/lib.rs",
        "//! So many that it is full. There is no room.\n//! It is no longer there.\n",
    )],
    &[("crates/a/src/lib.rs", "const TEXT: &str = \"of no use, for ever\";\n// `of no use`\n")],
    &[("crates/a/src/lib.rs", "// This is of no\n\n// use.\n")],
    &[("docs/a.md", "It may be late, and also in order.\n\n```sh\n# of no use\n```\n")],
    &[("CHANGELOG.md", "It stands in the file.\n")],
];

const BAD: &[&[(&str, &str)]] = &[
    &[("crates/a/src/lib.rs", "/// So much is\n/// kept at most.\n")],
    &[("crates/a/src/lib.rs", "/// There are as many as there may be.\n")],
    &[("crates/a/src/lib.rs", "let a = 1; // of no use\n")],
    &[("crates/a/src/lib.rs", "// It is of no\n// more use.\n")],
    &[("docs/a.md", "All but for the last.\n")],
    &[("docs/a.md", "| a | what stands in it |\n")],
    &[("docs/a.md", "What lies behind.\n")],
    &[("docs/a.md", "It waits for ever.\n")],
    &[("docs/a.md", "This is no id.\n")],
    &[("docs/a.md", "It is read, also where it is late.\n")],
    &[("docs/a.md", "It is for who reads.\n")],
    &[("crates/a/src/lib.rs", "/// The segment that is has.\n")],
    &[("crates/a/src/lib.rs", "/// As much as is safe.\n")],
    &[("crates/a/src/lib.rs", "/// One in the place of the other.\n")],
];
