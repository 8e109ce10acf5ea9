//! Connections that are cut after every possible byte: each event arrives once, in order, and so does the end.

use largesse_client::{Client, ClientConfig, EventSource, Request, Trust};

use crate::{
    support::{Reply, Server, Then, gone, quick, within},
    tls::Authority,
};

const EVENTS: usize = 4;

/// The head of an answer, and all events after the presented id, each in a chunk of its own.
fn rest(asked: &str) -> String {
    let id = asked.split_once("last-event-id: ").map_or("0", |(_, rest)| rest.split("\r\n").next().unwrap());
    let mut said =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for number in id.parse::<usize>().unwrap() + 1..=EVENTS {
        let block = format!(":c\r\nid: {number}\nevent: e\ndata: one\ndata: \u{fc}{number}\n\n");
        said += &format!("{:x}\r\n{block}\r\n", block.len());
    }
    said + "0\r\n\r\n"
}

/// Cuts the first answer after `cut` bytes; a reader that has all events gets a 204.
fn cutting(cut: usize) -> impl Fn(usize, &str) -> Reply + Send + Sync + 'static {
    move |number, asked| match number {
        0 => (rest(asked).into_bytes()[..cut].to_vec(), Then::Close),
        _ if asked.contains(&format!("last-event-id: {EVENTS}\r\n")) => gone(),
        _ => (rest(asked).into_bytes(), Then::Close),
    }
}

async fn check(mut source: EventSource, cut: usize) {
    for number in 1..=EVENTS {
        let event = within(source.next_event()).await.unwrap().unwrap();
        let heard = (event.name.as_str(), event.data.as_str(), event.last_event_id.as_ref());
        assert_eq!(
            heard,
            ("e", format!("one\n\u{fc}{number}").as_str(), number.to_string().as_str()),
            "cut after {cut}"
        );
    }
    for _ in 0..2 {
        assert_eq!(within(source.next_event()).await.unwrap(), None, "cut after {cut}");
    }
}

#[tokio::test]
async fn cut_after_any_byte_each_event_arrives_once_in_order() {
    for cut in 0..=rest("").len() {
        let server = Server::start(cutting(cut)).await;
        check(server.source(), cut).await;
        assert!(server.asked().len() <= 3, "cut after {cut}: {:?}", server.asked());
    }
}

#[tokio::test]
async fn the_same_over_tls() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&["127.0.0.1"]);
    let client =
        Client::new(&ClientConfig { trust: Trust::Only(authority.trusted()), ..ClientConfig::default() });
    for cut in (0..=rest("").len()).step_by(3) {
        let server = Server::start_tls(acceptor.clone(), cutting(cut)).await;
        check(EventSource::new(client.clone(), Request::get(server.url("/s")), quick()), cut).await;
    }
}
