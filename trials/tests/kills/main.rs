//! The server on disk, killed again and again under load: nothing that it acknowledged is lost, nobody hears what
//! others do not, and no id belongs to two events.
//!
//! - Needs the binary: `cargo build -p largesse`.
//! - `LARGESSE_KILLS=500 cargo test -p largesse-trials --test kills` kills more often; `LARGESSE_SEED` repeats the
//!   moments drawn from a seed.

mod follower;
mod gate;
mod load;
mod verdict;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use largesse_trials::{Publisher, Seed, Server};

use crate::follower::{Asks, Format, Heard, Until};
use crate::gate::Gate;
use crate::load::{ENDS, Load, Sent};
use crate::verdict::Truth;

const KILLS: usize = 50;
const PUBLISHERS: usize = 8;
/// What is acknowledged after the last kill, at least.
const ACKS_AT_LAST: u64 = 200;

/// However often it is killed, nothing is dropped.
const SETTINGS: &[(&str, &str)] = &[("LARGESSE_STREAM_MAX_BYTES", "unlimited")];

/// The readers. All except the last read until they hear the last event of the stream named here.
const READERS: &[Asks] = &[
    Asks { target: "/streams/a", streams: &["a"], format: Format::Plain, until: Until::LastOf("a") },
    Asks {
        target: "/streams/b?format=json",
        streams: &["b"],
        format: Format::Json,
        until: Until::LastOf("b"),
    },
    Asks {
        target: "/streams?name=a&name=b&name=team/1",
        streams: &["a", "b", "team/1"],
        format: Format::Plain,
        until: Until::LastOf("team/1"),
    },
    Asks {
        target: "/streams?name=a&name=ends/0&name=ends/1&name=ends/2&name=ends/3&name=ends/4&name=ends/5\
                 &name=ends/6&name=ends/7",
        streams: &["a", "ends/*"],
        format: Format::Plain,
        until: Until::LastOf("a"),
    },
    Asks {
        target: "/streams?name=team/*&format=json",
        streams: &["team/*"],
        format: Format::Json,
        until: Until::LastOf("team/1"),
    },
    EVERYTHING,
    Asks { target: "/streams/ends/0", streams: &["ends/0"], format: Format::Plain, until: Until::Stopped },
];

const EVERYTHING: Asks = Asks {
    target: "/streams?name=**&format=json",
    streams: &["*"],
    format: Format::Json,
    until: Until::LastOf("team/1"),
};

/// Streams that get a last event, in this order: once there is nothing else any more.
const LAST: &[&str] = &["a", "b", "team/1"];

#[test]
fn a_server_that_is_killed_keeps_what_it_acknowledged_and_shows_all_readers_the_same() {
    check(Server::start_on_disk(SETTINGS), kills());
}

#[test]
fn a_server_that_is_killed_does_so_too_when_its_trace_is_lost() {
    let settings = [SETTINGS, &[("LARGESSE_TRACE_LEVEL", "debug")]].concat();
    check(Server::start_with_a_lost_trace(&settings), kills() / 5);
}

fn check(mut server: Server, kills: usize) {
    let seed = Seed::drawn();
    let mut rng = seed.rng();
    let address = server.address();
    let gate = Arc::new(Gate::new());
    let readers: Vec<_> = READERS.iter().map(|asks| reader(address, asks, &gate)).collect();
    let publishers: Vec<_> =
        (0..PUBLISHERS).map(|number| publisher(address, number, rng.fork(), &gate)).collect();
    for _ in 0..kills {
        gate.wait_for_acks(acks_before_kill(&mut rng));
        gate.is_down();
        server.kill();
        server.start_again();
        gate.is_up();
    }
    gate.wait_for_acks(ACKS_AT_LAST);
    gate.stop_publishers();
    let mut sent: Vec<_> = publishers.into_iter().flat_map(joined).collect();
    sent.extend(LAST.iter().map(|stream| last_of(address, stream)));
    gate.stop_readers();
    let heard: Vec<_> = readers.into_iter().map(joined).collect();
    let truth = Truth::of(follower::run(address, &EVERYTHING, &gate));
    truth.check_sent(&sent);
    READERS.iter().zip(&heard).for_each(|(asks, heard)| truth.check_heard(asks, heard));
    truth.check_ids(&sent, &heard);
    assert!(gate.cuts() >= kills as u64, "only {} requests were cut: kills come too late", gate.cuts());
}

/// Any moment: when it has just begun to listen, in the first requests, or in the middle of many.
fn acks_before_kill(rng: &mut fastrand::Rng) -> u64 {
    match rng.u8(0..6) {
        0 => 0,
        1 => rng.u64(1..10),
        _ => rng.u64(10..400),
    }
}

fn kills() -> usize {
    let given = std::env::var_os("LARGESSE_KILLS");
    given.map_or(KILLS, |kills| kills.to_str().and_then(|kills| kills.parse().ok()).expect("a number"))
}

fn reader(address: SocketAddr, asks: &'static Asks, gate: &Arc<Gate>) -> thread::JoinHandle<Vec<Heard>> {
    let gate = Arc::clone(gate);
    thread::spawn(move || follower::run(address, asks, &gate))
}

fn publisher(
    address: SocketAddr,
    number: usize,
    rng: fastrand::Rng,
    gate: &Arc<Gate>,
) -> thread::JoinHandle<Vec<Sent>> {
    let gate = Arc::clone(gate);
    thread::spawn(move || Load::new(address, number, rng).run(&gate))
}

/// Passes on a thread's panic.
fn joined<T>(thread: thread::JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn last_of(address: SocketAddr, stream: &str) -> Sent {
    let data = format!("last of {stream}");
    let id = Publisher::connect(address).publish(stream, &data);
    Sent { stream: stream.to_owned(), events: vec![data], id: Some(id) }
}

#[test]
fn each_publisher_has_a_stream_that_it_ends() {
    assert_eq!(ENDS, PUBLISHERS);
}
