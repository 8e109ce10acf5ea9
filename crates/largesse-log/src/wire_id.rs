//! The opaque id of the wire: a place or an end, as text.
//!
//! The layout, byte by byte, before it becomes base64url without padding (RFC 4648 §5). All numbers are
//! big-endian.
//!
//! | bytes | what | in |
//! |---|---|---|
//! | 1 | version (high four bits, 1) and kind (low four bits) | all |
//! | 8 | incarnation of the log | all |
//! | 8 | position | all |
//! | 8 | the mark: losses known up to here; greater than the position | kinds 1, 2, 4 and 5 |
//! | 8 | fingerprint of the selection that ended | kind 6 |
//! | 4 | check: the low four bytes of XXH3-64 of all bytes before | all |
//!
//! | kind | is |
//! |---|---|
//! | 0, 1, 2 | the place of an event: without a mark, with the mark of a first request, with that of a told loss |
//! | 3, 4, 5 | the place before the first event, likewise |
//! | 6 | an end |
//!
//! Invariants: an id without a mark has 21 bytes, which are 28 characters; one with a mark and an end id have
//! 29 bytes, which are 39 characters. There is one text for one id: what is not canonical is refused. The
//! check finds ids that were cut or mistyped. It is no signature: an id is a place, not a permission.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use largesse_wire::EventId;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Incarnation, Place, Position, SelectionFingerprint,
    position::{Mark, MarkKind},
};

const VERSION: u8 = 1;
const KIND_END: u8 = 6;
const CHECK_BYTES: usize = 4;
const HEAD_BYTES: usize = 1 + 8 + 8;
const BARE_BYTES: usize = HEAD_BYTES + CHECK_BYTES;
const LONG_BYTES: usize = HEAD_BYTES + 8 + CHECK_BYTES;
const LONG_CHARS: usize = (LONG_BYTES * 4).div_ceil(3);

/// What an id on the wire stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireId {
    /// A place to read on from.
    Place {
        /// What the id came with.
        kind: PlaceKind,
        /// The log.
        incarnation: Incarnation,
        /// The place.
        place: Place,
    },
    /// The end of everything a reader asked for.
    End {
        /// The log.
        incarnation: Incarnation,
        /// Where the end was.
        position: Position,
        /// What had been asked for.
        selection: SelectionFingerprint,
    },
}

/// What a place's id came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// An event, or a control event on the way.
    Event,
    /// `begin`: the reader has heard nothing else yet.
    Begin,
}

/// Why a text is not an id of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireIdError {
    /// It is not canonical base64url, or has a length that no id has.
    #[error("the id is not one of this server's: it was cut, or changed")]
    Malformed,
    /// It has a version that is not known here.
    #[error("the id has version {version}; this server knows version {VERSION}")]
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// It has a kind that is not known here.
    #[error("the id has the unknown kind {kind}")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// Its check is not that of its bytes.
    #[error("the id's check does not fit: it was mistyped, or changed")]
    BadCheck,
    /// Its mark is not after its position.
    #[error("the id's mark is not after its position")]
    UselessMark,
}

/// An id's bytes under way.
struct Layout {
    bytes: [u8; LONG_BYTES],
    filled: usize,
}

impl Layout {
    fn new(kind: u8, incarnation: Incarnation, position: Position) -> Self {
        let mut layout = Self { bytes: [0; LONG_BYTES], filled: 0 };
        layout.push(&[VERSION << 4 | kind]);
        layout.push(&incarnation.0.to_be_bytes());
        layout.push(&position.0.to_be_bytes());
        layout
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        self.bytes[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
    }

    fn finish(mut self) -> EventId {
        self.push(&check_of(&self.bytes[..self.filled]));
        let mut text = [0; LONG_CHARS];
        let chars = URL_SAFE_NO_PAD
            .encode_slice(&self.bytes[..self.filled], &mut text)
            .expect("LONG_CHARS is what the longest layout needs");
        let text = str::from_utf8(&text[..chars]).expect("base64url is ASCII");
        EventId::parse(text).expect("base64url is 1 to 128 characters of the id's alphabet")
    }
}

fn check_of(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let [_, _, _, _, low @ ..] = xxh3_64(bytes).to_be_bytes();
    low
}

impl WireId {
    /// The text of the id. Allocates nothing.
    #[must_use]
    pub fn encode(&self) -> EventId {
        match *self {
            Self::Place { kind, incarnation, place } => {
                let kind = kind_number(kind, place.mark().map(|mark| mark.kind));
                let mut layout = Layout::new(kind, incarnation, place.position());
                if let Some(mark) = place.mark() {
                    layout.push(&mark.known.0.to_be_bytes());
                }
                layout.finish()
            }
            Self::End { incarnation, position, selection } => {
                let mut layout = Layout::new(KIND_END, incarnation, position);
                layout.push(&selection.0.to_be_bytes());
                layout.finish()
            }
        }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`WireIdError`] for whatever [`WireId::encode`] does not write. Whether the log has reached the place
    /// is not looked at.
    pub fn parse(text: &str) -> Result<Self, WireIdError> {
        // The decoder wants room for whole groups of three.
        let mut bytes = [0; LONG_BYTES + 3];
        let filled = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| WireIdError::Malformed)?;
        let [head, ..] = bytes;
        let (version, kind) = (head >> 4, head & 0xF);
        if filled > 0 && version != VERSION {
            return Err(WireIdError::UnknownVersion { version });
        }
        if kind > KIND_END {
            return Err(WireIdError::UnknownKind { kind });
        }
        let long = matches!(kind, 1 | 2 | 4 | 5 | KIND_END);
        if filled != if long { LONG_BYTES } else { BARE_BYTES } {
            return Err(WireIdError::Malformed);
        }
        let (checked, check) = bytes[..filled].split_at(filled - CHECK_BYTES);
        if check != check_of(checked) {
            return Err(WireIdError::BadCheck);
        }
        Self::from_checked(kind, checked)
    }

    fn from_checked(kind: u8, bytes: &[u8]) -> Result<Self, WireIdError> {
        let incarnation = Incarnation(number_at(bytes, 1));
        let position = Position(number_at(bytes, 9));
        if kind == KIND_END {
            let selection = SelectionFingerprint(number_at(bytes, HEAD_BYTES));
            return Ok(Self::End { incarnation, position, selection });
        }
        let place = match mark_kind(kind) {
            None => Place::at(position),
            Some(kind) => {
                let mark = Mark { known: Position(number_at(bytes, HEAD_BYTES)), kind };
                Place::marked(position, mark).ok_or(WireIdError::UselessMark)?
            }
        };
        let kind = if kind < 3 { PlaceKind::Event } else { PlaceKind::Begin };
        Ok(Self::Place { kind, incarnation, place })
    }
}

fn kind_number(kind: PlaceKind, mark: Option<MarkKind>) -> u8 {
    let base = match kind {
        PlaceKind::Event => 0,
        PlaceKind::Begin => 3,
    };
    base + match mark {
        None => 0,
        Some(MarkKind::First) => 1,
        Some(MarkKind::Told) => 2,
    }
}

fn mark_kind(kind: u8) -> Option<MarkKind> {
    match kind % 3 {
        0 => None,
        1 => Some(MarkKind::First),
        _ => Some(MarkKind::Told),
    }
}

fn number_at(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes[at..at + 8].try_into().expect("eight bytes are eight bytes");
    u64::from_be_bytes(eight)
}

#[cfg(test)]
mod tests;
