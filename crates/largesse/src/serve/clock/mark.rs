//! The mark of the log's time in the data folder: what the next start knows of it.
//!
//! Layout of the file `clock`: one line of constant length, so that it is overwritten in one go.
//!
//! ```text
//! 1 BOOT_ID TIME STEADY LAG LAG_LEFT HELD BY        all in microseconds, 20 digits; HELD is 0 where nothing is held
//! ```
//!
//! Invariant: a file that is missing, cut, or in another format does not count as a mark; nothing depends on it except how far the
//! machine's clock is believed. It is not synced: after a power cut the steady clock has begun anew.

use std::{fs, io, time::Duration};

use largesse::{
    disk::{inspect::CLOCK_NAME, io::Disk},
    hub::log_clock::{Boot, ClockMark},
};

const FORMAT: &str = "1";
/// No mark is longer.
const BYTES_MAX: u64 = 512;

/// Identifies this boot of the machine, where the system tells.
/// Source: random(4), `/proc/sys/kernel/random/boot_id`.
pub(super) fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = id.trim();
    let is_plain = id.len() <= 64 && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| id.to_owned())
}

/// The line for a mark.
pub(super) fn text(boot: &str, mark: &ClockMark) -> String {
    let ClockMark { time, steady, lag, lag_left, held } = *mark;
    let (held, by) = held.unwrap_or_default();
    let us = [time, steady, lag, lag_left, held, by]
        .map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    let numbers = us.map(|us| format!("{us:020}"));
    format!("{FORMAT} {boot} {}\n", numbers.join(" "))
}

/// The mark of a line.
fn parse(text: &str, boot: Option<&str>) -> Option<(ClockMark, Boot)> {
    let fields: Vec<&str> = text.strip_suffix('\n')?.split(' ').collect();
    let [FORMAT, of_boot, numbers @ ..] = fields.as_slice() else { return None };
    let numbers: Option<Vec<Duration>> =
        numbers.iter().map(|number| number.parse().ok().map(Duration::from_micros)).collect();
    let [time, steady, lag, lag_left, held, by] = *numbers?.as_slice() else { return None };
    let held = (by > Duration::ZERO).then_some((held, by));
    let is_same = boot == Some(*of_boot);
    let mark = ClockMark { time, steady, lag, lag_left, held };
    Some((mark, if is_same { Boot::Same } else { Boot::Another }))
}

/// The mark in a folder, if there is one.
pub(super) fn load(disk: &dyn Disk, boot: Option<&str>) -> Option<(ClockMark, Boot)> {
    let file = disk.open(CLOCK_NAME).ok()?;
    let bytes = file.bytes().ok().filter(|bytes| *bytes <= BYTES_MAX)?;
    let mut line = vec![0; usize::try_from(bytes).ok()?];
    file.read_at(&mut line, 0).ok()?;
    parse(str::from_utf8(&line).ok()?, boot)
}

/// Makes the file, unless it exists.
///
/// # Errors
/// Those of the disk.
pub(super) fn make(disk: &dyn Disk) -> io::Result<()> {
    match disk.create(CLOCK_NAME) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(|_| ()),
    }
}

/// Overwrites the last mark. It creates no file: a missing one was removed, and nothing is written into a folder
/// that has files missing.
///
/// # Errors
/// Those of the disk.
pub(super) fn keep(disk: &dyn Disk, text: &str) -> io::Result<()> {
    let file = disk.open(CLOCK_NAME)?;
    file.write_at(text.as_bytes(), 0)?;
    let bytes = text.len() as u64;
    if file.bytes()? > bytes { file.truncate(bytes) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> ClockMark {
        let secs = Duration::from_secs;
        ClockMark { time: secs(1_790_000_000), steady: secs(7), lag: secs(5), lag_left: secs(4), held: None }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_a_broken_one_is_none() {
        let held = ClockMark { held: Some((Duration::from_secs(1), Duration::from_micros(2))), ..mark() };
        for of in [mark(), held, ClockMark::default()] {
            let line = text("boot", &of);
            assert_eq!(line.len(), text("boot", &mark()).len());
            assert_eq!(parse(&line, Some("boot")), Some((of, Boot::Same)));
            assert_eq!(parse(&line, Some("other")), Some((of, Boot::Another)));
            assert_eq!(parse(&line, None), Some((of, Boot::Another)));
            for end in 0..line.len() {
                assert_eq!(parse(&line[..end], Some("boot")), None);
            }
        }
        let line = text("boot", &mark());
        for broken in
            [line.replacen('1', "2", 1), line.replace(" 0", " x"), format!("{line}\n"), String::from("\n")]
        {
            assert_eq!(parse(&broken, Some("boot")), None, "{broken:?}");
        }
    }
}
