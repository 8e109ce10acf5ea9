//! What is wrong with bytes that should be frames.
//!
//! Does not say where, or whose move it is: whoever reads a file knows the place, and whether what is broken was
//! ever safe.

use super::{Kind, Sequence};

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file ends within it.
    #[error("the file ends within it")]
    Cut,
    /// Its length cannot be right.
    #[error("its length cannot be right: {body_bytes} bytes")]
    Length {
        /// What it says.
        body_bytes: u32,
    },
    /// Its checksum is not that of its bytes.
    #[error("its checksum is not that of its bytes")]
    Check,
    /// It is of a kind that this format has not.
    #[error("its kind is unknown: {kind}")]
    Kind {
        /// What it says.
        kind: u8,
    },
    /// A frame of this kind does not belong here.
    #[error("a frame of the kind {kind:?} does not belong there")]
    Misplaced {
        /// The kind.
        kind: Kind,
    },
    /// The frame reaches beyond the end of its group.
    #[error("it reaches beyond the end of its group")]
    PastGroup,
    /// The group is not the next one.
    #[error("it is the group {}, and should be {}", .found.0, .expected.0)]
    Sequence {
        /// Which should be here.
        expected: Sequence,
        /// Which is.
        found: Sequence,
    },
    /// The events that follow a head are not those it was written with.
    #[error("the events after it are not those it was written with")]
    Events,
    /// The body ends before what it should hold.
    #[error("its body is too short")]
    Short,
    /// The body goes on after what it should hold.
    #[error("its body goes on after its end")]
    Rest,
    /// A tag in the body has a value that this format has not.
    #[error("a tag in its body is unknown: {tag}")]
    Tag {
        /// The value.
        tag: u8,
    },
    /// A number in the body is out of its range.
    #[error("a number in its body is out of range")]
    Number,
    /// A text in the body is not UTF-8.
    #[error("a text in its body is not UTF-8")]
    Utf8,
    /// A text in the body is not a stream's name.
    #[error("a text in its body is not the name of a stream")]
    StreamName,
    /// A text in the body is not an idempotency key.
    #[error("a text in its body is not an idempotency key")]
    Key,
    /// A text in the body is not an event's name.
    #[error("a text in its body is not the name of an event")]
    EventName,
    /// A text in the body is not an event's data.
    #[error("a text in its body is not the data of an event")]
    EventData,
}
