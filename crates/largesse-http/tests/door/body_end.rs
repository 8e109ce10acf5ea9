//! The end of a body: the last block of a complete body is appended, that of a cut one is not.

use crate::support::{Answer, Server, Setup, chunk, request};
use largesse_http::DoorConfig;
use largesse_log::Engine as _;

const TYPE: &str = "Content-Type: text/event-stream\r\n";

/// A body that ends cleanly without its empty line, and the data of its events.
const ROWS: &[(&str, &[&str])] = &[
    ("data: a", &["a"]),
    ("data: a\n", &["a"]),
    ("data: a\r", &["a"]),
    ("data: a\r\n", &["a"]),
    ("data:a", &["a"]),
    ("data", &[""]),
    ("data:", &[""]),
    ("\u{feff}data: a", &["a"]),
    ("event: n\ndata: a\nid: 1\nretry: 5", &["a"]),
    ("data: 1\n\ndata: 2\ndata: 3", &["1", "2\n3"]),
    ("data: 1\n\ndata: 2\n", &["1", "2"]),
    ("data: 1\r\n\r\ndata: \u{1f600}", &["1", "\u{1f600}"]),
    ("data: 1\n\n: a comment", &["1"]),
    ("data: 1\n\nevent: n", &["1"]),
    ("data: 1\n\ndat", &["1"]),
    ("data: 1\n\n", &["1"]),
];

/// The ways in which a complete body can arrive.
fn wholes(path: &str, headers: &str, body: &str) -> Vec<Vec<u8>> {
    let chunked = |chunks: String| {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{TYPE}{headers}Transfer-Encoding: chunked");
        format!("{head}\r\n\r\n{chunks}0\r\n\r\n").into_bytes()
    };
    let bytes = body.as_bytes().iter().map(|byte| [b"1\r\n".as_slice(), &[*byte], b"\r\n"].concat());
    let head = chunked(String::new());
    let by_byte = [&head[..head.len() - 5], &bytes.collect::<Vec<_>>().concat(), b"0\r\n\r\n"].concat();
    let old = format!("POST {path} HTTP/1.0\r\n{TYPE}{headers}Content-Length: {}\r\n\r\n{body}", body.len());
    vec![
        request(&format!("POST {path}"), &format!("{TYPE}{headers}"), body.as_bytes()),
        chunked(chunk(body)),
        by_byte,
        old.into_bytes(),
    ]
}

#[track_caller]
fn check_count(answer: &Answer, want: usize, row: &str) {
    assert_eq!(answer.status, 201, "{row}: {}", answer.text());
    assert_eq!(answer.json()["count"], want, "{row}");
}

#[tokio::test]
async fn the_last_block_of_a_whole_body_is_taken_and_counted() {
    let server = Server::start().await;
    for (number, (body, want)) in ROWS.iter().enumerate() {
        let ways = wholes("/streams/S", "", body).len();
        for way in 0..ways {
            let (stream, row) = (format!("s{number}/{way}"), format!("{body:?}, way {way}"));
            let sent = &wholes(&format!("/streams/{stream}?event=e"), "", body)[way];
            let answer = server.raw(sent).await;
            check_count(&answer, want.len(), &row);
            assert_eq!(answer.json()["id"], server.hub.event_id(server.engine.tail()).to_string(), "{row}");
            assert_eq!(server.data(&stream).await, *want, "{row}");
        }
    }
}

#[tokio::test]
async fn under_a_key_the_last_block_is_taken_once_with_and_without_its_empty_line() {
    let server = Server::start().await;
    for (number, (body, want)) in ROWS.iter().enumerate() {
        let (stream, key) = (format!("s{number}"), format!("Idempotency-Key: k{number}\r\n"));
        let rest = if body.ends_with("\n\n") { "" } else { "\n\n" };
        for body in [body.to_string(), format!("{body}{rest}")] {
            for sent in wholes(&format!("/streams/{stream}?close"), &key, &body) {
                let answer = server.raw(sent).await;
                check_count(&answer, want.len(), &body);
                assert_eq!(answer.json()["closed"], true, "{body:?}");
            }
        }
        assert_eq!(server.data(&stream).await, *want, "{body:?}");
    }
}

#[tokio::test]
async fn the_unfinished_block_of_a_body_that_was_cut_is_dropped() {
    let server = Server::start().await;
    let head = "HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/event-stream\r\n";
    for (number, begun) in
        ["data: 2", "data: 2\n", "data: 2\r\n", "event: n\ndata: 2\n", "data"].iter().enumerate()
    {
        let body = format!("data: 1\n\n{begun}");
        let cuts = [
            format!("Transfer-Encoding: chunked\r\n\r\n{}", chunk(&body)),
            format!("Transfer-Encoding: chunked\r\n\r\n{}0\r\n", chunk(&body)),
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}", body.len() + 1),
            format!("Content-Length: {}\r\n\r\n{body}", body.len() + 1),
        ];
        for (way, cut) in cuts.iter().enumerate() {
            let stream = format!("s{number}/{way}");
            let mut wire = server.connect().await;
            wire.send(format!("POST /streams/{stream}?close {head}Idempotency-Key: k\r\n{cut}")).await;
            wire.end().await;
            wire.closed().await;
            assert_eq!(server.data(&stream).await, ["1"], "{begun:?}, cut {way}");
            // The complete body under the same key then appends the rest, and closes.
            let path = format!("POST /streams/{stream}?close");
            let again =
                server.ask(&path, &format!("{TYPE}Idempotency-Key: k\r\n"), "data: 1\n\ndata: 2").await;
            check_count(&again, 2, &format!("{begun:?}, cut {way}"));
            assert_eq!(server.data(&stream).await, ["1", "2"], "{begun:?}, cut {way}");
        }
    }
}

#[tokio::test]
async fn the_last_block_has_the_limits_and_rules_of_every_other() {
    let door = DoorConfig { event_bytes_max: 10, ..DoorConfig::default() };
    let server = Server::with(Setup { door, ..Setup::default() }).await;
    let rows = [
        ("data: 12345678901", 413, "too-large"),
        ("data: a\0", 400, "nul-in-data"),
        ("event: a\0b\ndata: 1", 400, "bad-event-name"),
    ];
    for (number, (last, status, slug)) in rows.into_iter().enumerate() {
        let stream = format!("s{number}");
        let answer =
            server.ask(&format!("POST /streams/{stream}?close"), TYPE, format!("data: 1\n\n{last}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, slug), "{last:?}");
        assert_eq!(answer.json()["count"], 1, "{last:?}");
        assert_eq!(server.data(&stream).await, ["1"], "{last:?}");
    }
    check_count(&server.ask("POST /streams/fits", TYPE, "data: 1234567890").await, 1, "it just fits");
}

#[tokio::test]
async fn a_body_of_http_1_0_without_a_length_is_refused_and_not_passed_over() {
    let server = Server::start().await;
    let before = server.state().await;
    let length = "Content-Length: 0\r\n";
    for (line, headers) in [
        ("POST /streams/a", ""),
        ("POST /streams/a", TYPE),
        ("POST /streams/a?event=n", ""),
        ("POST /streams/a?close", TYPE),
        ("PUT /streams/a", "Content-Type: application/json\r\n"),
    ] {
        let answer = server.raw(format!("{line} HTTP/1.0\r\n{headers}\r\ndata: a\n\n")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-header"), "{line} {headers}");
        assert!(answer.detail().contains("Content-Length"), "{}", answer.detail());
    }
    assert_eq!(server.state().await, before);
    // HTTP/1.0 proxies omit a length of 0.
    for (line, headers, status) in [
        ("PUT /streams/a", "", 201),
        ("POST /streams/a", length, 201),
        ("POST /streams/a?close", "", 201),
        ("POST /streams/a?close", length, 200),
        ("DELETE /streams/a", "", 204),
    ] {
        let answer = server.raw(format!("{line} HTTP/1.0\r\n{headers}\r\n")).await;
        assert_eq!(answer.status, status, "{line} {headers}: {answer:?}");
    }
}

/// `curl -d @file` removes line breaks: two events would become one.
#[tokio::test]
async fn lines_that_were_joined_on_their_way_are_no_event() {
    let server = Server::start().await;
    for body in ["data: adata: b", "data: 1data: 2data: 3", "data:data:", "event: ndata: adata: b"] {
        let answer = server.ask("POST /streams/a", TYPE, body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "nothing-to-append"), "{body}");
        assert!(answer.detail().contains("--data-binary"), "{}", answer.detail());
    }
    for (body, data) in
        [("data: adata: b\n", "adata: b"), ("data: a dat: b", "a dat: b"), ("data: ddata", "ddata")]
    {
        let answer = server.ask("POST /streams/b", TYPE, body).await;
        assert_eq!(answer.status, 201, "{body:?}");
        let page = server.get_json("/streams/b").await.json();
        assert_eq!(page["events"].as_array().unwrap().last().unwrap()["data"], data, "{body:?}");
    }
}
