//! Two promises about the release binary: its size, and the time from its start until it listens.
//!
//! Invariants: binary < [`BINARY_BYTES_MAX`]; best of [`STARTS`] starts ≤ [`START_MAX`]. The best counts, not
//! the mean: other programs on the machine can only make a start slower.
//!
//! It does not measure the server at work.

use std::path::Path;
use std::time::Duration;

use crate::server::{self, Server};
use crate::shell::Failure;

const BINARY_BYTES_MAX: u64 = 15_000_000;
const STARTS: u32 = 10;
const START_MAX: Duration = Duration::from_millis(50);

/// Builds the release binary and checks both promises.
///
/// # Errors
/// The build fails, the server does not start, or a promise does not hold.
pub(crate) fn run() -> Result<(), Failure> {
    let binary = server::built()?;
    let bytes = std::fs::metadata(&binary).map_err(|error| unreadable(&binary, &error))?.len();
    println!("binary: {bytes} bytes (at most {BINARY_BYTES_MAX})");
    let start = best_start(&binary)?;
    println!("start: listening after {start:.1?}, best of {STARTS} (at most {START_MAX:?})");
    judge(bytes, start)
}

fn judge(bytes: u64, start: Duration) -> Result<(), Failure> {
    if bytes >= BINARY_BYTES_MAX {
        let by_size = "To see what is in it: cargo tree --package largesse --edges normal";
        return Err(Failure(format!(
            "The binary has {bytes} bytes, not under {BINARY_BYTES_MAX}. {by_size}"
        )));
    }
    if start > START_MAX {
        return Err(Failure(format!("The server listens after {start:.1?}, not within {START_MAX:?}.")));
    }
    Ok(())
}

fn unreadable(binary: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("{}: {error}.", binary.display()))
}

fn best_start(binary: &Path) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..STARTS {
        best = best.min(Server::start(binary)?.listening_after());
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_promise_is_broken_just_past_its_bound() {
        let cases = [
            (BINARY_BYTES_MAX - 1, START_MAX, true),
            (BINARY_BYTES_MAX, START_MAX, false),
            (BINARY_BYTES_MAX - 1, START_MAX + Duration::from_nanos(1), false),
        ];
        for (bytes, start, holds) in cases {
            assert_eq!(judge(bytes, start).is_ok(), holds, "{bytes} bytes, {start:?}");
        }
    }
}
