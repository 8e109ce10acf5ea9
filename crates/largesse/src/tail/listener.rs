//! Whether anybody still reads our stdout: a `head -1` that has its line ends us at once, not only when the next event
//! comes, which may take a week.
//!
//! Does not write. If stdout is a file, there is nobody who could leave.

use std::{io, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often stdout is checked. Being notified would take registering a descriptor that is not ours alone, which is unsafe
/// in tokio.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Waits until the reader of stdout (a pipe, a socket or a terminal) has gone; forever if there can't be one.
pub(super) async fn gone() {
    while !has_gone() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Source: POSIX, `poll`: these flags are reported even if nothing is asked for.
fn has_gone() -> bool {
    let stdout = io::stdout();
    let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
    // A check that fails is made again.
    poll(&mut looked, Some(&AT_ONCE)).is_ok()
        && looked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}
