//! A seed of a trial's own, printed when the trial fails.

use std::io::Write;

/// A seed, which prints itself when its owner panics.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// A new one for each trial; or the one in `LARGESSE_SEED`, to repeat a failure.
    #[must_use]
    pub fn drawn() -> Self {
        let given = std::env::var_os("LARGESSE_SEED").and_then(|seed| seed.to_str()?.parse().ok());
        Self(given.unwrap_or_else(|| fastrand::u64(..)))
    }

    /// A random generator that begins with this seed.
    #[must_use]
    pub fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Failing to print it is not a second failure.
            let _ = writeln!(std::io::stderr(), "seed: LARGESSE_SEED={}", self.0);
        }
    }
}
