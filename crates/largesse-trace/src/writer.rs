//! The thread that writes: the only one that waits for the file.
//!
//! Invariants: a line is written whole, or counted as lost; after a line that was written in part, the next one begins
//! on a new line. Losses are reported before the next line is written. No error of the file ends the thread: the disk
//! may get space again, the pipe a reader.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    sync::Arc,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::{
    Notice,
    queue::{Line, Next, Queue},
};

/// How often it tries to report a loss while nobody traces.
const REPORT_EVERY: Duration = Duration::from_secs(2);

pub(crate) struct Writer {
    file: File,
    notice: Notice,
    queue: Arc<Queue>,
    /// How many lines were lost and not yet reported.
    untold: u64,
    /// The last write stopped in the middle of a line.
    is_torn: bool,
}

impl Writer {
    pub(crate) fn new(file: File, notice: Notice, queue: Arc<Queue>) -> Self {
        Self { file, notice, queue, untold: 0, is_torn: false }
    }

    pub(crate) fn run(mut self) {
        loop {
            match self.queue.next((self.untold > 0).then_some(REPORT_EVERY)) {
                Next::Write(line) => self.write(&line),
                Next::Report(lost) => {
                    self.untold += lost;
                    self.report_losses();
                }
                Next::End => return,
            }
        }
    }

    fn write(&mut self, line: &Line) {
        self.untold += line.lost_before;
        if !self.report_losses() || self.put(&line.text).is_err() {
            self.untold += 1;
            self.queue.lose(1);
        }
    }

    /// Reports what was lost. Returns whether nothing is left to report.
    fn report_losses(&mut self) -> bool {
        if self.untold > 0 && self.put(&(self.notice)(self.untold)).is_ok() {
            self.untold = 0;
        }
        self.untold == 0
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.put_all(b"\n")?;
            self.is_torn = false;
        }
        self.put_all(text)
    }

    fn put_all(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            match self.file.write(text) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    text = &text[bytes..];
                    self.is_torn = !text.is_empty();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_for_room()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for a file that does not block by itself.
    fn wait_for_room(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
