//! Headers, byte by byte.

use super::*;

const HEADER: SegmentHeader = SegmentHeader {
    salt: Salt(0x1112_1314_1516_1718),
    incarnation: Incarnation(0x2122_2324_2526_2728),
    first_position: Position(0x3132_3334_3536_3738),
    number: 0x4142_4344_4546_4748,
};

/// A header with other bytes at `at`, and a valid checksum.
fn with(at: usize, other: &[u8]) -> [u8; HEADER_BYTES] {
    let mut bytes = HEADER.encode();
    bytes[at..at + other.len()].copy_from_slice(other);
    let check = xxh3_64(&bytes[..CHECKED_UPTO]).to_le_bytes();
    bytes[CHECKED_UPTO..].copy_from_slice(&check);
    bytes
}

#[test]
fn a_header_has_the_specified_bytes() {
    let mut want = Vec::new();
    want.extend_from_slice(b"LARGESEG\x02\0\0\0");
    want.extend_from_slice(b"\x18\x17\x16\x15\x14\x13\x12\x11\x28\x27\x26\x25\x24\x23\x22\x21");
    want.extend_from_slice(b"\x38\x37\x36\x35\x34\x33\x32\x31\x48\x47\x46\x45\x44\x43\x42\x41");
    want.extend_from_slice(&[0; 12]);
    want.extend_from_slice(b"\x71\xF4\x91\x94\x96\xB5\xAB\x42");
    assert_eq!(HEADER.encode()[..], want);
    assert_eq!(SegmentHeader::decode(&HEADER.encode()), Ok(HEADER));
}

#[test]
fn every_flipped_bit_of_a_header_is_found() {
    for bit in 0..HEADER_BYTES * 8 {
        let mut flipped = HEADER.encode();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let want = if bit < 64 { HeaderError::Magic } else { HeaderError::Check };
        assert_eq!(SegmentHeader::decode(&flipped), Err(want), "bit {bit}");
    }
}

#[test]
fn another_format_is_not_mistaken_for_a_broken_header() {
    let check = |bytes, want| assert_eq!(SegmentHeader::decode(&bytes), Err(want));
    check(with(8, &[3]), HeaderError::Format { format: 3 });
    check(with(8, &[0]), HeaderError::Format { format: 0 });
    check(with(8, &[2, 0, 0, 9]), HeaderError::Format { format: 0x0900_0002 });
    assert_eq!(SegmentHeader::decode(&with(8, &[1])), Ok(HEADER), "the first format is read");
    check(with(44, &[1]), HeaderError::Padding);
    check(with(35, &[0x80]), HeaderError::Position);
    check([0; HEADER_BYTES], HeaderError::Magic);
}
