//! A thousand readers, half of them stalled the whole time: the others hear everything, and the server's
//! memory hardly grows.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::support::{connect, server::Server};

const READING: usize = 500;
const STALLED: usize = 500;
const EVENTS: usize = 200;
const EVENT_BYTES: usize = 16 * 1024;
/// What a stalled reader may cost: one read of the log, a write buffer, and room for the allocator. A queue
/// per reader would hold the 3 MiB that it does not read.
const STALLED_BYTES_MAX: usize = 160 * 1024;
/// What the active readers leave behind in the allocator.
const SLACK_BYTES: usize = 32 * 1024 * 1024;

fn read(server: &Server) -> TcpStream {
    let mut connection = connect(&server.address);
    connection.write_all(server.request("GET", "/streams/a", "").as_bytes()).unwrap();
    connection
}

/// Reads to the end of the stream, and counts the events.
fn count(mut connection: TcpStream) -> usize {
    let mut events = 0;
    let mut piece = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = connection.read(&mut piece) {
        events += piece[..bytes].iter().filter(|byte| **byte == b'@').count();
    }
    events
}

#[test]
fn stalled_readers_cost_the_others_nothing_and_the_server_little() {
    let server = Server::start();
    let stalled: Vec<_> = (0..STALLED).map(|_| read(&server)).collect();
    let before = server.running.resident_bytes();
    let event = format!("@{}", "x".repeat(EVENT_BYTES));
    std::thread::scope(|scope| {
        let reading: Vec<_> =
            (0..READING).map(|_| read(&server)).map(|reader| scope.spawn(move || count(reader))).collect();
        for _ in 0..EVENTS {
            let answer = server.ask("POST", "/streams/a", &event);
            assert!(answer.contains(" 201 "), "{answer}");
        }
        server.ask("POST", "/streams/a?close", "");
        for reader in reading {
            assert_eq!(reader.join().unwrap(), EVENTS);
        }
    });
    let grown = server.running.resident_bytes().saturating_sub(before);
    let log_bytes = EVENTS * EVENT_BYTES;
    let most = log_bytes + STALLED * STALLED_BYTES_MAX + SLACK_BYTES;
    assert!(grown < most, "{grown} bytes, more than {most}");
    drop(stalled);
}
