//! Access: hosts, origins, sites, and the CORS headers of an allowed page.

use crate::support::{Server, Setup};
use largesse_http::{Authority, GuardConfig, HostRule, Origin};

fn guard() -> GuardConfig {
    GuardConfig {
        allowed_origins: vec![Origin::parse("https://app.example").expect("an origin")],
        allowed_hosts: vec![
            Authority::parse("events.example").expect("a host"),
            Authority::parse("b.example:8443").expect("a host"),
            Authority::parse("c.example:80").expect("a host"),
        ],
        ..GuardConfig::default()
    }
}

async fn start() -> Server {
    Server::with(Setup { guard: guard(), ..Setup::default() }).await
}

/// Publishes with these headers, and only these; compares the status, the problem, and that a refusal
/// appended nothing.
async fn check(server: &Server, target: &str, version: &str, headers: &str, want: Result<(), (u16, &str)>) {
    let before = server.state().await;
    let answer =
        server.raw(format!("POST {target} HTTP/{version}\r\n{headers}Content-Length: 1\r\n\r\nx")).await;
    match want {
        Ok(()) => assert_eq!(answer.status, 201, "{target} {headers}: {}", answer.text()),
        Err((status, slug)) => {
            assert_eq!((answer.status, answer.problem().as_str()), (status, slug), "{target} {headers}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{headers}");
            assert_eq!(server.state().await, before, "{target} {headers}");
        }
    }
}

#[tokio::test]
async fn a_request_names_a_host_that_is_this_server() {
    let server = start().await;
    for host in [
        "localhost",
        "localhost:8084",
        "LOCALHOST.",
        "app.localhost:1",
        "127.0.0.1:8084",
        "127.1.2.3",
        "[::1]:8084",
        "events.example",
        "events.example:9",
        "events.example:80",
        "b.example:8443",
        "c.example",
        "c.example:80",
    ] {
        check(&server, "/streams/a", "1.1", &format!("Host: {host}\r\n"), Ok(())).await;
    }
    for host in [
        "evil.example",
        "b.example",
        "b.example:1",
        "c.example:8080",
        "localhost.evil.example",
        "192.168.0.1",
        "0.0.0.0",
        "[::]",
    ] {
        check(&server, "/streams/a", "1.1", &format!("Host: {host}\r\n"), Err((421, "wrong-host"))).await;
    }
    for host in ["", "a b", "localhost:x", "http://localhost", "::1", "localhost,localhost", "user@localhost"]
    {
        check(&server, "/streams/a", "1.1", &format!("Host: {host}\r\n"), Err((400, "bad-header"))).await;
    }
}

#[tokio::test]
async fn there_is_one_host_and_the_request_line_agrees_with_it() {
    let server = start().await;
    check(&server, "/streams/a", "1.1", "", Err((400, "bad-header"))).await;
    check(&server, "/streams/a", "1.0", "", Ok(())).await;
    check(&server, "/streams/a", "1.0", "Host: evil.example\r\n", Err((421, "wrong-host"))).await;
    check(&server, "/streams/a", "1.1", "Host: localhost\r\nHost: localhost\r\n", Err((400, "bad-header")))
        .await;
    // The default port may be given or omitted, in either place.
    for (target, host) in [
        ("localhost", "localhost:80"),
        ("localhost:80", "localhost"),
        ("LocalHost:80", "localhost.:80"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("[::1]:80", "[::1]"),
    ] {
        let target = format!("http://{target}/streams/a");
        check(&server, &target, "1.1", &format!("Host: {host}\r\n"), Ok(())).await;
    }
    let other = "Host: localhost:8084\r\n";
    check(&server, "http://localhost/streams/a", "1.1", other, Err((400, "bad-header"))).await;
    let local = "Host: localhost\r\n";
    check(&server, "http://localhost/streams/a", "1.1", local, Ok(())).await;
    check(&server, "http://evil.example/streams/a", "1.1", local, Err((400, "bad-header"))).await;
    check(
        &server,
        "http://evil.example/streams/a",
        "1.1",
        "Host: evil.example\r\n",
        Err((421, "wrong-host")),
    )
    .await;
    check(&server, "http://evil.example/streams/a", "1.0", "", Err((421, "wrong-host"))).await;
}

#[tokio::test]
async fn an_operator_may_insist_on_any_host_but_not_on_any_origin() {
    let guard = GuardConfig { host_rule: HostRule::Any, ..GuardConfig::default() };
    let server = Server::with(Setup { guard, ..Setup::default() }).await;
    check(&server, "/streams/a", "1.1", "Host: any.example\r\n", Ok(())).await;
    let page = "Host: any.example\r\nOrigin: http://any.example\r\n";
    check(&server, "/streams/a", "1.1", page, Ok(())).await;
    let other = "Host: any.example\r\nOrigin: http://other.example\r\n";
    check(&server, "/streams/a", "1.1", other, Err((403, "origin-refused"))).await;
    check(&server, "/streams/a", "1.1", "Host: a b\r\n", Err((400, "bad-header"))).await;
}

#[tokio::test]
async fn a_page_asks_only_from_an_allowed_origin() {
    let server = start().await;
    for origin in [
        "http://localhost:3000",
        "https://localhost",
        "http://dev.localhost:1",
        "http://127.0.0.1:5500",
        "http://[::1]:3000",
        "https://app.example",
        "https://APP.example:443",
    ] {
        check(&server, "/streams/a", "1.1", &format!("Host: localhost\r\nOrigin: {origin}\r\n"), Ok(()))
            .await;
    }
    for origin in [
        "null",
        "",
        "http://app.example",
        "https://app.example:444",
        "https://app.example/",
        "https://app.example https://app.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "file://",
        "http://192.168.0.1",
        "localhost",
        "capacitor://localhost",
    ] {
        let headers = format!("Host: localhost\r\nOrigin: {origin}\r\n");
        check(&server, "/streams/a", "1.1", &headers, Err((403, "origin-refused"))).await;
    }
    let twice = "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://localhost\r\n";
    check(&server, "/streams/a", "1.1", twice, Err((403, "origin-refused"))).await;
    let answer = server.raw(format!("POST /streams/a HTTP/1.1\r\n{twice}Content-Length: 1\r\n\r\nx")).await;
    assert_eq!(answer.detail(), "The request has several Origin headers. Send one.");
    for (host, origin) in [
        ("events.example", "https://events.example"),
        ("events.example:80", "http://events.example"),
        ("events.example", "http://events.example:80"),
        ("events.example:443", "https://events.example"),
    ] {
        let headers = format!("Host: {host}\r\nOrigin: {origin}\r\n");
        check(&server, "/streams/a", "1.1", &headers, Ok(())).await;
    }
}

#[tokio::test]
async fn a_request_of_another_site_needs_an_origin() {
    let server = start().await;
    let from = |site: &str, more: &str| format!("Host: localhost\r\nSec-Fetch-Site: {site}\r\n{more}");
    for site in ["same-origin", "same-site", "none"] {
        check(&server, "/streams/a", "1.1", &from(site, ""), Ok(())).await;
    }
    let refused = Err((403, "origin-refused"));
    check(&server, "/streams/a", "1.1", &from("cross-site", ""), refused).await;
    check(&server, "/streams/a", "1.1", &from("Cross-Site", ""), refused).await;
    check(&server, "/streams/a", "1.1", &from("cross-site", "Origin: https://app.example\r\n"), Ok(())).await;
    check(&server, "/streams/a", "1.1", &from("cross-site", "Origin: https://evil.example\r\n"), refused)
        .await;
}

#[tokio::test]
async fn the_guard_stands_before_every_verb_and_path() {
    let server = start().await;
    server.publish("a", "1").await;
    let before = server.state().await;
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        for path in ["/streams/a", "/streams", "/nowhere"] {
            let line = format!("{method} {path}");
            let answer = server.ask(&line, "Origin: https://evil.example\r\n", "").await;
            assert_eq!(answer.status, 403, "{line}");
            answer.check_vary();
            let head = format!("{line} HTTP/1.1\r\nHost: evil.example\r\n\r\n");
            let mut wire = server.connect().await;
            wire.send(head).await;
            assert_eq!(wire.answer_to(&line).await.status, 421, "{line}");
        }
    }
    assert_eq!(server.state().await, before);
}

#[tokio::test]
async fn an_allowed_page_may_read_every_answer() {
    let server = start().await;
    server.publish("a?close", "1").await;
    let origin = "Origin: https://app.example\r\n";
    for (line, status) in [
        ("GET /streams/a", 200),
        ("HEAD /streams/a", 200),
        ("GET /streams/a?from=x", 400),
        ("GET /nowhere", 404),
        ("POST /streams/a", 409),
        ("DELETE /streams", 405),
    ] {
        let answer = server.ask(line, origin, "").await;
        assert_eq!(answer.status, status, "{line}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"), "{line}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{line}");
        assert!(
            answer.header("access-control-expose-headers").is_some_and(|h| h.contains("Largesse-Last-ID"))
        );
        answer.check_vary();
    }
    let plain = server.ask("GET /streams/a", "", "").await;
    assert_eq!(plain.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let server = start().await;
    let headers = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: GET\r\n\
                   Access-Control-Request-Headers: last-event-id,authorization\r\n";
    let answer = server.ask("OPTIONS /streams/a", headers, "").await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:3000"));
    let methods = Some("GET, HEAD, POST, PUT, DELETE, OPTIONS");
    assert_eq!(answer.header("access-control-allow-methods"), methods);
    let allowed = answer.header("access-control-allow-headers").expect("the header");
    let allowed: Vec<String> = allowed.split(", ").map(str::to_ascii_lowercase).collect();
    for name in [
        "authorization",
        "content-type",
        "idempotency-key",
        "last-event-id",
        "cache-control",
        // Headers that libraries add to every request of a page.
        "traceparent",
        "tracestate",
        "baggage",
        "x-requested-with",
        "x-request-id",
        "x-correlation-id",
        "sentry-trace",
        "x-b3-traceid",
        "x-datadog-trace-id",
        "pragma",
    ] {
        assert!(allowed.iter().any(|have| have == name), "{name}");
    }
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.check_vary();
    let plain = server.ask("OPTIONS /streams/a", "", "").await;
    assert_eq!((plain.status, plain.header("allow")), (204, methods));
    assert_eq!(plain.header("access-control-allow-methods"), None);
}
