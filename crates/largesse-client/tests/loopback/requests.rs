//! One request and its answer.

use std::time::Duration;

use largesse_client::{
    BodyError, BodyLimits, Client, ClientConfig, Encodings, HeaderValue, Method, Request, SendError,
    StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};

use crate::support::{Server, Then, answer, within};

const LIMITS: BodyLimits = BodyLimits { bytes_max: 1000, silence_max: Duration::from_secs(60) };

fn client() -> Client {
    Client::new(&ClientConfig::default())
}

#[tokio::test]
async fn method_headers_and_body_arrive_and_the_answer_is_given_whole() {
    let server =
        Server::start(|_, _| answer("409 Conflict", "X-A: b\r\nContent-Type: text/plain; x=y\r\n", "why"))
            .await;
    let request = Request::new(Method::PUT, server.url("/a%2Fb?c=%20d"))
        .body("hello")
        .header(ACCEPT, HeaderValue::from_static("application/json"));
    let mut response = within(client().send(&request)).await.unwrap();
    assert_eq!((response.status(), response.essence()), (StatusCode::CONFLICT, "text/plain"));
    assert_eq!(response.headers()["x-a"], "b");
    assert_eq!(response.url(), request.url());
    assert_eq!(within(response.collected(LIMITS)).await.unwrap(), "why");
    let asked = server.asked().remove(0);
    assert!(
        asked.starts_with("PUT /a%2Fb?c=%20d HTTP/1.1\r\n") && asked.ends_with("\r\n\r\nhello"),
        "{asked}"
    );
    assert!(asked.contains(&format!("host: {}\r\n", server.address)), "{asked}");
    assert!(asked.contains("accept: application/json\r\n") && !asked.contains("accept-encoding"), "{asked}");
}

#[tokio::test]
async fn a_user_in_the_url_is_sent_as_authorization() {
    let server = Server::start(|_, _| answer("200 OK", "", "")).await;
    let mut url = server.url("/");
    url.set_username("me").unwrap();
    url.set_password(Some("secret")).unwrap();
    within(client().send(&Request::get(url))).await.unwrap();
    assert!(
        server.asked()[0].contains(&format!("{AUTHORIZATION}: Basic bWU6c2VjcmV0")),
        "{:?}",
        server.asked()
    );
}

#[tokio::test]
async fn a_body_has_limits() {
    let rows: [(&str, String, Then, &str); 4] = [
        ("Content-Length: 1001\r\n", String::new(), Then::Hold, "more than 1000"),
        ("", "x".repeat(1001), Then::Hold, "more than 1000"),
        ("Content-Length: 5\r\n", "abc".to_owned(), Then::Close, "broke"),
        ("Content-Length: 5\r\n", "abc".to_owned(), Then::Hold, "nothing came"),
    ];
    for (headers, body, then, want) in rows {
        let (said, what) = (answer("200 OK", headers, &body).0, then.clone());
        let server = Server::start(move |_, _| (said.clone(), then.clone())).await;
        let mut response = within(client().send(&Request::get(server.url("/")))).await.unwrap();
        let silence_max =
            if want == "nothing came" { Duration::from_millis(300) } else { LIMITS.silence_max };
        let limits = BodyLimits { silence_max, ..LIMITS };
        let error: BodyError = within(response.collected(limits)).await.unwrap_err();
        assert!(error.to_string().contains(want), "{headers:?} {what:?}: {error}");
    }
}

#[tokio::test]
async fn an_answers_beginning_is_what_arrives_in_time() {
    let long = LIMITS.silence_max;
    for (then, time, want) in [
        (Then::Close, long, "ab"),
        (Then::Hold, Duration::from_secs(1), "ab"),
        (Then::Repeat(b"cd"), long, "abcdcdcdcd"),
    ] {
        let server =
            Server::start(move |_, _| (answer("500 Oh", "Content-Length: 100000\r\n", "ab").0, then.clone()))
                .await;
        let response = within(client().send(&Request::get(server.url("/")))).await.unwrap();
        let answer = within(response.answer(10, time)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (500, want.as_bytes()));
    }
}

#[tokio::test]
async fn a_missing_answer_is_reported_by_its_cause() {
    let closed = Server::start(|_, _| (Vec::new(), Then::Close)).await;
    let silent = Server::start(|_, _| (Vec::new(), Then::Hold)).await;
    let half = Server::start(|_, _| (b"HTTP/1.1 200 OK\r\nA: b".to_vec(), Then::Hold)).await;
    let other = Server::start(|_, _| (b"220 mail.example ESMTP\r\n\r\n".to_vec(), Then::Hold)).await;
    let alert = Server::start(|_, _| (b"\x15\x03\x01\x00\x02\x02\x46".to_vec(), Then::Close)).await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    };
    let config = ClientConfig { answer_max: Duration::from_millis(500), ..ClientConfig::default() };
    let (impatient, patient) = (Client::new(&config), client());
    let rows = [
        (closed.url("/"), "Broken"),
        (silent.url("/"), "Slow"),
        (half.url("/"), "Slow"),
        (other.url("/"), "NotHttp"),
        (alert.url("/"), "NotHttp"),
        (nobody, "Unreachable"),
        ("ftp://127.0.0.1/".parse().unwrap(), "Unaskable"),
        (format!("http://127.0.0.1:1/{}", "x".repeat(70_000)).parse().unwrap(), "Unaskable"),
    ];
    for (url, want) in rows {
        let client = if want == "Slow" { &impatient } else { &patient };
        let error: SendError = within(client.send(&Request::get(url.clone()))).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(want), "{url:.50}: {error:?}");
        assert_eq!(error.is_futile(), want == "Unaskable", "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_first_is_reported_as_not_http() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for _ in 0..20 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await.unwrap();
            let _ = socket.read_to_end(&mut Vec::new()).await;
        });
        // Which one depends on whether the bytes arrive before the request is written.
        let error = within(client().send(&Request::get(url))).await.unwrap_err();
        assert!(matches!(error, SendError::Canceled(_) | SendError::NotHttp(_)), "{error:?}");
    }
}

#[tokio::test]
async fn connections_are_reused_if_the_server_keeps_them() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(10);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: largesse_client::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            sender.send(()).await.unwrap();
            let mut buffer = [0; 4096];
            while socket.read(&mut buffer).await.unwrap_or(0) > 0 {
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    });
    let client = client();
    for _ in 0..5 {
        let mut response = within(client.send(&Request::get(url.clone()))).await.unwrap();
        assert_eq!(within(response.collected(LIMITS)).await.unwrap(), "ok");
    }
    assert!(receiver.recv().await.is_some() && receiver.try_recv().is_err(), "one connection was enough");
}

#[tokio::test]
async fn a_compressed_body_is_decoded_if_that_was_asked_for() {
    let packed = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"hello").unwrap();
        encoder.finish().unwrap()
    };
    let body = packed.clone();
    let server = Server::start(move |_, _| {
        let (mut said, then) = answer("200 OK", "Content-Encoding: gzip\r\n", "");
        said.extend_from_slice(&body);
        (said, then)
    })
    .await;
    let request = Request::get(server.url("/"));
    let mut response = within(client().send(&request)).await.unwrap();
    assert_eq!(within(response.collected(LIMITS)).await.unwrap(), packed);
    let config = ClientConfig { encodings: Encodings::Compressed, ..ClientConfig::default() };
    let mut response = within(Client::new(&config).send(&request)).await.unwrap();
    assert_eq!(within(response.collected(LIMITS)).await.unwrap(), "hello");
    assert!(server.asked()[1].contains("accept-encoding: gzip,br\r\n"), "{:?}", server.asked());
}
