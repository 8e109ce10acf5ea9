//! The end of a server: properly after one signal, at once after two.

use std::{
    io::{BufRead, BufReader, Read, Write},
    time::Instant,
};

use crate::support::{connect, server::Server};

/// Longer than `shutdown_grace` by what starting and stopping a process can take on a busy machine.
const GRACE_S: u64 = 5;

#[test]
fn a_signal_ends_the_server_in_order_and_readers_at_the_end_of_a_block() {
    for signal in ["TERM", "INT"] {
        let server = Server::start();
        server.ask("POST", "/streams/a", "hello");
        let mut reader = connect(&server.address);
        reader.write_all(server.request("GET", "/streams/a", "").as_bytes()).unwrap();
        let mut reader = BufReader::new(reader);
        let mut read = String::new();
        while !read.ends_with("\n\n") {
            assert_ne!(reader.read_line(&mut read).unwrap(), 0, "the read ended early: {read}");
        }
        let begun = Instant::now();
        server.running.signal(signal);
        reader.read_to_string(&mut read).unwrap();
        let done = server.running.done();
        assert_eq!(done.code(), Some(0), "{done:?}");
        assert!(begun.elapsed().as_secs() < GRACE_S, "{:?}", begun.elapsed());
        assert!(read.ends_with("\n\n") && read.contains("data: hello\nid: "), "{read}");
    }
}

#[test]
fn many_readers_under_way_all_end_at_the_end_of_a_block() {
    let server = Server::start();
    let data = "0123456789abcdef\n".repeat(1000);
    for _ in 0..50 {
        server.ask("POST", "/streams/a", &data);
    }
    let mut readers: Vec<_> = (0..20).map(|_| connect(&server.address)).collect();
    for reader in &mut readers {
        reader.write_all(server.request("GET", "/streams/a", "").as_bytes()).unwrap();
    }
    let mut firsts = vec![[0; 1]; readers.len()];
    for (reader, first) in readers.iter_mut().zip(&mut firsts) {
        reader.read_exact(first).unwrap();
    }
    server.running.signal("TERM");
    for mut reader in readers {
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        let (_, body) = read.split_once("\r\n\r\n").unwrap();
        // A reader that had got no block yet has only the two lines that begin every read.
        let tail = &body[body.len().saturating_sub(100)..];
        assert!(body.ends_with("\n\n") || body.lines().count() <= 2, "{tail:?}");
    }
    assert_eq!(server.running.done().code(), Some(0));
}

#[test]
fn a_request_that_never_ends_is_cut_when_the_grace_is_over() {
    let server = Server::start_with(&["--shutdown-grace", "100ms"]);
    let mut stuck = connect(&server.address);
    stuck.write_all(b"POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc").unwrap();
    server.ask("POST", "/streams/b", "x");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let server = Server::start_with(&["--shutdown-grace", "1h"]);
    let mut stuck = connect(&server.address);
    let head = format!("POST /streams/a HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\n", server.address);
    stuck.write_all(format!("{head}Content-Length: 10\r\n\r\n").as_bytes()).unwrap();
    // The go-ahead says that the request is in progress.
    let mut line = String::new();
    let mut answers = BufReader::new(stuck.try_clone().unwrap());
    answers.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    server.running.signal("TERM");
    server.running.told("another signal");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(130));
}
