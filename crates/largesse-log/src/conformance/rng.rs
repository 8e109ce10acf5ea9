//! Pseudorandom numbers, the same for the same seed; or choices made by a fuzzer.
//!
//! Source: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Not
//! cryptographic.

/// The source of a script's choices.
#[derive(Clone, Debug)]
pub struct Rng(Source);

#[derive(Clone, Debug)]
enum Source {
    Seed(u64),
    /// The unused bytes, in reverse order; after the last one every choice is 0.
    Bytes(Vec<u8>),
}

impl Rng {
    /// Pseudorandom choices.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Source::Seed(seed))
    }

    /// A fuzzer's choices: one byte for a choice among at most 256, eight bytes for others.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Source::Bytes(bytes.iter().rev().copied().collect()))
    }

    /// Whether the bytes are used up, so that all further choices are 0.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        matches!(&self.0, Source::Bytes(bytes) if bytes.is_empty())
    }

    /// A number less than `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        match &mut self.0 {
            Source::Seed(state) => roll(state) % end,
            Source::Bytes(bytes) if end <= 256 => u64::from(bytes.pop().unwrap_or(0)) % end,
            Source::Bytes(bytes) => (0..8).fold(0, |n, _| n << 8 | u64::from(bytes.pop().unwrap_or(0))) % end,
        }
    }

    /// One of these; there is at least one.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u64) as usize;
        from[index].clone()
    }
}

fn roll(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
