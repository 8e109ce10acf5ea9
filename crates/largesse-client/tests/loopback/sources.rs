//! A source: what it requests, how it understands the answer, and when it connects again.

use std::{io::Write, time::Duration};

use largesse_client::{
    Client, ClientConfig, Disconnect, DisconnectCause, Encodings, EventSource, HeaderValue, Heard,
    REDIRECTS_MAX, Redirects, Request, SourceConfig, Statuses, Stopped, header::AUTHORIZATION,
};
use tokio::time::timeout;

use crate::{
    support::{STREAM, Server, Then, answer, gone, quick, source, stream, within},
    tls::Authority,
};

/// What a source returns until it stops, in short.
async fn all(mut source: EventSource) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        assert!(said.len() < 20, "it goes on and on: {said:?}");
        let next = within(source.next()).await;
        said.push(match next {
            Ok(Some(Heard::Opened { failures, .. })) => format!("open after {failures}"),
            Ok(Some(Heard::Event(event))) => event.data,
            Ok(Some(Heard::Disconnected(Disconnect { cause, failures, .. }))) => match cause {
                DisconnectCause::Ended => format!("ended {failures}"),
                DisconnectCause::Away(answer) => format!("away {} {failures}", answer.status.as_u16()),
                DisconnectCause::Unanswered(_) => format!("unanswered {failures}"),
                DisconnectCause::Broken(_) => format!("broken {failures}"),
            },
            Ok(None) => return said,
            Err(Stopped::Refused(answer)) => format!("refused {}", answer.status.as_u16()),
            Err(Stopped::NotAStream(answer)) => format!("not a stream: {}", answer.essence()),
            Err(error) => format!("{error:?}"),
        });
    }
}

#[tokio::test]
async fn a_source_stops_and_comes_back_as_the_standard_says() {
    let packed = format!("{STREAM}Content-Encoding: gzip\r\n");
    let rows: [(&'static str, &str, &'static str, &[&str]); 9] = [
        ("200 OK", &packed, "data: a\n\n", &["not a stream: text/event-stream"]),
        ("204 No Content", "", "", &[]),
        ("204 No Content", STREAM, "", &[]),
        ("200 OK", "", "data: a\n\n", &["not a stream: "]),
        ("200 OK", "Content-Type: text/html; x\r\n", "<html>", &["not a stream: text/html"]),
        (
            "200 OK",
            "Content-Type: Text/Event-Stream ; charset=latin1\r\n",
            "data: a\n\n",
            &["open after 0", "a", "ended 0"],
        ),
        ("404 Not Found", STREAM, "data: a\n\n", &["refused 404"]),
        ("500 Oh", STREAM, "", &["refused 500"]),
        ("301 Moved", "Location: /there\r\n", "", &["refused 301"]),
    ];
    for (status, headers, body, want) in rows {
        let first = answer(status, headers, body);
        let server = Server::start(move |number, _| if number == 0 { first.clone() } else { gone() }).await;
        assert_eq!(all(server.source()).await, want, "{status} {headers}");
        // Only a source that read something connects again.
        assert_eq!(server.asked().len(), if want.len() == 3 { 2 } else { 1 }, "{status} {headers}");
    }
}

#[tokio::test]
async fn a_proxys_statuses_are_waited_out_or_not() {
    for status in ["429 Slow Down", "502 Bad Gateway", "503 Busy", "504 Late"] {
        let (code, _) = status.split_once(' ').unwrap();
        for (statuses, want) in [
            (
                Statuses::WaitOut,
                vec![
                    format!("away {code} 1"),
                    format!("away {code} 2"),
                    "open after 2".to_owned(),
                    "ended 0".to_owned(),
                ],
            ),
            (Statuses::Standard, vec![format!("refused {code}")]),
        ] {
            let server = Server::start(move |number, _| match number {
                0 | 1 => answer(status, "Retry-After: 100000\r\n", ""),
                2 => stream(""),
                _ => gone(),
            })
            .await;
            let config = SourceConfig { statuses, ..quick() };
            assert_eq!(all(source(Request::get(server.url("/")), config)).await, want);
        }
    }
}

#[tokio::test]
async fn a_server_says_how_long_to_wait() {
    let limits = SourceConfig::default().reconnect;
    for (reply, least) in [
        (stream("retry: 40000\n"), 40),
        (answer("503 Busy", "Retry-After: 70\r\n", ""), 70),
        (answer("503 Busy", "Retry-After: soon\r\n", ""), 1),
    ] {
        let server = Server::start(move |_, _| reply.clone()).await;
        let mut source = source(Request::get(server.url("/")), SourceConfig { reconnect: limits, ..quick() });
        loop {
            if let Some(Heard::Disconnected(lost)) = within(source.next()).await.unwrap() {
                let seconds = lost.wait.as_secs_f64();
                assert!(seconds >= f64::from(least) && seconds <= f64::from(least) * 1.2 + 1.0, "{lost:?}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn each_connection_sends_the_same_request_with_the_last_id() {
    let server = Server::start(|number, _| match number {
        0 => stream("id: one\ndata: a\n\nid: lost\ndata: half"),
        1 => stream("id: \u{fc}\n\n"),
        2 => stream("id\ndata: b\n\n"),
        _ => gone(),
    })
    .await;
    let request =
        Request::post(server.url("/s"), "which").header(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    let config = SourceConfig { last_event_id: Some("zero".to_owned()), ..quick() };
    let said = all(source(request, config)).await;
    assert_eq!(
        said,
        ["open after 0", "a", "ended 0", "open after 0", "ended 0", "open after 0", "b", "ended 0"]
    );
    let ids: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| {
            assert!(asked.starts_with("POST /s HTTP/1.1\r\n") && asked.ends_with("\r\n\r\nwhich"), "{asked}");
            for header in [
                "accept: text/event-stream\r\n",
                "cache-control: no-store\r\n",
                "authorization: Bearer x\r\n",
            ] {
                assert!(asked.contains(header), "{asked}");
            }
            asked.split_once("last-event-id: ").map(|(_, rest)| rest.split("\r\n").next().unwrap().to_owned())
        })
        .collect();
    let want = [Some("zero"), Some("one"), Some("\u{fc}"), None];
    assert_eq!(ids.iter().map(Option::as_deref).collect::<Vec<_>>(), want);
}

#[tokio::test]
async fn an_id_that_no_header_can_have_stops_it() {
    let server = Server::start(|_, _| stream("id: a\u{1}b\ndata: a\n\n")).await;
    let said = all(server.source()).await;
    assert_eq!(said[..3], ["open after 0", "a", "ended 0"]);
    assert!(said[3].contains("Unaskable") && said.len() == 4, "{said:?}");
}

#[tokio::test]
async fn a_server_that_was_never_reached_is_tried_again_unless_it_is_futile() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut there = source(Request::get(format!("http://{nobody}").parse().unwrap()), quick());
    for failures in 1..5 {
        let heard = within(there.next()).await.unwrap().unwrap();
        assert!(
            matches!(heard, Heard::Disconnected(Disconnect { cause: DisconnectCause::Unanswered(_), failures: n, .. }) if n == failures)
        );
    }
    let unknown = Authority::new().acceptor(&["127.0.0.1"]);
    let server = Server::start_tls(unknown, |_, _| gone()).await;
    let said = all(server.source()).await;
    assert!(said.len() == 1 && said[0].starts_with("Futile(Tls("), "{said:?}");
}

#[tokio::test]
async fn a_server_that_was_reached_once_is_tried_again_whatever_happens() {
    let server = Server::start(|number, _| match number {
        0 => stream("data: a\n\n"),
        number if number <= REDIRECTS_MAX + 1 => answer("302 Found", "Location: /loop\r\n", ""),
        _ => gone(),
    })
    .await;
    let client = Client::new(&ClientConfig { redirects: Redirects::SameOrigin, ..ClientConfig::default() });
    let source = EventSource::new(client, Request::get(server.url("/")), quick());
    assert_eq!(all(source).await, ["open after 0", "a", "ended 0", "unanswered 1"]);
    assert!(
        server.asked()[REDIRECTS_MAX + 2].starts_with("GET / "),
        "the first URL is requested, and no redirect is remembered"
    );
}

#[tokio::test]
async fn a_dropped_call_loses_nothing_and_sends_no_request_twice() {
    let server = Server::start(|number, _| match number {
        0 => (answer("200 OK", STREAM, "data: a\n\ndata: b\n\n").0, Then::Close),
        1 => stream("data: c\n\n"),
        _ => gone(),
    })
    .await;
    let mut source = server.source();
    let mut heard = Vec::new();
    let reading = async {
        loop {
            // Each call is dropped after it was polled once.
            match timeout(Duration::ZERO, source.next_event()).await {
                Ok(Ok(Some(event))) => heard.push(event.data),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => panic!("{error:?}"),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    within(reading).await;
    assert_eq!((heard, server.asked().len()), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 3));
}

#[tokio::test]
async fn silence_counts_across_dropped_calls() {
    let server = Server::start(|_, _| (answer("200 OK", STREAM, ":\n").0, Then::Hold)).await;
    let silence_max = Duration::from_millis(300);
    let mut source = source(Request::get(server.url("/")), SourceConfig { silence_max, ..quick() });
    let reading = async {
        loop {
            match timeout(Duration::from_millis(20), source.next()).await {
                Ok(Ok(Some(Heard::Disconnected(lost)))) => return lost,
                Ok(Ok(Some(_))) | Err(_) => {}
                Ok(other) => panic!("{other:?}"),
            }
        }
    };
    assert!(matches!(within(reading).await.cause, DisconnectCause::Broken(_)));
}

#[tokio::test]
async fn a_server_that_sends_heartbeats_is_not_left() {
    let beats = Then::Beat(b":\n", 20, Duration::from_millis(100));
    let server = Server::start(move |number, _| match number {
        0 => (answer("200 OK", STREAM, "").0, beats.clone()),
        _ => gone(),
    })
    .await;
    let config = SourceConfig { silence_max: Duration::from_secs(1), ..quick() };
    assert_eq!(all(source(Request::get(server.url("/")), config)).await, ["open after 0", "ended 0"]);
}

#[tokio::test]
async fn compressed_events_are_read_once_the_server_has_flushed() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"data: a\n\n").unwrap();
    encoder.flush().unwrap();
    let flushed = encoder.get_ref().clone();
    let server = Server::start(move |_, _| {
        let mut said = answer("200 OK", &format!("{STREAM}Content-Encoding: gzip\r\n"), "").0;
        said.extend_from_slice(&flushed);
        // The body isn't complete, and nothing more comes.
        (said, Then::Hold)
    })
    .await;
    let client = Client::new(&ClientConfig { encodings: Encodings::Compressed, ..ClientConfig::default() });
    let mut source = EventSource::new(client, Request::get(server.url("/")), quick());
    assert_eq!(within(source.next_event()).await.unwrap().unwrap().data, "a");
}
