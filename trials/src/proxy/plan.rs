//! When the proxy cuts, and how.
//!
//! Pure: a plan is a list. It does not know connections.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Where a response is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before its first byte: the status is not heard.
    BeforeHead,
    /// After its head and this many bytes of what follows. With chunks, their framing counts too.
    InBody(u64),
    /// The same, but a byte later if that is just after an `id:` line, where [`Place::AfterIds`] cuts.
    InBodySparingIds(u64),
    /// After this many `id:` lines of the body: the last one is complete, and the blank line that ends its block is
    /// missing.
    AfterIds(u64),
}

/// How a response is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The connection is closed cleanly.
    Fin,
    /// The connection is reset. What the reader had not read yet may be lost with it.
    Rst,
    /// Nothing more is sent, and the connection stays open until the stalls are released or the reader goes.
    Stall,
}

/// One cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where.
    pub place: Place,
    /// How.
    pub manner: Manner,
}

/// What happens to each response: the first request's response meets the first cut, and so on. Requests beyond
/// the plan are let through.
#[derive(Clone, Debug, Default)]
pub struct Plan(pub(super) VecDeque<Option<Cut>>);

impl Plan {
    /// Nothing is cut.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These cuts, in order; `None` lets one response through.
    pub fn of(cuts: impl IntoIterator<Item = Option<Cut>>) -> Self {
        Self(cuts.into_iter().collect())
    }

    /// As many cuts as asked for, drawn from a seed: one in ten before the head, the others after some bytes of
    /// the body; the manners in equal parts. A stall is always in the body.
    #[must_use]
    pub fn seeded(seed: u64, cuts: usize, body_bytes: RangeInclusive<u64>) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self::of((0..cuts).map(|_| Some(drawn(&mut rng, body_bytes.clone()))))
    }
}

fn drawn(rng: &mut fastrand::Rng, body_bytes: RangeInclusive<u64>) -> Cut {
    let manner = [Manner::Fin, Manner::Rst, Manner::Stall][rng.usize(0..3)];
    let is_early = manner != Manner::Stall && rng.u8(0..10) == 0;
    let place = if is_early { Place::BeforeHead } else { Place::InBody(rng.u64(body_bytes)) };
    Cut { place, manner }
}
