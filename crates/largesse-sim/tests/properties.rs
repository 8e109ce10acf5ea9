//! The properties that fuzz targets check, on the checked-in seeds and on random bytes.

#![expect(clippy::unwrap_used, reason = "a test stops if something it needs is missing")]

use std::{fs, path::Path};

use largesse_log::conformance::rng::Rng;
use largesse_sim::{names, run_bytes, run_bytes_on_disk, wire_bytes, wire_ids};

const RANDOM_INPUTS: u64 = 2_000;

/// Words of all formats, glued together in any order: near misses are far more likely than in random bytes.
const WORDS: &[&[u8]] = &[
    b"data",
    b"data: ",
    b"event: ",
    b"id: ",
    b"retry: ",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"x",
    b"7",
    b"\0",
    b"\xEF\xBB\xBF",
    b"\xE2\x82",
    b"\xFF",
    b"a/",
    b"/",
    b"*",
    b"**",
    b".",
    b"..",
    b"EAAAAAAAAAAHAAAAAAAAABieKerD",
];

fn random_input(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut input = vec![rng.below(256) as u8, rng.below(256) as u8];
    for _ in 0..rng.below(24) {
        match rng.below(4) {
            0 => input.push(rng.below(256) as u8),
            _ => input.extend_from_slice(rng.pick(WORDS)),
        }
    }
    input
}

#[track_caller]
fn check(target: &str, property: fn(&[u8])) {
    check_with(target, RANDOM_INPUTS, property);
}

#[track_caller]
fn check_with(target: &str, random_inputs: u64, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort_unstable();
    assert!(!seeds.is_empty(), "{} has seeds", folder.display());
    seeds.iter().for_each(|path| property(&fs::read(path).unwrap()));
    (0..random_inputs).for_each(|seed| property(&random_input(seed)));
}

#[test]
fn any_bytes_in_any_pieces_are_one_event_stream() {
    check("wire_bytes", wire_bytes::check);
}

#[test]
fn an_id_that_is_read_is_written_as_it_was() {
    check("wire_ids", wire_ids::check);
}

#[test]
fn names_and_patterns_mean_what_they_say() {
    check("names", names::check);
}

#[test]
fn any_operations_keep_the_promises() {
    check("operations", |bytes| assert_ne!(run_bytes(bytes), 0, "a run has a hash"));
}

#[test]
fn any_operations_on_a_disk_keep_the_promises() {
    let property = |bytes: &[u8]| assert_ne!(run_bytes_on_disk(bytes), 0, "a run has a hash");
    check_with("operations_on_disk", RANDOM_INPUTS / 10, property);
}
