//! The frames of events.
//!
//! ```text
//! byte  bytes  of the body
//!    0      2  name_bytes  u16; 0xFFFF: the event has no name
//!    2      -  name        UTF-8
//!    -      -  data        UTF-8, to the end of the body
//! ```
//!
//! Callers encode these frames before the events' positions are known, so that the one writer has little to do. A
//! checksum over all of them ([`EventsCheck`]) binds them to their head: without it, an event with a broken length
//! could make a scan assign wrong positions to the events after it.
//!
//! Invariant: what is decoded is byte for byte what was encoded. Does not know streams or positions.

use largesse_log::{EVENT_OVERHEAD_BYTES, NewEvent};
use largesse_wire::{EventData, EventName};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{BODY_BYTES_MAX, FRAME_HEAD_BYTES, Fault, Frame, FrameHead, Kind, Salt, write_frame};

/// The name length of an event without a name. Names have at most 512 bytes.
const NO_NAME: u16 = 0xFFFF;

const NAME_HEAD_BYTES: usize = 2;

/// The minimum length of an event's frame.
pub(crate) const EVENT_FRAME_BYTES_MIN: usize = FRAME_HEAD_BYTES + NAME_HEAD_BYTES;

/// The checksum over the heads of event frames, which have their lengths and checksums: the first is hashed with
/// the salt as the seed, each other with the hash so far. Without events it is the salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsCheck(pub(crate) u64);

impl EventsCheck {
    pub(crate) fn start(salt: Salt) -> Self {
        Self(salt.0)
    }

    pub(crate) fn push(&mut self, head: &FrameHead) {
        self.0 = xxh3_64_with_seed(&head.0, self.0);
    }
}

/// Events as they follow their head in a segment.
#[derive(Clone, Debug)]
pub struct EncodedEvents {
    salt: Salt,
    bytes: Vec<u8>,
    frames: Vec<u32>,
    check: EventsCheck,
}

/// Events that are too large for one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the events take {bytes} bytes on disk; one append has at most {bytes_max}")]
pub struct TooLarge {
    /// Their size on disk.
    pub bytes: u64,
    /// The limit.
    pub bytes_max: u64,
}

impl EncodedEvents {
    /// Encodes the events of one append.
    ///
    /// # Errors
    /// [`TooLarge`], when all their frames together take more than [`BODY_BYTES_MAX`] bytes.
    pub fn new(salt: Salt, events: &[NewEvent]) -> Result<Self, TooLarge> {
        let bytes = bounded(events.iter().map(event_frame_bytes).sum())?;
        let mut encoded = Self::empty(salt);
        encoded.bytes.reserve_exact(bytes);
        encoded.frames.reserve_exact(events.len());
        for event in events {
            encoded.push(event);
        }
        Ok(encoded)
    }

    /// No events yet; for [`EncodedEvents::push_frame`].
    #[must_use]
    pub fn empty(salt: Salt) -> Self {
        Self { salt, bytes: Vec::new(), frames: Vec::new(), check: EventsCheck::start(salt) }
    }

    /// Copies one event's frame from another segment of the same log, after verifying its checksum.
    ///
    /// # Errors
    /// [`Fault`], if it is broken, or not an event's, or too much for one head: nothing is copied then.
    pub fn push_frame(&mut self, frame: &[u8]) -> Result<(), Fault> {
        let checked = Frame::check(frame, self.salt)?;
        if checked.kind != Kind::Event {
            return Err(Fault::Misplaced { kind: checked.kind });
        }
        if self.bytes.len() + frame.len() > BODY_BYTES_MAX as usize {
            return Err(Fault::Length { body_bytes: checked.body.len() as u32 });
        }
        self.bytes.extend_from_slice(frame);
        self.count_in(&checked.head, frame.len());
        Ok(())
    }

    /// The frames, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length of each frame.
    #[must_use]
    pub fn frames(&self) -> &[u32] {
        &self.frames
    }

    /// The length of each frame, without the frames.
    pub(crate) fn into_frames(self) -> Vec<u32> {
        self.frames
    }

    pub(crate) fn check(&self) -> EventsCheck {
        self.check
    }

    fn push(&mut self, event: &NewEvent) {
        let start = self.bytes.len();
        write_frame(&mut self.bytes, self.salt, Kind::Event, |out| write_body(out, event));
        let frame = &self.bytes[start..];
        let head = FrameHead::of(frame).expect("a frame has a head");
        self.count_in(&head, frame.len());
    }

    /// The length is at most [`BODY_BYTES_MAX`], as is that of all together.
    fn count_in(&mut self, head: &FrameHead, frame_bytes: usize) {
        self.frames.push(frame_bytes as u32);
        self.check.push(head);
    }
}

/// What retention counts for an event with a frame of this length.
pub(crate) fn counted_bytes_of(frame_bytes: u32) -> u32 {
    frame_bytes.saturating_sub(EVENT_FRAME_BYTES_MIN as u32).saturating_add(EVENT_OVERHEAD_BYTES as u32)
}

/// Bounds an append so that a group of one always has a valid length.
pub(super) fn bounded(bytes: u64) -> Result<usize, TooLarge> {
    let bytes_max = u64::from(BODY_BYTES_MAX);
    if bytes <= bytes_max { Ok(bytes as usize) } else { Err(TooLarge { bytes, bytes_max }) }
}

fn event_frame_bytes(event: &NewEvent) -> u64 {
    let name_bytes = event.name.as_ref().map_or(0, |name| name.as_str().len());
    (EVENT_FRAME_BYTES_MIN + name_bytes + event.data.as_str().len()) as u64
}

fn write_body(out: &mut Vec<u8>, event: &NewEvent) {
    let name = event.name.as_ref().map(EventName::as_str);
    let name_bytes = name.map_or(NO_NAME, |name| name.len() as u16);
    out.extend_from_slice(&name_bytes.to_le_bytes());
    out.extend_from_slice(name.unwrap_or_default().as_bytes());
    out.extend_from_slice(event.data.as_str().as_bytes());
}

/// Reads the body of a frame of the kind [`Kind::Event`].
pub(crate) fn decode_event(body: &[u8]) -> Result<NewEvent, Fault> {
    let (name_bytes, rest) = body.split_first_chunk().ok_or(Fault::Short)?;
    let (name, data) = match u16::from_le_bytes(*name_bytes) {
        NO_NAME => (None, rest),
        bytes => {
            let (name, data) = rest.split_at_checked(bytes.into()).ok_or(Fault::Short)?;
            (Some(EventName::parse(text(name)?).map_err(|_| Fault::EventName)?), data)
        }
    };
    // Parsing would turn all line breaks into LF; written data has no others.
    if data.contains(&b'\r') {
        return Err(Fault::EventData);
    }
    let data = EventData::parse(text(data)?).map_err(|_| Fault::EventData)?;
    Ok(NewEvent { name, data })
}

/// A placeholder event that counts as much for retention as one with a frame of this length.
pub(crate) fn blank_event(frame_bytes: u32) -> NewEvent {
    let text_bytes = (frame_bytes as usize).saturating_sub(EVENT_FRAME_BYTES_MIN);
    let data = EventData::parse_owned(" ".repeat(text_bytes)).expect("there is no NUL in it");
    NewEvent { name: None, data }
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|_| Fault::Utf8)
}
