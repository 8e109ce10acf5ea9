//! Checks that the list has every case.

use std::collections::BTreeSet;

#[test]
fn every_case_is_mounted() {
    let sources = [
        include_str!("appends.rs"),
        include_str!("blocks.rs"),
        include_str!("ends.rs"),
        include_str!("keys.rs"),
        include_str!("listening.rs"),
        include_str!("locating.rs"),
        include_str!("losses.rs"),
        include_str!("reads.rs"),
        include_str!("retention.rs"),
        include_str!("seeds.rs"),
        include_str!("streams.rs"),
    ];
    let mounted: BTreeSet<&str> = include_str!("mount.rs").split_whitespace().collect();
    let lines = sources.iter().flat_map(|source| source.lines());
    let cases = lines.filter_map(|line| line.strip_prefix("pub fn ")?.split_once('('));
    let missing: Vec<_> = cases.map(|(case, _)| case).filter(|case| !mounted.contains(case)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
