//! Where the lines of a trace go: a bounded queue, and one thread that may wait for whoever reads them.
//!
//! A trace is written by threads that others wait for: those of publishers and readers, the writer of the log, the
//! signal handler. None of them may wait for stderr, and none may fail because of it. So they put a line into a
//! queue ([`Lines`]) and go on; one thread writes the lines, and it alone waits.
//!
//! Invariants:
//! - Queueing a line never fails, never panics, and never waits for a file.
//! - At most [`LINES_MAX`] lines and [`BYTES_MAX`] bytes wait, and no line is longer than [`LINE_BYTES_MAX`].
//! - A line that is not written is counted, and the count is reported as soon as anything can be written.
//!
//! Does not know levels, formats or subscribers.

#![forbid(unsafe_code)]

mod queue;
mod writer;

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use queue::Queue;
pub use queue::{BYTES_MAX, LINE_BYTES_MAX, LINES_MAX};
use writer::Writer;

/// Makes the line that says how many were lost.
pub type Notice = Box<dyn Fn(u64) -> Vec<u8> + Send>;

/// The lines of one trace. Clones put theirs into the same queue.
///
/// As an [`io::Write`], it takes each write as one line. It never fails.
#[derive(Clone)]
pub struct Lines {
    queue: Arc<Queue>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

impl Lines {
    /// Starts the thread that writes to `file`. `notice` is called on it.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub fn start(file: File, notice: Notice) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let writer = Writer::new(file, notice, Arc::clone(&queue));
        let thread = thread::Builder::new().name("trace".to_owned()).spawn(move || writer.run())?;
        Ok(Self { queue, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Queues a line, with its line break. Where there is no room for it, it is counted as lost.
    pub fn push(&self, line: &[u8]) {
        self.queue.push(line);
    }

    /// How many lines were not written, reported or not.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.queue.lost()
    }

    /// Waits, at most for `wait_max`, until all lines so far are written or lost. Returns whether they are.
    pub fn flush(&self, wait_max: Duration) -> bool {
        self.queue.wait_until_idle(wait_max)
    }

    /// Takes no more lines, and ends the thread once it has written those that wait. Waits for that at most
    /// `wait_max`; a thread that its file blocks for longer ends with the process.
    pub fn end(&self, wait_max: Duration) {
        self.queue.end();
        if !self.flush(wait_max) {
            return;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It does not trace itself: where would that line go?
            let _ = thread.join();
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
