//! The measured log: its folder, streams and events, and what the system says about the process.

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

/// Bytes of an event's data, by default.
pub(crate) const EVENT_BYTES: usize = 256;
/// How many streams a pattern such as `s/7/*` covers.
pub(crate) const STREAMS_IN_GROUP: u64 = 100;

/// Opens the log as a server does, with limits that no measurement reaches. `kept` is how many events a stream
/// keeps.
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

/// The same runtime as the server's.
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

/// Data of this many bytes.
pub(crate) fn data(bytes: usize) -> BenchResult<EventData> {
    Ok(EventData::parse(&"x".repeat(bytes))?)
}

/// The wall clock.
pub(crate) fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The disk space of a folder's files.
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
