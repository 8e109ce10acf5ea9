//! What the disk can do: the same events, written and synced in groups of the same size, and nothing else.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use crate::{BenchResult, log::EVENT_BYTES};

/// Events a second, in groups of `group`, measured for `time`.
pub(crate) fn floor(folder: &Path, group: usize, time: Duration) -> BenchResult<f64> {
    let path = folder.join("floor");
    let file = fs::File::create(&path)?;
    let bytes = vec![b'x'; EVENT_BYTES * group];
    let begun = Instant::now();
    let (mut groups, mut at) = (0, 0);
    while begun.elapsed() < time {
        file.write_all_at(&bytes, at)?;
        file.sync_data()?;
        at += bytes.len() as u64;
        groups += 1;
    }
    let rate = (groups * group) as f64 / begun.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
