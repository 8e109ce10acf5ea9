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
    let limit = Arc::new(StallLimit::new(STALL_MAX));
    (StallIo::new(near, Arc::clone(&limit)), far, limit)
}

/// Writes what nobody takes; wants an error after the limit.
async fn check_stalls(near: &mut StallIo<DuplexStream>, want: Duration) {
    let begun = Instant::now();
    let error = near.write_all(b"more than four").await.expect_err("nobody reads");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(begun.elapsed(), want);
}

#[tokio::test(start_paused = true)]
async fn a_read_without_a_limit_waits() {
    let (mut near, _far, limit) = stalled();
    limit.begin_read();
    assert!(timeout(LONG, near.write_all(b"more than four")).await.is_err());
    limit.set(STALL_MAX);
    limit.begin_read();
    assert!(timeout(LONG, near.write_all(b"more than four")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_makes_no_progress_ends_at_the_limit() {
    let (mut near, _far, _limit) = stalled();
    check_stalls(&mut near, STALL_MAX).await;
    let (mut near, _far, limit) = stalled();
    limit.begin_read();
    limit.set(STALL_MAX * 2);
    check_stalls(&mut near, STALL_MAX * 2).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_read_the_connection_has_the_limit_of_any_answer() {
    let (mut near, _far, limit) = stalled();
    limit.begin_read();
    limit.begin_answer();
    check_stalls(&mut near, STALL_MAX).await;
}

#[tokio::test(start_paused = true)]
async fn a_side_that_has_ended_is_answered_unless_it_reads() {
    let (mut near, mut far, limit) = stalled();
    far.shutdown().await.expect("an end");
    near.write_all(b"1234").await.expect("an answer");
    limit.begin_read();
    for _ in 0..2 {
        let error = near.flush().await.expect_err("nobody hears it");
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        assert_eq!(near.write(b"5").await.expect_err("the same").kind(), ErrorKind::ConnectionAborted);
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_read_is_not_lost() {
    let (mut near, mut far, limit) = stalled();
    limit.begin_read();
    far.write_all(b"next").await.expect("sent");
    near.flush().await.expect("it is there");
    near.write_all(b"1234").await.expect("it is there");
    limit.begin_answer();
    let mut came = [0; 4];
    near.read_exact(&mut came).await.expect("bytes");
    assert_eq!(&came, b"next");
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
