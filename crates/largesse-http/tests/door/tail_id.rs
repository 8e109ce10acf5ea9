//! `Largesse-Tail-ID`: where to start reading after looking at the log in another way.

use serde_json::json;

use crate::support::{Answer, Server, Wire};

const TAIL_ID: &str = "largesse-tail-id";

#[track_caller]
fn tail_of(answer: &Answer) -> String {
    let id = answer.header(TAIL_ID);
    assert!(id.is_some(), "no tail: {answer:?}");
    let id = id.unwrap_or_default();
    assert!(
        id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
    );
    id.to_owned()
}

async fn read_from(server: &Server, path: &str, id: &str) -> Wire {
    let mut reader = server.read(path, &format!("Last-Event-ID: {id}\r\n")).await;
    assert_eq!(reader.line().await, ":\n");
    assert!(reader.line().await.starts_with("retry: "));
    reader
}

/// Reads from the id, publishes, and expects this event and nothing before it.
async fn check_goes_on(server: &Server, path: &str, id: &str, stream: &str, data: &str) {
    let mut reader = read_from(server, path, id).await;
    server.publish(stream, data).await;
    let block = reader.block().await;
    assert!(block.starts_with(&format!("data: {data}\n")), "{path} from {id}: {block}");
}

#[tokio::test]
async fn every_look_at_the_log_tells_its_tail() {
    let server = Server::start().await;
    let early = server.ask("HEAD /streams/a", "", "").await;
    assert_eq!(early.status, 404);
    let (early, page) = (tail_of(&early), server.get_json("/streams/a").await);
    assert_eq!((page.status, tail_of(&page)), (404, early.clone()));
    assert_eq!(tail_of(&server.ask("HEAD /streams", "", "").await), early);
    assert_eq!(tail_of(&server.get_json("/streams").await), early, "an empty log has a tail too");

    let made = server.ask("POST /streams/a", "", "1").await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let tail = tail_of(&made);
    assert_eq!(tail.split('~').next(), Some(&*id), "nothing else was appended");
    for answer in [
        server.ask("HEAD /streams/a", "", "").await,
        server.ask("HEAD /streams/b", "", "").await,
        server.ask("HEAD /streams", "", "").await,
        server.get_json("/streams/a").await,
        server.get_json("/streams?name=a&name=b/*").await,
        server.get_json("/streams").await,
        server.ask("PUT /streams/a", "", "").await,
    ] {
        assert_eq!(tail_of(&answer), tail, "{answer:?}");
    }
    for (line, headers, body, status) in [
        ("PUT /streams/c", "", "", 201),
        ("POST /streams/a", "Content-Type: application/x-ndjson\r\n", "1\n2\n", 201),
        ("POST /streams/a", "Content-Type: text/event-stream\r\n", "data: 1\n\n", 201),
        ("POST /streams/a", "Idempotency-Key: k\r\n", "x", 201),
        ("POST /streams/a?close", "", "", 201),
        ("POST /streams/a?close", "", "", 200),
        ("POST /streams/a", "Idempotency-Key: k\r\n", "x", 201),
    ] {
        let answer = server.ask(line, headers, body).await;
        let now = server.hub.tail_id().to_string();
        assert_eq!((answer.status, tail_of(&answer)), (status, now), "{line} {headers}");
    }
    assert_eq!(server.ask("DELETE /streams/x", "", "").await.header(TAIL_ID), None);
}

#[tokio::test]
async fn reading_from_it_begins_with_the_next_event_whatever_is_read() {
    for (path, stream) in [
        ("/streams/a", "a"),
        ("/streams/new", "new"),
        ("/streams?name=a&name=b", "b"),
        ("/streams?name=new/*", "new/1"),
        ("/streams?name=**", "a"),
        ("/streams/gone", "gone"),
        ("/streams?name=a&name=gone", "gone"),
    ] {
        let server = Server::start().await;
        for name in ["a", "b", "gone"] {
            server.publish(name, "before").await;
        }
        server.ask("DELETE /streams/gone", "", "").await;
        let id = tail_of(&server.ask("HEAD /streams", "", "").await);
        check_goes_on(&server, path, &id, stream, "next").await;
        let again = read_from(&server, path, &id).await.block().await;
        assert!(again.starts_with("data: next\n"), "what came meanwhile is heard: {path} {again}");
    }
}

#[tokio::test]
async fn of_a_stream_that_is_not_there_yet_the_first_event_is_heard() {
    let server = Server::start().await;
    let id = tail_of(&server.ask("HEAD /streams/a", "", "").await);
    server.publish("a", "first").await;
    let mut reader = read_from(&server, "/streams/a", &id).await;
    assert!(reader.block().await.starts_with("data: first\n"));
    let page = server.get_json(&format!("/streams/a?after={id}")).await.json();
    assert_eq!((&page["events"][0]["data"], page.get("reset")), (&json!("first"), None));
}

#[tokio::test]
async fn a_stream_that_was_closed_before_is_as_for_a_first_request() {
    let server = Server::start().await;
    server.publish("a?close", "last").await;
    let id = tail_of(&server.ask("HEAD /streams/a", "", "").await);
    assert_eq!(read_from(&server, "/streams/a", &id).await.block().await.lines().next(), Some("event: end"));
    server.ask("DELETE /streams/a", "", "").await;
    // It existed then, and its deletion is reported; from the tail after that it is new.
    assert_eq!(read_from(&server, "/streams/a", &id).await.block().await.lines().next(), Some("event: end"));
    let id = tail_of(&server.ask("HEAD /streams/a", "", "").await);
    check_goes_on(&server, "/streams/a", &id, "a", "anew").await;
}

#[tokio::test]
async fn what_was_lost_after_it_is_told() {
    let server = Server::start().await;
    let id = tail_of(&server.ask("PUT /streams/a", "", "{\"max_events\":1}").await);
    server.publish("a", "1").await;
    server.publish("a", "2").await;
    let mut reader = read_from(&server, "/streams/a", &id).await;
    assert!(reader.block().await.starts_with("event: reset\ndata: {\"reason\":\"trimmed\""));
    assert!(reader.block().await.starts_with("data: 2\n"));
}

#[tokio::test]
async fn pages_of_other_origins_may_read_it() {
    let server = Server::start().await;
    let answer = server.ask("HEAD /streams/a", "Origin: http://localhost:3000\r\n", "").await;
    let exposed: Vec<&str> = answer
        .header("access-control-expose-headers")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    for header in ["Largesse-Tail-ID", "Location", "Content-Location", "Largesse-Run"] {
        assert!(exposed.contains(&header), "{header}: {exposed:?}");
    }
}
