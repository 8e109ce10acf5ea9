//! The index alone: who is woken by a mark, and that nothing is left behind.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Wake, Waker},
};

use largesse_log::Selector;

use super::*;

fn selection(selectors: &[&str]) -> Selection {
    Selection::many(selectors.iter().map(|s| Selector::parse(s).unwrap()).collect()).unwrap()
}

fn is_woken(subscription: &Subscription) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(pin!(subscription.woken()).poll(&mut context), Poll::Ready(()))
}

#[track_caller]
fn check(selectors: &[&str], stream: &str, want: bool) {
    let subscriptions = Subscriptions::new(100);
    let subscription = subscriptions.subscribe(&selection(selectors)).unwrap();
    subscriptions.mark(&StreamName::parse(stream).unwrap());
    subscriptions.check_invariants();
    assert_eq!(is_woken(&subscription), want, "{selectors:?} and a mark of {stream}");
    drop(subscription);
    subscriptions.check_invariants();
    assert_eq!(subscriptions.subscribed(), 0, "something of {selectors:?} was left behind");
}

#[test]
fn a_mark_reaches_the_readers_that_asked_for_the_stream() {
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
fn a_mark_before_the_wait_is_kept_and_many_wake_once() {
    let subscriptions = Subscriptions::new(100);
    let subscription = subscriptions.subscribe(&selection(&["a", "*", "**"])).unwrap();
    let name = StreamName::parse("a").unwrap();
    subscriptions.mark(&name);
    subscriptions.mark(&name);
    assert!(is_woken(&subscription));
    assert!(!is_woken(&subscription));
}

#[test]
fn only_the_last_reader_to_go_removes_the_branch() {
    let subscriptions = Subscriptions::new(100);
    let first = subscriptions.subscribe(&selection(&["a/*/c", "a/**"])).unwrap();
    let second = subscriptions.subscribe(&selection(&["a/*/c"])).unwrap();
    subscriptions.check_invariants();
    assert_eq!(subscriptions.subscribed(), 2);
    drop(first);
    subscriptions.check_invariants();
    assert_eq!(subscriptions.subscribed(), 1);
    subscriptions.mark(&StreamName::parse("a/b/c").unwrap());
    assert!(is_woken(&second));
    drop(second);
    subscriptions.check_invariants();
    assert_eq!(subscriptions.subscribed(), 0);
}

#[test]
fn patterns_take_no_more_nodes_than_the_limit_and_give_them_back() {
    let subscriptions = Subscriptions::new(6);
    let first = subscriptions.subscribe(&selection(&["a/*/c"])).unwrap();
    let shared = subscriptions.subscribe(&selection(&["a/*/d"])).unwrap();
    assert_eq!(subscriptions.subscribe(&selection(&["x/y/*"])).unwrap_err(), Full);
    subscriptions.subscribe(&selection(&["any", "number", "of", "names"])).unwrap();
    drop((first, shared));
    subscriptions.check_invariants();
    assert_eq!(subscriptions.subscribed(), 0);
    let all = selection(&["a/*/c", "x/y/*"]);
    assert!((0..3).all(|_| subscriptions.subscribe(&all).is_ok()), "what was given back can be taken again");
}

/// Where nobody waits, nobody wakes: even so, readers that come and go must leave nothing behind.
#[test]
fn the_dirty_list_is_bounded_by_the_subscriptions() {
    let subscriptions = Subscriptions::new(100);
    let name = StreamName::parse("a").unwrap();
    let stays = subscriptions.subscribe(&selection(&["b"])).unwrap();
    subscriptions.mark(&StreamName::parse("b").unwrap());
    for _ in 0..10 * DIRTY_UNPRUNED_MAX {
        let gone = subscriptions.subscribe(&selection(&["a"])).unwrap();
        subscriptions.mark(&name);
        drop(gone);
        assert!(subscriptions.dirty().audiences.len() <= DIRTY_UNPRUNED_MAX);
    }
    assert!(is_woken(&stays), "the one that stays was not forgotten");
}

#[test]
fn one_that_waits_wakes_the_others() {
    let subscriptions = Subscriptions::new(100);
    let readers: Vec<_> =
        (0..3 * WOKEN_AT_ONCE).map(|_| subscriptions.subscribe(&selection(&["a"]))).collect();
    let readers: Vec<_> = readers.into_iter().map(Result::unwrap).collect();
    let other = subscriptions.subscribe(&selection(&["b"])).unwrap();
    subscriptions.mark(&StreamName::parse("a").unwrap());
    assert!(!is_woken(&other), "it woke the others, and was not woken");
    let mut context = Context::from_waker(Waker::noop());
    let woken = |reader: &&Subscription| pin!(reader.waker.notified()).poll(&mut context).is_ready();
    assert_eq!(readers.iter().filter(woken).count(), readers.len());
}

/// A reader that is woken while another subscribes and the stream is marked again.
struct Busy(Arc<Subscriptions>);

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        self.0.subscribe(&selection(&["a", "*"])).unwrap();
        self.0.mark(&StreamName::parse("a").unwrap());
    }
}

/// If a lock were held during a wake, this would never end.
#[test]
fn readers_come_and_go_and_streams_are_marked_while_others_are_woken() {
    let subscriptions = Subscriptions::new(100);
    let (waits, wakes) = (selection(&["a", "*"]), selection(&["b"]));
    let (waits, wakes) = (subscriptions.subscribe(&waits).unwrap(), subscriptions.subscribe(&wakes).unwrap());
    let waker = Waker::from(Arc::new(Busy(Arc::clone(&subscriptions))));
    let mut waiting = pin!(waits.waker.notified());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    subscriptions.mark(&StreamName::parse("a").unwrap());
    assert!(!is_woken(&wakes));
    assert!(waiting.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}
