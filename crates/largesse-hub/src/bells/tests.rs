//! The index alone: who is woken by a ring, and that nothing is left behind.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use largesse_log::Selector;

use super::*;

fn selection(selectors: &[&str]) -> Selection {
    Selection::many(selectors.iter().map(|s| Selector::parse(s).unwrap()).collect()).unwrap()
}

fn is_rung(registration: &Registration) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(pin!(registration.rung()).poll(&mut context), Poll::Ready(()))
}

#[track_caller]
fn check(selectors: &[&str], stream: &str, want: bool) {
    let bells = Bells::new(100);
    let registration = bells.register(&selection(selectors)).unwrap();
    bells.ring(&StreamName::parse(stream).unwrap());
    assert_eq!(is_rung(&registration), want, "{selectors:?} and a ring for {stream}");
    drop(registration);
    assert_eq!(bells.waited_for(), 0, "something of {selectors:?} was left behind");
}

#[test]
fn a_ring_reaches_the_readers_that_asked_for_the_stream() {
    check(&["a"], "a", true);
    check(&["a", "b"], "b", true);
    check(&["a"], "b", false);
    check(&["a"], "a/b", false);
    check(&["*"], "a", true);
    check(&["*"], "a/b", false);
    check(&["prices/*"], "prices/7", true);
    check(&["prices/*"], "prices", false);
    check(&["prices/*"], "prices/7/ask", false);
    check(&["prices/**"], "prices/7/ask", true);
    check(&["prices/**"], "prices", false);
    check(&["*/7/*"], "prices/7/ask", true);
    check(&["*/7/*"], "prices/8/ask", false);
    check(&["**"], "a/b/c/d", true);
    check(&["x", "prices/*", "*/7"], "prices/7", true);
}

#[test]
fn a_ring_before_the_wait_is_kept_and_many_rings_wake_once() {
    let bells = Bells::new(100);
    let registration = bells.register(&selection(&["a", "*", "**"])).unwrap();
    let name = StreamName::parse("a").unwrap();
    bells.ring(&name);
    bells.ring(&name);
    assert!(is_rung(&registration));
    assert!(!is_rung(&registration));
}

#[test]
fn the_last_reader_to_go_takes_the_branch_with_it_and_not_before() {
    let bells = Bells::new(100);
    let first = bells.register(&selection(&["a/*/c", "a/**"])).unwrap();
    let second = bells.register(&selection(&["a/*/c"])).unwrap();
    assert_eq!(bells.waited_for(), 2);
    drop(first);
    assert_eq!(bells.waited_for(), 1);
    bells.ring(&StreamName::parse("a/b/c").unwrap());
    assert!(is_rung(&second));
    drop(second);
    assert_eq!(bells.waited_for(), 0);
}

#[test]
fn patterns_take_no_more_places_than_the_limit_and_give_them_back() {
    let bells = Bells::new(6);
    let first = bells.register(&selection(&["a/*/c"])).unwrap();
    let shared = bells.register(&selection(&["a/*/d"])).unwrap();
    assert_eq!(bells.register(&selection(&["x/y/*"])).unwrap_err(), Full);
    bells.register(&selection(&["any", "number", "of", "names"])).unwrap();
    drop((first, shared));
    assert_eq!(bells.waited_for(), 0);
    let all = selection(&["a/*/c", "x/y/*"]);
    assert!((0..3).all(|_| bells.register(&all).is_ok()), "what was given back can be taken again");
}
