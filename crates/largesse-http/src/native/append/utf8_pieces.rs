//! UTF-8 validation of a body that arrives in pieces.
//!
//! Invariants: what passes is UTF-8, except for an incomplete character at its end, of which at most
//! [`CARRIED_BYTES_MAX`] bytes are kept; where the body is cut makes no difference. Does not keep the text.

/// A character has at most four bytes (RFC 3629, clause 3), so an incomplete one has at most three.
const CARRIED_BYTES_MAX: usize = 3;

/// The state of the validation.
#[derive(Debug, Default)]
pub(super) struct Utf8Pieces {
    /// Bytes of complete characters so far.
    passed: usize,
    /// The bytes of an incomplete character.
    carried: Vec<u8>,
}

/// The body is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUtf8 {
    /// The first bad byte of the body, from 0.
    pub(super) at: usize,
}

impl Utf8Pieces {
    /// Validates the next piece: returns the part before any bad byte, and whether there is one.
    pub(super) fn take<'a>(&mut self, piece: &'a [u8]) -> (&'a [u8], Result<(), NotUtf8>) {
        let Some(rest) = self.complete_carried(piece) else { return (&[], self.bad()) };
        let Err(error) = str::from_utf8(rest) else {
            self.passed += rest.len();
            return (piece, Ok(()));
        };
        let valid = error.valid_up_to();
        self.passed += valid;
        if error.error_len().is_some() {
            return (&piece[..piece.len() - rest.len() + valid], self.bad());
        }
        self.carried.extend_from_slice(&rest[valid..]);
        debug_assert!(self.carried.len() <= CARRIED_BYTES_MAX, "from_utf8 only leaves what may be completed");
        (piece, Ok(()))
    }

    /// The end of the body: no character may be incomplete.
    pub(super) fn finish(&self) -> Result<(), NotUtf8> {
        if self.carried.is_empty() { Ok(()) } else { self.bad() }
    }

    /// The part of `piece` after the carried character; `None` if that turns out to be invalid.
    fn complete_carried<'a>(&mut self, mut piece: &'a [u8]) -> Option<&'a [u8]> {
        while !self.carried.is_empty() {
            let Some((byte, rest)) = piece.split_first() else { break };
            self.carried.push(*byte);
            piece = rest;
            match str::from_utf8(&self.carried) {
                Ok(_) => {
                    self.passed += self.carried.len();
                    self.carried.clear();
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return None,
            }
        }
        Some(piece)
    }

    fn bad(&self) -> Result<(), NotUtf8> {
        Err(NotUtf8 { at: self.passed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts `body` into pieces of every size; wants the same answer for all of them.
    #[track_caller]
    fn check(body: &[u8], want: Result<(), usize>) {
        for size in 1..=body.len().max(1) {
            let mut pieces = Utf8Pieces::default();
            let mut passed = Vec::new();
            let mut found = Ok(());
            for piece in body.chunks(size) {
                let (good, checked) = pieces.take(piece);
                passed.extend_from_slice(good);
                assert!(pieces.carried.len() <= CARRIED_BYTES_MAX + 1, "{body:?} in pieces of {size}");
                found = checked;
                if found.is_err() {
                    break;
                }
            }
            let found = found.and_then(|()| pieces.finish()).map_err(|NotUtf8 { at }| at);
            assert_eq!(found, want, "{body:?} in pieces of {size}");
            let whole = want.err().unwrap_or(body.len());
            assert_eq!(passed[..whole], body[..whole], "{body:?} in pieces of {size}");
            assert!(!passed[whole..].contains(&b'\n'), "{body:?} in pieces of {size}: a bad line ended");
        }
    }

    #[test]
    fn text_passes_however_it_is_cut() {
        check(b"", Ok(()));
        check("data: a\u{e4}\u{20ac}\u{1f600}\u{10ffff}\n\n".as_bytes(), Ok(()));
        check("\u{feff}\u{1f600}\u{1f600}".as_bytes(), Ok(()));
    }

    #[test]
    fn the_first_bad_byte_is_found_however_it_is_cut() {
        check(b"ab\xff\n", Err(2));
        check(b"\x80\n", Err(0));
        check("\u{e4}\n".as_bytes(), Ok(()));
        check(b"a\n\xc3\n", Err(2));
        check(b"a\n\xe2\x82\n\n", Err(2));
        check(b"a\n\xf0\x9f\x98\n\n", Err(2));
        check(b"\xf0\x9f\xc3\xa4\n", Err(0));
        check(b"\xed\xa0\x80\n", Err(0));
        check(b"\xc0\xaf\n", Err(0));
        check(b"\xf5\x80\x80\x80\n", Err(0));
    }

    #[test]
    fn a_character_may_not_be_cut_off_by_the_end() {
        check(b"ab\xc3", Err(2));
        check(b"ab\xf0\x9f\x98", Err(2));
    }
}
