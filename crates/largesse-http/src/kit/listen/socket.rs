//! Socket options of each connection.
//!
//! Invariant: a connection on which nothing is sent either way does not outlive its peer for long. Does not
//! read or write.

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Idle time before the kernel probes the peer. A publisher or reader whose machine lost power or its network sends
/// nothing more, not even a FIN. Without probes we would wait for a publisher's long body until the server stops, and
/// notice a lost reader only at its next heartbeat, which may be an hour away. After that, giving up on
/// unacknowledged data is up to the kernel.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);

/// Time between two probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Unanswered probes after which the connection is closed: two minutes after the last sign of life.
const KEEPALIVE_PROBES: u32 = 4;

/// Sends events without delay, bounds the kernel's memory for a stalled reader, and detects lost peers.
pub(crate) fn set_up(socket: &TcpStream, unsent_bytes_max: u32) {
    let results = [socket.set_nodelay(true), set_unsent_max(socket, unsent_bytes_max), set_keepalive(socket)];
    for error in results.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a connection's socket option could not be set");
    }
}

fn set_keepalive(socket: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_unsent_max(socket: &TcpStream, unsent_bytes_max: u32) -> io::Result<()> {
    SockRef::from(socket).set_tcp_notsent_lowat(unsent_bytes_max)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_unsent_max(socket: &TcpStream, unsent_bytes_max: u32) -> io::Result<()> {
    SockRef::from(socket).set_send_buffer_size(unsent_bytes_max as usize)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_kernel_is_asked_to_find_out_who_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        set_up(&socket, 1000);
        let kernel = SockRef::from(&socket);
        assert!(socket.nodelay().unwrap() && kernel.keepalive().unwrap());
        assert_eq!(kernel.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
        assert_eq!(kernel.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(kernel.tcp_keepalive_retries().unwrap(), KEEPALIVE_PROBES);
    }
}
