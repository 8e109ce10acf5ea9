//! The head of a group: the frames of one write and one sync.
//!
//! ```text
//! byte  bytes  of the body
//!    0      8  sequence         u64, groups counted over the log's life
//!    8      8  synced_sequence  u64, the newest group known to be durable when this one was written
//!   16      8  reserved         u64, less than 2^63; positions below it are reserved: a start after a crash begins at it
//!   24      4  group_bytes      u32, bytes of the frames after this one that belong to the group
//! ```
//!
//! Invariant: a group counts as a whole or not at all. Does not know when groups are written.

use largesse_log::Position;

use super::{FRAME_HEAD_BYTES, Fault, Frame, FrameHead, Kind, Salt, position, write_frame};

/// The length of a group's head frame.
pub const GROUP_FRAME_BYTES: usize = FRAME_HEAD_BYTES + GROUP_BODY_BYTES;

const GROUP_BODY_BYTES: usize = 28;

/// A group's number, counted since the log was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

/// A group's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupHead {
    /// The group's number.
    pub sequence: Sequence,
    /// The newest group known to be durable when this one was written.
    pub synced_sequence: Sequence,
    /// Positions below this one are reserved.
    pub reserved: Position,
    /// The length of the group's other frames.
    pub group_bytes: u32,
}

impl GroupHead {
    /// The whole frame. Its length is fixed, so that room can be left for it until the group is known.
    #[must_use]
    pub fn encode(&self, salt: Salt) -> [u8; GROUP_FRAME_BYTES] {
        let mut out = Vec::with_capacity(GROUP_FRAME_BYTES);
        write_frame(&mut out, salt, Kind::Group, |out| {
            for number in [self.sequence.0, self.synced_sequence.0, self.reserved.0] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&self.group_bytes.to_le_bytes());
        });
        out.try_into().expect("three numbers of 8 bytes and one of 4 are the body")
    }

    /// Reads the body of a frame of the kind [`Kind::Group`].
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Fault> {
        let Ok(body) = <&[u8; GROUP_BODY_BYTES]>::try_from(body) else {
            return Err(Fault::Length { body_bytes: body.len() as u32 });
        };
        Ok(Self {
            sequence: Sequence(number_at(body, 0)),
            synced_sequence: Sequence(number_at(body, 8)),
            reserved: position(number_at(body, 16))?,
            group_bytes: u32::from_le_bytes([body[24], body[25], body[26], body[27]]),
        })
    }

    /// Decodes these bytes, if they are a group's head.
    pub(crate) fn find(bytes: &[u8], salt: Salt) -> Option<Self> {
        let head = FrameHead::of(bytes).ok()?;
        // Compared before the checksum, which costs far more, since this is called for every byte of a file.
        if head.frame_bytes() != Ok(GROUP_FRAME_BYTES as u32) || head.kind() != Ok(Kind::Group) {
            return None;
        }
        let frame = Frame::check(bytes, salt).ok()?;
        Self::decode(frame.body).ok()
    }
}

fn number_at(body: &[u8; GROUP_BODY_BYTES], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&body[at..at + 8]);
    u64::from_le_bytes(number)
}
