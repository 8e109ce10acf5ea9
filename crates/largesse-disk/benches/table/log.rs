//! The log that is measured: its folder, its streams, its events, and what the system says of the process.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, io::Folder};
use largesse_log::{
    Append, Author, EngineLimits, Incarnation, NewEvent, Once, Settings, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;
use tokio::runtime::Runtime;

use crate::BenchResult;

/// The data of an event, where nothing else is said.
pub(crate) const EVENT_BYTES: usize = 256;
/// How many streams a pattern such as `s/7/*` covers.
pub(crate) const STREAMS_IN_GROUP: u64 = 100;

/// Opens the log as a server does, with room for all that is measured. `kept` is how many events a stream keeps.
pub(crate) fn open(folder: &Path, kept: Option<u64>) -> BenchResult<Arc<DiskEngine>> {
    let limits = EngineLimits {
        log_bytes_max: u64::MAX / 2,
        streams_max: 10_000_000,
        defaults: Settings { max_events: kept, max_bytes: None, ..Settings::default() },
        ..EngineLimits::default()
    };
    let new = NewLog { incarnation: Incarnation(1), salt: 2 };
    let folder = Arc::new(Folder::open(folder)?);
    Ok(Arc::new(DiskEngine::open(folder, limits, DiskSettings::default(), new)?))
}

/// As the server's.
pub(crate) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().build()
}

/// The `number`-th stream.
pub(crate) fn stream(number: u64) -> BenchResult<StreamName> {
    Ok(StreamName::parse(&format!("s/{}/{}", number / STREAMS_IN_GROUP, number % STREAMS_IN_GROUP))?)
}

/// One event for a stream.
pub(crate) fn append(stream: StreamName, data: EventData) -> Append {
    let events = vec![NewEvent { name: None, data }];
    Append { stream, events, then: Then::StayOpen, once: Once::Unkeyed, author: Author::Source }
}

/// Data of so many bytes.
pub(crate) fn data(bytes: usize) -> BenchResult<EventData> {
    Ok(EventData::parse(&"x".repeat(bytes))?)
}

/// The wall clock.
pub(crate) fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What the files of a folder take on the disk.
pub(crate) fn disk_bytes(folder: &Path) -> BenchResult<u64> {
    const BLOCK_BYTES: u64 = 512;
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        match entry?.metadata() {
            Ok(metadata) => bytes += metadata.blocks() * BLOCK_BYTES,
            // The engine removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

/// Memory of this process that is in use now.
pub(crate) fn resident_bytes() -> BenchResult<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.map(|line| line.trim().trim_end_matches(" kB").parse::<u64>()).transpose()?;
    Ok(kib.ok_or("the system does not say what memory is in use")? * 1024)
}
