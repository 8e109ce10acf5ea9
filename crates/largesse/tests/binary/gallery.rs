//! The gallery: what its page is served with, who may start a run, what a run's stream holds, and how many runs
//! there can be.

use std::io::{Read, Write};

use crate::support::{connect, page::Page, server::Server};

/// How many runs there may be at once.
const RUNS_MAX: usize = 64;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES: &[(&str, &str)] = &[
    ("/", "text/html; charset=utf-8"),
    ("/gallery/style.css", "text/css; charset=utf-8"),
    ("/gallery/main.mjs", "text/javascript; charset=utf-8"),
    ("/gallery/counted.mjs", "text/javascript; charset=utf-8"),
    ("/gallery/reading.mjs", "text/javascript; charset=utf-8"),
    ("/gallery/record.mjs", "text/javascript; charset=utf-8"),
    ("/gallery/icon.svg", "image/svg+xml"),
];

/// An answer, taken apart.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn of(text: &str) -> Self {
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no end of the head: {text}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

fn ask(server: &Server, method: &str, target: &str) -> Answer {
    Answer::of(&server.ask(method, target, ""))
}

fn ask_with(server: &Server, headers: &str, method: &str, target: &str) -> Answer {
    Answer::of(&server.ask_with(headers, method, target, ""))
}

/// How many streams there are.
fn streams(server: &Server) -> usize {
    let headers = format!("Host: {}\r\nAccept: application/json\r\n", server.address);
    let list = ask_with(server, &headers, "GET", "/streams").json();
    list["streams"].as_array().unwrap().len()
}

#[test]
fn every_file_has_its_type_and_may_load_only_its_own() {
    let server = Server::start();
    for (path, media) in FILES {
        let answer = ask(&server, "GET", path);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(*media)), "{path}");
        assert_eq!(answer.header("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        assert!(!answer.body.is_empty(), "{path}");
    }
}

#[test]
fn the_page_names_only_files_that_are_there_and_has_nothing_inline() {
    let server = Server::start();
    let all: String = FILES.iter().map(|(path, _)| ask(&server, "GET", path).body).collect();
    let named = all.split('"').filter(|quoted| quoted.starts_with("/gallery/") || quoted.starts_with("./"));
    let named: Vec<String> = named.map(|path| path.replacen("./", "/gallery/", 1)).collect();
    assert!(named.len() >= 5, "{named:?}");
    for path in named {
        assert!(FILES.iter().any(|(file, _)| *file == path), "{path}");
    }
    let page = ask(&server, "GET", "/").body;
    for inline in ["<style", "style=", "onclick", "<script>", "javascript:", "https://"] {
        assert!(!page.contains(inline), "{inline}");
    }
    for as_html in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"] {
        assert!(!all.contains(as_html), "{as_html}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let server = Server::start();
    for (path, _) in FILES {
        let (get, head) = (ask(&server, "GET", path), ask(&server, "HEAD", path));
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for name in ["content-type", "content-length", "etag", "content-security-policy"] {
            assert!(get.header(name).is_some(), "{path} {name}");
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[test]
fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let server = Server::start();
    let tag = ask(&server, "GET", "/").header("etag").unwrap().to_owned();
    let rows = [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ];
    for (has, want) in rows {
        let headers = format!("Host: {}\r\nIf-None-Match: {has}\r\n", server.address);
        let answer = ask_with(&server, &headers, "GET", "/");
        assert_eq!((answer.status, answer.body.is_empty()), (want, want == 304), "{has}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()), "{has}");
    }
}

#[test]
fn other_methods_are_told_which_are_taken_and_start_nothing() {
    let server = Server::start();
    for (path, _) in FILES {
        check_not_allowed(&server, path, &["POST", "PUT", "DELETE", "PATCH", "OPTIONS"], "GET, HEAD");
    }
    check_not_allowed(&server, "/demo/s4", &["GET", "HEAD", "PUT", "DELETE", "OPTIONS"], "POST");
    assert_eq!(streams(&server), 0);
}

#[track_caller]
fn check_not_allowed(server: &Server, path: &str, methods: &[&str], taken: &str) {
    for method in methods {
        let answer = ask(server, method, path);
        assert_eq!((answer.status, answer.header("allow")), (405, Some(taken)), "{method} {path}");
    }
}

#[test]
fn the_guard_stands_before_the_page_and_before_the_source() {
    let server = Server::start_with(&["--allowed-origin", "https://app.example"]);
    let host = format!("Host: {}\r\n", server.address);
    // The header lines, the page's status, the source's.
    let rows = [
        (host.clone(), 200, 201),
        ("Host: localhost:1\r\n".to_owned(), 200, 201),
        ("Host: evil.example\r\n".to_owned(), 421, 421),
        ("Host: a b\r\n".to_owned(), 400, 400),
        (format!("{host}Sec-Fetch-Site: cross-site\r\n"), 200, 403),
        (format!("{host}Sec-Fetch-Site: same-origin\r\n"), 200, 201),
        (format!("{host}Origin: https://evil.example\r\n"), 200, 403),
        (format!("{host}Origin: null\r\n"), 200, 403),
        (format!("{host}Origin: http://{}\r\n", server.address), 200, 201),
        (format!("{host}Origin: https://app.example\r\n"), 200, 201),
        ("Host: evil.example\r\nOrigin: http://localhost\r\n".to_owned(), 421, 421),
    ];
    for (headers, page, source) in rows {
        assert_eq!(ask_with(&server, &headers, "GET", "/").status, page, "{headers}");
        assert_eq!(ask_with(&server, &headers, "GET", "/gallery/main.mjs").status, page, "{headers}");
        let before = streams(&server);
        assert_eq!(ask_with(&server, &headers, "POST", "/demo/s4").status, source, "{headers}");
        assert_eq!(streams(&server) - before, usize::from(source == 201), "{headers}");
    }
}

#[test]
fn no_other_spelling_of_a_path_leads_to_a_file_or_starts_a_run() {
    let server = Server::start();
    let paths = [
        "/demo/s4/",
        "/demo//s4",
        "//demo/s4",
        "/./demo/s4",
        "/demo/../demo/s4",
        "/demo/%73%34",
        "/demo/s4%2f",
        "/demo/s4%00",
        "/demo/S4",
        "/demo/s4;x",
        "/\\demo\\s4",
        "/gallery",
        "/gallery/",
        "/gallery/../index.html",
        "/gallery/%2e%2e/Cargo.toml",
        "/gallery/..%2fCargo.toml",
        "/gallery/style.css/",
        "/index.html",
    ];
    for path in paths {
        for method in ["GET", "POST"] {
            let answer = ask(&server, method, path);
            assert_eq!(
                (answer.status, answer.json()["status"].as_u64()),
                (404, Some(404)),
                "{method} {path}"
            );
        }
    }
    assert_eq!(streams(&server), 0);
}

#[test]
fn no_other_page_is_let_in_to_read_the_gallery() {
    let server = Server::start();
    let headers = format!("Host: {}\r\nOrigin: http://localhost:3000\r\n", server.address);
    assert_eq!(ask_with(&server, &headers, "GET", "/").header("access-control-allow-origin"), None);
    let started = ask_with(&server, &headers, "POST", "/demo/s4");
    assert_eq!(started.header("access-control-allow-origin"), Some("http://localhost:3000"));
}

#[test]
fn a_run_writes_three_events_into_a_stream_of_its_own_and_closes_it() {
    let server = Server::start();
    let started = ask(&server, "POST", "/demo/s4");
    assert_eq!((started.status, started.header("cache-control")), (201, Some("no-store")));
    let stream = started.json()["stream"].as_str().unwrap().to_owned();
    let random = stream.strip_prefix("demo/s4/").unwrap();
    assert_eq!(random.len(), 32, "{stream}");
    assert!(random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{stream}");
    let target = format!("/streams/{stream}");
    assert_eq!(started.header("location"), Some(target.as_str()));
    assert_eq!(ask(&server, "HEAD", &target).status, 200, "it is there before the answer");
    let mut page = Page::open(&server, &target);
    assert_eq!(page.until_stopped(), 204);
    assert_eq!(page.data_of(""), ["Message 0", "Message 1", "Message 2"]);
    assert_eq!(page.data_of("end"), [r#"{"reason":"closed"}"#]);
}

#[test]
fn a_page_that_comes_back_reads_the_same_run_and_starts_none() {
    let server = Server::start();
    let stream = ask(&server, "POST", "/demo/s4").json()["stream"].as_str().unwrap().to_owned();
    let target = format!("/streams/{stream}");
    let mut before = Page::open(&server, &target);
    before.connect_until_heard();
    let mut after = Page::open(&server, &format!("{target}?last_event_id={}", before.heard[0].last_event_id));
    assert_eq!(after.until_stopped(), 204);
    assert_eq!(after.data_of(""), ["Message 1", "Message 2"]);
    assert_eq!(streams(&server), 1);
}

#[test]
fn one_more_run_than_may_be_is_told_to_come_again() {
    let server = Server::start();
    let request = |more: &str| {
        format!("POST /demo/s4 HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n{more}\r\n", server.address)
    };
    // On one connection and in one piece, so that the first is still running when the last comes.
    let mut connection = connect(&server.address);
    let all = request("").repeat(RUNS_MAX) + &request("Connection: close\r\n");
    connection.write_all(all.as_bytes()).unwrap();
    let mut answers = String::new();
    connection.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 201 ").count(), RUNS_MAX, "{answers}");
    let last = Answer::of(&answers[answers.rfind("HTTP/1.1 ").unwrap()..]);
    assert_eq!((last.status, last.header("retry-after")), (503, Some("5")));
    let told = last.json();
    assert_eq!(
        (&told["type"], &told["limit"]),
        (&"urn:largesse:problem:too-many-runs".into(), &RUNS_MAX.into())
    );
    assert_eq!(streams(&server), RUNS_MAX);
}

#[test]
fn runs_under_way_do_not_hold_up_the_end_of_the_server() {
    let server = Server::start();
    ask(&server, "POST", "/demo/s4");
    server.running.signal("TERM");
    let done = server.running.done();
    assert_eq!(done.code(), Some(0), "{done:?}");
}

#[test]
fn without_the_gallery_there_is_nothing_at_its_paths() {
    let mut program = crate::support::largesse(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
    program.command.env("LARGESSE_HTTP_GALLERY", "off");
    let running = crate::support::Running::start(program);
    let address = running.line().strip_prefix("listening on http://").unwrap().to_owned();
    let server = Server { running, address };
    for (path, _) in FILES {
        assert_eq!(ask(&server, "GET", path).status, 404, "{path}");
    }
    assert_eq!(ask(&server, "POST", "/demo/s4").status, 404);
    assert_eq!(streams(&server), 0);
}
