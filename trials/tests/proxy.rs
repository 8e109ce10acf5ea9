//! The cutting proxy itself: it passes on byte for byte, cuts where it was told to, and records what it saw.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in shared helpers too")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use largesse_trials::{Cut, CuttingProxy, End, Manner, Place, Plan, Publisher, Release, Server, WAIT_MAX};

const EVENTS: usize = 50;

/// A server with a closed stream `a`.
fn server() -> Server {
    let server = Server::start(&[]);
    let mut publisher = Publisher::connect(server.address());
    for number in 0..EVENTS {
        publisher.publish("a", &number.to_string());
    }
    publisher.close("a");
    server
}

/// Asks for stream `a`.
fn asked(proxy: &CuttingProxy) -> TcpStream {
    let mut connection = TcpStream::connect(proxy.address()).unwrap();
    connection.set_read_timeout(Some(WAIT_MAX)).unwrap();
    // HTTP/1.0 is answered without chunks, and without keeping the connection alive.
    let request = format!("GET /streams/a HTTP/1.0\r\nHost: {}\r\nLast-Event-ID: \r\n\r\n", proxy.address());
    connection.write_all(request.as_bytes()).unwrap();
    connection
}

/// Reads the response's body to its end, and returns how the connection ended.
fn body(mut connection: TcpStream) -> (String, Result<(), ErrorKind>) {
    let mut bytes = Vec::new();
    let outcome = connection.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (body.to_owned(), outcome.map(drop).map_err(|error| error.kind()))
}

fn proxy(server: &Server, place: Place, manner: Manner) -> CuttingProxy {
    CuttingProxy::start(server.address(), Plan::of([Some(Cut { place, manner })]))
}

#[test]
fn what_is_not_cut_passes_whole_and_is_recorded() {
    let server = server();
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    let (whole, outcome) = body(asked(&proxy));
    assert_eq!(outcome, Ok(()));
    assert_eq!(whole.matches("data: ").count(), EVENTS + 1);
    let end = proxy.wait_for("an end", |record| record.first()?.end.map(|_| record[0].clone()));
    assert_eq!((end.method.as_str(), end.target.as_str(), end.status), ("GET", "/streams/a", Some(200)));
    assert_eq!((end.end, end.last_event_id.as_deref()), (Some(End::Server), Some("")));
    assert_eq!(end.body_bytes, whole.len() as u64);
}

#[test]
fn a_cut_lets_exactly_its_bytes_through() {
    let server = server();
    for bytes in [0, 1, 2, 100, 1000] {
        let proxy = proxy(&server, Place::InBody(bytes), Manner::Fin);
        let (cut, outcome) = body(asked(&proxy));
        assert_eq!((cut.len() as u64, outcome), (bytes, Ok(())));
        let (whole, _) = body(asked(&proxy));
        assert!(whole.contains("event: end"), "only the first is cut");
        let record = proxy.record();
        assert_eq!((record[0].end, record[0].body_bytes), (Some(End::Cut(Manner::Fin)), bytes));
    }
}

#[test]
fn a_cut_after_ids_leaves_the_last_id_line_whole_and_no_blank_line() {
    let server = server();
    for ids in [1, 2, EVENTS] {
        let (cut, outcome) = body(asked(&proxy(&server, Place::AfterIds(ids as u64), Manner::Fin)));
        assert_eq!((cut.matches("\nid: ").count(), outcome), (ids, Ok(())));
        assert!(cut.lines().last().unwrap().starts_with("id: "), "{cut}");
        assert!(cut.ends_with('\n') && !cut.ends_with("\n\n"), "{cut}");
    }
}

#[test]
fn a_cut_that_spares_ids_is_a_byte_later_only_just_after_one() {
    let server = server();
    let (whole, _) = body(asked(&CuttingProxy::start(server.address(), Plan::none())));
    let after_id = whole.find("\n\n").unwrap() + 1;
    for (bytes, want) in
        [(after_id - 1, after_id - 1), (after_id, after_id + 1), (after_id + 1, after_id + 1)]
    {
        let (cut, _) = body(asked(&proxy(&server, Place::InBodySparingIds(bytes as u64), Manner::Fin)));
        assert_eq!(cut.len(), want, "{cut}");
    }
}

#[test]
fn a_reset_cut_is_seen_as_a_reset() {
    let server = server();
    for place in [Place::BeforeHead, Place::InBody(100)] {
        let proxy = proxy(&server, place, Manner::Rst);
        let (_, outcome) = body(asked(&proxy));
        assert_eq!(outcome, Err(ErrorKind::ConnectionReset), "{place:?}");
    }
}

#[test]
fn before_the_head_nothing_is_heard() {
    let server = server();
    let proxy = proxy(&server, Place::BeforeHead, Manner::Fin);
    let mut connection = asked(&proxy);
    assert_eq!(connection.read(&mut [0]).unwrap(), 0);
    assert_eq!(proxy.record()[0].status, None);
}

#[test]
fn a_stall_ends_as_it_is_released() {
    let server = server();
    let want = [
        (Release::GoOn, Ok(()), "event: end"),
        (Release::Fin, Ok(()), ""),
        (Release::Rst, Err(ErrorKind::ConnectionReset), ""),
    ];
    for (release, outcome, part) in want {
        let proxy = proxy(&server, Place::InBody(100), Manner::Stall);
        let connection = asked(&proxy);
        proxy.wait_for("the stall", |record| {
            (record.first()?.end == Some(End::Cut(Manner::Stall))).then_some(())
        });
        proxy.release_stalls(release);
        let (text, ended) = body(connection);
        assert_eq!(ended, outcome, "{release:?}");
        assert!(text.contains(part), "{release:?}");
    }
}

#[test]
fn everything_open_is_cut_at_once() {
    let server = Server::start(&[]);
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    for (manner, outcome) in [(Manner::Fin, Ok(())), (Manner::Rst, Err(ErrorKind::ConnectionReset))] {
        let seen = proxy.record().len();
        let connections = [asked(&proxy), asked(&proxy)];
        proxy.wait_for("the heads", |record| {
            (record[seen..].iter().filter(|exchange| exchange.status.is_some()).count() == 2).then_some(())
        });
        proxy.cut_all(manner);
        Publisher::connect(server.address()).publish("a", &format!("after {manner:?}"));
        for connection in connections {
            let (text, ended) = body(connection);
            assert_eq!(ended, outcome, "{manner:?}");
            assert!(!text.contains(&format!("after {manner:?}")), "{text}");
        }
        assert!(proxy.record()[seen..].iter().all(|exchange| exchange.end == Some(End::Cut(manner))));
    }
}

#[test]
fn a_stall_ends_when_its_reader_goes() {
    let server = server();
    let proxy = proxy(&server, Place::InBody(100), Manner::Stall);
    let connection = asked(&proxy);
    proxy
        .wait_for("the stall", |record| (record.first()?.end == Some(End::Cut(Manner::Stall))).then_some(()));
    drop(connection);
    proxy.wait_for("the reader's end", |record| (record[0].end == Some(End::Reader)).then_some(()));
}

#[test]
fn a_server_that_is_away_ends_the_exchange_and_comes_back_on_its_port() {
    let mut server = server();
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    server.kill();
    assert_eq!(body(asked(&proxy)), (String::new(), Ok(())));
    assert_eq!(proxy.record()[0].end, Some(End::NoServer));
    server.start_again();
    Publisher::connect(server.address()).close("a");
    let (whole, _) = body(asked(&proxy));
    assert!(whole.contains("event: end"), "{whole}");
}

#[test]
fn a_seed_gives_one_plan() {
    let shown = |seed| format!("{:?}", Plan::seeded(seed, 20, 0..=5_000));
    assert_eq!(shown(7), shown(7));
    assert_ne!(shown(7), shown(8));
}

/// Firefox gives up for good on a response that is cut after its head and before the first byte of its body. So the
/// server leaves no time between them.
#[test]
fn the_first_bytes_of_the_body_come_with_the_head() {
    let server = Server::start(&[]);
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let mut connection = TcpStream::connect(server.address()).unwrap();
        connection.set_read_timeout(Some(WAIT_MAX)).unwrap();
        let request = format!("GET /streams/a {version}\r\nHost: {}\r\n\r\n", server.address());
        connection.write_all(request.as_bytes()).unwrap();
        let mut piece = [0; 4096];
        let bytes = connection.read(&mut piece).unwrap();
        let text = String::from_utf8_lossy(&piece[..bytes]);
        assert!(text.contains("retry: "), "{version}: {text}");
    }
}
