//! Any choices of publishers, readers, time and delays, over log and hub.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _sum = largesse_sim::run_bytes(bytes);
});
