//! Which system calls the server makes, and in which order: an event is acknowledged after a sync that began after it
//! was written, and publishers that wait share one.
//!
//! Needs the binary (`cargo build -p largesse`) and strace, which `cargo xtask needs` installs. Linux only.

#![cfg(target_os = "linux")]

mod judge;
mod strace;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use largesse_trials::{Publisher, Server};

use crate::judge::{Acked, unsafe_acks};
use crate::strace::{Call, calls};

/// Everything that writes, and everything that syncs.
const TRACED: &str = "pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,fdatasync,fsync";
/// Publishes of one publisher that waits for each answer.
const LONE: usize = 200;
/// Publishes of many at once, how many publishers, and the most syncs they may need.
const TOGETHER: usize = 2_000;
const PUBLISHERS: usize = 64;
const SYNCS_MAX: usize = 1_500;

#[test]
fn each_lone_publish_is_answered_after_a_sync_of_its_own() {
    let server = Server::start_traced(TRACED, &[]);
    let acked = publish(&server, 1, LONE);
    let calls = calls(&server.stopped());
    check_order(&calls, &acked);
    let syncs = syncs(&calls);
    assert!(syncs >= LONE, "{LONE} publishes, one after the other, made {syncs} syncs");
}

#[test]
fn publishers_at_once_share_syncs_and_none_is_answered_before_its_own() {
    let server = Server::start_traced(TRACED, &[]);
    let acked = publish(&server, PUBLISHERS, TOGETHER);
    let calls = calls(&server.stopped());
    check_order(&calls, &acked);
    let syncs = syncs(&calls);
    assert!(syncs < SYNCS_MAX, "{TOGETHER} publishes of {PUBLISHERS} publishers made {syncs} syncs");
}

/// This many publishes, by this many publishers that each wait for their answers.
fn publish(server: &Server, publishers: usize, publishes: usize) -> Vec<Acked> {
    let next = AtomicUsize::new(0);
    let publisher = |number: usize| {
        let mut publisher = Publisher::connect(server.address());
        let mut acked = Vec::new();
        while next.fetch_add(1, Ordering::Relaxed) < publishes {
            let data = format!("<{number}-{}>", acked.len());
            let id = publisher.publish("news", &data);
            acked.push(Acked { data, id });
        }
        acked
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..publishers).map(|number| scope.spawn(move || publisher(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a publisher is answered")).collect()
    })
}

#[track_caller]
fn check_order(calls: &[Call], acked: &[Acked]) {
    let faults = unsafe_acks(calls, acked);
    assert!(faults.is_empty(), "{} of {} answers: {:.2000}", faults.len(), acked.len(), faults.join("\n"));
}

/// Syncs of segments that succeeded.
fn syncs(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.is_sync() && call.is_of_a_segment()).count()
}
