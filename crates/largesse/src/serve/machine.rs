//! What the machine lets one process use: open files, memory, and space on the disk.
//!
//! Does not decide what to do with that.

use std::{fs, io, num::NonZeroUsize};

use largesse::disk::{
    DiskSettings,
    io::{Disk, Folder},
};

/// With fewer, reading the log would spend its time opening files.
const LOG_OPEN_FILES_MIN: NonZeroUsize = NonZeroUsize::new(8).expect("it is not 0");
/// Open files that are neither connections nor the log's: listeners, stdio, the runtime's.
const FILES_RESERVED: u64 = 32;
/// With fewer open files there is nothing left for a connection, and the runtime itself can't start.
pub(super) const FILES_MIN: u64 = 32;
/// The limit where the system sets none.
const FILES_MAX: u64 = 1 << 20;

/// Raises the soft limit on open files to the hard one, and returns the result.
pub(super) fn open_files_max() -> u64 {
    match rlimit::increase_nofile_limit(FILES_MAX) {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files can't be raised");
            rlimit::Resource::NOFILE.get_soft().unwrap_or(FILES_RESERVED * 4)
        }
    }
}

/// How many files that are only read now and then the log may have open: an eighth of all where few may be open.
pub(super) fn log_open_files_max(files: u64) -> NonZeroUsize {
    let fitting = usize::try_from(files / 8).unwrap_or(usize::MAX);
    let fitting = NonZeroUsize::new(fitting).unwrap_or(NonZeroUsize::MIN);
    fitting.clamp(LOG_OPEN_FILES_MIN, DiskSettings::DEFAULT.open_files_max)
}

/// How many connections fit besides the files of the log. At least one, whatever the limit.
pub(super) fn connections(files: u64, log_files: usize) -> usize {
    let others = FILES_RESERVED.saturating_add(log_files as u64);
    let connections = files.min(FILES_MAX).saturating_sub(others).max(1);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// The memory of the machine, or of the container if that is less. `None` where the system does not tell.
pub(super) fn memory_bytes() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_bytes(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    // Without a limit it contains "max".
    let container = container.and_then(|text| text.trim().parse().ok());
    [machine, container].into_iter().flatten().min()
}

/// The space on a folder's disk that is ours: what its files take, and what is free.
///
/// # Errors
/// Those of the disk.
pub(super) fn disk_bytes(folder: &Folder) -> io::Result<u64> {
    Ok(folder.file_bytes()?.saturating_add(folder.free_bytes()?))
}

/// Source: proc_meminfo(5), `MemTotal`; its kB are 1024 bytes.
fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_not_for_connections_and_one_connection_always_fits() {
        for (files, want) in [(0, 1), (32, 1), (33, 1), (1024, 992), (u64::MAX, (1 << 20) - 32)] {
            assert_eq!(connections(files, 0), want, "{files} files");
        }
    }

    #[test]
    fn files_that_the_log_may_open_are_not_for_connections() {
        for (files, log, connections_max) in
            [(0, 8, 1), (128, 16, 56), (256, 32, 168), (1024, 128, 840), (u64::MAX, 128, (1 << 20) - 184)]
        {
            let open_files_max = log_open_files_max(files);
            let settings = DiskSettings { open_files_max, ..DiskSettings::DEFAULT };
            assert_eq!(open_files_max.get(), log, "{files} files");
            assert_eq!(connections(files, settings.files_max()), connections_max, "{files} files");
        }
    }

    #[test]
    fn the_total_is_read_from_linux_output() {
        let rows = [
            ("MemTotal:       24606232 kB\nMemFree: 1 kB\n", Some(24_606_232 * 1024)),
            ("MemFree: 1 kB\n", None),
            ("MemTotal: many kB\n", None),
            ("MemTotal: 99999999999999999999 kB\n", None),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(total_bytes(text), want, "{text}");
        }
    }
}
