//! Servers that mean harm: what they send without end is not read without end.

use std::time::Duration;

use largesse_client::{
    BodyError, Client, ClientConfig, Disconnect, DisconnectCause, Encodings, EventSource, Heard, Request,
    SendError, SourceConfig, Stopped,
};

use crate::support::{STREAM, Server, Then, answer, quick, source, within};

/// More than the client reads before it leaves, and the system buffers on the way.
const TAKEN_MAX: usize = 16 * 1024 * 1024;

async fn sent(said: &'static [u8], again: &'static [u8]) -> (SendError, usize) {
    let server = Server::start(move |_, _| (said.to_vec(), Then::Repeat(again))).await;
    let client = Client::new(&ClientConfig::default());
    let error = within(client.send(&Request::get(server.url("/")))).await.unwrap_err();
    (error, server.written())
}

#[tokio::test]
async fn a_head_without_an_end_is_not_read_forever() {
    let head = b"HTTP/1.1 200 OK\r\nA: ";
    let rows: [(&[u8], &[u8]); 5] = [
        (head, b"x"),
        (head, &[b'x'; 65_536]),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 ", &[b'x'; 4_096]),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\nA: "),
    ];
    for (said, again) in rows {
        let (error, taken) = sent(said, again).await;
        assert!(matches!(error, SendError::NotHttp(_)), "{error:?}");
        assert!(taken < TAKEN_MAX, "{taken} bytes of a head");
    }
}

/// Reads an answer that repeats `again` forever, until the source stops.
async fn stopped(said: &str, again: &'static [u8]) -> (Stopped, usize) {
    let said = answer("200 OK", STREAM, said).0;
    let server = Server::start(move |_, _| (said.clone(), Then::Repeat(again))).await;
    let mut source =
        source(Request::get(server.url("/")), SourceConfig { event_bytes_max: 100_000, ..quick() });
    let stopped = within(source.next_event()).await.unwrap_err();
    assert!(within(source.next_event()).await.unwrap().is_none(), "it stays stopped");
    assert_eq!(server.asked().len(), 1);
    (stopped, server.written())
}

#[tokio::test]
async fn an_event_without_an_end_is_not_read_forever() {
    let rows: [(&str, &[u8]); 4] =
        [("data: ", b"x"), ("data: ", &[b'x'; 65_536]), ("", b"data: x\n"), ("id: ", &[0xff; 4_096])];
    for (said, again) in rows {
        let (error, taken) = stopped(said, again).await;
        assert!(matches!(error, Stopped::TooLarge(_)), "{error:?}");
        assert!(taken < TAKEN_MAX, "{taken} bytes of an event");
    }
}

#[tokio::test]
async fn an_event_that_is_just_small_enough_is_read() {
    let data = "x".repeat(99_999);
    let body = format!("data: {data}\nid: 1\n\ndata: {data}x\n\n");
    let server = Server::start(move |_, _| answer("200 OK", STREAM, &body)).await;
    let mut source =
        source(Request::get(server.url("/")), SourceConfig { event_bytes_max: 100_000, ..quick() });
    let event = within(source.next_event()).await.unwrap().unwrap();
    assert_eq!((event.data.len(), source.last_event_id()), (99_999, "1"));
    assert!(within(source.next_event()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_length_that_is_only_announced_costs_nothing() {
    let headers = format!("{STREAM}Content-Length: 1000000000000\r\n");
    let server = Server::start(move |_, _| answer("200 OK", &headers, "data: a\nid: 1\n\ndata: b")).await;
    let mut source = server.source();
    assert_eq!(within(source.next_event()).await.unwrap().unwrap().data, "a");
    let lost = within(source.next()).await.unwrap().unwrap();
    assert!(
        matches!(
            lost,
            Heard::Disconnected(Disconnect {
                cause: DisconnectCause::Broken(BodyError::Broken(_)),
                failures: 1,
                ..
            })
        ),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_silent_server_is_left() {
    let server =
        Server::start(|_, _| (answer("200 OK", STREAM, "data: a\n\ndata: half").0, Then::Hold)).await;
    let silence_max = Duration::from_millis(300);
    let mut source = source(Request::get(server.url("/")), SourceConfig { silence_max, ..quick() });
    assert_eq!(within(source.next_event()).await.unwrap().unwrap().data, "a");
    let lost = within(source.next()).await.unwrap().unwrap();
    assert!(
        matches!(
            lost,
            Heard::Disconnected(Disconnect { cause: DisconnectCause::Broken(BodyError::Silent(_)), .. })
        ),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_refusal_without_an_end_is_read_up_to_the_limit() {
    for status in ["404 Not Found", "503 Service Unavailable", "200 OK"] {
        let server = Server::start(move |_, _| {
            (answer(status, "Content-Type: text/plain\r\n", "no").0, Then::Repeat(&[b'o'; 4_096]))
        })
        .await;
        let mut source = server.source();
        let body = match within(source.next()).await {
            Err(Stopped::Refused(answer) | Stopped::NotAStream(answer)) => answer.body,
            Ok(Some(Heard::Disconnected(Disconnect { cause: DisconnectCause::Away(answer), .. }))) => {
                answer.body
            }
            other => panic!("{other:?}"),
        };
        assert!(body.starts_with(b"noo") && body.len() == 65_536, "{}", body.len());
        assert!(server.written() < TAKEN_MAX);
    }
}

#[tokio::test]
async fn a_decompression_bomb_is_unpacked_piece_by_piece() {
    let packed = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..4_096 {
            encoder.write_all(&[b':'; 65_536]).unwrap();
        }
        encoder.write_all(b"\ndata: after\n\ndata: ").unwrap();
        for _ in 0..4_096 {
            encoder.write_all(&[b'x'; 65_536]).unwrap();
        }
        encoder.finish().unwrap()
    };
    let server = Server::start(move |_, _| {
        let (mut said, then) = answer("200 OK", &format!("{STREAM}Content-Encoding: gzip\r\n"), "");
        said.extend_from_slice(&packed);
        (said, then)
    })
    .await;
    let client = Client::new(&ClientConfig { encodings: Encodings::Compressed, ..ClientConfig::default() });
    let mut source = EventSource::new(client, Request::get(server.url("/")), quick());
    assert_eq!(within(source.next_event()).await.unwrap().unwrap().data, "after");
    assert!(matches!(within(source.next_event()).await, Err(Stopped::TooLarge(_))));
}
