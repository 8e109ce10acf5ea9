//! Keys, good and bad.

use super::{IDEMPOTENCY_KEY_BYTES_MAX, IdempotencyKey, IdempotencyKeyError};

#[track_caller]
fn check(raw: &str, want: Result<(), IdempotencyKeyError>) {
    let parsed = IdempotencyKey::parse(raw).map(|key| assert_eq!(key.as_str(), raw));
    assert_eq!((raw, parsed), (raw, want));
}

#[test]
fn visible_ascii_is_a_key() {
    for raw in ["k", "!", "~", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""] {
        check(raw, Ok(()));
    }
    check(&"k".repeat(IDEMPOTENCY_KEY_BYTES_MAX), Ok(()));
}

#[test]
fn anything_else_is_refused_and_the_byte_is_located() {
    check("", Err(IdempotencyKeyError::Empty));
    let bytes = IDEMPOTENCY_KEY_BYTES_MAX + 1;
    check(&"k".repeat(bytes), Err(IdempotencyKeyError::TooLong { bytes }));
    for (raw, byte, at) in [("a b", 0x20, 1), ("k\u{7f}", 0x7f, 1), ("\n", 0x0a, 0), ("kä", 0xc3, 1)] {
        check(raw, Err(IdempotencyKeyError::ForbiddenByte { byte, at }));
    }
}
