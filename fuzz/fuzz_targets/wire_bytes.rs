//! Any bytes, in any pieces, as an event stream.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| largesse_sim::wire_bytes::check(bytes));
