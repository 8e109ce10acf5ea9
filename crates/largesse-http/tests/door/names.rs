//! Names of control events: who may publish under them.

use largesse_log::{ControlNames, EngineLimits, RESERVED_NAMES, Settings};

use crate::support::{Answer, Server, Setup, chunk, request};

const NDJSON: &str = "Content-Type: application/x-ndjson\r\n";
const BLOCKS: &str = "Content-Type: text/event-stream\r\n";

#[track_caller]
fn check_refused(answer: &Answer, name: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "reserved-name"),
        "{name}: {}",
        answer.text()
    );
    let problem = answer.json();
    assert_eq!((problem["event"].as_str(), problem["stream"].as_str()), (Some(name), Some("a")), "{problem}");
    let detail = answer.detail();
    assert!(detail.contains("PUT {\"control_names\":\"shared\"}"), "the way out: {detail}");
    let reserved: Vec<&str> =
        problem["reserved"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    assert_eq!(reserved, RESERVED_NAMES);
}

async fn share(server: &Server, word: &str) {
    let body = format!("{{\"control_names\":\"{word}\"}}");
    assert!(server.ask("PUT /streams/a", "", body).await.status < 300);
}

#[tokio::test]
async fn a_publisher_uses_no_name_of_a_control_event_by_any_way_in() {
    let server = Server::start().await;
    let before = server.state().await;
    for name in RESERVED_NAMES {
        let path = format!("POST /streams/a?event={name}");
        for (path, headers, body) in [
            (path.clone(), "", "x".to_owned()),
            (path.clone(), "", String::new()),
            (path.clone(), "Idempotency-Key: k\r\n", "x".to_owned()),
            (path.clone(), NDJSON, "1\n2\n".to_owned()),
            (path.clone(), BLOCKS, "data: x\n\n".to_owned()),
            (path, BLOCKS, "data: x\n\nevent: tick\ndata: y\n\n".to_owned()),
            ("POST /streams/a".to_owned(), BLOCKS, format!("event: {name}\ndata: x\n\n")),
            ("POST /streams/a?close".to_owned(), BLOCKS, format!("event: {name}\ndata: x\n\n")),
            ("POST /streams/a?event=tick".to_owned(), BLOCKS, format!("event: {name}\ndata\n\ndata: y\n\n")),
        ] {
            check_refused(&server.ask(&path, headers, body).await, name);
        }
        assert_eq!(server.state().await, before, "{name}");
    }
    // Percent-encoded it is the same name.
    check_refused(&server.ask("POST /streams/a?event=%65nd", "", "x").await, "end");
}

#[tokio::test]
async fn names_that_only_look_like_them_are_everybodys() {
    let server = Server::start().await;
    for name in ["message", "open", "error", "End", "END", "ended", "%20end", "end%20", "reset1", "abort"] {
        let answer = server.ask(&format!("POST /streams/a?event={name}"), "", "x").await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
    }
    let answer = server.ask("POST /streams/a", BLOCKS, "event: message\ndata: x\n\ndata: end\n\n").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn whoever_closes_may_say_that_it_failed() {
    for (headers, body, count) in
        [("", "why", 1), (NDJSON, "1\n2\n", 2), ("Idempotency-Key: k\r\n", "why", 1)]
    {
        let server = Server::start().await;
        check_refused(&server.ask("POST /streams/a?event=failed", headers, body).await, "failed");
        let answer = server.ask("POST /streams/a?event=failed&close", headers, body).await;
        let receipt = answer.json();
        assert_eq!(
            (answer.status, &receipt["count"], &receipt["closed"]),
            (201, &count.into(), &true.into())
        );
        for name in ["end", "reset", "closed"] {
            let path = format!("POST /streams/b?event={name}&close");
            assert_eq!(server.ask(&path, headers, body).await.problem(), "reserved-name", "{name}");
        }
    }
    let server = Server::start().await;
    for (headers, body) in [("", ""), (NDJSON, ""), (NDJSON, "\n")] {
        let unsaid = server.ask("POST /streams/a?event=failed&close", headers, body).await;
        assert_eq!(unsaid.problem(), "bad-query", "nobody would hear it: {headers} {body:?}");
    }
    let only_closes = server.ask("POST /streams/a?close", "", "").await;
    assert_eq!((only_closes.status, &only_closes.json()["count"]), (201, &0.into()));
}

#[tokio::test]
async fn blocks_are_appended_before_the_close_so_none_of_them_says_that_it_failed() {
    let server = Server::start().await;
    let body = "data: 1\n\nevent: failed\ndata: why\n\n";
    let answer = server.ask("POST /streams/a?close", BLOCKS, body).await;
    check_refused(&answer, "failed");
    assert!(answer.detail().contains("?event=failed&close"), "{}", answer.detail());
    let state = server.get_json("/streams/a").await.json();
    assert_eq!((state["events"].as_array().map(Vec::len), &state["closed"]), (Some(1), &false.into()));
}

#[tokio::test]
async fn what_came_before_a_block_with_such_a_name_stays() {
    let body = "data: 1\n\nevent: n\ndata: 2\n\nevent: end\ndata: 3\n\ndata: 4\n\n";
    for key in ["", "Idempotency-Key: k\r\n"] {
        // In one piece, and with each line in a piece of its own.
        for pieces in [vec![body.to_owned()], body.split_inclusive('\n').map(str::to_owned).collect()] {
            let server = Server::start().await;
            let mut wire = server.connect().await;
            let headers = format!("{BLOCKS}{key}Transfer-Encoding: chunked\r\n");
            wire.send(request("POST /streams/a", &headers, b"")).await;
            for piece in &pieces {
                wire.send(chunk(piece)).await;
            }
            wire.send("0\r\n\r\n").await;
            let answer = wire.answer().await;
            check_refused(&answer, "end");
            assert_eq!(answer.json()["count"], 2, "{}", answer.text());
            assert_eq!(server.data("a").await, ["1", "2"], "{key:?}");
            share(&server, "shared").await;
            // Under the key the publisher sends everything again once the stream allows it.
            let again = server.ask("POST /streams/a", &format!("{BLOCKS}{key}"), body).await;
            assert_eq!((again.status, &again.json()["count"]), (201, &4.into()), "{}", again.text());
            let want: &[&str] =
                if key.is_empty() { &["1", "2", "1", "2", "3", "4"] } else { &["1", "2", "3", "4"] };
            assert_eq!(server.data("a").await, want, "{key:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_shares_the_names_takes_them_until_it_does_not() {
    let server = Server::start().await;
    share(&server, "shared").await;
    for name in RESERVED_NAMES {
        let path = format!("POST /streams/a?event={name}");
        let key = format!("Idempotency-Key: {name}\r\n");
        assert_eq!(server.ask(&path, &key, name).await.status, 201);
        assert_eq!(server.ask(&path, NDJSON, "1\n2").await.status, 201);
        let block = format!("event: {name}\ndata: x\n\n");
        assert_eq!(server.ask("POST /streams/a", BLOCKS, block).await.status, 201);
    }
    check_other_streams_keep_theirs(&server).await;
    share(&server, "reserved").await;
    check_refused(&server.ask("POST /streams/a?event=end", "", "x").await, "end");
    let heard = server.get_json("/streams/a?limit=1000").await.json();
    let names: Vec<_> =
        heard["events"].as_array().into_iter().flatten().map(|event| &event["event"]).collect();
    assert!(names.iter().any(|name| **name == "end"), "what was accepted stays: {names:?}");
}

async fn check_other_streams_keep_theirs(server: &Server) {
    assert_eq!(server.ask("POST /streams/b?event=end", "", "x").await.problem(), "reserved-name");
}

#[tokio::test]
async fn a_repeat_gets_its_answer_whatever_is_reserved_by_then() {
    let server = Server::start().await;
    share(&server, "shared").await;
    let publish = async || server.ask("POST /streams/a?event=end", "Idempotency-Key: k\r\n", "x").await;
    let first = publish().await;
    share(&server, "reserved").await;
    let before = server.state().await;
    let second = publish().await;
    assert_eq!((first.status, second.status, second.json()), (201, 201, first.json()));
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn the_servers_default_counts_where_nobody_configured_a_stream() {
    let defaults = Settings { control_names: ControlNames::Shared, ..Settings::default() };
    let engine = EngineLimits { defaults, ..EngineLimits::default() };
    let server = Server::with(Setup { engine, ..Setup::default() }).await;
    assert_eq!(server.ask("POST /streams/a?event=end", "", "x").await.status, 201);
    share(&server, "reserved").await;
    check_refused(&server.ask("POST /streams/a?event=end", "", "x").await, "end");
    let back = server.ask("PUT /streams/a", "", "{\"control_names\":null}").await;
    assert_eq!(back.json()["settings"]["control_names"], "shared");
    assert_eq!(server.ask("POST /streams/a?event=end", "", "x").await.status, 201);
}
