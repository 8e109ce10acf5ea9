//! `from` as a stream's setting: where a first request without `from=` begins.

use largesse_log::{EngineLimits, FromSetting, Settings};

use crate::support::{Server, Setup};

async fn set(server: &Server, stream: &str, from: &str) {
    let answer = server.ask(&format!("PUT /streams/{stream}"), "", format!("{{\"from\":{from}}}")).await;
    assert!(answer.status < 300, "{}", answer.text());
}

/// What a read returns up to an event that is published now, `begin` included.
async fn heard(server: &Server, path: &str) -> Vec<String> {
    let mut reader = server.read(path, "").await;
    let (first, second) = (reader.line().await, reader.line().await);
    assert!(first == ":\n" && second.starts_with("retry: "), "{first}{second}");
    server.publish("x", "now").await;
    let mut all = Vec::new();
    loop {
        let block = reader.block().await;
        let line = |field: &str| block.lines().find_map(|line| line.strip_prefix(field).map(str::to_owned));
        match (line("event: "), line("data: ")) {
            (Some(name), _) => all.push(name),
            (None, Some(data)) if data == "now" => return all,
            (None, data) => all.push(data.expect("an event has data")),
        }
    }
}

#[tokio::test]
async fn a_first_request_begins_where_the_stream_says_unless_it_says_itself() {
    for (setting, query, want) in [
        ("null", "", "123"),
        ("\"start\"", "", "123"),
        ("\"now\"", "", "begin"),
        ("\"-0\"", "", "begin"),
        ("\"-2\"", "", "begin23"),
        ("-2", "", "begin23"),
        ("\"-100\"", "", "begin123"),
        ("\"now\"", "?from=start", "123"),
        ("\"now\"", "?from=-1", "begin3"),
        ("\"start\"", "?from=now", "begin"),
        ("\"now\"", "?from=1970-01-01T00:00:00Z", "123"),
    ] {
        let server = Server::start().await;
        for data in ["1", "2", "3"] {
            server.publish("x", data).await;
        }
        set(&server, "x", setting).await;
        let found = heard(&server, &format!("/streams/x{query}")).await.concat();
        assert_eq!(found, want, "{setting} {query}");
    }
}

#[tokio::test]
async fn the_place_where_it_began_is_found_again() {
    let server = Server::start().await;
    set(&server, "a", "\"now\"").await;
    server.publish("a", "before").await;
    let mut reader = server.read("/streams/a", "").await;
    reader.line().await;
    reader.line().await;
    let begin = reader.block().await;
    let id = begin.lines().find_map(|line| line.strip_prefix("id: ")).expect("begin has an id").to_owned();
    drop(reader);
    server.publish("a", "while away").await;
    let mut again = server.read("/streams/a", &format!("Last-Event-ID: {id}\r\n")).await;
    again.line().await;
    again.line().await;
    assert!(again.block().await.starts_with("data: while away\n"), "a position wins over the setting");
}

#[tokio::test]
async fn of_several_streams_the_earliest_beginning_counts() {
    for (a, b, query, want) in [
        ("now", "now", "name=a&name=b&name=x", "begin"),
        ("now", "start", "name=a&name=b&name=x", "a1b1a2b2"),
        ("-1", "now", "name=a&name=b&name=x", "begina2b2"),
        ("now", "-1", "name=a&name=b&name=x", "beginb2"),
        ("-2", "-1", "name=a&name=b&name=x", "begina1b1a2b2"),
        ("-1", "now", "name=a&name=x", "begina2"),
        // Patterns have the default, whatever they match.
        ("now", "now", "name=*", "a1b1a2b2"),
        ("now", "now", "name=a&name=*&name=x", "a1b1a2b2"),
    ] {
        let server = Server::start().await;
        for event in ["1", "2"] {
            for stream in ["a", "b"] {
                server.publish(stream, &format!("{stream}{event}")).await;
            }
        }
        set(&server, "a", &format!("\"{a}\"")).await;
        set(&server, "b", &format!("\"{b}\"")).await;
        set(&server, "x", "\"now\"").await;
        assert_eq!(heard(&server, &format!("/streams?{query}")).await.concat(), want, "{a} {b} {query}");
    }
}

#[tokio::test]
async fn the_servers_default_counts_for_what_nobody_configured() {
    for (from, want) in [("now", "begin"), ("-1", "begin2"), ("start", "12")] {
        let from: FromSetting = from.parse().expect("a beginning");
        let defaults = Settings { from, ..Settings::default() };
        let engine = EngineLimits { defaults, ..EngineLimits::default() };
        let server = Server::with(Setup { engine, ..Setup::default() }).await;
        let early = heard(&server, "/streams/x").await.concat();
        assert_eq!(
            early,
            want.trim_end_matches(|letter: char| letter.is_ascii_digit()),
            "not there yet: {from}"
        );
        let server = Server::with(Setup { engine, ..Setup::default() }).await;
        server.publish("x", "1").await;
        server.publish("x", "2").await;
        for path in ["/streams/x", "/streams?name=x", "/streams?name=*", "/streams?name=x&name=other"] {
            let server = Server::with(Setup { engine, ..Setup::default() }).await;
            server.publish("x", "1").await;
            server.publish("x", "2").await;
            assert_eq!(heard(&server, path).await.concat(), want, "{from} {path}");
        }
    }
}

#[tokio::test]
async fn history_begins_at_the_start_whatever_the_setting() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    server.publish("a", "2").await;
    set(&server, "a", "\"now\"").await;
    assert_eq!(server.data("a").await, ["1", "2"]);
    assert_eq!(server.data("a?from=-1").await, ["2"]);
    assert_eq!(server.data("a?from=now").await, [""; 0]);
}

#[tokio::test]
async fn an_id_that_means_nothing_begins_as_a_first_request_would() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    set(&server, "a", "\"now\"").await;
    let mut reader = server.read("/streams/a", "Last-Event-ID: nonsense\r\n").await;
    reader.line().await;
    reader.line().await;
    assert!(reader.block().await.starts_with("event: reset\n"));
    assert!(reader.block().await.starts_with("event: begin\n"));
    server.publish("a", "2").await;
    assert!(reader.block().await.starts_with("data: 2\n"));
}

#[tokio::test]
async fn other_beginnings_are_refused_with_what_would_be_right() {
    let server = Server::start().await;
    let before = server.state().await;
    for from in [
        "\"2026-11-20T08:00:00Z\"",
        "\"Now\"",
        "\"\"",
        "\"-\"",
        "\"-x\"",
        "\"100\"",
        "100",
        "0",
        "-1.5",
        "true",
        "[\"now\"]",
        "{\"now\":null}",
    ] {
        let answer = server.ask("PUT /streams/a", "", format!("{{\"from\":{from}}}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-settings"), "{from}");
        assert!(answer.detail().contains("\"now\", or \"-N\" for the last N events"), "{}", answer.detail());
    }
    let names = server.ask("PUT /streams/a", "", "{\"control_names\":\"free\"}").await;
    assert!(names.detail().contains("Expected: \"reserved\" or \"shared\"."), "{}", names.detail());
    let slip = server.ask("PUT /streams/a", "", "{\"control_name\":\"shared\"}").await;
    assert!(slip.detail().contains("did you mean 'control_names'?"), "{}", slip.detail());
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn the_setting_is_told_with_the_others() {
    let server = Server::start().await;
    for (from, told) in
        [("\"now\"", "now"), ("-100", "-100"), ("\"-007\"", "-7"), ("\"-0\"", "now"), ("null", "start")]
    {
        let answer = server.ask("PUT /streams/a", "", format!("{{\"from\":{from}}}")).await;
        assert_eq!(answer.json()["settings"]["from"], told, "{from}");
        assert_eq!(server.get_json("/streams").await.json()["streams"][0]["settings"]["from"], told);
    }
}
