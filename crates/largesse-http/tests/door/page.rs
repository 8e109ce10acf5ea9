//! GET as JSON: pages of history, lists of streams; HEAD, PUT and DELETE.

use crate::support::{Answer, Server};
use serde_json::{Value, json};

async fn page(server: &Server, path: &str) -> Value {
    let answer = server.get_json(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.check_vary();
    answer.json()
}

fn data(page: &Value) -> String {
    let events = page["events"].as_array().expect("events");
    events.iter().map(|event| event["data"].as_str().expect("data")).collect()
}

async fn put(server: &Server, body: &str) -> Answer {
    server.ask("PUT /streams/a", "Content-Type: application/json\r\n", body).await
}

#[tokio::test]
async fn a_page_has_the_events_and_where_to_go_on() {
    let server = Server::start().await;
    let first = server.publish("a", "1").await;
    let second = server.publish("a?event=n&close", "2").await;
    let found = page(&server, "/streams/a").await;
    let time = "2023-11-14T22:13:20.000Z";
    assert_eq!(
        found["events"],
        json!([
            {"id": first, "event": "message", "data": "1", "time": time},
            {"id": second, "event": "n", "data": "2", "time": time},
        ])
    );
    assert_eq!((&found["closed"], found.get("reset")), (&json!(true), None));
    let next = found["next"].as_str().expect("a next");
    let after = page(&server, &format!("/streams/a?after={next}")).await;
    assert_eq!((data(&after), after["closed"].as_bool()), (String::new(), Some(true)));
}

#[tokio::test]
async fn pages_give_each_event_once() {
    let server = Server::start().await;
    for word in ["1", "2", "3", "4", "5"] {
        server.publish("a", word).await;
        server.publish("b", "other").await;
    }
    let (mut next, mut pages) = (String::new(), Vec::new());
    for _ in 0..4 {
        let found = page(&server, &format!("/streams/a?limit=2&after={next}")).await;
        next = found["next"].as_str().expect("a next").to_owned();
        pages.push(data(&found));
    }
    assert_eq!(pages, ["12", "34", "5", ""]);
    server.publish("a", "6").await;
    assert_eq!(data(&page(&server, &format!("/streams/a?after={next}")).await), "6");
    assert_eq!(data(&page(&server, "/streams/a?from=-2").await), "56");
}

#[tokio::test]
async fn a_page_tells_what_it_could_not_go_on_from() {
    let server = Server::start().await;
    server.ask("PUT /streams/a", "", "{\"max_events\": 1}").await;
    let first = server.publish("a", "1").await;
    server.publish("a", "2").await;
    server.publish("a", "3").await;
    let found = page(&server, &format!("/streams/a?after={first}")).await;
    assert_eq!(found["reset"], json!({"reason": "trimmed", "streams": ["a"], "requested": first}));
    assert_eq!(data(&found), "3");
    let found = page(&server, "/streams/a?after=nonsense").await;
    assert_eq!(found["reset"], json!({"reason": "unknown_id", "streams": [], "requested": "nonsense"}));
    assert_eq!(data(&found), "3");
}

#[tokio::test]
async fn a_page_of_several_streams_names_them() {
    let server = Server::start().await;
    server.publish("a?close", "1").await;
    server.publish("b", "2").await;
    let found = page(&server, "/streams?name=b&name=a").await;
    assert_eq!(data(&found), "12");
    assert_eq!((&found["events"][0]["stream"], &found["events"][1]["stream"]), (&json!("a"), &json!("b")));
    assert_eq!(found["closed"], false);
    server.ask("POST /streams/b?close", "", "").await;
    assert_eq!(page(&server, "/streams?name=b&name=a").await["closed"], true);
    // With a pattern, more streams may follow, so nothing is closed.
    assert_eq!(page(&server, "/streams?name=b&name=*").await["closed"], false);
}

#[tokio::test]
async fn values_of_a_page_that_mean_nothing_are_refused() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=",
        "from=x",
        "after=a&after=b",
        "limit=1&limit=1",
    ] {
        for path in ["/streams/a", "/streams?name=a"] {
            let join = if path.contains('?') { '&' } else { '?' };
            let answer = server.get_json(&format!("{path}{join}{query}")).await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-query"), "{path} {query}");
        }
    }
    assert_eq!(server.get_json("/streams/b").await.problem(), "no-such-stream");
}

#[tokio::test]
async fn the_list_of_streams_comes_in_pages() {
    let server = Server::start().await;
    assert_eq!(page(&server, "/streams").await, json!({"streams": [], "next": null}));
    let (first, last) = (server.publish("b", "x").await, server.publish("b?close", "y").await);
    server.ask("PUT /streams/a", "", "").await;
    server.publish("c", "z").await;
    let found = page(&server, "/streams?limit=2").await;
    let bytes = found["streams"][1]["bytes"].as_u64();
    let settings = json!({"max_age": "7d", "max_events": "unlimited", "max_bytes": "64 MiB",
        "ttl_after_close": "24h", "slow": "catch-up", "from": "start", "control_names": "reserved"});
    assert_eq!(
        found,
        json!({"streams": [
            {"stream": "a", "closed": false, "events": 0, "bytes": 0, "settings": settings},
            {"stream": "b", "closed": true, "events": 2, "bytes": bytes, "first_id": first, "last_id": last,
             "time": "2023-11-14T22:13:20.000Z", "settings": settings},
        ], "next": "b"})
    );
    let found = page(&server, "/streams?limit=2&after=b").await;
    assert_eq!((found["streams"][0]["stream"].as_str(), &found["next"]), (Some("c"), &Value::Null));
    assert_eq!(server.get_json("/streams?after=a//b").await.problem(), "bad-name");
}

#[tokio::test]
async fn head_tells_the_state_and_makes_nothing() {
    let server = Server::start().await;
    let before = server.state().await;
    let absent = server.ask("HEAD /streams/a", "", "").await;
    assert_eq!((absent.status, absent.header("cache-control")), (404, Some("no-store")));
    assert_eq!(server.state().await, before);
    let (first, last) = (server.publish("a", "1").await, server.publish("a", "22").await);
    let head = server.ask("HEAD /streams/a", "", "").await;
    assert_eq!((head.status, head.header("content-type"), head.header("content-length")), (200, None, None));
    assert_eq!(head.header("largesse-closed"), Some("false"));
    assert_eq!(head.header("largesse-events"), Some("2"));
    assert!(head.header("largesse-bytes").and_then(|b| b.parse::<u64>().ok()).is_some_and(|bytes| bytes > 3));
    assert_eq!(
        (head.header("largesse-first-id"), head.header("largesse-last-id")),
        (Some(&*first), Some(&*last))
    );
    head.check_vary();
}

#[tokio::test]
async fn head_of_several_streams_has_the_headers_of_a_get_and_begins_no_reader() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    let json = "Accept: application/json\r\n";
    let event_stream = Some("text/event-stream");
    for (path, headers, status, media) in [
        ("/streams", "", 200, None),
        ("/streams", json, 200, Some("application/json")),
        ("/streams?name=a", "", 200, event_stream),
        ("/streams?name=a&name=prices/*", "Accept: text/event-stream\r\n", 200, event_stream),
        ("/streams?name=not-there-yet", "", 200, event_stream),
        ("/streams?name=a", json, 200, Some("application/json")),
        ("/streams?name=a//b", "", 400, Some("application/problem+json")),
        ("/streams?name=a&from=yesterday", "", 400, Some("application/problem+json")),
        ("/streams?name=a&format=xml", "", 400, Some("application/problem+json")),
        ("/streams?name=a&heartbeat=x", "", 400, Some("application/problem+json")),
        ("/streams?name=a&control=x", "", 400, Some("application/problem+json")),
        ("/streams?name=a&form=now", "", 400, Some("application/problem+json")),
        ("/streams?names=a", "", 400, Some("application/problem+json")),
    ] {
        let head = server.ask(&format!("HEAD {path}"), headers, "").await;
        assert_eq!((head.status, head.header("content-type")), (status, media), "{path} {headers}: {head:?}");
        head.check_vary();
    }
    let mut wire = server.read("/streams?name=a&name=b", "").await;
    drop(wire.line().await);
    let head = server.ask("HEAD /streams?name=a&name=b", "", "").await;
    assert_eq!(head.header("content-location"), Some("/streams?name=a&name=b"));
    assert_eq!(head.header("largesse-heartbeat"), Some("15"));
    assert_eq!((head.header("content-length"), server.hub.readers()), (None, 1));
}

#[tokio::test]
async fn put_makes_a_stream_and_changes_what_it_names() {
    let server = Server::start().await;
    let made = put(&server, "").await;
    assert_eq!(made.status, 201);
    let json = made.json();
    assert_eq!((&json["stream"], &json["closed"]), (&json!("a"), &json!(false)));
    assert_eq!((&json["settings"]["max_age"], &json["settings"]["slow"]), (&json!("7d"), &json!("catch-up")));
    let changed = put(&server, "{\"max_events\": 5, \"slow\": \"latest\", \"max_bytes\": \"1 MiB\"}").await;
    let settings = changed.json()["settings"].clone();
    assert_eq!(
        (changed.status, &settings["max_events"], &settings["slow"]),
        (200, &json!(5), &json!("latest"))
    );
    assert_eq!(settings["max_age"], "7d");
    let back = put(&server, "{\"max_events\": null}").await.json()["settings"].clone();
    assert_eq!((&back["max_events"], &back["slow"]), (&json!("unlimited"), &json!("latest")));
}

#[tokio::test]
async fn settings_that_mean_nothing_change_nothing() {
    let server = Server::start().await;
    put(&server, "{}").await;
    let before = server.state().await;
    for (body, part) in [
        ("{\"max_events\": 5, \"max_evnts\": 5}", "did you mean 'max_events'?"),
        ("{\"max_events\": 5, \"banana\": 5}", "Valid settings: max_age"),
        ("{\"max_events\": 0}", "'max_events' is 0. Expected: a whole number of at least 1"),
        ("{\"max_events\": \"many\"}", "'max_events' is \"many\". Expected"),
        ("{\"max_events\": 1.5}", "'max_events' is 1.5. Expected"),
        ("{\"max_events\": -1}", "'max_events' is -1. Expected"),
        (
            "{\"max_events\": 5, \"max_age\": \"1 fortnight\"}",
            "'max_age' is \"1 fortnight\". Expected: a duration",
        ),
        ("{\"max_bytes\": true}", "'max_bytes' is true. Expected: a number of at least 1 byte"),
        ("{\"ttl_after_close\": 5}", "'ttl_after_close' is 5. Expected: a duration"),
        ("{\"slow\": \"fast\"}", "'slow' is \"fast\". Expected: \"catch-up\", \"latest\" or \"disconnect\"."),
        ("{\"slow\": {\"latest\": 1}}", "Expected: \"catch-up\""),
        ("{\"slow\": {\"latest\": null}}", "Expected: \"catch-up\""),
        ("{\"max_events\": 1, \"max_events\": 2}", "The setting 'max_events' is given twice."),
        ("[]", "The body is not a JSON object. Expected"),
        ("{", "line 1, column 1. Expected"),
        ("{}x", "JSON object"),
        ("null", "JSON object"),
        ("hello", "JSON object"),
    ] {
        let answer = put(&server, body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-settings"), "{body}");
        assert!(answer.detail().contains(part), "{body}: {}", answer.detail());
        for foreign in ["expected", "invalid", "variant", "EOF", "trailing", "duplicate"] {
            assert!(!answer.detail().contains(foreign), "{body}: {}", answer.detail());
        }
        assert_eq!(server.state().await, before, "{body}");
    }
    assert_eq!(put(&server, &" ".repeat(65_537)).await.problem(), "too-large");
    assert_eq!(server.ask("PUT /streams/a?max_age=1d", "", "{}").await.problem(), "bad-query");
    assert_eq!(server.ask("PUT /streams/a?ticket=t", "", "{}").await.problem(), "bad-query");
    assert_eq!(server.ask("PUT /streams/", "", "{}").await.problem(), "bad-name");
}

#[tokio::test]
async fn delete_removes_a_stream_once() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    let deleted = server.ask("DELETE /streams/a", "", "").await;
    assert_eq!((deleted.status, deleted.header("cache-control")), (204, Some("no-store")));
    deleted.check_vary();
    assert_eq!(server.ask("DELETE /streams/a", "", "").await.problem(), "no-such-stream");
    assert_eq!(server.ask("DELETE /streams/a?close", "", "").await.problem(), "bad-query");
    assert_eq!(server.ask("DELETE /streams/a?ticket=t", "", "").await.problem(), "bad-query");
    server.publish("a", "2").await;
    assert_eq!(server.data("a").await, ["2"]);
}
