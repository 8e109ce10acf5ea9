//! POST: what is appended, what is refused, and that a refusal leaves the log as it was.

use std::time::Duration;

use crate::support::{Server, Setup, chunk, request};
use largesse_http::{BodyLimits, DoorConfig};
use largesse_log::{Engine as _, EngineLimits, Position, Settings};

/// Appends to a new stream, and compares its events.
#[track_caller]
fn check<'a>(
    server: &'a Server,
    query: &'a str,
    headers: &'a str,
    body: &'a [u8],
    want: &'a [&'a str],
) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let stream = format!("row/{}", place.line());
        let answer = server.ask(&format!("POST /streams/{stream}{query}"), headers, body).await;
        assert_eq!(answer.status, 201, "{place}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{place}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{place}");
        answer.check_vary();
        let receipt = answer.json();
        assert_eq!(receipt["stream"], stream.as_str(), "{place}");
        assert_eq!(receipt["count"], want.len(), "{place}");
        assert_eq!(receipt["closed"], (query == "?close"), "{place}");
        let id = server.hub.event_id(server.engine.tail()).to_string();
        if !want.is_empty() && query != "?close" {
            assert_eq!(receipt["id"], id.as_str(), "{place}");
        }
        assert_eq!(server.data(&stream).await, want, "{place}");
    }
}

/// Sends a request that is refused, and compares the log before and after.
#[track_caller]
fn check_refused<'a>(
    server: &'a Server,
    line: &'a str,
    headers: &'a str,
    body: &'a [u8],
    want: (u16, &'a str, &'a str),
) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let before = server.state().await;
        let answer = server.ask(line, headers, body).await;
        let (status, slug, part) = want;
        assert_eq!((answer.status, answer.problem().as_str()), (status, slug), "{place}: {}", answer.text());
        assert!(answer.detail().contains(part), "{place}: {} has no {part:?}", answer.detail());
        assert_eq!(server.state().await, before, "{place}: the log changed");
    }
}

const NDJSON: &str = "Content-Type: application/x-ndjson\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

#[tokio::test]
async fn any_text_is_one_event_as_it_came() {
    let server = Server::start().await;
    check(&server, "", FORM, b"a=b&c=%20", &["a=b&c=%20"]).await;
    check(&server, "", "", b"hello", &["hello"]).await;
    check(&server, "", "", b"", &[""]).await;
    check(&server, "", "Content-Type: application/json\r\n", b"{\"a\": 1}\n", &["{\"a\": 1}\n"]).await;
    check(
        &server,
        "",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "\u{feff}ä€😀".as_bytes(),
        &["\u{feff}ä€😀"],
    )
    .await;
    check(&server, "", "", b"a\r\nb\rc\nd", &["a\nb\nc\nd"]).await;
    check(&server, "", "", b"x\nid: 5\n\nevent: end\ndata: y\n\n", &["x\nid: 5\n\nevent: end\ndata: y\n\n"])
        .await;
    check(&server, "", "Content-Encoding: identity\r\n", b"plain", &["plain"]).await;
    check(&server, "?close=false", "", b"", &[""]).await;
}

#[tokio::test]
async fn each_line_of_ndjson_is_an_event_as_it_stands() {
    let server = Server::start().await;
    check(&server, "", NDJSON, b"{\"a\": 1}\n[2]\n\"x\"\n", &["{\"a\": 1}", "[2]", "\"x\""]).await;
    check(&server, "", NDJSON, b"1\r\n\r\n  \n 2 \n3", &["1", " 2 ", "3"]).await;
    check(&server, "", NDJSON, "\u{feff}1\n".as_bytes(), &["1"]).await;
    check(&server, "", "Content-Type: application/jsonl; charset=UTF-8\r\n", b"true", &["true"]).await;
    check(&server, "?close", NDJSON, b"", &[]).await;
    check(&server, "?close", NDJSON, b"1\n2\n", &["1", "2"]).await;
}

#[tokio::test]
async fn a_publish_may_close_the_stream() {
    let server = Server::start().await;
    for (number, query) in ["close", "close=", "close=true", "close=1"].into_iter().enumerate() {
        let answer = server.ask(&format!("POST /streams/c{number}?{query}"), "", "last").await;
        assert_eq!((answer.status, answer.json()["closed"].as_bool()), (201, Some(true)), "{query}");
        let head = server.ask(&format!("HEAD /streams/c{number}"), "", "").await;
        assert_eq!(head.header("largesse-closed"), Some("true"));
    }
}

#[tokio::test]
async fn an_empty_body_that_closes_only_closes_and_a_second_close_is_200() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    let first = server.ask("POST /streams/a?close", "", "").await;
    assert_eq!((first.status, first.json()["count"].as_u64()), (201, Some(0)));
    let before = server.state().await;
    let second = server.ask("POST /streams/a?close", "", "").await;
    assert_eq!((second.status, second.json()["count"].as_u64()), (200, Some(0)));
    assert_eq!((second.json()["closed"].as_bool(), &second.json()["id"]), (Some(true), &first.json()["id"]));
    assert_eq!(server.state().await, before);
    assert_eq!(server.data("a").await, ["1"]);
}

#[tokio::test]
async fn nothing_is_appended_to_a_closed_stream() {
    let server = Server::start().await;
    server.ask("POST /streams/a?close", "", "last").await;
    check_refused(&server, "POST /streams/a", "", b"x", (409, "stream-closed", "'a'")).await;
    check_refused(&server, "POST /streams/a?close", "", b"x", (409, "stream-closed", "'a'")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"1\n", (409, "stream-closed", "'a'")).await;
}

#[tokio::test]
async fn an_event_has_the_name_of_the_query() {
    let server = Server::start().await;
    for (query, want) in [("?event=price", "price"), ("?event=a+b%C3%A4", "a bä"), ("", "message")] {
        server.ask(&format!("POST /streams/n{query}"), "", "x").await;
        let page = server.get_json("/streams/n?from=-1").await.json();
        assert_eq!(page["events"][0]["event"], want);
    }
    server.ask("POST /streams/lines?event=tick", NDJSON, "1\n2\n").await;
    let page = server.get_json("/streams/lines").await.json();
    assert_eq!((&page["events"][0]["event"], &page["events"][1]["event"]), (&"tick".into(), &"tick".into()));
}

#[tokio::test]
async fn names_that_break_the_rules_are_refused() {
    let server = Server::start().await;
    for (path, part) in [
        ("", "empty"),
        ("a//b", "empty"),
        ("a/", "empty"),
        ("a/../b", ".."),
        (".", "."),
        ("a*", "*"),
        ("a%00b", "control"),
        ("a%0Ab", "control"),
        ("%FF", "UTF-8"),
        ("a%2", "hexadecimal"),
    ] {
        check_refused(&server, &format!("POST /streams/{path}"), "", b"x", (400, "bad-name", part)).await;
    }
    let long = "a".repeat(513);
    check_refused(&server, &format!("POST /streams/{long}"), "", b"x", (400, "bad-name", "512")).await;
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused() {
    let server = Server::start().await;
    let refuse = |query: &'static str, slug: &'static str, part: &'static str| {
        let server = &server;
        async move {
            check_refused(server, &format!("POST /streams/a?{query}"), "", b"x", (400, slug, part)).await
        }
    };
    refuse("evnt=x", "bad-query", "did you mean 'event'?").await;
    refuse("closed", "bad-query", "did you mean 'close'?").await;
    refuse("banana=1", "bad-query", "Valid parameters: event, close").await;
    refuse("ticket=t", "bad-query", "'ticket'").await;
    refuse("close=yes", "bad-query", "'yes'").await;
    refuse("close&close", "bad-query", "twice").await;
    refuse("event=a&event=b", "bad-query", "twice").await;
    refuse("event=%FF", "bad-query", "UTF-8").await;
    refuse("event=%", "bad-query", "hexadecimal").await;
    refuse("event=", "bad-event-name", "''").await;
    refuse("event=a%0Ab", "bad-event-name", "0").await;
    refuse("event=a%00b", "bad-event-name", "0").await;
}

#[tokio::test]
async fn bodies_that_are_not_plain_text_are_refused() {
    let server = Server::start().await;
    let form = "Content-Type: multipart/form-data; boundary=x\r\n";
    check_refused(&server, "POST /streams/a", form, b"--x", (415, "unsupported-body", "--data-binary")).await;
    for (body, part) in [
        (&b"\x1f\x8b\x08"[..], "zcat"),
        (b"\x28\xb5\x2f\xfd", "zstdcat"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"\xfe\xff\0a", "UTF-16"),
    ] {
        check_refused(&server, "POST /streams/a", "", body, (415, "unsupported-body", part)).await;
        check_refused(&server, "POST /streams/a", NDJSON, body, (415, "unsupported-body", part)).await;
    }
    let gzip = "Content-Encoding: gzip\r\n";
    check_refused(&server, "POST /streams/a", gzip, b"x", (415, "unsupported-body", "gzip")).await;
    let latin = "Content-Type: text/plain; charset=latin1\r\n";
    check_refused(&server, "POST /streams/a", latin, b"x", (415, "unsupported-body", "latin1")).await;
    check_refused(&server, "POST /streams/a", "", b"ab\xffc", (415, "unsupported-body", "byte 2")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"1\n\xc3\n", (415, "unsupported-body", "byte 2"))
        .await;
    check_refused(&server, "POST /streams/a", "", b"ab\0c", (400, "nul-in-data", "byte 2")).await;
    let twice = "Content-Type: text/plain\r\nContent-Type: text/plain\r\n";
    check_refused(&server, "POST /streams/a", twice, b"x", (400, "bad-header", "Content-Type")).await;
}

#[tokio::test]
async fn ndjson_is_all_lines_or_none() {
    let server = Server::start().await;
    check_refused(&server, "POST /streams/a", NDJSON, b"1\n{\n3\n", (400, "bad-line", "Line 2")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"1\n\n2 3\n", (400, "bad-line", "Line 3")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"\"a\0\"\n", (400, "bad-line", "Line 1")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"", (400, "nothing-to-append", "?close")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"\n \r\n", (400, "nothing-to-append", "no line"))
        .await;
    let deep = "[".repeat(100_000);
    check_refused(&server, "POST /streams/a", NDJSON, deep.as_bytes(), (400, "bad-line", "Line 1")).await;
}

/// The refusal says what removed or added line breaks, if a body is not one JSON text per line.
#[tokio::test]
async fn lines_that_were_joined_or_broken_are_told_with_what_does_so() {
    let server = Server::start().await;
    let long = format!("{{\"a\":\"{}\"}}{{\"b\":2}}", "x".repeat(1024 * 1024));
    for (body, want) in [
        ("{\"a\":1}{\"b\":2}", (400, "bad-line", "--data-binary @file")),
        ("{\"a\":1}{\"b\":2}\n", (400, "bad-line", "--data-binary @file")),
        ("[1][2][3]", (400, "bad-line", "--data-binary @file")),
        ("\"a\"\"b\"", (400, "bad-line", "--data-binary @file")),
        (&long, (413, "too-large", "--data-binary @file")),
        ("{\n  \"a\": 1\n}\n", (400, "bad-line", "jq -c .")),
        ("[\n{\"a\":1},\n{\"b\":2}\n]", (400, "bad-line", "jq -c .")),
    ] {
        check_refused(&server, "POST /streams/a", NDJSON, body.as_bytes(), want).await;
    }
    let blocks = "Content-Type: text/event-stream\r\n";
    let joined = b"event: adata: 1event: bdata: 2";
    check_refused(&server, "POST /streams/a", blocks, joined, (400, "nothing-to-append", "--data-binary"))
        .await;
    let plain = server.ask("POST /streams/a", NDJSON, "{\"a\":1}\nnonsense").await;
    assert!(!plain.detail().contains("curl"), "{}", plain.detail());
}

#[tokio::test]
async fn chunks_that_are_none_are_told_apart_from_a_cut() {
    let server = Server::start().await;
    for media in ["text/plain", "application/x-ndjson", "text/event-stream"] {
        let head = format!(
            "POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\n\
             Transfer-Encoding: chunked\r\n\r\n"
        );
        for chunks in ["zz\r\nhello\r\n", "5\nhello\n", "-1\r\nx", "5\r\nhelloworld", "0x5\r\nhello\r\n"] {
            let before = server.state().await;
            let answer = server.raw(format!("{head}{chunks}")).await;
            let found = (answer.status, answer.problem());
            assert_eq!((found.0, found.1.as_str()), (400, "bad-chunks"), "{media} {chunks:?}");
            assert!(answer.detail().contains("hexadecimal"), "{}", answer.detail());
            assert_eq!(server.state().await, before, "{media} {chunks:?}");
        }
        let mut wire = server.connect().await;
        wire.send(format!("{head}5\r\nhel")).await;
        wire.end().await;
        assert_eq!(wire.answer().await.problem(), "body-cut", "{media}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_what_just_fits_is_not() {
    let door =
        DoorConfig { event_bytes_max: 10, batch_bytes_max: 40, batch_events_max: 3, ..DoorConfig::default() };
    let server = Server::with(Setup { door, ..Setup::default() }).await;
    check(&server, "", "", b"0123456789", &["0123456789"]).await;
    check(&server, "", NDJSON, b"1234567890\n2\n3\n", &["1234567890", "2", "3"]).await;
    check_refused(&server, "POST /streams/a", "", b"0123456789a", (413, "too-large", "10")).await;
    check_refused(&server, "POST /streams/a", NDJSON, b"1\n12345678901\n", (413, "too-large", "Line 2"))
        .await;
    check_refused(&server, "POST /streams/a", NDJSON, b"1\n2\n3\n4\n", (413, "too-large", "3 lines")).await;
    check_refused(&server, "POST /streams/a", NDJSON, "1\n".repeat(21).as_bytes(), (413, "too-large", "40"))
        .await;
    // Without a length the size is only known as the body arrives.
    let before = server.state().await;
    let head = "POST /streams/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = server.raw(format!("{head}{}{}0\r\n\r\n", chunk("01234"), chunk("56789a"))).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too-large"));
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_the_body_comes() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.send("POST /streams/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
        .await;
    assert_eq!(wire.answer().await.problem(), "too-large");
}

#[tokio::test]
async fn a_refusal_arrives_though_the_body_is_still_being_sent() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.send("POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1900000\r\n\r\n").await;
    wire.try_send(vec![b'x'; 1_900_000]).await;
    assert_eq!(wire.answer().await.problem(), "too-large");
}

#[tokio::test]
async fn a_body_is_asked_for_when_the_publisher_waits_to_be_asked() {
    let server = Server::start().await;
    let mut wire = server.connect().await;
    wire.send(
        "POST /streams/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    )
    .await;
    assert_eq!(wire.head().await.status, 100);
    wire.send("hi").await;
    assert_eq!(wire.answer().await.status, 201);
    assert_eq!(server.data("a").await, ["hi"]);
}

#[tokio::test]
async fn a_body_that_does_not_go_on_is_refused_and_appends_nothing() {
    let bodies = BodyLimits { idle_max: Duration::from_millis(50), ..BodyLimits::default() };
    let server = Server::with(Setup { bodies, ..Setup::default() }).await;
    let before = server.state().await;
    let mut wire = server.connect().await;
    wire.send("POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel").await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "body-timeout"));
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn a_body_that_is_cut_off_appends_nothing() {
    let server = Server::start().await;
    let cut_text = request("POST /streams/a", "Content-Length: 5\r\n", b"");
    let cut_lines = request("POST /streams/a", &format!("{NDJSON}Transfer-Encoding: chunked\r\n"), b"");
    for (head, body) in [(cut_text, "hel"), (cut_lines, "2\r\n1\n\r\n")] {
        let mut wire = server.connect().await;
        wire.send(head).await;
        wire.send(body).await;
        drop(wire);
    }
    // Connections are accepted in order, so those two are accepted once this one is answered. The shutdown then waits
    // for them.
    assert_eq!(server.ask("HEAD /streams/a", "", "").await.status, 404);
    let (engine, before) = (server.engine.clone(), Position::ZERO);
    assert_eq!(server.stopped().await.cut, 0);
    assert_eq!(engine.tail(), before);
}

#[tokio::test]
async fn a_publish_that_can_never_be_kept_is_told_the_limit() {
    let defaults = Settings { max_bytes: Some(150), ..Settings::default() };
    let engine = EngineLimits { defaults, streams_max: 1, ..EngineLimits::default() };
    let server = Server::with(Setup { engine, ..Setup::default() }).await;
    check_refused(&server, "POST /streams/a", "", &[b'x'; 200], (413, "too-large", "150")).await;
    server.publish("a", "x").await;
    check_refused(&server, "POST /streams/b", "", b"x", (503, "too-many-streams", "1 streams")).await;
}
