//! Broken index files: flipped bits, truncations, pages in the wrong place, other formats.

use std::sync::Arc;

use largesse_log::Position;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    OF,
    counting_disk::{CountingDisk, CountingFile},
    growing, one,
};
use crate::index::{
    IndexError, IndexOf, Sealed, SegmentIndex, StreamEpoch, layout::Seed, pages::Pages, write_sealed,
};

const PAGE: usize = 4096;

/// An index with a header, a fence page, two pages of posting lists, two of entries and one of seek points.
fn file(of: IndexOf) -> Arc<CountingFile> {
    let counting_disk = CountingDisk::default();
    let (index, _) = growing((1..=130).map(one));
    write_sealed(&counting_disk, "index", &index, of).unwrap();
    counting_disk.file("index")
}

/// Reads everything in the index.
fn read_all(file: &Arc<CountingFile>) -> Result<(), IndexError> {
    let index = Sealed::open(file.clone(), OF)?;
    for postings in index.all_postings(StreamEpoch(Position::ZERO)) {
        index.entries(&postings?, 0, usize::MAX)?;
    }
    for number in 0..index.seek_point_count() {
        index.seek_point(number)?;
    }
    Ok(())
}

/// The broken page that was found.
fn broken_page<T>(outcome: &Result<T, IndexError>) -> Option<usize> {
    match outcome {
        Err(IndexError::Corrupt { page }) => Some(*page as usize),
        _ => None,
    }
}

#[test]
fn every_flipped_bit_is_found_when_its_page_is_read() {
    let file = file(OF);
    read_all(&file).unwrap();
    let index = Sealed::open(file.clone(), OF).unwrap();
    let pages = Pages::new(file.clone(), Seed::new(OF));
    let bits = file.contents().len() * 8;
    for bit in 0..bits {
        let page = bit / 8 / PAGE;
        file.flip(bit);
        assert!(matches!(pages.read(page as u64), Err(IndexError::Corrupt { .. })), "bit {bit}");
        // And through the public interface, for a few bits of each page.
        if bit % 1_021 == 0 {
            assert_eq!(broken_page(&read_all(&file)), Some(page), "bit {bit}");
            assert_eq!(broken_page(&index.verify()), Some(page), "bit {bit}");
        }
        file.flip(bit);
    }
    read_all(&file).unwrap();
}

#[test]
fn a_broken_page_leaves_the_others_readable() {
    let file = file(OF);
    let index = Sealed::open(file.clone(), OF).unwrap();
    file.flip((4 * PAGE + 5) * 8);
    let first = index.postings(StreamEpoch(Position(1))).unwrap().unwrap();
    let last = index.postings(StreamEpoch(Position(130))).unwrap().unwrap();
    let outcome = index.entries(&first, 0, 1);
    assert_eq!(broken_page(&outcome), Some(4));
    assert_eq!(index.entries(&last, 0, 1).unwrap().len(), 1);

    file.flip((3 * PAGE + 5) * 8);
    let mut all_postings = index.all_postings(StreamEpoch(Position::ZERO)).skip(102);
    assert!(matches!(all_postings.next(), Some(Err(IndexError::Corrupt { page: 3 }))));
    assert!(all_postings.next().is_none(), "it ends after an error");
}

#[test]
fn a_file_of_another_length_is_rejected() {
    let whole = file(OF).contents();
    let expected = whole.len() as u64;
    for bytes in [0, 1, PAGE - 1, PAGE, PAGE + 1, whole.len() - PAGE, whole.len() - 1, whole.len() + 1] {
        let mut cut = whole.clone();
        cut.resize(bytes, 0);
        let error = Sealed::open(CountingFile::of(cut), OF).err();
        let want = if bytes < PAGE { PAGE as u64 } else { expected };
        match error {
            Some(IndexError::Length { bytes: found, expected }) => {
                assert_eq!((found, expected), (bytes as u64, want));
            }
            other => panic!("{bytes} bytes: {other:?}"),
        }
    }
}

#[test]
fn a_file_that_is_truncated_after_it_was_opened_is_found_broken() {
    let file = file(OF);
    let index = Sealed::open(file.clone(), OF).unwrap();
    crate::io::DiskFile::truncate(&*file, 5 * PAGE as u64).unwrap();
    assert_eq!(broken_page(&index.seek_point(0)), Some(6));
    assert_eq!(broken_page(&index.verify()), Some(5));
}

#[test]
fn a_whole_page_in_another_place_is_found() {
    let file = file(OF);
    let mut swapped = file.contents();
    let (before, after) = swapped.split_at_mut(5 * PAGE);
    before[4 * PAGE..].swap_with_slice(&mut after[..PAGE]);
    assert_eq!(broken_page(&read_all(&CountingFile::of(swapped))), Some(4));
}

#[test]
fn an_index_of_another_segment_or_log_is_rejected_and_so_are_its_pages() {
    for other in [IndexOf { segment: 8, ..OF }, IndexOf { salt: 1, ..OF }] {
        let foreign = file(other);
        match Sealed::open(foreign.clone(), OF).err() {
            Some(IndexError::Foreign { found }) => assert_eq!(found, other),
            error => panic!("{error:?}"),
        }
        let mut mixed = file(OF).contents();
        mixed[5 * PAGE..6 * PAGE].copy_from_slice(&foreign.contents()[5 * PAGE..6 * PAGE]);
        assert_eq!(broken_page(&read_all(&CountingFile::of(mixed))), Some(5));
    }
}

/// Changes bytes of a page, and corrects its checksum.
fn forged(page: usize, at: usize, bytes: &[u8]) -> Arc<CountingFile> {
    let mut file = file(OF).contents();
    let changed = &mut file[page * PAGE..][..PAGE];
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    let seed = xxh3_64_with_seed(&OF.segment.to_le_bytes(), OF.salt).wrapping_add(page as u64);
    let check = xxh3_64_with_seed(&changed[..PAGE - 8], seed);
    changed[PAGE - 8..].copy_from_slice(&check.to_le_bytes());
    CountingFile::of(file)
}

#[test]
fn another_format_is_named() {
    let error = Sealed::open(forged(0, 8, &[2]), OF).err();
    assert!(matches!(error, Some(IndexError::Format { format: 2 })), "{error:?}");
}

#[test]
fn impossible_numbers_are_errors_even_with_a_valid_checksum() {
    let most = [0xff; 4];
    // Counts of posting lists, entries and seek points: the file would be longer.
    for at in [12, 16, 20] {
        let error = Sealed::open(forged(0, at, &most), OF).err();
        assert!(matches!(error, Some(IndexError::Length { .. })), "{error:?}");
    }
    // The first posting list's first entry and count.
    for (at, bytes) in [(8, most), (12, most), (12, [0; 4])] {
        assert_eq!(broken_page(&read_all(&forged(2, at, &bytes))), Some(2));
    }
}

#[test]
fn a_failing_disk_is_not_mistaken_for_a_broken_page() {
    let (index, _) = growing((1..=20_000).map(one));
    // Six writes of at most 64 pages, a sync, and two reads to open it.
    for operation in 1..=9 {
        let counting_disk = CountingDisk::default();
        counting_disk.failing().set(operation);
        let made = write_sealed(&counting_disk, "index", &index, OF);
        assert!(matches!(made.err(), Some(IndexError::Io(_))), "operation {operation}");
    }
    let counting_disk = CountingDisk::default();
    counting_disk.failing().set(10);
    let made = write_sealed(&counting_disk, "index", &index, OF).unwrap();
    assert!(matches!(made.verify(), Err(IndexError::Io(_))), "the tenth operation reads its first page");
    made.verify().unwrap();
}

#[test]
fn an_error_says_where_to_look() {
    assert_eq!(IndexError::Corrupt { page: 3 }.to_string(), "page 3 is broken (at byte 12288)");
    assert_eq!(
        IndexError::Foreign { found: OF }.to_string(),
        "it is the index of segment 7 of log 0123456789abcdef"
    );
}
