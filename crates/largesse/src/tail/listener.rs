//! Whether somebody still reads our stdout: a `head -1` that has its line ends us too, and not with the next event,
//! which may come in a week.
//!
//! Does not write. Where stdout is a file, nobody can go.

use std::{io, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often it is looked at. To be told of it takes registering a descriptor that is not ours alone, which tokio calls
/// unsafe.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Waits until the reader of stdout, be it a pipe, a socket or a terminal, has gone; for ever where there can be none.
pub(super) async fn gone() {
    while !has_gone() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Source: POSIX, `poll`: these are told whatever is asked for.
fn has_gone() -> bool {
    let stdout = io::stdout();
    let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
    // A look that fails is made again.
    poll(&mut looked, Some(&AT_ONCE)).is_ok()
        && looked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}
