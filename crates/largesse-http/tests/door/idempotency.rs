//! A publish that is repeated under its key happens once.

use crate::support::{Answer, Server};

const NDJSON: &str = "Content-Type: application/x-ndjson\r\n";

async fn publish(server: &Server, query: &str, headers: &str, body: &str) -> Answer {
    let headers = format!("Idempotency-Key: key-1\r\n{headers}");
    server.ask(&format!("POST /streams/a{query}"), &headers, body).await
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_again() {
    for (query, headers, body) in [
        ("", "", "hello"),
        ("?event=n", "", "hello"),
        ("?close", "", "hello"),
        ("?close", "", ""),
        ("", NDJSON, "1\n2\n"),
        ("?close", NDJSON, "1\n2\n"),
    ] {
        let server = Server::start().await;
        let first = publish(&server, query, headers, body).await;
        assert_eq!(first.status, 201, "{query} {body:?}: {}", first.text());
        let before = server.state().await;
        let second = publish(&server, query, headers, body).await;
        assert_eq!((second.status, second.json()), (201, first.json()), "{query} {body:?}");
        assert_eq!(server.state().await, before, "{query} {body:?}");
    }
}

#[tokio::test]
async fn a_repeat_is_looked_at_before_the_stream_is_found_closed() {
    let server = Server::start().await;
    let first = publish(&server, "", "", "hello").await;
    server.ask("POST /streams/a?close", "", "").await;
    let second = publish(&server, "", "", "hello").await;
    assert_eq!((second.status, second.json()), (201, first.json()));
}

#[tokio::test]
async fn anything_else_under_the_key_is_refused() {
    let server = Server::start().await;
    publish(&server, "", "", "1").await;
    let before = server.state().await;
    for (query, headers, body) in [
        ("", "", "2"),
        ("?event=n", "", "1"),
        ("?close", "", "1"),
        ("?close", "", ""),
        ("", NDJSON, "1"),
        ("", "Content-Type: text/event-stream\r\n", "data: 1\n\n"),
    ] {
        let answer = publish(&server, query, headers, body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "key-reused"),
            "{query} {headers} {body:?}"
        );
        let detail = answer.detail();
        assert!(detail.contains("(another body, event name, close or content type)"), "{detail}");
        assert_eq!(server.state().await, before, "{query} {headers} {body:?}");
    }
}

#[tokio::test]
async fn a_key_outlives_the_deletion_of_its_stream() {
    let server = Server::start().await;
    let first = publish(&server, "", "", "1").await;
    assert_eq!(server.ask("DELETE /streams/a", "", "").await.status, 204);
    let before = server.state().await;
    let second = publish(&server, "", "", "1").await;
    assert_eq!((second.status, second.json()), (201, first.json()));
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn a_key_counts_on_its_own_stream() {
    let server = Server::start().await;
    let key = "Idempotency-Key: key-1\r\n";
    assert_eq!(server.ask("POST /streams/a", key, "1").await.status, 201);
    assert_eq!(server.ask("POST /streams/b", key, "2").await.status, 201);
    assert_eq!(server.data("b").await, ["2"]);
}

#[tokio::test]
async fn a_quoted_key_and_a_bare_one_are_the_same() {
    for (first, second) in [("abc", "\"abc\""), ("\"abc\"", "abc"), ("\"a\\\"b\\\\\"", "a\"b\\")] {
        for headers in ["", NDJSON, "Content-Type: text/event-stream\r\n"] {
            let server = Server::start().await;
            let body = if headers.contains("event") { "data: 1\n\n" } else { "1" };
            let publish = async |key: &str| {
                server.ask("POST /streams/a", &format!("Idempotency-Key: {key}\r\n{headers}"), body).await
            };
            let (one, other) = (publish(first).await, publish(second).await);
            assert_eq!((one.status, other.status, other.json()), (201, 201, one.json()), "{first} {second}");
            assert_eq!(server.data("a").await, ["1"], "{first} {second} {headers}");
        }
    }
}

#[tokio::test]
async fn a_slip_in_a_quoted_key_is_refused() {
    let server = Server::start().await;
    let before = server.state().await;
    for key in [
        "\"",
        "\"\"",
        "\"abc",
        "abc\"",
        "\"a b\"",
        "\"a\\b\"",
        "\"abc\"x",
        "\"abc\";x=1",
        "\"a\", \"b\"",
        "\"\u{e4}\"",
    ] {
        let answer = server.ask("POST /streams/a", &format!("Idempotency-Key: {key}\r\n"), "x").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-idempotency-key"), "{key}");
    }
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn a_key_that_breaks_its_rules_is_refused() {
    let server = Server::start().await;
    let before = server.state().await;
    let long = format!("Idempotency-Key: {}\r\n", "k".repeat(257));
    for header in ["Idempotency-Key:\r\n", "Idempotency-Key: a b\r\n", "Idempotency-Key: \u{e4}\r\n", &long] {
        let answer = server.ask("POST /streams/a", header, "x").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-idempotency-key"), "{header:?}");
    }
    let twice = server.ask("POST /streams/a", "Idempotency-Key: a\r\nIdempotency-Key: b\r\n", "x").await;
    assert_eq!(twice.problem(), "bad-idempotency-key");
    assert_eq!(twice.detail(), "The request has several Idempotency-Key headers. Send one.");
    assert_eq!(server.state().await, before);
    let longest = format!("Idempotency-Key: {}\r\n", "~".repeat(256));
    assert_eq!(server.ask("POST /streams/a", &longest, "x").await.status, 201);
}

#[tokio::test]
async fn a_header_that_was_meant_to_be_the_key_is_refused() {
    let server = Server::start().await;
    let before = server.state().await;
    for name in
        ["X-Idempotency-Key", "Idempotency_Key", "IdempotencyKey", "Idempotency-Keys", "Idempotency-Ky"]
    {
        for kind in ["", "Content-Type: text/event-stream\r\n"] {
            let answer = server.ask("POST /streams/a", &format!("{name}: k\r\n{kind}"), "data: x\n\n").await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-idempotency-key"), "{name}");
            assert!(answer.detail().contains("did you mean Idempotency-Key?"), "{}", answer.detail());
        }
    }
    assert_eq!(server.state().await, before);
    let other = server.ask("POST /streams/a", "X-Request-Id: 1\r\nX-Key: 2\r\n", "x").await;
    assert_eq!(other.status, 201);
}
