//! POST of an event stream: blocks are appended as they arrive, and what remains if it fails.

use crate::support::{Answer, Server, Setup, Wire, chunk};
use largesse_http::DoorConfig;
use largesse_log::Engine as _;

const TYPE: &str = "Content-Type: text/event-stream\r\n";

/// Starts a long publish.
async fn begin(server: &Server, path: &str, headers: &str) -> Wire {
    let mut wire = server.connect().await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{TYPE}{headers}Transfer-Encoding: chunked\r\n\r\n"
    );
    wire.send(head).await;
    wire
}

/// Sends a whole event stream with its length.
async fn publish(server: &Server, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    server.ask(&format!("POST {path}"), &format!("{TYPE}{headers}"), body).await
}

#[track_caller]
fn check(answer: &Answer, status: u16, count: u64, closed: bool) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let receipt = answer.json();
    assert_eq!(
        (receipt["count"].as_u64(), receipt["closed"].as_bool()),
        (Some(count), Some(closed)),
        "{receipt}"
    );
}

#[tokio::test]
async fn a_block_is_read_while_the_publish_goes_on() {
    let server = Server::start().await;
    let mut reader = server.read("/streams/a", "").await;
    let mut publisher = begin(&server, "/streams/a", "").await;
    assert_eq!(reader.line().await, ":\n");
    reader.line().await;
    for word in ["one", "two"] {
        publisher.send(chunk(&format!("data: {word}\n\n"))).await;
        assert!(reader.block().await.starts_with(&format!("data: {word}\n")));
    }
    // An incomplete block is not appended, and a block in any number of pieces is one block.
    publisher.send(chunk("event: n\nda")).await;
    publisher.send(chunk("ta: three\n")).await;
    publisher.send(chunk("\n")).await;
    assert!(reader.block().await.starts_with("event: n\ndata: three\n"));
    publisher.send("0\r\n\r\n").await;
    check(&publisher.answer().await, 201, 3, false);
}

#[tokio::test]
async fn names_are_kept_and_ids_are_the_logs() {
    let server = Server::start().await;
    let body =
        ": hello\nretry: 5\nid: mine\nevent: a\ndata: 1\n\nid: 2\ndata: 2\ndata: 3\n\ndata\n\nevent: x\n\n";
    let answer = publish(&server, "/streams/s?event=named", "", body).await;
    check(&answer, 201, 3, false);
    let page = server.get_json("/streams/s").await.json();
    let events = page["events"].as_array().expect("events");
    let shown: Vec<_> = events.iter().map(|e| (e["event"].as_str(), e["data"].as_str())).collect();
    assert_eq!(shown, [(Some("a"), Some("1")), (Some("named"), Some("2\n3")), (Some("named"), Some(""))]);
    assert_eq!(events[2]["id"], answer.json()["id"]);
}

#[tokio::test]
async fn a_close_comes_after_a_clean_end_only() {
    let server = Server::start().await;
    check(&publish(&server, "/streams/a?close", "", "data: 1\n\n").await, 201, 1, true);
    check(&publish(&server, "/streams/b?close", "", "").await, 201, 0, true);
    check(&publish(&server, "/streams/b?close", "", "").await, 200, 0, true);
    let mut reader = server.read("/streams/c", "").await;
    let mut publisher = begin(&server, "/streams/c?close", "").await;
    publisher.send(chunk("data: 1\n\n")).await;
    assert!(reader.block().await.contains("data: 1\n"));
    drop(publisher);
    let mut again = begin(&server, "/streams/c", "").await;
    again.send(format!("{}0\r\n\r\n", chunk("data: 2\n\n"))).await;
    check(&again.answer().await, 201, 1, false);
}

#[tokio::test]
async fn what_came_before_a_bad_block_stays_and_is_told() {
    let door = DoorConfig { event_bytes_max: 20, ..DoorConfig::default() };
    let server = Server::with(Setup { door, ..Setup::default() }).await;
    let long = format!("data: {}\n\n", "x".repeat(21));
    for (number, (bad, status, slug)) in [
        ("data: a\0b\n\n", 400, "nul-in-data"),
        ("event: a\0b\ndata: 1\n\n", 400, "bad-event-name"),
        (long.as_str(), 413, "too-large"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!("data: 1\n\ndata: 2\n\n{bad}data: 3\n\n");
        let answer = publish(&server, &format!("/streams/s{number}?close"), "", &body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, slug), "{bad:?}");
        let problem = answer.json();
        let id = server.hub.event_id(server.engine.tail()).to_string();
        assert_eq!(
            (problem["count"].as_u64(), problem["id"].as_str()),
            (Some(2), Some(id.as_str())),
            "{bad:?}"
        );
        assert_eq!(server.data(&format!("s{number}")).await, ["1", "2"], "{bad:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused_and_what_came_before_stays() {
    let server = Server::start().await;
    let rows: [(&[u8], u64, &[&str]); 6] = [
        (b"data: a\xff\n\n", 7, &[]),
        (b"data: 1\n\ndata: 2\n\ndata: \xc3\x28\n\ndata: 4\n\n", 24, &["1", "2"]),
        (b"data: 1\n\nevent: \xe2\x82\ndata: 2\n\n", 16, &["1"]),
        (b"data: 1\n\n: \x80\n\n", 11, &["1"]),
        (b"data: 1\n\ndata: 2\n\n\xf0\x9f\x98", 18, &["1", "2"]),
        (b"\xff\xfed\0a\0", 0, &[]),
    ];
    for (number, (body, at, want)) in rows.into_iter().enumerate() {
        let answer = publish(&server, &format!("/streams/s{number}?close"), "", body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "unsupported-body"), "row {number}");
        let problem = answer.json();
        assert_eq!(
            (problem["at"].as_u64(), problem["count"].as_u64()),
            (Some(at), Some(want.len() as u64)),
            "row {number}: {problem}"
        );
        assert!(answer.detail().contains(&format!("at byte {at}.")), "row {number}: {problem}");
        assert_eq!(problem["id"].is_string(), !want.is_empty(), "row {number}: {problem}");
        assert_eq!(server.data(&format!("s{number}")).await, want, "row {number}");
    }
}

#[tokio::test]
async fn a_character_may_come_in_pieces() {
    let server = Server::start().await;
    let mut publisher = begin(&server, "/streams/a", "").await;
    for byte in "data: \u{1f600}\u{e4}\n\n".as_bytes() {
        publisher.send([b"1\r\n".as_slice(), &[*byte], b"\r\n"].concat()).await;
    }
    publisher.send("0\r\n\r\n").await;
    check(&publisher.answer().await, 201, 1, false);
    assert_eq!(server.data("a").await, ["\u{1f600}\u{e4}"]);
}

#[tokio::test]
async fn one_block_before_a_refusal_is_told_in_the_singular() {
    let server = Server::start().await;
    let one = publish(&server, "/streams/a", "", "data: 1\n\ndata: \0\n\n").await.detail();
    assert!(one.contains("1 block before it was appended, with the id "), "{one}");
    let two = publish(&server, "/streams/a", "", "data: 1\n\ndata: 2\n\ndata: \0\n\n").await.detail();
    assert!(two.contains("2 blocks before it were appended, the last one with the id "), "{two}");
}

#[tokio::test]
async fn a_body_without_an_event_is_refused() {
    let server = Server::start().await;
    let before = server.state().await;
    for body in ["", "\n\n", ": only a comment\n\n", "hello", "event: x\n\n"] {
        let answer = publish(&server, "/streams/a", "", body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "nothing-to-append"), "{body:?}");
    }
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn a_stream_that_is_closed_meanwhile_refuses_the_rest() {
    let server = Server::start().await;
    let mut reader = server.read("/streams/a", "").await;
    let mut publisher = begin(&server, "/streams/a", "").await;
    publisher.send(chunk("data: 1\n\n")).await;
    assert!(reader.block().await.contains("data: 1\n"));
    server.ask("POST /streams/a?close", "", "").await;
    publisher.send(format!("{}0\r\n\r\n", chunk("data: 2\n\n"))).await;
    let answer = publisher.answer().await;
    assert_eq!((answer.status, answer.problem().as_str()), (409, "stream-closed"));
    assert_eq!(answer.json()["count"], 1);
}

#[tokio::test]
async fn a_publish_that_was_cut_is_sent_again_and_appended_once() {
    let server = Server::start().await;
    let key = "Idempotency-Key: k1\r\n";
    let blocks = ["data: 1\n\n", "event: n\ndata: 2\n\n", "data: 3\n\n"];
    let mut reader = server.read("/streams/a", "").await;
    let mut publisher = begin(&server, "/streams/a?close", key).await;
    publisher.send(chunk(&blocks[..2].concat())).await;
    assert!(reader.block().await.contains("data: 1\n"));
    assert!(reader.block().await.contains("data: 2\n"));
    drop(publisher);
    for _ in 0..2 {
        let answer = publish(&server, "/streams/a?close", key, &blocks.concat()).await;
        check(&answer, 201, 3, true);
        assert_eq!(server.data("a").await, ["1", "2", "3"]);
    }
}

#[tokio::test]
async fn another_body_under_a_key_is_refused_where_it_differs() {
    let server = Server::start().await;
    let key = "Idempotency-Key: k1\r\n";
    check(&publish(&server, "/streams/a", key, "data: 1\n\ndata: 2\n\n").await, 201, 2, false);
    let before = server.state().await;
    for body in ["data: 1\n\ndata: other\n\ndata: 3\n\n", "data: other\n\ndata: 2\n\n", "data: 1\n\n"] {
        let answer = publish(&server, "/streams/a?close", key, body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "key-reused"), "{body:?}");
        let problem = answer.json();
        assert_eq!((problem["count"].as_u64(), problem.get("id")), (Some(0), None), "{body:?}: {problem}");
        assert_eq!(server.state().await, before, "{body:?}");
    }
}

#[tokio::test]
async fn a_newer_request_takes_over_from_a_half_dead_one() {
    let server = Server::start().await;
    let key = "Idempotency-Key: k1\r\n";
    let mut reader = server.read("/streams/a", "").await;
    let mut old = begin(&server, "/streams/a", key).await;
    old.send(chunk("data: 1\n\n")).await;
    assert!(reader.block().await.contains("data: 1\n"));
    let mut new = begin(&server, "/streams/a", key).await;
    new.send(chunk("data: 1\n\ndata: 2\n\n")).await;
    assert!(reader.block().await.contains("data: 2\n"));
    old.send(format!("{}0\r\n\r\n", chunk("data: 2\n\n"))).await;
    let refused = old.answer().await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "superseded"));
    new.send(format!("{}0\r\n\r\n", chunk("data: 3\n\n"))).await;
    check(&new.answer().await, 201, 3, false);
    assert_eq!(server.data("a").await, ["1", "2", "3"]);
}
