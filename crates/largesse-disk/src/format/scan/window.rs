//! The part of a file that a scan has in memory.
//!
//! Invariants: it never reads past its end, which is not past the file's; a frame is returned only after its
//! checksum is verified. Does not know the order of frames.

use std::{io, sync::Arc};

use super::{Broken, Scanned, zeros::has_zeros};
use crate::{
    format::frame::{FRAME_HEAD_BYTES, Fault, Frame, FrameHead, Salt},
    io::DiskFile,
};

/// The maximum read-ahead of a scan.
pub const READ_AHEAD_BYTES: usize = 64 * 1024;

/// The read-ahead at first, and after a jump; it doubles each time.
const READ_FIRST_BYTES: usize = 4 * 1024;

/// Why a scan stops.
pub(crate) enum Stop {
    Disk(io::Error),
    Broken { at: u64, what: Fault },
}

impl Stop {
    pub(crate) fn broken(at: u64, what: Fault) -> Self {
        Self::Broken { at, what }
    }

    fn scanned<T>(self, whole_upto: u64) -> io::Result<Scanned<T>> {
        match self {
            Self::Disk(error) => Err(error),
            Self::Broken { at, what } => Ok(Scanned::Broken(Broken { whole_upto, at, what })),
        }
    }
}

/// What zeros up to the end of a scan mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zeros {
    /// Corruption: something else was written there.
    Broken,
    /// The end: nothing was written there yet.
    End,
}

/// A file, read piece by piece.
pub(crate) struct Window {
    file: Arc<dyn DiskFile>,
    /// Where the scan ends, and where the file ends if that is earlier.
    upto: u64,
    end: u64,
    /// What zeros up to the end mean.
    zeros: Zeros,
    /// The file's bytes from `start` on.
    buffer: Vec<u8>,
    start: u64,
    ahead_bytes: usize,
}

impl Window {
    pub(crate) fn new(file: Arc<dyn DiskFile>, upto: u64) -> io::Result<Self> {
        let end = upto.min(file.bytes()?);
        let (zeros, buffer, ahead_bytes) = (Zeros::Broken, Vec::new(), READ_FIRST_BYTES);
        Ok(Self { file, upto, end, zeros, buffer, start: 0, ahead_bytes })
    }

    pub(crate) fn set_zeros(&mut self, zeros: Zeros) {
        self.zeros = zeros;
    }

    /// Nothing is read from here on.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Whether the scan has reached its end.
    pub(crate) fn is_at_end(&self, at: u64) -> bool {
        at == self.upto
    }

    /// The result of a scan that was whole up to `whole_upto` and can't continue: the end, if all that follows is
    /// zeros and they are accepted.
    pub(crate) fn stopped<T>(&self, stop: Stop, whole_upto: u64) -> io::Result<Scanned<T>> {
        let may_end = self.zeros == Zeros::End && self.end == self.upto;
        if may_end && matches!(stop, Stop::Broken { .. }) && has_zeros(&*self.file, whole_upto, self.end)? {
            return Ok(Scanned::End);
        }
        stop.scanned(whole_upto)
    }

    /// The frame at `at`, which has to end at or before `end`.
    pub(crate) fn frame(&mut self, at: u64, end: u64, salt: Salt) -> Result<Frame<'_>, Stop> {
        let frame_bytes = self.frame_head(at, end)?.frame_bytes().map_err(|what| Stop::broken(at, what))?;
        let bytes = self.bytes(at, frame_bytes as usize, end)?;
        Frame::check(bytes, salt).map_err(|what| Stop::broken(at, what))
    }

    /// The head of the frame at `at`, not verified.
    pub(crate) fn frame_head(&mut self, at: u64, end: u64) -> Result<FrameHead, Stop> {
        let bytes = self.bytes(at, FRAME_HEAD_BYTES, end)?;
        FrameHead::of(bytes).map_err(|what| Stop::broken(at, what))
    }

    fn bytes(&mut self, at: u64, bytes: usize, end: u64) -> Result<&[u8], Stop> {
        let last = at.checked_add(bytes as u64);
        if last.is_none_or(|last| last > self.end) {
            return Err(Stop::broken(at, Fault::Cut));
        }
        if last.is_none_or(|last| last > end) {
            return Err(Stop::broken(at, Fault::PastGroup));
        }
        if !self.has(at, bytes) {
            self.fill(at, bytes).map_err(Stop::Disk)?;
        }
        let from = (at - self.start) as usize;
        Ok(&self.buffer[from..from + bytes])
    }

    fn has(&self, at: u64, bytes: usize) -> bool {
        at >= self.start && at + bytes as u64 <= self.start + self.buffer.len() as u64
    }

    /// Reads the bytes at `at`, which are before the end, and some read-ahead.
    fn fill(&mut self, at: u64, bytes: usize) -> io::Result<()> {
        let goes_on = at >= self.start && at <= self.start + self.buffer.len() as u64;
        self.ahead_bytes =
            if goes_on { READ_AHEAD_BYTES.min(self.ahead_bytes * 2) } else { READ_FIRST_BYTES };
        let left = self.end - at;
        let want = bytes.max(usize::try_from(left).unwrap_or(usize::MAX).min(self.ahead_bytes));
        // Empty until it is filled: after an error it must not look like file contents.
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(want, 0);
        buffer.shrink_to(READ_AHEAD_BYTES);
        self.file.read_at(&mut buffer, at)?;
        (self.start, self.buffer) = (at, buffer);
        Ok(())
    }
}
