//! The fields of commands' bodies.
//!
//! ```text
//! a number            little endian, of its own length; a usize as a u64
//! a text              bytes u16 | UTF-8
//! stream, key         a text
//! digest              u128
//! a duration          seconds u64 | nanoseconds u32, less than 10^9
//! position            u64, less than 2^63
//! stamp               base position | now u64 | time u64
//! something optional  0u8, or 1u8 | what it is
//! a list              how many u32, and as many
//! then                0u8 the stream stays open, 1u8 it is closed; 2 is added where a publisher wrote the append
//! once                0u8 unkeyed
//!                     1u8 whole | key | digest
//!                     2u8 block | key | generation u64 | number u64 | digest
//! ```
//!
//! Invariants: `take` reads exactly what `put` wrote; it rejects every other encoding of the same value, never
//! panics, and allocates no more than the body's length. Does not know frames.

use std::time::Duration;

use largesse_log::{
    Author, Claim, Digest, IdempotencyKey, Once, Position, StreamName, Then, UnixMs, state::Stamp,
};

use crate::format::frame::{Fault, position};

/// A field of a body.
pub(crate) trait Field: Sized {
    /// Writes it to the end of `out`.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads it.
    fn take(from: &mut Fields<'_>) -> Result<Self, Fault>;
}

/// The rest of a body.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn of(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Fault::Rest) }
    }

    pub(crate) fn tag(&mut self) -> Result<u8, Fault> {
        u8::take(self)
    }

    fn array<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], Fault> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Fault::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let bytes = u16::take(self)?;
        let (text, rest) = self.0.split_at_checked(bytes.into()).ok_or(Fault::Short)?;
        self.0 = rest;
        str::from_utf8(text).map_err(|_| Fault::Utf8)
    }
}

macro_rules! number {
    ($($number:ty),+) => {$(
        impl Field for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
                from.array().map(Self::from_le_bytes)
            }
        }
    )+};
}

number!(u8, u16, u32, u64, u128);

impl Field for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        u64::take(from)?.try_into().map_err(|_| Fault::Number)
    }
}

impl Field for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_secs().put(out);
        self.subsec_nanos().put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        const SECOND_NANOS: u32 = 1_000_000_000;
        let (seconds, nanos) = (u64::take(from)?, u32::take(from)?);
        if nanos < SECOND_NANOS { Ok(Self::new(seconds, nanos)) } else { Err(Fault::Number) }
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            None => 0u8.put(out),
            Some(value) => {
                1u8.put(out);
                value.put(out);
            }
        }
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(None),
            1 => T::take(from).map(Some),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

/// Every element has at least one byte, so a list is never longer than its body.
impl<T: Field> Field for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        let count = u32::try_from(self.len()).expect("a body has fewer bytes");
        count.put(out);
        self.iter().for_each(|element| element.put(out));
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        let count = u32::take(from)?;
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl Field for Stamp {
    fn put(&self, out: &mut Vec<u8>) {
        self.base.put(out);
        self.now.put(out);
        self.time.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(Self { base: Field::take(from)?, now: Field::take(from)?, time: Field::take(from)? })
    }
}

impl Field for Position {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        position(u64::take(from)?)
    }
}

impl Field for UnixMs {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        u64::take(from).map(Self)
    }
}

impl Field for Digest {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        u128::take(from).map(Self)
    }
}

impl Field for StreamName {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(out, self.as_str());
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Self::parse(from.text()?).map_err(|_| Fault::StreamName)
    }
}

impl Field for IdempotencyKey {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(out, self.as_str());
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        Self::parse(from.text()?).map_err(|_| Fault::Key)
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let bytes = u16::try_from(text.len()).expect("names and keys have at most 512 bytes");
    bytes.put(out);
    out.extend_from_slice(text.as_bytes());
}

/// What happens after an append and its author share one tag, so that a source's append is encoded as in format 1.
impl Field for (Then, Author) {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            (Then::StayOpen, Author::Source) => 0u8,
            (Then::Close, Author::Source) => 1,
            (Then::StayOpen, Author::Publisher) => 2,
            (Then::Close, Author::Publisher) => 3,
        }
        .put(out);
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok((Then::StayOpen, Author::Source)),
            1 => Ok((Then::Close, Author::Source)),
            2 => Ok((Then::StayOpen, Author::Publisher)),
            3 => Ok((Then::Close, Author::Publisher)),
            tag => Err(Fault::Tag { tag }),
        }
    }
}

impl Field for Once {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Unkeyed => 0u8.put(out),
            Self::Whole { key, digest } => {
                1u8.put(out);
                key.put(out);
                digest.put(out);
            }
            Self::Block { claim: Claim { key, generation }, number, digest } => {
                2u8.put(out);
                key.put(out);
                generation.put(out);
                number.put(out);
                digest.put(out);
            }
        }
    }

    fn take(from: &mut Fields<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            0 => Ok(Self::Unkeyed),
            1 => Ok(Self::Whole { key: Field::take(from)?, digest: Field::take(from)? }),
            2 => {
                let claim = Claim { key: Field::take(from)?, generation: Field::take(from)? };
                Ok(Self::Block { claim, number: Field::take(from)?, digest: Field::take(from)? })
            }
            tag => Err(Fault::Tag { tag }),
        }
    }
}
