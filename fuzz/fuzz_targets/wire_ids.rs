//! Any text as an id.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| largesse_sim::wire_ids::check(bytes));
