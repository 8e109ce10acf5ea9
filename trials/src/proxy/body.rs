//! A response's body on its way: where in its next piece the cut falls.
//!
//! Pure: it takes bytes, and returns a number. It takes a chunk's framing for a line of its own, and so finds
//! no line that a chunk's end splits in two; the server puts whole blocks into its chunks.

use super::plan::Place;

const ID: &[u8] = b"id:";

/// What has passed of a body.
#[derive(Debug)]
pub(super) struct Body {
    bytes: u64,
    /// `id:` lines that are complete.
    ids: u64,
    /// Whether the last byte was the LF of such a line.
    is_after_id: bool,
    /// How much of `id:` the current line has matched; `None` once it begins otherwise.
    matched: Option<usize>,
}

impl Body {
    pub(super) fn new() -> Self {
        Self { bytes: 0, ids: 0, is_after_id: false, matched: Some(0) }
    }

    /// Takes the next piece, up to the cut if it falls into the piece. Returns how much of it comes before the cut.
    pub(super) fn cut_in(&mut self, piece: &[u8], place: Option<Place>) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            if self.is_at(place) {
                return Some(at);
            }
            self.take(*byte);
        }
        self.is_at(place).then_some(piece.len())
    }

    fn is_at(&self, place: Option<Place>) -> bool {
        match place {
            None | Some(Place::BeforeHead) => false,
            Some(Place::InBody(bytes)) => self.bytes >= bytes,
            Some(Place::InBodySparingIds(bytes)) => self.bytes >= bytes && !self.is_after_id,
            Some(Place::AfterIds(ids)) => self.ids >= ids && self.is_after_id,
        }
    }

    fn take(&mut self, byte: u8) {
        let is_id = self.matched == Some(ID.len());
        self.bytes += 1;
        self.is_after_id = is_id && byte == b'\n';
        self.ids += u64::from(self.is_after_id);
        self.matched = match self.matched {
            _ if byte == b'\n' => Some(0),
            Some(matched) if is_id || ID[matched] == byte => Some((matched + 1).min(ID.len())),
            _ => None,
        };
    }
}
