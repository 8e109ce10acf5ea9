//! The bytes of the file, so that a change of the format is noticed, and the cost of reading them.

use largesse_log::Position;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{IndexedAppend, OF, counting_disk::CountingDisk, growing, one, sealed};
use crate::index::{Growing, Sealed, SegmentIndex as _, StreamEpoch, write_sealed};

const PAGE: usize = 4096;

fn file(index: &Growing) -> Vec<u8> {
    let counting_disk = CountingDisk::default();
    write_sealed(&counting_disk, "index", index, OF).unwrap();
    let file = counting_disk.file("index");
    let bytes = file.contents();
    assert_eq!(file.synced(), bytes.len() as u64, "all of it is synced");
    bytes
}

/// The bytes before the zeros that fill the page up to its checksum.
fn body(page: &[u8]) -> &[u8] {
    let body = &page[..PAGE - 8];
    let end = body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &body[..end]
}

fn hex(bytes: &[u8]) -> String {
    let words = bytes.chunks(8).map(|word| word.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_layout_has_the_specified_bytes() {
    let (index, _) = growing([IndexedAppend { gap: 0x0a0b, ..one(0x0102) }, one(3), one(3)]);
    let file = file(&index);
    assert_eq!(file.len(), 5 * PAGE);
    let bodies: Vec<String> = file.chunks(PAGE).map(|page| hex(body(page))).collect();
    let header = "4c41524745494458 0100000002000000 0300000001000000 0700000000000000 efcdab8967452301 \
                  9b01000000000000 0b0a000000000000 0d0a000000000000 e903000000000000 eb03";
    let fence = "03";
    let all_postings = "0300000000000000 0000000002000000 1201000000000000 0c0a000000000000 0d0a000000000000 \
                   0201000000000000 0200000001000000 8900000000000000 0b0a000000000000 0b0a";
    let entries = "0c0a000000000000 a400000000000000 ea03000000000000 1400000089000000 \
                   0d0a000000000000 e000000000000000 eb03000000000000 1400000089000000 \
                   0b0a000000000000 6800000000000000 e903000000000000 1400000089";
    let seek_points = "0b0a000000000000 4000000000000000 e903";
    assert_eq!(bodies, [header, fence, all_postings, entries, seek_points]);
}

#[test]
fn each_page_ends_with_a_checksum_that_depends_on_its_log_segment_and_number() {
    let (index, _) = growing((1..=300).map(one));
    let seed = xxh3_64_with_seed(&OF.segment.to_le_bytes(), OF.salt);
    for (number, page) in (0..).zip(file(&index).chunks(PAGE)) {
        let check = xxh3_64_with_seed(&page[..PAGE - 8], seed.wrapping_add(number));
        assert_eq!(page[PAGE - 8..], check.to_le_bytes(), "page {number}");
    }
}

#[test]
fn a_segment_without_events_is_one_page() {
    assert_eq!(file(&Growing::new()).len(), PAGE);
}

/// After opening, only the fence is in memory, read with one page for 511 pages of posting lists.
#[test]
fn reading_costs_few_pages_whatever_else_is_in_the_segment() {
    let (index, _) = growing((0..100_000_u64).map(|event| one(if event % 2 == 0 { 7 } else { 100 + event })));
    let counting_disk = CountingDisk::default();
    write_sealed(&counting_disk, "index", &index, OF).unwrap();
    let file = counting_disk.file("index");
    file.take_reads();

    let opened = Sealed::open(file.clone(), OF).unwrap();
    assert_eq!(file.take_reads(), 2, "the header, and the fence of 491 pages of posting lists");
    let postings = opened.postings(StreamEpoch(Position(7))).unwrap().unwrap();
    assert_eq!(file.take_reads(), 1);
    assert_eq!(opened.upto(&postings, Position(33_333)).unwrap(), 16_667);
    let reads = file.take_reads();
    assert!(reads <= 10, "{reads} reads, and its 50,000 entries are on 394 pages");
    assert_eq!(opened.entries(&postings, 200, 100).unwrap().len(), 100);
    assert_eq!(file.take_reads(), 2, "100 of 127 rows a page");
    opened.seek_point_upto(Position(50_000)).unwrap().unwrap();
    let reads = file.take_reads();
    assert!(reads <= 3, "{reads} reads for one of the seek points of 6 MB");
}

#[test]
fn an_existing_file_is_left_alone() {
    let counting_disk = CountingDisk::default();
    let (index, _) = growing([one(1)]);
    write_sealed(&counting_disk, "index", &index, OF).unwrap();
    let before = counting_disk.file("index").contents();
    assert!(write_sealed(&counting_disk, "index", &Growing::new(), OF).is_err());
    assert_eq!(counting_disk.file("index").contents(), before);
    assert_eq!(sealed(&index).totals(), index.totals());
}
