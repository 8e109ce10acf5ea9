//! Why bytes are not valid frames.
//!
//! Does not say where, or what to do: the code that reads a file knows the offset, and whether the broken part was
//! ever durable.

use super::{Kind, Sequence};

/// Why bytes are not valid.
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
    /// Its checksum does not match its bytes.
    #[error("its checksum does not match its bytes")]
    Check,
    /// Its kind is not one of this format.
    #[error("its kind is unknown: {kind}")]
    Kind {
        /// What it says.
        kind: u8,
    },
    /// A frame of this kind does not belong there.
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
        /// The expected one.
        expected: Sequence,
        /// The one found.
        found: Sequence,
    },
    /// The events after a head are not those it was written with.
    #[error("the events after it are not those it was written with")]
    Events,
    /// The body ends too early.
    #[error("its body is too short")]
    Short,
    /// The body continues after its last field.
    #[error("its body continues after its last field")]
    Rest,
    /// A tag in the body is not one of this format.
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
