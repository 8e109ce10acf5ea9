//! How long readers wait before they reconnect: drawn for each, so that they do not all come back at once.
//!
//! Does not know why they reconnect.

use std::ops::RangeInclusive;

use largesse_wire::{RETRY_MS_MAX, Retry};

use crate::native::config::DoorConfig;

/// For readers that were turned away, or whose log can't be read: an immediate reconnect would not help.
const AWAY_RETRY_MS: RangeInclusive<u32> = 30_000..=90_000;

/// For a reader that is served.
pub(super) fn drawn(config: &DoorConfig) -> Retry {
    let (least, most) = (config.retry_ms_min, config.retry_ms_max);
    draw(least..=most.max(least))
}

/// For a reader that is not.
pub(super) fn away() -> Retry {
    draw(AWAY_RETRY_MS)
}

fn draw(range_ms: RangeInclusive<u32>) -> Retry {
    let ms = fastrand::u32(range_ms).clamp(1, RETRY_MS_MAX);
    Retry::from_ms(ms).expect("it was clamped to the range of retries")
}
