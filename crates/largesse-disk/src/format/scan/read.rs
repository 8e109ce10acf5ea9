//! Reads one event at a known offset.
//!
//! Invariant: what is returned has a verified checksum. If the offset is wrong, the checksum or the length is, too.

use std::io;

use largesse_log::{Event, NewEvent, Position, StreamName, UnixMs};

use super::EventSpot;
use crate::{
    format::frame::{Fault, Frame, Kind, Salt, decode_event},
    io::DiskFile,
};

/// Larger frames are read only after checking the file's length.
const UNASKED_BYTES_MAX: u32 = 64 * 1024;

/// Why an event could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The disk failed.
    #[error("the disk failed at byte {at}: {text}")]
    Io {
        /// The offset of the event.
        at: u64,
        /// The system's error number, if there is one.
        code: Option<i32>,
        /// What the system said.
        text: String,
    },
    /// The bytes there are not the event.
    #[error("the event at byte {at} is broken: {what}")]
    Corrupt {
        /// The offset of the event.
        at: u64,
        /// What is wrong with it.
        what: Fault,
    },
}

/// Reads the event at `spot`, whose stream, position and time are known.
///
/// # Errors
/// [`ReadError`].
pub fn read_event(
    file: &dyn DiskFile,
    spot: EventSpot,
    salt: Salt,
    stream: &StreamName,
    position: Position,
    time: UnixMs,
) -> Result<Event, ReadError> {
    event_in(&read_frame(file, spot)?, spot.at, salt, stream, position, time)
}

/// Decodes an event from its frame, which was read at `at`.
pub(crate) fn event_in(
    frame: &[u8],
    at: u64,
    salt: Salt,
    stream: &StreamName,
    position: Position,
    time: UnixMs,
) -> Result<Event, ReadError> {
    let NewEvent { name, data } = decode(frame, salt).map_err(|what| ReadError::Corrupt { at, what })?;
    Ok(Event { stream: stream.clone(), position, time, name, data })
}

/// Reads the bytes of the frame at `spot`, without verifying its checksum.
///
/// # Errors
/// [`ReadError`]: those of the disk, or the file ends within the frame.
pub fn read_frame(file: &dyn DiskFile, spot: EventSpot) -> Result<Vec<u8>, ReadError> {
    let cut = ReadError::Corrupt { at: spot.at, what: Fault::Cut };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => cut.clone(),
        _ => ReadError::Io { at: spot.at, code: error.raw_os_error(), text: error.to_string() },
    };
    if spot.bytes > UNASKED_BYTES_MAX {
        let end = spot.at.checked_add(spot.bytes.into());
        let file_bytes = file.bytes().map_err(failed)?;
        if end.is_none_or(|end| end > file_bytes) {
            return Err(cut);
        }
    }
    let mut bytes = vec![0; spot.bytes as usize];
    file.read_at(&mut bytes, spot.at).map_err(failed)?;
    Ok(bytes)
}

fn decode(bytes: &[u8], salt: Salt) -> Result<NewEvent, Fault> {
    let frame = Frame::check(bytes, salt)?;
    if frame.kind != Kind::Event {
        return Err(Fault::Misplaced { kind: frame.kind });
    }
    decode_event(frame.body)
}
