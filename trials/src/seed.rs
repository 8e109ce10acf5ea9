//! A seed of a trial's own, told when the trial fails.

use std::io::Write;

/// A seed, which says itself when its owner panics.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// Another one for each trial; or what `LARGESSE_SEED` says, to see a failure again.
    #[must_use]
    pub fn drawn() -> Self {
        let given = std::env::var_os("LARGESSE_SEED").and_then(|seed| seed.to_str()?.parse().ok());
        Self(given.unwrap_or_else(|| fastrand::u64(..)))
    }

    /// Dice that fall as this seed has it.
    #[must_use]
    pub fn dice(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A failure to say it is no second failure.
            let _ = writeln!(std::io::stderr(), "seed: LARGESSE_SEED={}", self.0);
        }
    }
}
