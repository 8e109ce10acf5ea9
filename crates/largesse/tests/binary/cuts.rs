//! Connections that are cut, everywhere: nothing is missed, nothing comes twice, and the end is heard.

use crate::support::{
    page::{Cut, Page},
    server::Server,
};

/// Publishes an event to `stream` for each number.
fn publish(server: &Server, stream: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let answer = server.ask("POST", &format!("/streams/{stream}"), &number.to_string());
        assert!(answer.starts_with("HTTP/1.0 201"), "{answer}");
    }
}

fn close(server: &Server, stream: &str) {
    let answer = server.ask("POST", &format!("/streams/{stream}?close"), "");
    assert!(answer.starts_with("HTTP/1.0 201"), "{answer}");
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Cuts the first connection after each number of bytes there is.
fn check_every_cut(server: &Server, target: &str, want: &[String], ends: &[&str]) {
    let whole = server.ask("GET", target, "");
    let (_, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(body.len() > 70, "{target} is to be cut in many places: {body}");
    for cut in 0..=body.len() {
        let mut page = Page::open(server, target);
        page.connect(cut);
        assert_eq!(page.until_stopped(), 204, "{target} cut after {cut} bytes");
        assert_eq!(page.data_of(""), want, "{target} cut after {cut} bytes");
        for end in ends {
            assert!(!page.data_of(end).is_empty(), "{target} cut after {cut} bytes heard no {end}");
        }
        assert!(page.data_of("reset").is_empty(), "{target} cut after {cut} bytes lost nothing");
    }
}

#[test]
fn cut_after_any_byte_a_page_hears_each_event_once_and_the_end_and_stops_for_good() {
    let server = Server::start();
    publish(&server, "a", 0..5);
    close(&server, "a");
    check_every_cut(&server, "/streams/a", &numbers(0..5), &["end"]);
}

#[test]
fn cut_after_any_byte_a_page_of_several_streams_hears_them_all_and_their_ends() {
    let server = Server::start();
    publish(&server, "a", 0..2);
    publish(&server, "b", 2..4);
    close(&server, "a");
    publish(&server, "b", 4..5);
    close(&server, "b");
    let target = "/streams?name=a&name=b";
    check_every_cut(&server, target, &numbers(0..5), &["closed", "end"]);
}

#[test]
fn an_empty_closed_stream_is_told_and_stops() {
    let server = Server::start();
    close(&server, "a");
    check_every_cut(&server, "/streams/a", &[], &["end"]);
}

#[test]
fn cut_after_any_byte_a_page_from_now_misses_nothing_that_came_after_begin() {
    let server = Server::start();
    // In a log without a record there is nothing for a place to know, and its id is shorter.
    publish(&server, "other", 0..1);
    let mut probe = Page::open(&server, "/streams/s999?from=now");
    let begin_bytes = probe.connect_until_heard();
    assert_eq!(probe.data_of("begin"), [r#"{"stream":"s999"}"#]);
    for cut in 0..=begin_bytes {
        let stream = format!("s{cut:03}");
        let target = format!("/streams/{stream}?from=now");
        publish(&server, &stream, 0..1);
        let mut page = Page::open(&server, &target);
        assert_eq!(page.connect(cut), Cut::Here);
        publish(&server, &stream, 1..3);
        close(&server, &stream);
        assert_eq!(page.until_stopped(), 204);
        // Only the last byte of `begin` gives the page its place; before it, "now" is when it asks again.
        let want = if cut == begin_bytes { numbers(1..3) } else { Vec::new() };
        assert_eq!(page.data_of(""), want, "cut after {cut} of {begin_bytes} bytes");
    }
}

#[test]
fn a_page_cut_at_random_places_while_events_come_hears_each_once() {
    let seed = fastrand::u64(..);
    let mut places = fastrand::Rng::with_seed(seed);
    let server = Server::start();
    let mut page = Page::open(&server, "/streams?name=a/1&name=a/2");
    let reading = std::thread::spawn(move || {
        let mut cuts = 0;
        while page.connect(places.usize(0..4_000)) != Cut::ForGood(204) {
            cuts += 1;
            assert!(cuts < 10_000, "the page was never stopped; seed {seed}");
        }
        page
    });
    publish(&server, "a/1", 0..300);
    close(&server, "a/1");
    publish(&server, "a/2", 300..600);
    close(&server, "a/2");
    let page = reading.join().unwrap_or_else(|_| panic!("the page broke; seed {seed}"));
    assert_eq!(page.data_of(""), numbers(0..600), "seed {seed}");
    assert_eq!(page.data_of("closed").len(), 2, "seed {seed}");
    assert!(page.data_of("reset").is_empty(), "seed {seed}");
}
