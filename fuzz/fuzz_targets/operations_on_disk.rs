//! The same choices over the disk engine, where the server is killed or loses power now and then.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _sum = largesse_sim::run_bytes_on_disk(bytes);
});
