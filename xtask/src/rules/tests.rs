//! The rules as tests: each against its samples, and the repository against all of them.

use super::*;

#[test]
fn every_rule_holds_on_its_good_samples_and_fails_on_its_bad_ones() {
    for rule in RULES {
        if let Err(refuted) = proof(rule) {
            panic!("{refuted}");
        }
    }
}

#[test]
fn a_rule_that_cannot_fail_is_found() {
    let never = Rule { name: "never", check: |_| Vec::new(), good: &[&[]], bad: &[&[("a", "b")]] };
    let always = Rule {
        name: "always",
        check: |tree| {
            tree.files().iter().map(|file| Violation::new(file, 1, "is there", "nothing")).collect()
        },
        good: &[&[("a", "b")]],
        bad: &[&[("a", "b")]],
    };
    let unsampled = Rule { name: "unsampled", check: |_| Vec::new(), good: &[], bad: &[] };
    for rule in [never, always, unsampled] {
        assert!(proof(&rule).is_err(), "{}", rule.name);
    }
}

#[test]
fn the_repository_keeps_its_rules() {
    if let Err(Failure(said)) = run() {
        panic!("{said}");
    }
}
