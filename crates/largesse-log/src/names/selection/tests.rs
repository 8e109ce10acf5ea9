//! Selections: their content, what they match, and their fingerprints.

use super::{Form, PATTERNS_MAX, SELECTORS_MAX, Selection, SelectionError, Selector, SelectorError};
use crate::{Pattern, PatternError, StreamName, StreamNameError};

fn many(selectors: &[&str]) -> Selection {
    Selection::many(selectors.iter().map(|raw| Selector::parse(raw).unwrap()).collect()).unwrap()
}

fn name(raw: &str) -> StreamName {
    StreamName::parse(raw).unwrap()
}

#[test]
fn a_star_anywhere_makes_a_pattern() {
    assert_eq!(Selector::parse("a/b"), Ok(Selector::Name(name("a/b"))));
    assert!(matches!(Selector::parse("a/*"), Ok(Selector::Pattern(_))));
    assert!(matches!(
        Selector::parse("a*"),
        Err(SelectorError::Pattern(PatternError::PartOfSegment { number: 1, .. }))
    ));
    assert_eq!(Selector::parse(""), Err(SelectorError::Name(StreamNameError::Empty)));
}

#[test]
fn names_and_patterns_are_sorted_and_deduplicated() {
    let selection = many(&["b", "c/*", "a", "b", "a/**", "c/*"]);
    assert_eq!(selection.names(), ["a", "b"].map(name));
    let patterns: Vec<_> = selection.patterns().iter().map(ToString::to_string).collect();
    assert_eq!(patterns, ["a/**", "c/*"]);
    assert_eq!(selection.form(), Form::Many);
}

#[test]
fn a_name_or_a_pattern_selects() {
    let selection = many(&["a", "c/*"]);
    for (raw, want) in [("a", true), ("c/1", true), ("b", false), ("c", false), ("c/1/2", false)] {
        assert_eq!(selection.matches(&name(raw)), want, "{raw}");
    }
    assert!(selection.has_name(&name("a")) && !selection.has_name(&name("c/1")));
}

#[test]
fn the_number_of_selectors_is_limited() {
    assert_eq!(Selection::many(Vec::new()), Err(SelectionError::Empty));
    let selectors = |count| (0..count).map(|n| Selector::Name(name(&n.to_string()))).collect::<Vec<_>>();
    assert!(Selection::many(selectors(SELECTORS_MAX)).is_ok());
    let too_many = Selection::many(selectors(SELECTORS_MAX + 1));
    assert_eq!(too_many, Err(SelectionError::TooMany { selectors: SELECTORS_MAX + 1 }));
    let patterns = |count| {
        (0..count).map(|n| Selector::Pattern(Pattern::parse(&format!("{n}/*")).unwrap())).collect::<Vec<_>>()
    };
    assert!(Selection::many(patterns(PATTERNS_MAX)).is_ok());
    let too_many = Selection::many(patterns(PATTERNS_MAX + 1));
    assert_eq!(too_many, Err(SelectionError::TooManyPatterns { patterns: PATTERNS_MAX + 1 }));
}

#[test]
fn the_same_streams_have_the_same_fingerprint() {
    assert_eq!(Selection::one(name("a")).fingerprint(), many(&["a"]).fingerprint());
    assert_ne!(Selection::one(name("a")), many(&["a"]), "each form is told of ends differently");
    assert_eq!(many(&["a", "b"]).fingerprint(), many(&["b", "a", "b"]).fingerprint());
}

#[test]
fn different_streams_have_different_fingerprints() {
    let lists: [&[&str]; 8] =
        [&["a"], &["b"], &["a", "b"], &["ab"], &["a/b"], &["*"], &["a", "*"], &["a/*", "b"]];
    let mut fingerprints: Vec<_> = lists.iter().map(|list| many(list).fingerprint().0).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), lists.len());
}
