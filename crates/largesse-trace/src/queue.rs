//! The lines that wait to be written.
//!
//! Invariants: at most [`LINES_MAX`] lines and [`BYTES_MAX`] bytes wait; a line that finds no room is counted, and the
//! count is handed out where the gap is. Once full, it takes none until half of it is written, so that a trace that is
//! too fast has a few gaps and not one after each line. Does not know what a line says.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How many lines may wait.
pub const LINES_MAX: usize = 4_096;
/// How many bytes the waiting lines may have together.
pub const BYTES_MAX: usize = 1024 * 1024;
/// How long a line may be, in bytes; a longer one is cut. The head of a request is shorter.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Marks the end of a line that was cut.
const CUT: &str = " [cut]\n";

/// A line, and how many were lost just before it.
pub(crate) struct Line {
    pub(crate) text: Box<[u8]>,
    pub(crate) lost_before: u64,
}

/// What the writer is to do next.
pub(crate) enum Next {
    Write(Line),
    /// Say that this many more were lost, after all lines so far.
    Report(u64),
    End,
}

/// The queue.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Line>,
    bytes: usize,
    /// Lines lost since the last one that waits.
    gap: u64,
    /// All lines ever lost.
    lost: u64,
    /// It was full, and is not half empty yet.
    is_refusing: bool,
    /// A line is being written.
    is_busy: bool,
    is_ended: bool,
}

impl Waiting {
    fn has_room(&mut self, bytes: usize) -> bool {
        let part = if self.is_refusing { 2 } else { 1 };
        self.is_refusing = self.lines.len() >= LINES_MAX / part || self.bytes + bytes > BYTES_MAX / part;
        !self.is_refusing
    }

    fn check_invariants(&self) {
        debug_assert!(self.lines.len() <= LINES_MAX, "lines are bounded");
        debug_assert!(self.bytes <= BYTES_MAX, "bytes are bounded");
        debug_assert!(self.gap <= self.lost, "the gap is part of what was lost");
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, line: &[u8]) {
        let text = bounded(line);
        let mut waiting = self.lock();
        if waiting.is_ended {
            return;
        }
        if waiting.has_room(text.len()) {
            waiting.bytes += text.len();
            let lost_before = mem::take(&mut waiting.gap);
            waiting.lines.push_back(Line { text, lost_before });
        } else {
            waiting.gap += 1;
            waiting.lost += 1;
        }
        waiting.check_invariants();
        drop(waiting);
        self.changed.notify_all();
    }

    /// This many lines that were handed out could not be written.
    pub(crate) fn lose(&self, lines: u64) {
        self.lock().lost += lines;
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// What to do next; what was handed out before is done. With `look_again`, waits at most that long and answers even
    /// if there is nothing but the unchanged count of lost lines.
    pub(crate) fn next(&self, look_again: Option<Duration>) -> Next {
        let mut waiting = self.lock();
        waiting.is_busy = false;
        loop {
            if let Some(line) = waiting.lines.pop_front() {
                waiting.bytes -= line.text.len();
                waiting.is_busy = true;
                return Next::Write(line);
            }
            if waiting.gap > 0 {
                waiting.is_busy = true;
                return Next::Report(mem::take(&mut waiting.gap));
            }
            self.changed.notify_all();
            if waiting.is_ended {
                return Next::End;
            }
            waiting = match look_again {
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(after) => {
                    let waited =
                        self.changed.wait_timeout(waiting, after).unwrap_or_else(PoisonError::into_inner);
                    if waited.1.timed_out() && waited.0.lines.is_empty() {
                        return Next::Report(0);
                    }
                    waited.0
                }
            };
        }
    }

    pub(crate) fn wait_until_idle(&self, wait_max: Duration) -> bool {
        let until = Instant::now() + wait_max;
        let mut waiting = self.lock();
        while waiting.is_busy || !waiting.lines.is_empty() || waiting.gap > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(crate) fn end(&self) {
        self.lock().is_ended = true;
        self.changed.notify_all();
    }
}

/// The line, cut between two characters if it is too long.
fn bounded(line: &[u8]) -> Box<[u8]> {
    if line.len() <= LINE_BYTES_MAX {
        return Box::from(line);
    }
    let mut end = LINE_BYTES_MAX - CUT.len();
    while end > 0 && line[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    [&line[..end], CUT.as_bytes()].concat().into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is handed out until nothing is left: lines, and the counts between them.
    fn rest(queue: &Queue) -> (usize, Vec<u64>) {
        queue.end();
        let (mut lines, mut gaps) = (0, Vec::new());
        loop {
            match queue.next(None) {
                Next::Write(line) => {
                    lines += 1;
                    gaps.extend((line.lost_before > 0).then_some(line.lost_before));
                }
                Next::Report(lost) => gaps.push(lost),
                Next::End => return (lines, gaps),
            }
        }
    }

    #[test]
    fn lines_and_bytes_are_bounded_and_what_finds_no_room_is_counted() {
        let rows =
            [(1, LINES_MAX), (100, LINES_MAX), (1_024, 1_024), (LINE_BYTES_MAX, BYTES_MAX / LINE_BYTES_MAX)];
        for (bytes, fitting) in rows {
            let queue = Queue::default();
            for _ in 0..fitting + 3 {
                queue.push(&vec![b'x'; bytes]);
            }
            assert_eq!(queue.lost(), 3, "lines of {bytes} bytes");
            assert_eq!(rest(&queue), (fitting, vec![3]), "lines of {bytes} bytes");
        }
    }

    #[test]
    fn the_gap_is_reported_where_it_is_and_once_per_half_of_the_queue() {
        let queue = Queue::default();
        let push = |count: usize| (0..count).for_each(|_| queue.push(b"x"));
        push(LINES_MAX + 10);
        // Room for one line is not enough: there would be a gap after each line.
        assert!(matches!(queue.next(None), Next::Write(_)));
        push(5);
        for _ in 0..LINES_MAX / 2 {
            assert!(matches!(queue.next(None), Next::Write(_)));
        }
        push(1);
        assert_eq!(queue.lost(), 15);
        assert_eq!(rest(&queue), (LINES_MAX / 2, vec![15]));
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_between_two_characters() {
        for pad in 0..4 {
            let line = "x".repeat(pad) + &"\u{1f600}".repeat(LINE_BYTES_MAX);
            let cut = String::from_utf8(bounded(line.as_bytes()).into_vec()).unwrap();
            assert!(cut.ends_with(CUT) && cut.len() <= LINE_BYTES_MAX, "{}", cut.len());
        }
        assert_eq!(&*bounded(&[b'x'; LINE_BYTES_MAX]), &[b'x'; LINE_BYTES_MAX]);
        // Bytes that are not text have no characters to cut between.
        assert!(bounded(&[0x80; LINE_BYTES_MAX + 1]).len() <= LINE_BYTES_MAX);
    }
}
