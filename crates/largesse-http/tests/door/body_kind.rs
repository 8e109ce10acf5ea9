//! How the `Content-Type` selects the format of a body, seen from outside.

use crate::support::Server;

#[tokio::test]
async fn every_usual_name_of_ndjson_gives_one_event_a_line() {
    let server = Server::start().await;
    for (number, name) in [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "application/x-json-lines",
        "application/ldjson",
        "application/x-ldjson",
        "application/stream+json",
        "application/vnd.some+ndjson",
        "text/ndjson",
        "text/x-ndjson",
        "text/jsonl",
        "Application/JSONLines; charset=UTF-8",
    ]
    .iter()
    .enumerate()
    {
        let headers = format!("Content-Type: {name}\r\n");
        let answer =
            server.ask(&format!("POST /streams/s{number}"), &headers, "{\"n\":1}\n{\"n\":2}\n").await;
        assert_eq!((answer.status, &answer.json()["count"]), (201, &2.into()), "{name}");
        assert_eq!(server.data(&format!("s{number}")).await, ["{\"n\":1}", "{\"n\":2}"], "{name}");
    }
}

#[tokio::test]
async fn other_forms_of_several_events_are_refused_with_what_to_send() {
    let server = Server::start().await;
    let before = server.state().await;
    for (name, part) in [
        ("application/json-seq", "application/x-ndjson"),
        ("application/geo+json-seq", "application/x-ndjson"),
        ("application/x-njson", "application/x-ndjson"),
        ("text/eventstream", "text/event-stream"),
        ("application/event-stream", "text/event-stream"),
    ] {
        let answer =
            server.ask("POST /streams/a", &format!("Content-Type: {name}\r\n"), "\u{1e}{\"n\":1}\n").await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported-body"), "{name}");
        assert!(answer.detail().contains(part) && answer.detail().contains(name), "{}", answer.detail());
    }
    assert_eq!(server.state().await, before);
}

/// hyper removes the chunked coding; a body under another coding would be appended as it is.
#[tokio::test]
async fn a_body_in_another_transfer_coding_is_refused() {
    let server = Server::start().await;
    for coding in ["gzip, chunked", "deflate,chunked"] {
        let request = format!(
            "POST /streams/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: {coding}\r\n\r\n\
             1\r\na\r\n0\r\n\r\n"
        );
        let answer = server.raw(request).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported-body"), "{coding}");
    }
}
