//! GET as an event stream: its bytes, where it begins, and how it ends.

use crate::support::{Answer, Server, Setup, Wire, request};
use largesse_http::DoorConfig;
use largesse_hub::HubLimits;

/// The head of every read in these tests.
const HEAD: &str = ":\nretry: 2000\n";

async fn start() -> Server {
    let door = DoorConfig { retry_ms_min: 2000, retry_ms_max: 2000, ..DoorConfig::default() };
    Server::with(Setup { door, ..Setup::default() }).await
}

/// Opens a read, and returns its body up to the end.
async fn whole(server: &Server, path: &str, headers: &str) -> String {
    server.read(path, headers).await.rest_text().await
}

async fn get(server: &Server, path: &str, headers: &str) -> Answer {
    server.ask(&format!("GET {path}"), headers, "").await
}

fn presents(id: &str) -> String {
    format!("Last-Event-ID: {id}\r\n")
}

/// The id in a block.
fn id_of(block: &str) -> String {
    let id = block.lines().find_map(|line| line.strip_prefix("id: "));
    id.expect("a block with an id").to_owned()
}

#[tokio::test]
async fn a_read_is_byte_for_byte_the_safe_subset() {
    let server = start().await;
    let (first, second) = (server.publish("a", "one").await, server.publish("a?event=n", "x\r\ny\n").await);
    server.ask("POST /streams/a?close", "", "").await;
    let mut wire = server.read("/streams/a", "").await;
    let text = wire.rest_text().await;
    let end = id_of(text.split("event: end").nth(1).expect("an end"));
    assert_eq!(
        text,
        format!(
            "{HEAD}data: one\nid: {first}\n\nevent: n\ndata: x\ndata: y\ndata: \nid: {second}\n\n\
             event: end\ndata: {{\"reason\":\"closed\"}}\nid: {end}\n\n"
        )
    );
}

#[tokio::test]
async fn a_read_has_the_headers_that_hops_need() {
    let server = start().await;
    server.publish("a/b%20c", "x").await;
    let mut wire = server.connect().await;
    wire.send(request("GET /streams/a/b%20c?_=123", "Accept: */*\r\n", b"")).await;
    let head = wire.head().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    assert_eq!(head.header("content-location"), Some("/streams/a/b%20c"));
    assert_eq!(head.header("content-encoding"), None);
    head.check_vary();
}

#[tokio::test]
async fn a_read_says_how_often_there_is_a_sign_of_life() {
    for (ms, want) in [(15_000, "15"), (1_500, "2"), (3_600_000, "3600"), (1_000, "1")] {
        let heartbeat = std::time::Duration::from_millis(ms);
        let hub = HubLimits { heartbeat, ..HubLimits::default() };
        let server = Server::with(Setup { hub, ..Setup::default() }).await;
        let mut wire = server.connect().await;
        wire.send(request("GET /streams/a", "", b"")).await;
        assert_eq!(wire.head().await.header("largesse-heartbeat"), Some(want), "{ms} ms");
    }
}

#[tokio::test]
async fn the_head_goes_out_at_once_and_a_live_event_follows() {
    let server = start().await;
    let mut wire = server.read("/streams/early", "").await;
    assert_eq!((wire.line().await, wire.line().await), (":\n".to_owned(), "retry: 2000\n".to_owned()));
    let id = server.publish("early", "live").await;
    assert_eq!(wire.block().await, format!("data: live\nid: {id}\n\n"));
    assert_eq!(server.get_json("/streams/nobody").await.problem(), "no-such-stream");
}

#[tokio::test]
async fn the_retry_is_drawn_from_its_range() {
    let server = Server::start().await;
    for _ in 0..20 {
        let mut wire = server.read("/streams/a", "").await;
        wire.line().await;
        let line = wire.line().await;
        let ms = line.strip_prefix("retry: ").and_then(|ms| ms.trim().parse::<u32>().ok());
        assert!(ms.is_some_and(|ms| (1000..=3000).contains(&ms)), "{line}");
    }
}

#[tokio::test]
async fn a_first_read_begins_where_from_says() {
    let server = start().await;
    for (ms, data) in [(0, "1"), (1000, "2"), (2000, "3")] {
        server.clock.set_ms(crate::support::BEGIN_MS + ms);
        server.publish("a", data).await;
    }
    server.ask("POST /streams/a?close", "", "").await;
    for (query, want) in [
        ("", "123"),
        ("from=start", "123"),
        ("from=-2", "23"),
        ("from=-99", "123"),
        ("from=-99999999999999999999", "123"),
        ("from=-0", ""),
        ("from=now", ""),
        ("from=2023-11-14T22:13:21Z", "23"),
        ("from=2023-11-14T22:13:20.001Z", "23"),
        ("from=2023-11-14T23:13:22%2B01:00", "3"),
        ("from=2023-11-14T23:13:22+01:00", "3"),
        ("from=2030-01-01T00:00:00Z", ""),
    ] {
        let text = whole(&server, &format!("/streams/a?{query}"), "").await;
        let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| data.len() == 1);
        assert_eq!(data.collect::<String>(), want, "{query}: {text}");
    }
}

#[tokio::test]
async fn where_a_repeat_would_find_another_place_the_place_is_told_first() {
    let server = start().await;
    server.publish("a", "before").await;
    let mut wire = server.read("/streams/a?from=now", "").await;
    let begin = wire.block().await;
    let id = id_of(&begin);
    assert_eq!(begin, format!("{HEAD}event: begin\ndata: {{\"stream\":\"a\"}}\nid: {id}\n\n"));
    drop(wire);
    server.publish("a", "missed").await;
    let mut again = server.read("/streams/a?from=now", &presents(&id)).await;
    assert!(again.block().await.starts_with(&format!("{HEAD}data: missed\n")));
}

#[tokio::test]
async fn a_reconnect_reads_on_whichever_way_it_presents_its_id() {
    let server = start().await;
    let first = server.publish("a", "1").await;
    let second = server.publish("a", "2").await;
    let want = format!("{HEAD}data: 2\nid: {second}\n\n");
    for (query, header) in [
        (String::new(), presents(&first)),
        (format!("last_event_id={first}"), String::new()),
        (format!("lastEventId={first}&from=now"), String::new()),
        (format!("lastEventID={first}"), presents("")),
        (format!("last_event_id=garbage&lastEventId={second}"), presents(&first)),
    ] {
        let mut wire = server.read(&format!("/streams/a?{query}"), &header).await;
        assert_eq!(wire.block().await, want, "{query} {header}");
    }
}

#[tokio::test]
async fn an_id_that_means_nothing_is_told_and_never_an_error() {
    let server = start().await;
    server.publish("a", "1").await;
    for (header, shown) in
        [("nonsense", "nonsense"), ("\u{e4}\u{2028}", "ä\u{2028}"), ("a b\"\\", "a b\\\"\\\\")]
    {
        let mut wire = server.read("/streams/a", &presents(header)).await;
        let block = wire.block().await;
        let start = format!(
            "{HEAD}event: reset\ndata: {{\"reason\":\"unknown_id\",\"streams\":[],\"requested\":\"{shown}\"}}\nid: "
        );
        assert!(block.starts_with(&start), "{block}");
        assert!(wire.block().await.starts_with("data: 1\n"));
    }
    let mut wire = server.connect().await;
    let mut bytes = request("GET /streams/a", "Last-Event-ID: XY\r\n", b"");
    let at = bytes.windows(2).position(|two| two == b"XY").expect("the mark");
    bytes[at..at + 2].copy_from_slice(b"\xff\xfe");
    wire.send(bytes).await;
    assert_eq!(wire.head().await.status, 200);
    assert!(wire.block().await.contains("unknown_id"));
}

#[tokio::test]
async fn who_heard_the_end_is_stopped_for_good() {
    let server = start().await;
    let last = server.publish("a?close", "1").await;
    let text = whole(&server, "/streams/a", "").await;
    let end = id_of(text.split("event: end").nth(1).expect("an end"));
    // A page that got the event, but perhaps not the end, gets the end again.
    let again = whole(&server, "/streams/a", &presents(&last)).await;
    assert_eq!(again, format!("{HEAD}event: end\ndata: {{\"reason\":\"closed\"}}\nid: {end}\n\n"));
    for _ in 0..2 {
        let stopped = get(&server, "/streams/a", &presents(&end)).await;
        assert_eq!((stopped.status, stopped.body.len()), (204, 0));
        assert_eq!(stopped.header("cache-control"), Some("no-store"));
        stopped.check_vary();
        server.ask("DELETE /streams/a", "", "").await;
    }
}

#[tokio::test]
async fn a_deletion_is_told_to_who_reads() {
    let server = start().await;
    server.publish("a", "1").await;
    let mut wire = server.read("/streams/a", "").await;
    wire.block().await;
    server.ask("DELETE /streams/a", "", "").await;
    let end = wire.block().await;
    assert!(end.starts_with("event: end\ndata: {\"reason\":\"deleted\"}\nid: "), "{end}");
    assert_eq!(wire.rest_text().await, "");
}

#[tokio::test]
async fn without_control_events_only_the_streams_own_are_heard() {
    let server = start().await;
    let last = server.publish("a?close", "1").await;
    let text = whole(&server, "/streams/a?control=off&from=-5", "").await;
    assert_eq!(text, format!("{HEAD}data: 1\nid: {last}\n\n"));
    assert_eq!(get(&server, "/streams/a?control=off", &presents(&last)).await.status, 204);
}

#[tokio::test]
async fn several_streams_come_in_one_order_with_their_ends() {
    let server = start().await;
    server.publish("a", "1").await;
    server.publish("b/x?close", "2").await;
    server.publish("a?close", "3").await;
    server.publish("other", "4").await;
    let mut wire = server.connect().await;
    wire.send(request("GET /streams?name=b/x&name=a&name=a", "", b"")).await;
    assert_eq!(wire.head().await.header("content-location"), Some("/streams?name=a&name=b/x"));
    let text = wire.rest_text().await;
    let shown: Vec<_> =
        text.lines().filter(|l| l.starts_with("event: ") || l.starts_with("data: ")).collect();
    assert_eq!(
        shown,
        [
            "data: 1",
            "data: 2",
            "event: closed",
            "data: {\"stream\":\"b/x\",\"reason\":\"closed\"}",
            "data: 3",
            "event: closed",
            "data: {\"stream\":\"a\",\"reason\":\"closed\"}",
            "event: end",
            "data: {\"reason\":\"closed\"}"
        ]
    );
}

#[tokio::test]
async fn a_pattern_reads_what_matches_now_and_later() {
    let server = start().await;
    server.publish("p/a", "1").await;
    server.publish("q", "no").await;
    let mut wire = server.read("/streams?name=p/*&from=now", "").await;
    assert!(wire.block().await.contains("event: begin\ndata: {\"streams\":[\"p/*\"]}\n"));
    server.publish("p/b/c", "no").await;
    server.publish("p/b", "2").await;
    assert!(wire.block().await.starts_with("data: 2\n"));
}

#[tokio::test]
async fn as_json_each_event_says_all_of_itself() {
    let server = start().await;
    let first = server.publish("a", "x\n\"y\"").await;
    let second = server.publish("b?event=n&close", "z").await;
    let mut wire = server.read("/streams?name=a&name=b&format=json", "").await;
    let block = format!(
        "{HEAD}data: {{\"stream\":\"a\",\"event\":\"message\",\"id\":\"{first}\",\
         \"time\":\"2023-11-14T22:13:20.000Z\",\"data\":\"x\\n\\\"y\\\"\"}}\nid: {first}\n\n"
    );
    assert_eq!(wire.block().await, block);
    let block = format!(
        "data: {{\"stream\":\"b\",\"event\":\"n\",\"id\":\"{second}\",\
         \"time\":\"2023-11-14T22:13:20.000Z\",\"data\":\"z\"}}\nid: {second}\n\n"
    );
    assert_eq!(wire.block().await, block);
    assert!(wire.block().await.starts_with("event: closed\ndata: {\"stream\":\"b\","));
    let mut one = server.read("/streams/a?format=json", "").await;
    assert!(one.block().await.starts_with(&format!("{HEAD}data: {{\"stream\":\"a\",\"event\":\"message\",")));
}

#[tokio::test]
async fn values_that_mean_nothing_are_refused_and_unknown_parameters_are_not() {
    let server = start().await;
    for (query, part) in [
        ("from=yesterday", "'yesterday'"),
        ("from=", "''"),
        ("from=--1", "start, now, -N"),
        ("from=now&from=now", "twice"),
        ("heartbeat=yes", "comment or event"),
        ("control=maybe", "on or off"),
        ("format=xml", "json or plain"),
        ("format=%FF", "UTF-8"),
    ] {
        let answer = get(&server, &format!("/streams/a?{query}"), "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-query"), "{query}");
        assert!(answer.detail().contains(part), "{query}: {}", answer.detail());
    }
    server.read("/streams/a?_=1&_=2&x=%FF&ticket=t", "").await;
    let nothing = get(&server, "/streams", "").await;
    assert_eq!((nothing.status, nothing.problem().as_str()), (400, "bad-query"));
    assert_eq!(get(&server, "/streams?name=a*", "").await.problem(), "bad-name");
    assert_eq!(get(&server, "/streams?name=", "").await.problem(), "bad-name");
    let many: Vec<_> = (0..257).map(|n| format!("name=s{n}")).collect();
    assert_eq!(get(&server, &format!("/streams?{}", many.join("&")), "").await.problem(), "bad-query");
}

#[tokio::test]
async fn one_reader_too_many_is_told_in_band_and_a_place_is_given_back() {
    let hub = HubLimits { readers_max: 1, ..HubLimits::default() };
    let server = Server::with(Setup { hub, ..Setup::default() }).await;
    let first = server.read("/streams/a", "").await;
    let text = whole(&server, "/streams/a", "").await;
    let (retry, rest) = text.strip_prefix(":\nretry: ").and_then(|t| t.split_once('\n')).expect("a head");
    assert!((30_000..=90_000).contains(&retry.parse::<u32>().expect("a number")), "{text}");
    assert_eq!(rest, "event: away\ndata: {\"reason\":\"overload\"}\n\n");
    let text = whole(&server, "/streams/a?control=off", "").await;
    let (retry, rest) = text.strip_prefix(":\nretry: ").and_then(|t| t.split_once('\n')).expect("a head");
    assert!((30_000..=90_000).contains(&retry.parse::<u32>().expect("a number")), "{text}");
    assert_eq!(rest, "", "a reader without control events gets none");
    drop(first);
    while server.hub.readers() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(server.read("/streams/a", "").await.line().await.starts_with(':'));
}

#[tokio::test]
async fn silence_is_broken_in_the_form_that_was_asked_for() {
    let hub = HubLimits { heartbeat: std::time::Duration::from_millis(1), ..HubLimits::default() };
    let server = Server::with(Setup { hub, ..Setup::default() }).await;
    let mut comments = server.read("/streams/a?heartbeat=comment", "").await;
    comments.line().await;
    comments.line().await;
    assert_eq!((comments.line().await, comments.line().await), (":\n".to_owned(), ":\n".to_owned()));
    let mut events = server.read("/streams/a?heartbeat=event", "").await;
    events.block().await;
    assert_eq!(events.block().await, "event: heartbeat\ndata: {\"time\":\"2023-11-14T22:13:20.000Z\"}\n\n");
}

#[tokio::test]
async fn an_http_1_0_reader_gets_blocks_without_chunking() {
    let server = start().await;
    server.publish("a?close", "1").await;
    for head in
        ["GET /streams/a HTTP/1.0\r\n\r\n", "GET /streams/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"]
    {
        let mut wire = server.connect().await;
        wire.send(head).await;
        let came = String::from_utf8(wire.closed().await).expect("text");
        let (head, body) = came.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        assert!(body.starts_with(&format!("{HEAD}data: 1\n")) && body.ends_with("\n\n"), "{body}");
    }
}

#[tokio::test]
async fn a_drained_reader_ends_at_a_blocks_end() {
    let server = start().await;
    server.publish("a", "1").await;
    let mut wire: Wire = server.read("/streams/a", "").await;
    wire.block().await;
    server.hub.drain();
    assert_eq!(wire.rest_text().await, "");
}

#[tokio::test]
async fn a_long_event_comes_whole_between_its_neighbours() {
    let server = start().await;
    let long = "one line, and then another\n".repeat(30_000);
    server.publish("a", "before").await;
    let id = server.publish("a?event=long", &long).await;
    let last = server.publish("a", "after").await;
    let mut wire = server.read("/streams/a", "").await;
    wire.block().await;
    let want = format!("event: long\ndata: {}\nid: {id}\n\n", long.replace('\n', "\ndata: "));
    assert!(wire.block().await == want, "the long block is not what was published");
    assert_eq!(wire.block().await, format!("data: after\nid: {last}\n\n"));
}
