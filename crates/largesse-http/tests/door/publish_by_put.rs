//! PUT by clients that meant to publish (`curl -T file`): refused with the right method, or told that nothing was
//! appended.

use crate::support::{Answer, Server, chunk};

/// Refused; says that POST appends, and changes nothing.
#[track_caller]
fn check(answer: &Answer, want: (u16, &str), row: &str) {
    assert_eq!((answer.status, answer.problem().as_str()), want, "{row}: {}", answer.text());
    assert!(answer.detail().contains("POST appends"), "{row}: {}", answer.detail());
}

#[tokio::test]
async fn a_body_that_is_no_settings_is_refused_with_the_right_verb() {
    let server = Server::start().await;
    let before = server.state().await;
    let large = "data: line\n".repeat(50_000);
    let padded = format!("{{{}}}", " ".repeat(70_000));
    for (kind, body, want) in [
        ("", "hello", (400, "bad-settings")),
        ("", "data: hello\n\n", (400, "bad-settings")),
        ("", "\n\n data: hello\n\n", (400, "bad-settings")),
        ("", "{\"price\": 1}", (400, "bad-settings")),
        ("", "{\"n\":1}\n{\"n\":2}\n", (400, "bad-settings")),
        ("", "[1]", (400, "bad-settings")),
        ("", "\u{feff}hello", (400, "bad-settings")),
        ("", large.as_str(), (400, "bad-settings")),
        ("", padded.as_str(), (413, "too-large")),
        ("text/plain", "hello", (400, "bad-settings")),
        ("application/json", "1", (400, "bad-settings")),
        ("application/octet-stream", "\0\u{1}", (400, "bad-settings")),
        ("text/event-stream", "data: hello\n\n", (415, "unsupported-body")),
        ("text/event-stream", "", (415, "unsupported-body")),
        ("text/event-stream", "{}", (415, "unsupported-body")),
        ("application/x-ndjson", "{}\n", (415, "unsupported-body")),
        ("application/jsonlines", "{}\n", (415, "unsupported-body")),
        ("application/json-seq", "{}\n", (415, "unsupported-body")),
        ("multipart/form-data; boundary=x", "--x", (415, "unsupported-body")),
        ("text/plain; charset=latin1", "{}", (415, "unsupported-body")),
    ] {
        let headers = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let answer = server.ask("PUT /streams/a", &headers, body).await;
        check(&answer, want, &format!("{kind} {:?}", body.get(..20).unwrap_or(body)));
    }
    check(&server.ask("PUT /streams/a?event=x", "", "hello").await, (400, "bad-query"), "event");
    check(&server.ask("PUT /streams/a?close", "", "").await, (400, "bad-query"), "close");
    check(&server.ask("PUT /streams/a?max_age=1d", "", "").await, (400, "bad-query"), "max_age");
    check(
        &server.ask("PUT /streams/a", "Content-Encoding: gzip\r\n", "x").await,
        (415, "unsupported-body"),
        "gzip",
    );
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn a_body_without_an_end_is_refused_at_its_first_piece() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.send("PUT /streams/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    wire.send(chunk("\n")).await;
    wire.send(chunk("data: one\n\n")).await;
    check(&wire.answer().await, (400, "bad-settings"), "chunked");
}

#[tokio::test]
async fn a_large_file_is_refused_before_it_is_sent() {
    let server = Server::start().await;
    for (headers, want) in
        [("", (400, "bad-settings")), ("Content-Type: text/event-stream\r\n", (415, "unsupported-body"))]
    {
        let mut wire = server.connect().await;
        let head = "PUT /streams/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 20000000\r\n";
        wire.send(format!("{head}{headers}\r\n")).await;
        check(&wire.answer().await, want, headers);
    }
}

#[tokio::test]
async fn the_answer_arrives_though_a_large_file_is_still_being_sent() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.send("PUT /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n").await;
    wire.try_send("data: line\n".repeat(900_000 / 11)).await;
    check(&wire.answer().await, (400, "bad-settings"), "900 kB");
}

#[tokio::test]
async fn an_empty_body_makes_the_stream_and_says_that_it_appended_nothing() {
    let server = Server::start().await;
    for (body, status, part) in [("", 201, "created the stream"), (" \n", 200, "changed nothing")] {
        let answer = server.ask("PUT /streams/a", "", body).await;
        assert_eq!(answer.status, status);
        let hint = answer.json()["hint"].as_str().expect("a hint").to_owned();
        assert!(hint.contains(part) && hint.contains("POST appends"), "{hint}");
    }
    let made = server.ask("PUT /streams/b", "", "{}").await;
    assert_eq!((made.status, made.json().get("hint")), (201, None));
    // An empty chunked body.
    let head = "PUT /streams/c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(server.raw(format!("{head}0\r\n\r\n")).await.status, 201);
}
