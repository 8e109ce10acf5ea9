//! The thread that writes: the only one that waits for the file.
//!
//! Invariants: a line is written whole, or counted as lost; what follows a line that was written in part begins on a
//! new one. What was lost is told before the next line is written. No error of the file ends the thread: the disk may
//! have space again, the pipe a reader.

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

/// How often it is tried to tell a loss while nobody traces.
const TELL_EVERY: Duration = Duration::from_secs(2);

pub(crate) struct Writer {
    file: File,
    notice: Notice,
    queue: Arc<Queue>,
    /// How many lines were lost and not told.
    untold: u64,
    /// The last write stopped within a line.
    is_torn: bool,
}

impl Writer {
    pub(crate) fn new(file: File, notice: Notice, queue: Arc<Queue>) -> Self {
        Self { file, notice, queue, untold: 0, is_torn: false }
    }

    pub(crate) fn run(mut self) {
        loop {
            match self.queue.next((self.untold > 0).then_some(TELL_EVERY)) {
                Next::Write(line) => self.write(&line),
                Next::Tell(lost) => {
                    self.untold += lost;
                    self.tell();
                }
                Next::End => return,
            }
        }
    }

    fn write(&mut self, line: &Line) {
        self.untold += line.lost_before;
        if !self.tell() || self.put(&line.text).is_err() {
            self.untold += 1;
            self.queue.lose(1);
        }
    }

    /// Says what was lost. Whether nothing is left to be told.
    fn tell(&mut self) -> bool {
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

    /// A file that does not wait by itself is waited for here.
    fn wait_for_room(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
