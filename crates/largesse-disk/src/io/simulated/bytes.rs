//! The bytes of a simulated file, and how a power cut tears a write.

use std::ops::Range;

use fastrand::Rng;

use super::layers::Change;

/// The unit that a disk writes atomically: a page, a sector, or less than any real disk, so that small tests have
/// torn writes, too. The pieces of a write reach the disk in any order.
const PIECES_BYTES: [usize; 3] = [4096, 512, 64];

/// One change of a file's bytes.
#[derive(Clone, Debug)]
pub(super) enum BytesChange {
    /// Bytes were written at an offset.
    Write { at: usize, bytes: Vec<u8> },
    /// The file was truncated to this length.
    Truncate { bytes: usize },
}

impl Change for BytesChange {
    type On = Vec<u8>;

    fn make(&self, on: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(on, *at, bytes),
            Self::Truncate { bytes } => on.resize(*bytes, 0),
        }
    }

    fn make_partly(&self, on: &mut Vec<u8>, rng: &mut Rng) {
        match self {
            Self::Write { at, bytes } => write_partly(on, *at, bytes, rng),
            Self::Truncate { .. } if rng.bool() => self.make(on),
            Self::Truncate { .. } => {}
        }
    }
}

impl BytesChange {
    /// Flips a bit of the file's byte at `place`, if this change writes it.
    pub(super) fn flip(&mut self, place: usize, bit: u8) {
        if let Self::Write { at, bytes } = self
            && let Some(inside) = place.checked_sub(*at)
        {
            flip(bytes, inside, bit);
        }
    }
}

/// Flips a bit of the byte at `place`, if there is one.
pub(super) fn flip(bytes: &mut [u8], place: usize, bit: u8) {
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << bit;
    }
}

/// If the file was shorter than `at`, zeros fill the gap, like a hole.
fn write(on: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    grow(on, at + bytes.len());
    on[at..at + bytes.len()].copy_from_slice(bytes);
}

fn grow(on: &mut Vec<u8>, bytes: usize) {
    on.resize(on.len().max(bytes), 0);
}

fn write_partly(on: &mut Vec<u8>, at: usize, bytes: &[u8], rng: &mut Rng) {
    match rng.u8(..8) {
        0 | 1 => write(on, at, bytes),
        2 | 3 => {}
        4 | 5 => write(on, at, &bytes[..rng.usize(..=bytes.len())]),
        6 => write_some_pieces(on, at, bytes, rng),
        _ => grow(on, at + bytes.len()),
    }
}

/// Where a piece does not reach the disk, the old bytes stay.
fn write_some_pieces(on: &mut Vec<u8>, at: usize, bytes: &[u8], rng: &mut Rng) {
    let piece_bytes = PIECES_BYTES[rng.usize(..PIECES_BYTES.len())];
    for piece in pieces(at..at + bytes.len(), piece_bytes) {
        if rng.bool() {
            write(on, piece.start, &bytes[piece.start - at..piece.end - at]);
        }
    }
}

/// Splits `places` at piece boundaries, in order.
fn pieces(places: Range<usize>, piece_bytes: usize) -> impl Iterator<Item = Range<usize>> {
    let numbers = places.start / piece_bytes..places.end.div_ceil(piece_bytes);
    numbers.map(move |number| {
        let piece = number * piece_bytes..(number + 1) * piece_bytes;
        piece.start.max(places.start)..piece.end.min(places.end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_split_at_the_piece_boundaries_of_the_file() {
        let cases: [(Range<usize>, &str); 5] = [
            (10..20, "[10..20]"),
            (0..4096, "[0..4096]"),
            (4095..4097, "[4095..4096, 4096..4097]"),
            (5000..12_288, "[5000..8192, 8192..12288]"),
            (8192..8192, "[]"),
        ];
        for (places, want) in cases {
            assert_eq!(format!("{:?}", pieces(places.clone(), 4096).collect::<Vec<_>>()), want, "{places:?}");
        }
    }
}
