//! `largesse tail`: against a server of ours, and against one that breaks off.

use crate::support::{
    Done, Running, largesse, run,
    script::{Asked, Script},
    server::Server,
};

fn tail(url: &str, args: &[&str]) -> Running {
    Running::start(largesse(&[&["tail", "--url", url], args].concat()))
}

/// A server with these events: stream, event name (empty for none), data. All streams are closed afterwards.
fn server_with(events: &[(&str, &str, &str)]) -> Server {
    let server = Server::start();
    for (stream, name, data) in events {
        let query = if name.is_empty() { String::new() } else { format!("?event={name}") };
        let answer = server.ask("POST", &format!("/streams/{stream}{query}"), data);
        assert!(answer.contains(" 201 "), "{answer}");
    }
    for (stream, ..) in events {
        server.ask("POST", &format!("/streams/{stream}?close"), "");
    }
    server
}

/// Reads to the end, and expects this output.
#[track_caller]
fn check(server: &Server, args: &[&str], want: &str) -> Done {
    let done = tail(&server.url(), args).done();
    assert_eq!((done.code(), done.stdout.as_str()), (Some(0), want), "{args:?}: {done:?}");
    done
}

#[test]
fn one_stream_is_its_data_line_by_line_until_it_ends() {
    let server = server_with(&[
        ("a", "", "one"),
        ("a", "tick", "two"),
        ("a", "", "three\nlines\u{1b}"),
        ("a", "", ""),
    ]);
    check(&server, &["a"], "one\ntick: two\nthree\\nlines\\u{1b}\n\n");
    check(&server, &["a", "--from", "start"], "one\ntick: two\nthree\\nlines\\u{1b}\n\n");
    check(&server, &["a", "--from", "-2"], "three\\nlines\\u{1b}\n\n");
    check(&server, &["a", "--from=2020-01-01T00:00:00+01:00"], "one\ntick: two\nthree\\nlines\\u{1b}\n\n");
}

#[test]
fn several_streams_come_in_order_with_their_names() {
    let server =
        server_with(&[("a/x", "", "one"), ("b", "tick", "two"), ("a/x", "", "three"), ("c", "", "four")]);
    let done = check(&server, &["a/x", "b"], "[a/x] one\n[b] tick: two\n[a/x] three\n");
    assert!(done.stderr.lines().any(|line| line == "closed: a/x"), "{done:?}");
}

#[test]
fn json_is_one_object_a_line_with_everything_in_it() {
    let server = server_with(&[("a", "", "one\ntwo"), ("a", "tick", "{\"x\":1}")]);
    let done = tail(&server.url(), &["a", "--json"]).done();
    let lines: Vec<serde_json::Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parts = |line: &serde_json::Value, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| line[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(lines.len(), 2, "{done:?}");
    assert_eq!(parts(&lines[0], &["stream", "event", "data"]), ["a", "message", "one\ntwo"]);
    assert_eq!(parts(&lines[1], &["stream", "event", "data"]), ["a", "tick", "{\"x\":1}"]);
    let ids: Vec<String> = lines.iter().flat_map(|line| parts(line, &["id"])).collect();
    assert!(ids[0] != ids[1] && parts(&lines[0], &["time"])[0].ends_with('Z'), "{done:?}");
}

#[test]
fn what_a_publisher_names_like_our_own_events_is_only_an_event() {
    let server = Server::start();
    assert!(server.ask("POST", "/streams/a?event=end", "{}").contains("reserved-name"));
    server.ask("PUT", "/streams/a", r#"{"control_names":"shared"}"#);
    for (name, data) in [("end", "{}"), ("reset", "x"), ("closed", "y")] {
        server.ask("POST", &format!("/streams/a?event={name}"), data);
    }
    server.ask("POST", "/streams/a?close", "z");
    let done = check(&server, &["a"], "end: {}\nreset: x\nclosed: y\nz\n");
    assert_eq!(done.stderr, "closed: a\n");
}

#[test]
fn the_reason_of_an_end_is_told_where_it_is_not_a_close() {
    let server = server_with(&[("a", "", "one")]);
    server.ask("POST", "/streams/b", "two");
    let running = tail(&server.url(), &["a", "b"]);
    assert_eq!((running.line(), running.line()), ("[a] one".to_owned(), "[b] two".to_owned()));
    server.ask("DELETE", "/streams/b", "");
    let done = running.done();
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), "closed: a\nclosed: b (deleted)\n"));
}

#[test]
fn the_variable_says_which_server_and_the_flag_wins() {
    let server = server_with(&[("a", "", "one")]);
    let mut program = largesse(&["tail", "a"]);
    program.command.env("LARGESSE_URL", server.url());
    assert_eq!(Running::start(program).done().stdout, "one\n");
    let mut program = largesse(&["tail", "a", "--url", &server.url()]);
    program.command.env("LARGESSE_URL", "nonsense");
    assert_eq!(Running::start(program).done().stdout, "one\n");
}

#[test]
fn a_stream_that_is_not_there_yet_is_waited_for_and_events_come_live() {
    let server = Server::start();
    let early = tail(&server.url(), &["later"]);
    let pattern = tail(&server.url(), &["**"]);
    for data in ["one", "two"] {
        server.ask("POST", "/streams/later", data);
        assert_eq!(early.line(), data);
        assert_eq!(pattern.line(), format!("[later] {data}"));
    }
    server.ask("DELETE", "/streams/later", "");
    assert_eq!(early.done().code(), Some(0));
}

#[test]
fn refusals_end_it_with_the_servers_reason() {
    let server = Server::start();
    let rows: [(&[&str], &str); 3] =
        [(&["a", "--from", "soon"], "400"), (&["a//b"], "a//b"), (&["a*"], "a*")];
    for (args, want) in rows {
        let done = tail(&server.url(), args).done();
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.starts_with("largesse: ") && done.stderr.contains(want), "{done:?}");
    }
}

#[test]
fn nobody_reading_the_output_ends_it_quietly() {
    let server = Server::start();
    let mut running = tail(&server.url(), &["a"]);
    server.ask("POST", "/streams/a", "one");
    assert_eq!(running.line(), "one");
    running.stop_reading();
    // The pipe breaks when the thread that reads it has met a line that nobody wants.
    for _ in 0..100 {
        server.ask("POST", "/streams/a", "more");
    }
    let done = running.done();
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""));
}

const STREAM: &str = "text/event-stream";

/// A block as a server of ours wraps it.
fn block(id: &str, data: &str) -> String {
    format!(
        "data: {{\"stream\":\"a\",\"event\":\"message\",\"id\":\"{id}\",\"time\":\"t\",\"data\":\"{data}\"}}\nid: {id}\n\n"
    )
}

fn last_id(asked: &Asked) -> Option<String> {
    asked.header("last-event-id").map(str::to_owned)
}

#[test]
fn a_lost_connection_is_made_again_from_the_last_whole_block() {
    let script = Script::new();
    let running = tail(&script.url(), &["a", "b", "--from", "-3"]);
    let first = script.asked();
    assert_eq!(first.head[0], "GET /streams?format=json&name=a&name=b&from=-3 HTTP/1.1");
    assert_eq!(last_id(&first), None);
    let cut = block("i2", "never whole");
    first.answer(
        "200 OK",
        STREAM,
        &format!(":\nretry: 100\n{}{}", block("i1", "one"), &cut[..cut.len() - 1]),
    );
    let second = script.asked();
    assert_eq!(last_id(&second).as_deref(), Some("i1"));
    // Broken before an answer: this is a failure, and is reported.
    drop(second);
    let third = script.asked();
    assert_eq!(last_id(&third).as_deref(), Some("i1"));
    third.answer("200 OK", STREAM, &format!("{}event: end\ndata: {{}}\nid: e\n\n", block("i2", "two")));
    let done = running.done();
    assert_eq!((done.code(), done.stdout.as_str()), (Some(0), "[a] one\n[a] two\n"));
    let (lost, back) =
        (done.stderr.matches("trying again").count(), done.stderr.matches("reading again").count());
    assert_eq!((lost, back), (1, 1), "{done:?}");
}

#[test]
fn what_the_server_says_of_the_reading_goes_to_stderr() {
    let script = Script::new();
    let running = tail(&script.url(), &["a"]);
    let told =
        "event: reset\ndata: {\"reason\":\"trimmed\",\"streams\":[\"a\"],\"requested\":\"x\"}\nid: r\n\n";
    script.asked().answer("200 OK", STREAM, &format!(":\nretry: 100\n{told}"));
    let again = script.asked();
    assert_eq!(last_id(&again).as_deref(), Some("r"));
    again.answer("204 No Content", "text/plain", "");
    let done = running.done();
    assert_eq!((done.code(), done.stdout.as_str()), (Some(0), ""));
    assert!(done.stderr.contains("events of a were dropped"), "{done:?}");
}

#[test]
fn answers_that_no_retry_can_mend_end_it() {
    let problem = "{\"title\":\"t\",\"detail\":\"the reason\"}";
    let rows = [
        ("404 Not Found", "application/problem+json", problem, "404 Not Found: the reason"),
        ("500 Internal Server Error", "text/plain", "broken", "broken"),
        ("200 OK", "text/html", "<html>", "not an event stream"),
        ("200 OK", STREAM, "data: not ours\n\n", "Largesse"),
    ];
    let script = Script::new();
    for (status, content_type, body, want) in rows {
        let running = tail(&script.url(), &["a"]);
        script.asked().answer(status, content_type, body);
        let done = running.done();
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains(want), "{done:?}");
    }
}

#[test]
fn a_proxy_whose_server_is_away_is_asked_again() {
    let script = Script::new();
    let running = tail(&script.url(), &["a"]);
    script.asked().answer("502 Bad Gateway", "text/html", "<html>");
    running.told("502 Bad Gateway");
    script.asked().answer("503 Service Unavailable", "text/plain", "busy");
    script.asked().answer("204 No Content", "text/plain", "");
    assert_eq!(running.done().code(), Some(0));
}

#[test]
fn a_mounted_server_is_found_below_its_path() {
    let script = Script::new();
    let url = format!("{}/events/", script.url());
    let running = tail(&url, &["a"]);
    let asked = script.asked();
    assert_eq!(asked.head[0], "GET /events/streams?format=json&name=a HTTP/1.1");
    asked.answer("204 No Content", "text/plain", "");
    assert_eq!(running.done().code(), Some(0));
    assert_eq!(run(&["tail", "a", "--url", "http://"]).code(), Some(2));
}
