//! The opaque id of the wire: a place or an end, as text.
//!
//! An id is one part, or two with `~` between them. Each part is base64url without padding (RFC 4648 §5) of
//! these bytes; all numbers are big-endian.
//!
//! | bytes | what | in |
//! |---|---|---|
//! | 1 | version (high four bits, 1) and kind (low four bits) | the first part |
//! | 8 | incarnation of the log | the first part |
//! | 8 | position | the first part |
//! | 8 | fingerprint of the selection that ended | the first part of kind 2 |
//! | 4 | check: the low four bytes of XXH3-64 of all bytes before | the first part |
//! | 8 | losses known up to here; not before the position | the second part |
//! | 8 | streams known to be gone up to here, or zero; not after the losses | the second part |
//! | 4 | check: the same, of all bytes before in both parts | the second part |
//!
//! | kind | is |
//! |---|---|
//! | 0 | the place of an event, or of a control event on the way |
//! | 1 | the place before the first event |
//! | 2 | an end; never with a second part |
//!
//! Invariants: the first part of a place does not depend on what is known there, so it names the event. It has 28
//! characters, with a mark 56; an end has 39. A second part always adds something to the position. Each id has exactly
//! one text: anything that is not canonical is refused. The check detects ids that were cut or mistyped; an id cut
//! right before its `~` is the same place with nothing known. The check is not a signature: an id is a place, not a
//! permission.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use largesse_wire::EventId;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Incarnation, Place, Position, SelectionFingerprint, position::Mark};

const VERSION: u8 = 1;
const KIND_EVENT: u8 = 0;
const KIND_BEGIN: u8 = 1;
const KIND_END: u8 = 2;
const BETWEEN: char = '~';
const CHECK_BYTES: usize = 4;
const HEAD_BYTES: usize = 1 + 8 + 8;
const BARE_BYTES: usize = HEAD_BYTES + CHECK_BYTES;
const END_BYTES: usize = HEAD_BYTES + 8 + CHECK_BYTES;
const MARK_BYTES: usize = 8 + 8 + CHECK_BYTES;
/// Room for the bytes of both parts.
const LAYOUT_BYTES: usize = BARE_BYTES + MARK_BYTES;
const CHARS_MAX: usize = (BARE_BYTES * 4).div_ceil(3) + 1 + (MARK_BYTES * 4).div_ceil(3);

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
    /// The end of everything that a reader selected.
    End {
        /// The log.
        incarnation: Incarnation,
        /// Where the end was.
        position: Position,
        /// What it had selected.
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
    /// It is not canonical base64url, or has the wrong length.
    #[error("the id is not one of this server's: it was cut, or changed")]
    Malformed,
    /// Its version is unknown.
    #[error("the id has version {version}; this server knows version {VERSION}")]
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// Its kind is unknown.
    #[error("the id has the unknown kind {kind}")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// Its check does not match its bytes.
    #[error("the id's check does not fit: it was mistyped, or changed")]
    BadCheck,
    /// Its mark contradicts its position, or adds nothing to it.
    #[error("the id's mark does not fit its position")]
    BadMark,
}

/// The bytes and the text of an id being written.
struct Layout {
    bytes: [u8; LAYOUT_BYTES],
    filled: usize,
    /// Where the current part begins.
    part: usize,
    text: [u8; CHARS_MAX],
    chars: usize,
}

impl Layout {
    fn new(kind: u8, incarnation: Incarnation, position: Position) -> Self {
        let (bytes, text) = ([0; LAYOUT_BYTES], [0; CHARS_MAX]);
        let mut layout = Self { bytes, filled: 0, part: 0, text, chars: 0 };
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

    /// Ends a part with the check of all bytes so far.
    fn end_part(&mut self) {
        self.push(&check_of(&self.bytes[..self.filled]));
        let part = &self.bytes[self.part..self.filled];
        let chars = URL_SAFE_NO_PAD.encode_slice(part, &mut self.text[self.chars..]);
        self.chars += chars.expect("CHARS_MAX fits the longest layout");
        self.part = self.filled;
    }

    fn push_mark(&mut self, mark: Mark) {
        self.text[self.chars] = BETWEEN as u8;
        self.chars += 1;
        self.push(&mark.told_upto.0.to_be_bytes());
        self.push(&mark.asked_at.0.to_be_bytes());
        self.end_part();
    }

    fn finish(&self) -> EventId {
        let text = str::from_utf8(&self.text[..self.chars]).expect("base64url and `~` are ASCII");
        EventId::parse(text).expect("base64url and `~` are at most 128 characters of the id's alphabet")
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
                let kind = match kind {
                    PlaceKind::Event => KIND_EVENT,
                    PlaceKind::Begin => KIND_BEGIN,
                };
                let mut layout = Layout::new(kind, incarnation, place.position());
                layout.end_part();
                if let Some(mark) = place.mark() {
                    layout.push_mark(mark);
                }
                layout.finish()
            }
            Self::End { incarnation, position, selection } => {
                let mut layout = Layout::new(KIND_END, incarnation, position);
                layout.push(&selection.0.to_be_bytes());
                layout.end_part();
                layout.finish()
            }
        }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`WireIdError`] for whatever [`WireId::encode`] does not write. Does not check whether the log has
    /// reached the place.
    pub fn parse(text: &str) -> Result<Self, WireIdError> {
        let (first, second) = match text.split_once(BETWEEN) {
            Some((first, second)) => (first, Some(second)),
            None => (text, None),
        };
        let mut bytes = [0; END_BYTES + 3];
        let first_bytes = decode(first, &mut bytes)?;
        let (head, kind) = checked_head(first_bytes)?;
        match (kind, second) {
            (KIND_END, None) => Ok(Self::End {
                incarnation: head.incarnation,
                position: head.position,
                selection: SelectionFingerprint(number_at(first_bytes, HEAD_BYTES)),
            }),
            (KIND_END, Some(_)) => Err(WireIdError::Malformed),
            (kind, second) => {
                let place = match second {
                    None => Place::at(head.position),
                    Some(second) => marked(head.position, first_bytes, second)?,
                };
                let kind = if kind == KIND_EVENT { PlaceKind::Event } else { PlaceKind::Begin };
                Ok(Self::Place { kind, incarnation: head.incarnation, place })
            }
        }
    }
}

/// What the first part of every id begins with.
struct Head {
    incarnation: Incarnation,
    position: Position,
}

/// The decoder needs room for whole groups of three, so `room` is three bytes larger than the longest part.
fn decode<'a>(part: &str, room: &'a mut [u8]) -> Result<&'a [u8], WireIdError> {
    let filled = URL_SAFE_NO_PAD.decode_slice(part, room).map_err(|_| WireIdError::Malformed)?;
    Ok(&room[..filled])
}

fn checked_head(bytes: &[u8]) -> Result<(Head, u8), WireIdError> {
    let [first, ..] = *bytes else { return Err(WireIdError::Malformed) };
    let (version, kind) = (first >> 4, first & 0xF);
    if version != VERSION {
        return Err(WireIdError::UnknownVersion { version });
    }
    let length = match kind {
        KIND_EVENT | KIND_BEGIN => BARE_BYTES,
        KIND_END => END_BYTES,
        _ => return Err(WireIdError::UnknownKind { kind }),
    };
    if bytes.len() != length {
        return Err(WireIdError::Malformed);
    }
    check(bytes, bytes)?;
    let head =
        Head { incarnation: Incarnation(number_at(bytes, 1)), position: Position(number_at(bytes, 9)) };
    Ok((head, kind))
}

/// A place with the mark from the second part.
fn marked(position: Position, first: &[u8], second: &str) -> Result<Place, WireIdError> {
    let mut room = [0; MARK_BYTES + 3];
    let bytes = decode(second, &mut room)?;
    if bytes.len() != MARK_BYTES {
        return Err(WireIdError::Malformed);
    }
    check(bytes, &[first, bytes].concat())?;
    let mark = Mark { told_upto: Position(number_at(bytes, 0)), asked_at: Position(number_at(bytes, 8)) };
    Place::marked(position, mark).ok_or(WireIdError::BadMark)
}

/// Compares the check at the end of `part` with all bytes before it.
fn check(part: &[u8], all: &[u8]) -> Result<(), WireIdError> {
    let (_, found) = part.split_at(part.len() - CHECK_BYTES);
    let (checked, _) = all.split_at(all.len() - CHECK_BYTES);
    if found == check_of(checked) { Ok(()) } else { Err(WireIdError::BadCheck) }
}

fn number_at(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes[at..at + 8].try_into().expect("eight bytes are eight bytes");
    u64::from_be_bytes(eight)
}

#[cfg(test)]
mod tests;
