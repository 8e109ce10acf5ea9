//! The bytes of a simulated file, and how a power cut takes a write apart.

use std::ops::Range;

use fastrand::Rng;

use super::layers::Change;

/// What a disk writes as one. Pages reach it in any order.
const PAGE_BYTES: usize = 4096;

/// One change of a file's bytes.
#[derive(Clone, Debug)]
pub(super) enum BytesChange {
    /// Bytes were written at a place.
    Write { at: usize, bytes: Vec<u8> },
    /// So many bytes were left.
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
    /// Flips a bit of the byte at `place` of the file, if this writes it.
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

/// Where the file was shorter than the place, zeros come between, as in a file with a hole.
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
        6 => write_some_pages(on, at, bytes, rng),
        _ => grow(on, at + bytes.len()),
    }
}

fn write_some_pages(on: &mut Vec<u8>, at: usize, bytes: &[u8], rng: &mut Rng) {
    for page in pages(at..at + bytes.len()) {
        if rng.bool() {
            write(on, page.start, &bytes[page.start - at..page.end - at]);
        }
    }
}

/// The parts of `places` that are on one page each, in order.
fn pages(places: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let numbers = places.start / PAGE_BYTES..places.end.div_ceil(PAGE_BYTES);
    numbers.map(move |number| {
        let page = number * PAGE_BYTES..(number + 1) * PAGE_BYTES;
        page.start.max(places.start)..page.end.min(places.end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_some_places_are_cut_where_the_file_s_pages_are() {
        let cases: [(Range<usize>, &str); 5] = [
            (10..20, "[10..20]"),
            (0..4096, "[0..4096]"),
            (4095..4097, "[4095..4096, 4096..4097]"),
            (5000..12_288, "[5000..8192, 8192..12288]"),
            (8192..8192, "[]"),
        ];
        for (places, want) in cases {
            assert_eq!(format!("{:?}", pages(places.clone()).collect::<Vec<_>>()), want, "{places:?}");
        }
    }
}
