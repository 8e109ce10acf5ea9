//! The client shuts down its half of the connection: a publisher still gets its answer, a reader counts as
//! disconnected.

use crate::support::{Server, Wire, chunk, request, soon};
use largesse_log::Engine as _;

/// Sends one request and the FIN in one go; expects a complete answer, and then the end.
#[track_caller]
fn check<'a>(server: &'a Server, request: &'a [u8], want: u16) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let mut wire = server.connect().await;
        wire.send(request).await;
        wire.end().await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, want, "{place}: {answer:?}");
        assert!(wire.closed().await.is_empty(), "{place}: something follows");
    }
}

async fn no_reader_is_left(server: &Server) {
    let gone = async {
        while server.hub.readers() > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
}

/// Which is first, the request's processing or the FIN, is up to the scheduler: this many times, on two threads.
const TIMES: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_ends_its_side_is_answered_always() {
    let server = Server::start().await;
    for number in 1..=TIMES {
        check(&server, &request("POST /streams/a", "", b"z"), 201).await;
        assert_eq!(server.engine.tail().0, number as u64);
    }
    assert_eq!(server.data("a").await.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_of_a_long_body_that_ends_its_side_is_answered_always() {
    let server = Server::start().await;
    let long = request("POST /streams/a", "", "x".repeat(900_000).as_bytes());
    for _ in 0..TIMES {
        let before = server.engine.tail();
        check(&server, &long, 201).await;
        assert!(server.engine.tail() > before);
    }
}

#[tokio::test]
async fn every_request_but_a_read_is_answered_after_the_end() {
    let server = Server::start().await;
    let head = "POST /streams/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n";
    let text = format!("{head}\r\n{}{}", chunk("hel"), chunk("lo") + "0\r\n\r\n");
    check(&server, text.as_bytes(), 201).await;
    let blocks =
        format!("{head}Content-Type: text/event-stream\r\n\r\n{}0\r\n\r\n", chunk("data: b\n\ndata: c\n\n"));
    check(&server, blocks.as_bytes(), 201).await;
    assert_eq!(server.data("a").await, ["hello", "b", "c"]);
    check(&server, &request("PUT /streams/a", "", b"{}"), 200).await;
    check(&server, &request("POST /streams/a?close=maybe", "", b"x"), 400).await;
    server.publish("long", &"x".repeat(1024 * 1024)).await;
    check(&server, &request("GET /streams/long", "Accept: application/json\r\n", b""), 200).await;
    check(&server, &request("DELETE /streams/a", "", b""), 204).await;
}

#[tokio::test]
async fn requests_sent_together_before_the_end_are_all_answered() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.send(request("POST /streams/a", "", b"z").repeat(20)).await;
    wire.end().await;
    for _ in 0..20 {
        assert_eq!(wire.answer().await.status, 201);
    }
    assert!(wire.closed().await.is_empty());
}

#[tokio::test]
async fn a_body_that_the_end_cuts_off_appends_nothing() {
    let server = Server::start().await;
    for headers in ["", "Content-Type: text/event-stream\r\n"] {
        let before = server.state().await;
        let mut wire = server.connect().await;
        let head =
            format!("POST /streams/a HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: 99\r\n\r\n");
        wire.send(head + "data: a\n").await;
        wire.end().await;
        wire.closed().await;
        assert_eq!(server.state().await, before, "{headers}");
    }
}

#[tokio::test]
async fn a_reader_that_ends_its_side_has_gone() {
    let server = Server::start().await;
    server.publish("a", "x").await;
    // One that waits for events, one that was not answered yet, and one of JSON blocks.
    let mut waiting = server.read("/streams/a", "").await;
    waiting.end().await;
    waiting.closed().await;
    let mut at_once = server.connect().await;
    at_once.send(request("GET /streams/a?format=json", "", b"")).await;
    at_once.end().await;
    at_once.closed().await;
    no_reader_is_left(&server).await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_and_ends_its_side_has_gone() {
    let server = Server::start().await;
    let mut reader = server.read("/streams/a", "").await;
    let long = "x".repeat(1024 * 1024);
    // Far more than the kernel buffers for a connection that nobody reads from.
    for _ in 0..24 {
        server.publish("a", &long).await;
    }
    assert_eq!(server.hub.readers(), 1);
    reader.end().await;
    no_reader_is_left(&server).await;
}

async fn read_to_the_end(wire: &mut Wire) {
    wire.send(request("GET /streams/a", "", b"")).await;
    assert!(String::from_utf8(wire.answer().await.body).expect("text").contains("event: end\n"));
}

#[tokio::test]
async fn after_a_read_that_is_over_the_connection_publishes_again() {
    let server = Server::start().await;
    assert_eq!(server.ask("POST /streams/a?close", "", "x").await.status, 201);
    let mut wire = server.connect().await;
    read_to_the_end(&mut wire).await;
    read_to_the_end(&mut wire).await;
    wire.send(request("POST /streams/b", "", b"y")).await;
    wire.end().await;
    assert_eq!(wire.answer().await.status, 201);
}

#[tokio::test]
async fn a_request_sent_during_a_read_is_answered_after_it() {
    let server = Server::start().await;
    let mut wire = server.read("/streams/a", "").await;
    wire.send(request("POST /streams/b", "", b"y")).await;
    assert_eq!(server.ask("POST /streams/a?close", "", "x").await.status, 201);
    assert!(wire.rest_text().await.contains("event: end\n"));
    assert_eq!(wire.answer().await.status, 201);
    assert_eq!(server.data("b").await, ["y"]);
}
