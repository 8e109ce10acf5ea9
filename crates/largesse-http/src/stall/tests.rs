//! Stalled writes, in paused time, over a pipe that holds four bytes.

use std::io::ErrorKind;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::{Instant, timeout},
};

use super::*;

const STALL_MAX: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(3600);

fn stalled() -> (StallIo<DuplexStream>, DuplexStream, Arc<StallLimit>) {
    let (near, far) = duplex(4);
    let limit = Arc::new(StallLimit::default());
    (StallIo::new(near, Arc::clone(&limit)), far, limit)
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_a_write_waits() {
    let (mut near, _far, limit) = stalled();
    assert!(timeout(LONG, near.write_all(b"more than four")).await.is_err());
    limit.set(STALL_MAX);
    limit.clear();
    assert!(timeout(LONG, near.write_all(b"more than four")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_makes_no_progress_ends_at_the_limit() {
    let (mut near, _far, limit) = stalled();
    limit.set(STALL_MAX);
    let begun = Instant::now();
    let error = near.write_all(b"more than four").await.expect_err("nobody reads");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(begun.elapsed(), STALL_MAX);
}

#[tokio::test(start_paused = true)]
async fn any_progress_takes_the_timer_back() {
    let (mut near, mut far, limit) = stalled();
    limit.set(STALL_MAX);
    let write = near.write_all(&[b'x'; 40]);
    let read = async {
        let mut four = [0; 4];
        for _ in 0..10 {
            tokio::time::advance(STALL_MAX - Duration::from_secs(1)).await;
            far.read_exact(&mut four).await.expect("bytes");
        }
    };
    let (wrote, ()) = tokio::join!(write, read);
    wrote.expect("each wait was shorter than the limit");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_only_waits_for_events_has_no_timer() {
    let (mut near, mut far, limit) = stalled();
    limit.set(STALL_MAX);
    near.write_all(b"1234").await.expect("it fits");
    tokio::time::advance(LONG).await;
    far.read_exact(&mut [0; 4]).await.expect("bytes");
    near.write_all(b"5678").await.expect("it fits again");
}
