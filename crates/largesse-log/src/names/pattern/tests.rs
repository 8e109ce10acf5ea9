//! Patterns: which texts are valid, and which names they match.

use proptest::prelude::*;

use super::{Pattern, PatternError, PatternSegment};
use crate::{StreamName, StreamNameError};

#[track_caller]
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let parsed = Pattern::parse(pattern).unwrap();
    assert_eq!(parsed.as_str(), pattern);
    let matches = |name: &&str| parsed.matches(&StreamName::parse(name).unwrap());
    assert_eq!(matching.iter().filter(|name| !matches(name)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(others.iter().filter(|name| matches(name)).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[track_caller]
fn check_refused(pattern: &str, want: PatternError) {
    assert_eq!(Pattern::parse(pattern), Err(want));
}

#[test]
fn a_star_is_one_segment() {
    check("*", &["a", "ä b"], &["a/b"]);
    check("prices/*", &["prices/a", "prices/prices"], &["prices", "prices/a/b", "price/a", "pricesx/a"]);
    check("*/b", &["a/b", "b/b"], &["b", "a/c", "a/b/c"]);
    check("a/*/c/*", &["a/b/c/d"], &["a/b/c", "a/b/x/d", "a/b/c/d/e"]);
}

#[test]
fn two_stars_are_the_rest() {
    check("**", &["a", "a/b", "a/b/c"], &[]);
    check("a/**", &["a/b", "a/b/c"], &["a", "b/a", "ab/c"]);
    check("*/b/**", &["a/b/c", "x/b/c/d"], &["a/b", "a/c/b"]);
    check("a/*/**", &["a/b/c", "a/b/c/d"], &["a/b", "a"]);
}

#[test]
fn a_star_stands_alone() {
    let part = |number, segment: &str| PatternError::PartOfSegment { number, segment: segment.into() };
    check_refused("a*", part(1, "a*"));
    check_refused("a/b*c/*", part(2, "b*c"));
    check_refused("***", part(1, "***"));
    check_refused("a/**b", part(2, "**b"));
}

#[test]
fn the_rest_is_last() {
    check_refused("**/a", PatternError::RestNotLast { number: 1 });
    check_refused("a/**/**", PatternError::RestNotLast { number: 2 });
}

#[test]
fn a_pattern_obeys_the_rules_of_names() {
    check_refused("a/b", PatternError::NoStar { pattern: "a/b".into() });
    check_refused("", PatternError::Name(StreamNameError::Empty));
    check_refused("*/", PatternError::Name(StreamNameError::Segment { number: 2, segment: "" }));
    check_refused("../*", PatternError::Name(StreamNameError::Segment { number: 1, segment: ".." }));
    check_refused("\t/*", PatternError::Name(StreamNameError::ControlCharacter { character: '\t', at: 0 }));
    let long = format!("{}/*", "x".repeat(511));
    check_refused(&long, PatternError::Name(StreamNameError::TooLong { bytes: 513 }));
}

#[test]
fn segments_say_what_they_are() {
    let pattern = Pattern::parse("a/*/**").unwrap();
    let segments: Vec<_> = pattern.segments().collect();
    assert_eq!(segments, [PatternSegment::Literal("a"), PatternSegment::One, PatternSegment::Rest]);
}

/// The plain definition, by trying every split.
fn matches_slowly(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (["**"], [_, ..]) => true,
        (["*", pattern @ ..], [_, name @ ..]) => matches_slowly(pattern, name),
        ([wanted, pattern @ ..], [found, name @ ..]) => wanted == found && matches_slowly(pattern, name),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_match_agrees_with_the_plain_definition(
        pattern in "(a|b|\\*)(/(a|b|\\*)){0,3}(/\\*\\*)?",
        name in "[ab](/[ab]){0,4}",
    ) {
        prop_assume!(pattern.contains('*'));
        let parsed = Pattern::parse(&pattern).unwrap();
        let found = parsed.matches(&StreamName::parse(&name).unwrap());
        let slowly = matches_slowly(
            &pattern.split('/').collect::<Vec<_>>(),
            &name.split('/').collect::<Vec<_>>(),
        );
        prop_assert_eq!(found, slowly);
        prop_assert!(!found || name.starts_with(parsed.literal_prefix()));
    }
}
