//! Zeros after what was written: they end only a scan up to the end of a file.

use super::*;

/// Two groups with events.
fn sample() -> Vec<u8> {
    [group(7, &[append(10, "a", &["x", "y"])]), group(8, &[append(20, "b", &["z"])])].concat()
}

fn with_zeros(bytes: &[u8], zeros: usize) -> Vec<u8> {
    [bytes, &vec![0; zeros]].concat()
}

fn upto(bytes: &[u8], upto: usize) -> Scan {
    Scan::new(MemoryFile::of(bytes), SALT, 0, upto as u64).unwrap()
}

#[test]
fn zeros_up_to_the_end_are_the_end_where_they_are_accepted() {
    for zeros in (0..40).chain([4095, 4096, 4097, 262_143, 262_145, 700_000]) {
        let bytes = with_zeros(&sample(), zeros);
        let (found, broken) = groups(scan(&bytes).ending_at_zeros());
        assert_eq!((found.len(), broken), (2, None), "{zeros} zeros");
        let (found, broken) = events_of(event_scan(&bytes).ending_at_zeros());
        assert_eq!((found.len(), broken), (3, None), "{zeros} zeros");
        if zeros > 0 {
            let whole_upto = Some(sample().len() as u64);
            assert_eq!(groups(scan(&bytes)).1.map(|broken| broken.whole_upto), whole_upto, "{zeros} zeros");
            let broken = events_of(event_scan(&bytes)).1;
            assert_eq!(broken.map(|broken| broken.whole_upto), whole_upto, "{zeros} zeros");
        }
    }
}

#[test]
fn one_bit_among_the_zeros_makes_them_broken_wherever_it_is() {
    for place in [0, 1, 8, 9, 36, 4095, 4096, 262_144 + 4095, 262_144 + 4096, 299_999] {
        let mut bytes = with_zeros(&sample(), 300_000);
        bytes[sample().len() + place] = 0x10;
        let (found, broken) = groups(scan(&bytes).ending_at_zeros());
        let broken = broken.map(|broken| broken.whole_upto);
        assert_eq!((found.len(), broken), (2, Some(sample().len() as u64)), "at {place}");
        assert!(events_of(event_scan(&bytes).ending_at_zeros()).1.is_some(), "at {place}");
    }
}

/// Where a checkpoint says how much was written, zeros mean that the disk lost it.
#[test]
fn zeros_where_something_was_written_are_broken() {
    let first = group(7, &[append(10, "a", &["x", "y"])]).len();
    let mut bytes = sample();
    bytes[first..].fill(0);
    let written = bytes.len();
    assert_eq!(groups(upto(&bytes, written)).1.map(|broken| broken.whole_upto), Some(first as u64));
    // A file shorter than what was written to it lost something.
    let scan = upto(&bytes, written + 1).ending_at_zeros();
    assert_eq!(groups(scan).1.map(|broken| broken.whole_upto), Some(first as u64));
}

/// Any part of a group may have failed to reach the disk.
#[test]
fn a_group_that_is_partly_zeros_is_never_the_end() {
    let (bytes, first) = (sample(), group(7, &[append(10, "a", &["x", "y"])]).len());
    for from in first..bytes.len() {
        for end in from + 1..=bytes.len() {
            let mut torn = with_zeros(&bytes, 500);
            torn[from..end].fill(0);
            let is_gone = torn[first..].iter().all(|byte| *byte == 0);
            let is_whole = torn[..bytes.len()] == bytes;
            let (found, broken) = groups(scan(&torn).ending_at_zeros());
            assert_eq!(found.len(), if is_whole { 2 } else { 1 }, "{from}..{end}");
            assert_eq!(broken.is_none(), is_gone || is_whole, "{from}..{end}");
        }
    }
}

#[test]
fn a_failing_disk_does_not_end_a_scan() {
    let bytes = with_zeros(&sample(), 100_000);
    let file = MemoryFile::of(&bytes);
    let mut scan =
        Scan::new(Arc::<MemoryFile>::clone(&file), SALT, 0, bytes.len() as u64).unwrap().ending_at_zeros();
    assert!(matches!(scan.next_group().unwrap(), Scanned::Next(_)));
    assert!(matches!(scan.next_group().unwrap(), Scanned::Next(_)));
    file.fail(true);
    assert!(scan.next_group().is_err());
    file.fail(false);
    assert_eq!(scan.next_group().unwrap(), Scanned::End, "it is retried");
}
