//! The trace of all servers of this process, to a full device: like the binary's with `2>/dev/full`, at every level.

use std::{fs::OpenOptions, sync::OnceLock};

use largesse_trace::Lines;
use tracing_subscriber::filter::LevelFilter;

/// Traces to a full device from the first call.
pub(crate) fn to_a_full_device() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let device = OpenOptions::new().write(true).open("/dev/full").expect("every Linux has it");
        let notice = |lost| format!("{lost} lines were lost\n").into_bytes();
        let lines = Lines::start(device, Box::new(notice)).expect("the system gives a thread");
        let writer = lines.clone();
        let trace = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
        trace.with_writer(move || writer.clone()).init();
        lines
    })
}
