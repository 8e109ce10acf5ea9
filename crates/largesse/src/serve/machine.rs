//! What the machine lets one process use: open files, memory, and space on the disk.
//!
//! Does not decide what to do with it.

use std::{fs, io};

use largesse::disk::disk::{Disk, Folder};

/// Open files that are not connections: listeners, stdio, the runtime's own.
const FILES_RESERVED: u64 = 64;
/// Where the system sets no limit, this is one.
const FILES_MAX: u64 = 1 << 20;

/// Raises the soft limit on open files to the hard one, and answers what it is then.
pub(super) fn open_files_max() -> u64 {
    match rlimit::increase_nofile_limit(FILES_MAX) {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files can't be raised");
            rlimit::Resource::NOFILE.get_soft().unwrap_or(FILES_RESERVED * 4)
        }
    }
}

/// How many connections fit. At least one, whatever the limit.
pub(super) fn connections(files: u64) -> usize {
    let connections = files.min(FILES_MAX).saturating_sub(FILES_RESERVED).max(1);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// The memory of the machine, or of the container where that is less. `None` where the system does not say.
pub(super) fn memory_bytes() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_bytes(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    // Without a limit it says "max".
    let container = container.and_then(|text| text.trim().parse().ok());
    [machine, container].into_iter().flatten().min()
}

/// The space that a folder of files has on its disk: what they take, and what is free for us.
///
/// # Errors
/// Those of the disk.
pub(super) fn disk_bytes(folder: &Folder) -> io::Result<u64> {
    Ok(folder.file_bytes()?.saturating_add(folder.free_bytes()?))
}

/// Source: proc_meminfo(5), `MemTotal`; what is called kB there has 1024 bytes.
fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_not_for_connections_and_there_is_always_one() {
        for (files, want) in [(0, 1), (64, 1), (65, 1), (1024, 960), (u64::MAX, (1 << 20) - 64)] {
            assert_eq!(connections(files), want, "{files} files");
        }
    }

    #[test]
    fn the_total_is_read_from_what_linux_says() {
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
