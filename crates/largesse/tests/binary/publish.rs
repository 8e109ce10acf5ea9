//! `largesse publish`: against a server of ours, and against one that breaks off.

use crate::support::{Done, Running, largesse, run, script::Script, server::Server};

/// Publishes, and expects it to work: exit 0, one id on stdout.
#[track_caller]
fn published(server: &Server, args: &[&str], stdin: Option<&str>) -> String {
    let done = publish(server, args, stdin);
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""), "{args:?}: {done:?}");
    let id = done.stdout.trim_end();
    let is_id = |char: char| char.is_ascii_alphanumeric() || "._~-".contains(char);
    assert!(!id.is_empty() && id.chars().all(is_id), "{done:?}");
    id.to_owned()
}

fn publish(server: &Server, args: &[&str], stdin: Option<&str>) -> Done {
    let url = server.url();
    let mut program = largesse(&[&["publish", "--url", &url], args].concat());
    if stdin.is_some() {
        program.command.stdin(std::process::Stdio::piped());
    }
    let mut running = Running::start(program);
    stdin.into_iter().for_each(|text| running.write(text));
    running.done()
}

/// Publishes to a new stream and expects these blocks, without their ids, when it is read to its end.
#[track_caller]
fn check(stream: &str, publishes: &[(&[&str], Option<&str>)], want: &str) {
    let server = Server::start();
    for (args, stdin) in publishes {
        published(&server, &[&[stream], *args].concat(), *stdin);
    }
    let answer = server.ask("GET", &format!("/streams/{}", stream.replace(' ', "%20")), "");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let kept =
        |line: &&str| !line.starts_with("id:") && !line.starts_with(':') && !line.starts_with("retry:");
    let lines: Vec<&str> = body.lines().filter(kept).collect();
    assert_eq!(lines.join("\n"), want);
}

const END: &str = "event: end\ndata: {\"reason\":\"closed\"}\n";

#[test]
fn data_comes_from_the_command_line() {
    check("a", &[(&["hello"], None), (&["--close"], None)], &format!("data: hello\n\n{END}"));
    check(
        "a/b c",
        &[(&["x", "--event", "tick", "--close"], None)],
        &format!("event: tick\ndata: x\n\n{END}"),
    );
    check("a", &[(&["", "--event", "e"], None), (&["--close"], None)], &format!("event: e\ndata: \n\n{END}"));
    check("a", &[(&["--close", "--", "-5"], None)], &format!("data: -5\n\n{END}"));
}

#[test]
fn data_comes_from_stdin_whole_as_one_event() {
    check("a", &[(&["-", "--close"], Some("one\ntwo"))], &format!("data: one\ndata: two\n\n{END}"));
    check("a", &[(&[], Some("grün = 1&2")), (&["--close"], None)], &format!("data: grün = 1&2\n\n{END}"));
}

#[test]
fn only_closing_never_looks_at_stdin() {
    let server = Server::start();
    let mut program = largesse(&["publish", "a", "--close", "--url", &server.url()]);
    // It stays open: a command that read it would not end.
    program.command.stdin(std::process::Stdio::piped());
    let done = Running::start(program).done();
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let answer = server.ask("GET", "/streams/a", "");
    assert!(answer.contains(END) && answer.matches("data:").count() == 1, "{answer}");
}

#[test]
fn the_variable_says_which_server_and_the_flag_wins() {
    let server = Server::start();
    let published = |variable: &str, args: &[&str]| {
        let mut program = largesse(&[&["publish", "a", "x"], args].concat());
        program.command.env("LARGESSE_URL", variable);
        Running::start(program).done()
    };
    assert_eq!(published(&server.url(), &[]).code(), Some(0));
    assert_eq!(published("http://127.0.0.1:1", &["--url", &server.url()]).code(), Some(0));
    let wrong = published("127.0.0.1:1", &[]);
    assert_eq!((wrong.code(), wrong.stdout.as_str()), (Some(1), ""));
    assert!(wrong.stderr.contains("LARGESSE_URL = \"127.0.0.1:1\""), "{wrong:?}");
}

#[test]
fn a_url_is_used_as_it_is_written_or_refused() {
    let server = Server::start();
    let url = server.url();
    let host = url.strip_prefix("http://").unwrap();
    let port = host.rsplit(':').next().unwrap();
    let rows = [
        ("http://127.0.0.1:99999".to_owned(), "port"),
        ("http://127.0.0.1:0".to_owned(), "port is 0"),
        ("http://127.0.0.1:".to_owned(), "no port"),
        (format!("http://:{port}"), "no host"),
        (format!("{url}/streams"), "without /streams"),
        (format!("{url}/streams/other"), "without /streams"),
        (format!("{url}/streams/"), "without /streams"),
        (format!("{url}?a=b"), "no query"),
        (format!("{url}#a"), "no fragment"),
        (format!("http://me:secret@{host}"), "no user"),
        (format!("ftp://{host}"), "only http and https"),
        (format!("https://{host}/streams"), "without /streams"),
        (host.to_owned(), "http:// is missing"),
        (format!("localhost:{port}"), "http:// is missing"),
        (format!("http://::1:{port}"), "[ ]"),
        (format!(" {url}"), "space"),
        (format!("{url} "), "space"),
        (format!("\"{url}\""), "quotes"),
    ];
    for (wrong, want) in &rows {
        for command in [&["publish", "a", "x"][..], &["tail", "a"]] {
            let done = run(&[command, &["--url", wrong]].concat());
            assert_eq!((done.code(), done.stdout.as_str()), (Some(2), ""), "{wrong}: {done:?}");
            assert!(done.stderr.contains(want), "{wrong} has no {want:?}: {}", done.stderr);
            let mut program = largesse(command);
            program.command.env("LARGESSE_URL", wrong);
            let done = Running::start(program).done();
            assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{wrong}: {done:?}");
            assert!(
                done.stderr.contains("LARGESSE_URL") && done.stderr.contains(want),
                "{wrong}: {}",
                done.stderr
            );
        }
    }
    // None of them created a stream, and a slash at the end is fine.
    assert_eq!(run(&["publish", "a", "x", "--url", &format!("{url}/")]).code(), Some(0));
    let list =
        server.ask_with(&format!("Host: {host}\r\nAccept: application/json\r\n"), "GET", "/streams", "");
    assert!(list.contains("{\"stream\":\"a\"") && list.matches("\"stream\":").count() == 1, "{list}");
}

#[test]
fn closing_a_closed_stream_is_fine_and_publishing_to_it_is_not() {
    let server = Server::start();
    published(&server, &["a", "x", "--close"], None);
    published(&server, &["a", "--close"], None);
    let done = publish(&server, &["a", "y"], None);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.stderr.contains("409") && done.stderr.contains("closed"), "{done:?}");
}

#[test]
fn what_the_server_refuses_is_said_with_its_reason() {
    let server = Server::start();
    let large = "x".repeat(2 * 1024 * 1024);
    for (stdin, want) in [(large.as_str(), "413"), ("a\0b", "400")] {
        let done = publish(&server, &["a"], Some(stdin));
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{want}");
        assert!(done.stderr.starts_with("largesse: ") && done.stderr.contains(want), "{}", done.stderr);
    }
}

#[test]
fn a_name_of_a_control_event_is_refused_with_the_way_out() {
    let server = Server::start();
    for name in ["end", "reset", "heartbeat", "failed"] {
        let done = publish(&server, &["a", "x", "--event", name], None);
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        for part in ["400", &format!("'{name}'"), "PUT {\"control_names\":\"shared\"}"] {
            assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
        }
    }
    published(&server, &["failing", "why", "--event", "failed", "--close"], None);
    server.ask("PUT", "/streams/a", r#"{"control_names":"shared"}"#);
    published(&server, &["a", "x", "--event", "end"], None);
}

#[test]
fn wrong_names_are_refused_before_anything_is_sent() {
    let script = Script::new();
    let (empty, star, line_break) = (["//", "x"], ["a/*", "x"], ["a", "x"]);
    for (names, event, want) in [(empty, "e", "//"), (star, "e", "a/*"), (line_break, "a\nb", "event")] {
        let done = run(&[&["publish", "--url", &script.url(), "--event", event], &names[..]].concat());
        assert_eq!(done.code(), Some(1), "{done:?}");
        assert!(done.stderr.contains(want), "{done:?}");
    }
}

#[test]
fn a_broken_connection_is_tried_again_under_the_same_key() {
    let script = Script::new();
    let running = Running::start(largesse(&["publish", "a", "x", "--url", &script.url()]));
    let first = script.asked();
    let key = first.header("idempotency-key").unwrap().to_owned();
    assert_eq!((first.head[0].as_str(), first.body.as_str()), ("POST /streams/a HTTP/1.1", "x"));
    drop(first);
    let second = script.asked();
    assert_eq!((second.header("idempotency-key"), second.body.as_str()), (Some(key.as_str()), "x"));
    second.answer(
        "201 Created",
        "application/json",
        "{\"stream\":\"a\",\"id\":\"7\",\"count\":1,\"closed\":false}",
    );
    let done = running.done();
    assert_eq!((done.code(), done.stdout.as_str()), (Some(0), "7\n"));
    assert!(done.stderr.contains("trying again"), "{done:?}");
    assert!(key.len() <= 256 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
}

#[test]
fn a_server_that_is_never_there_is_given_up() {
    let script = Script::new();
    let url = script.url();
    drop(script);
    let done = run(&["publish", "a", "x", "--url", &url]);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""));
    assert!(done.stderr.contains(&url) && done.stderr.contains("5 times"), "{done:?}");
}

#[test]
fn an_answer_that_is_not_ours_is_said_to_be_strange() {
    let script = Script::new();
    for (status, body, want) in
        [("200 OK", "<html>", "Largesse"), ("502 Bad Gateway", "upstream\u{7}", "502")]
    {
        let running = Running::start(largesse(&["publish", "a", "x", "--url", &script.url()]));
        script.asked().answer(status, "text/html", body);
        let done = running.done();
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""));
        assert!(done.stderr.contains(want) && !done.stderr.contains('\u{7}'), "{done:?}");
    }
}
