//! What a later group says about a broken one.

use super::*;

/// The head of a group that was written when all groups up to `synced` were durable.
fn head(sequence: u64, synced: u64) -> Vec<u8> {
    let head = GroupHead {
        sequence: Sequence(sequence),
        synced_sequence: Sequence(synced),
        reserved: Position(0),
        group_bytes: 0,
    };
    head.encode(SALT).to_vec()
}

fn is_torn(bytes: &[u8], broken_at: u64, sequence: u64) -> bool {
    is_torn_tail(&*MemoryFile::of(bytes), SALT, broken_at, Sequence(sequence)).unwrap()
}

#[test]
fn an_end_is_torn_unless_a_later_group_knew_it_to_be_durable() {
    let broken = b"not a frame at all".to_vec();
    let check = |after: &[Vec<u8>], want| {
        let bytes = [&head(6, 5)[..], &broken, &after.concat()].concat();
        assert_eq!(is_torn(&bytes, GROUP_FRAME_BYTES as u64, 7), want, "{after:?}");
    };
    check(&[], true);
    check(&[head(8, 6)], true);
    check(&[head(8, 7)], false);
    check(&[head(8, 6), b"x".to_vec(), head(9, 6), vec![0; 100], head(10, 9)], false);
    let cut = head(8, 7)[..GROUP_FRAME_BYTES - 1].to_vec();
    check(&[cut], true);
    let mut flipped = head(8, 7);
    flipped[20] ^= 1;
    check(&[flipped], true);
}

#[test]
fn the_broken_group_s_own_head_proves_nothing() {
    let whole = group(7, &[append(1, "a", &["x"])]);
    let cut = &whole[..whole.len() - 1];
    assert!(is_torn(cut, 0, 7));
    assert!(is_torn(&whole, whole.len() as u64, 8), "nothing follows");
    assert!(is_torn(&whole, u64::MAX, 8), "past the end");
}

#[test]
fn a_head_is_found_at_every_byte_of_a_long_tail() {
    const PIECE: usize = 64 * 1024;
    let places = (PIECE - GROUP_FRAME_BYTES - 1..PIECE + 2).chain([0, 1, 3 * PIECE - 20]);
    for place in places {
        let mut bytes = vec![0x1C; 3 * PIECE + 100];
        bytes[place..place + GROUP_FRAME_BYTES].copy_from_slice(&head(8, 7));
        assert!(!is_torn(&bytes, 0, 7), "at {place}");
        assert!(is_torn(&bytes, place as u64 + 1, 7), "before {place}");
        assert!(is_torn(&bytes, 0, 8), "of another group");
    }
}

#[test]
fn a_head_among_zeros_is_found_at_every_byte() {
    const PIECE: usize = 64 * 1024;
    for place in (PIECE - GROUP_FRAME_BYTES - 1..PIECE + 2).chain([0, 1, 4 * PIECE]) {
        let mut bytes = vec![0; 6 * PIECE];
        bytes[place..place + GROUP_FRAME_BYTES].copy_from_slice(&head(8, 7));
        assert!(!is_torn(&bytes, 0, 7), "at {place}");
        assert!(is_torn(&bytes, place as u64 + 1, 7), "before {place}");
    }
}

#[test]
fn a_failing_disk_is_an_error() {
    let file = MemoryFile::of(&head(8, 7));
    file.fail(true);
    assert!(is_torn_tail(&*file, SALT, 0, Sequence(7)).is_err());
}
