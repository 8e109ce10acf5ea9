//! Any text as a stream's name and as a pattern.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| largesse_sim::names::check(bytes));
