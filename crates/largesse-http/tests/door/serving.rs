//! Paths, methods and connections: what every answer has, and how a server ends.

use std::time::Duration;

use crate::support::{Server, Setup, request, soon, to_a_full_device};
use largesse_http::ServeLimits;
use largesse_hub::HubLimits;

#[tokio::test]
async fn a_path_or_method_that_is_not_there_is_a_problem() {
    let server = Server::start().await;
    for path in ["/", "/stream/a", "/streams2", "/Streams/a", "//streams/a"] {
        let answer = server.ask(&format!("GET {path}"), "", "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{path}");
    }
    let allowed = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
    for (line, allow) in [
        ("PATCH /streams/a", allowed),
        ("TRACE /streams/a", allowed),
        ("BANANA /streams/a", allowed),
        ("POST /streams", "GET, HEAD, OPTIONS"),
        ("DELETE /streams", "GET, HEAD, OPTIONS"),
    ] {
        let answer = server.ask(line, "", "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (405, "method-not-allowed"), "{line}");
        let is_of_all = line.ends_with("/streams");
        assert_eq!(answer.detail().contains("/streams/{name}"), is_of_all, "{line}");
        assert_eq!(
            (answer.header("allow"), answer.json()["allowed"].as_str()),
            (Some(allow), Some(allow)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn all_of_this_is_tried_with_a_trace_that_nobody_takes() {
    let server = Server::start().await;
    let trace = to_a_full_device();
    let lost = trace.lost();
    server.publish("a", "hello").await;
    assert!(trace.flush(Duration::from_secs(60)));
    assert!(trace.lost() > lost, "what was answered is traced, and lost");
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    for body in ["1", "2"] {
        wire.send(request("POST /streams/a", "", body.as_bytes())).await;
        assert_eq!(wire.answer().await.status, 201);
        wire.send(request("POST /streams/a?close=maybe", "", body.as_bytes())).await;
        assert_eq!(wire.answer().await.status, 400);
    }
    wire.send(request("POST /streams/a?close", "", b"3")).await;
    assert_eq!(wire.answer().await.status, 201);
    wire.send(request("GET /streams/a", "", b"")).await;
    assert!(String::from_utf8(wire.answer().await.body).expect("text").contains("event: end\n"));
    wire.send(request("HEAD /streams/a", "", b"")).await;
    assert_eq!(wire.answer_to("HEAD").await.header("largesse-events"), Some("3"));
}

#[tokio::test]
async fn the_door_can_be_nested_under_a_prefix() {
    let server = Server::nested().await;
    let answer = server.ask("POST /under/here/streams/a%2Fb?close", "", "x").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut wire = server.connect().await;
    wire.send(request("GET /under/here/streams/a/b", "", b"")).await;
    assert_eq!(wire.head().await.header("content-location"), Some("/under/here/streams/a/b"));
    assert!(wire.rest_text().await.contains("data: x\n"));
    let list = server.get_json("/under/here/streams").await;
    assert_eq!(list.json()["streams"][0]["stream"], "a/b");
    assert_eq!(server.ask("GET /under/here/nowhere", "", "").await.problem(), "not-found");
}

#[tokio::test]
async fn a_shutdown_lets_requests_end_and_idle_connections_go() {
    let server = Server::start().await;
    let mut idle = server.connect().await;
    idle.send(request("HEAD /streams/a", "", b"")).await;
    idle.answer_to("HEAD").await;
    let mut publisher = server.connect().await;
    publisher.send("POST /streams/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await;
    assert_eq!(publisher.head().await.status, 100);
    let mut server = server;
    server.stop();
    assert!(idle.closed().await.is_empty());
    publisher.send("hi").await;
    assert_eq!(publisher.answer().await.status, 201);
    let served = server.stopped().await;
    assert_eq!((served.connections, served.cut), (2, 0));
}

#[tokio::test]
async fn a_shutdown_cuts_what_does_not_end_within_the_grace() {
    let serve = ServeLimits { shutdown_grace: Duration::from_millis(20), ..ServeLimits::default() };
    let server = Server::with(Setup { serve, ..Setup::default() }).await;
    let mut reader = server.read("/streams/a", "").await;
    assert_eq!(server.stopped().await.cut, 1);
    reader.closed().await;
}

#[tokio::test]
async fn a_drained_shutdown_ends_readers_cleanly() {
    let server = Server::start().await;
    let mut reader = server.read("/streams/a", "").await;
    reader.line().await;
    reader.line().await;
    server.hub.drain();
    let served = server.stopped().await;
    assert_eq!(served.cut, 0);
    assert_eq!(reader.rest_text().await, "");
}

#[tokio::test]
async fn at_the_limit_a_connection_waits_until_one_ends() {
    let serve = ServeLimits { connections_max: 1, ..ServeLimits::default() };
    let server = Server::with(Setup { serve, ..Setup::default() }).await;
    let reader = server.read("/streams/a", "").await;
    let mut second = server.connect().await;
    second.send(request("HEAD /streams/a", "", b"")).await;
    // The second is answered only because the first disconnects.
    drop(reader);
    assert_eq!(second.answer_to("HEAD").await.status, 404);
    drop(second);
    assert_eq!(server.stopped().await.connections, 2);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let serve = ServeLimits { head_timeout: Duration::from_millis(20), ..ServeLimits::default() };
    let server = Server::with(Setup { serve, ..Setup::default() }).await;
    for begun in ["", "GET /streams/a HTTP/1.1\r\nHost: lo"] {
        let mut wire = server.connect().await;
        wire.send(begun).await;
        wire.closed().await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.try_send(request("GET /streams/a", &format!("X: {}\r\n", "x".repeat(200_000)), b"")).await;
    assert_eq!(wire.head().await.status, 431);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_disconnected_where_its_stream_says_so() {
    let hub = HubLimits { lag_max: Duration::from_millis(20), ..HubLimits::default() };
    let server = Server::with(Setup { hub, ..Setup::default() }).await;
    server.ask("PUT /streams/a", "", "{\"slow\": \"disconnect\"}").await;
    let long = "x".repeat(1024 * 1024);
    // Far more than the kernel buffers for a connection that nobody reads from.
    for _ in 0..24 {
        server.publish("a", &long).await;
    }
    let reader = server.read("/streams/a", "").await;
    assert_eq!(server.hub.readers(), 1);
    let gone = async {
        while server.hub.readers() > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
    drop(reader);
}
