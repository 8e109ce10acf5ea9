//! Numbers that look random and are the same for the same seed, or that somebody else chose.
//!
//! Source: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Does not
//! need to be hard to guess.

/// Where a script's choices come from.
#[derive(Clone, Debug)]
pub struct Rng(Source);

#[derive(Clone, Debug)]
enum Source {
    Seed(u64),
    /// Bytes still to be used, from the end to the front; after the last one every roll is 0.
    Bytes(Vec<u8>),
}

impl Rng {
    /// Choices that look random.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Source::Seed(seed))
    }

    /// Choices that a fuzzer makes: a byte for each choice among at most 256, eight for the others.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Source::Bytes(bytes.iter().rev().copied().collect()))
    }

    /// Whether all further choices would be 0, because the bytes are used up.
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
