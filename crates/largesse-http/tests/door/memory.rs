//! What a client can make the door buffer: bodies that do not end, and answers that nobody reads.

use std::time::Duration;

use crate::support::{Answer, Server, Setup, Wire, chunk, request, soon};
use largesse_http::{BodyLimits, ServeLimits};

const HEAD: &str = "POST /streams/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

async fn with_bodies(bodies: BodyLimits) -> Server {
    Server::with(Setup { bodies, ..Setup::default() }).await
}

/// Publishes six bytes until the answer has this status: when another body takes its share is up to the scheduler.
async fn publish_until(server: &Server, status: u16) -> Answer {
    soon(async {
        loop {
            let answer = server.ask("POST /streams/b", "", "123456").await;
            if answer.status == status {
                return answer;
            }
        }
    })
    .await
}

async fn begun_body(server: &Server) -> Wire {
    let mut wire = server.connect().await;
    wire.send(format!("{HEAD}{}", chunk("123456"))).await;
    wire
}

#[tokio::test]
async fn a_body_larger_than_all_may_be_together_is_refused() {
    let server = with_bodies(BodyLimits { total_bytes_max: 4, ..BodyLimits::default() }).await;
    let before = server.state().await;
    for (line, headers, body) in [
        ("POST /streams/a", "", "hello"),
        ("POST /streams/a", "Content-Type: application/x-ndjson\r\n", "1\n2\n3\n"),
        ("PUT /streams/a", "", "{\"max_events\":1}"),
    ] {
        let answer = server.ask(line, headers, body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "overloaded"), "{line}");
        assert_eq!(answer.header("retry-after"), Some("5"), "{line}");
        assert_eq!(server.state().await, before, "{line}");
    }
    // Each share was given back, and a block that arrives at once takes none.
    assert_eq!(server.ask("POST /streams/a", "", "four").await.status, 201);
    let blocks =
        server.ask("POST /streams/a", "Content-Type: text/event-stream\r\n", "data: hello\n\n").await;
    assert_eq!(blocks.status, 201);
}

#[tokio::test]
async fn bodies_in_flight_share_one_budget() {
    let server = with_bodies(BodyLimits { total_bytes_max: 10, ..BodyLimits::default() }).await;
    let mut first = begun_body(&server).await;
    let answer = publish_until(&server, 503).await;
    assert_eq!(answer.problem(), "overloaded");
    first.send("0\r\n\r\n").await;
    assert_eq!(first.answer().await.status, 201);
    assert_eq!(server.ask("POST /streams/b", "", "123456").await.status, 201);
}

#[tokio::test]
async fn a_body_that_is_cut_off_gives_its_room_back() {
    let server = with_bodies(BodyLimits { total_bytes_max: 10, ..BodyLimits::default() }).await;
    let first = begun_body(&server).await;
    publish_until(&server, 503).await;
    drop(first);
    publish_until(&server, 201).await;
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_refused_and_appends_nothing() {
    let bodies = BodyLimits { time_max: Duration::from_millis(20), ..BodyLimits::default() };
    let server = with_bodies(bodies).await;
    let before = server.state().await;
    let answer = begun_body(&server).await.answer().await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "body-timeout"));
    assert!(answer.detail().contains("not complete after 0.02 s"), "{}", answer.detail());
    assert_eq!(server.state().await, before);
}

/// Starts an event stream as a body.
async fn begun_stream(server: &Server, body: &str) -> Wire {
    let mut wire = server.connect().await;
    let head = HEAD.replace("\r\n\r\n", "\r\nContent-Type: text/event-stream\r\n\r\n");
    wire.send(format!("{head}{}", chunk(body))).await;
    wire
}

#[tokio::test]
async fn unfinished_blocks_share_the_budget_of_whole_bodies() {
    let server = with_bodies(BodyLimits { total_bytes_max: 10, ..BodyLimits::default() }).await;
    let mut first = begun_stream(&server, "data: 123456").await;
    publish_until(&server, 503).await;
    for held in ["data: 12345", "event: 12345", "id: 12345"] {
        let mut second = begun_stream(&server, &format!("data: whole\n\n{held}")).await;
        let answer = second.answer().await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "overloaded"), "{held}");
        assert_eq!(answer.header("retry-after"), Some("5"), "{held}");
        assert_eq!(answer.json()["count"], 1, "{held}: what came before stays");
    }
    first.send(format!("{}0\r\n\r\n", chunk("\n\n"))).await;
    assert_eq!(first.answer().await.status, 201);
    assert_eq!(server.ask("POST /streams/b", "", "123456").await.status, 201);
}

#[tokio::test]
async fn an_unfinished_block_gives_its_room_back_when_it_is_complete_or_cut_off() {
    let server = with_bodies(BodyLimits { total_bytes_max: 10, ..BodyLimits::default() }).await;
    let mut first = begun_stream(&server, "data: 123456").await;
    publish_until(&server, 503).await;
    // The request goes on.
    first.send(chunk("\n\n")).await;
    publish_until(&server, 201).await;
    first.send(chunk("data: 123456")).await;
    publish_until(&server, 503).await;
    drop(first);
    publish_until(&server, 201).await;
}

#[tokio::test]
async fn an_unfinished_block_that_nobody_feeds_is_refused_and_what_came_before_stays() {
    let bodies = BodyLimits { idle_max: Duration::from_millis(20), ..BodyLimits::default() };
    let server = with_bodies(bodies).await;
    let answer = begun_stream(&server, "data: 1\n\ndata: 2").await.answer().await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "body-timeout"));
    assert!(
        answer.detail().contains("A block is incomplete, and nothing arrived for 0.02 s"),
        "{}",
        answer.detail()
    );
    assert_eq!((answer.json()["count"].as_u64(), server.data("a").await), (Some(1), vec!["1".to_owned()]));
}

#[tokio::test]
async fn an_event_stream_may_be_silent_between_two_blocks() {
    let bodies = BodyLimits { idle_max: Duration::from_millis(20), ..BodyLimits::default() };
    let server = with_bodies(bodies).await;
    let mut reader = server.read("/streams/a", "").await;
    let mut publisher = begun_stream(&server, "data: 1\n\n").await;
    assert!(reader.block().await.contains("data: 1\n"));
    // This one began later and is out of time, so the publisher's time has passed as well.
    for _ in 0..2 {
        assert_eq!(begun_body(&server).await.answer().await.status, 408);
    }
    publisher.send(format!("{}0\r\n\r\n", chunk("data: 2\n\n"))).await;
    let answer = publisher.answer().await;
    assert_eq!((answer.status, answer.json()["count"].as_u64()), (201, Some(2)));
}

#[tokio::test]
async fn a_block_that_takes_too_long_is_refused() {
    let bodies = BodyLimits { time_max: Duration::from_millis(20), ..BodyLimits::default() };
    let server = with_bodies(bodies).await;
    let answer = begun_stream(&server, "data: 1\n\ndata: 2").await.answer().await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "body-timeout"));
    assert!(answer.detail().contains("not complete after 0.02 s"), "{}", answer.detail());
    assert_eq!(server.data("a").await, ["1"]);
}

/// Far more than the kernel buffers for a connection that nobody reads from.
const MIBS: usize = 24;

/// A server that cuts every answer that stalls, with room for few connections.
async fn impatient(connections_max: usize) -> Server {
    let serve =
        ServeLimits { write_stall: Duration::from_millis(20), connections_max, ..ServeLimits::default() };
    Server::with(Setup { serve, ..Setup::default() }).await
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_cut() {
    let server = impatient(1).await;
    // Each client waits until the one before it has disconnected.
    server.publish("a", &"x".repeat(1024 * 1024)).await;
    let mut stalled = server.connect().await;
    let page = request("GET /streams/a", "Accept: application/json\r\n", b"");
    stalled.send(page.repeat(MIBS)).await;
    assert_eq!(server.ask("HEAD /streams/a", "", "").await.status, 200);
    drop(stalled);
}

#[tokio::test]
async fn a_read_that_stalls_for_a_while_goes_on() {
    let server = impatient(10).await;
    let mut reader = server.read("/streams/a?format=json", "").await;
    // As JSON it has 1 MiB.
    let long = "\"\u{1}x\n".repeat(96 * 1024);
    for _ in 0..MIBS {
        server.publish("a", &long).await;
    }
    assert_eq!(server.ask("POST /streams/a?close", "", "").await.status, 201);
    let text = reader.rest_text().await;
    let data = text.lines().filter_map(|line| line.strip_prefix("data: {\"stream\":\"a\",\"event\""));
    let events = data.filter(|rest| {
        let event = serde_json::from_str::<serde_json::Value>(&format!("{{\"event\"{rest}")).expect("JSON");
        event["data"] == long.as_str()
    });
    assert_eq!(events.count(), MIBS);
    assert!(text.contains("event: end\n"));
}
