//! Why a checkpoint can't be used, in words for the operator.
//!
//! Does not know the folder: the code that opens the log adds it.

use std::io;

use super::{
    FILE,
    header::{FORMAT, FORMAT_LEAST},
};
use crate::format::{frame::Fault, scan::Stop};

/// Why a checkpoint can't be used. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk failed.
    #[error("the file `{FILE}` can't be read")]
    Io {
        /// What the disk said.
        #[from]
        source: io::Error,
    },
    /// Its bytes are not what was written.
    #[error(
        "the file `{FILE}` is broken at byte {at}: {fault}. The log can't be opened without it: \
         `largesse log import` makes a new log, in another folder, of what `largesse log export` saved"
    )]
    Broken {
        /// Where the broken part begins.
        at: u64,
        /// What is wrong with it.
        fault: Flaw,
    },
    /// It was written by a version that is too old or too new.
    #[error(
        "the file `{FILE}` has the format {found}; this version reads {FORMAT_LEAST} to {FORMAT}: export the log with the \
         version that wrote it, and import it with this one"
    )]
    Format {
        /// Its format.
        found: u32,
    },
}

/// What is wrong with a part of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It does not begin like a checkpoint.
    #[error("it does not begin with \"LARGECKP\"")]
    Magic,
    /// The header's checksum does not match its bytes.
    #[error("the checksum of its header does not match its bytes")]
    Header,
    /// Header bytes that must be zero are not.
    #[error("header bytes that must be zero are not")]
    Padding,
    /// A frame is broken, or does not belong there.
    #[error("the frame there is broken: {0}")]
    Frame(Fault),
    /// The end does not match the frames before it.
    #[error("the end there does not match the frames before it")]
    Others,
    /// The file continues after its end.
    #[error("it continues after its end")]
    Rest,
}

impl CheckpointError {
    pub(super) fn broken(at: u64, fault: Flaw) -> Self {
        Self::Broken { at, fault }
    }
}

impl From<Stop> for CheckpointError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Disk(source) => Self::Io { source },
            Stop::Broken { at, what } => Self::broken(at, Flaw::Frame(what)),
        }
    }
}
