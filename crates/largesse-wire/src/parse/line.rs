//! Bytes to the pieces of lines: where a known field begins, what its value holds, where it ends.
//!
//! Invariants: constant size, nothing of a value is held; a line ends at its CR, and an LF right after that CR
//! is swallowed whenever it comes; one leading BOM is removed, however it is cut.
//!
//! It does not decode UTF-8 and does not know what a field means. Lines that mean nothing (comments, unknown
//! fields) give no piece at all.
//!
//! Source: WHATWG HTML, "Parsing an event stream" (line ends, BOM, fields) and "Interpreting an event stream"
//! (names, the colon, one space).

const BOM: &[u8] = b"\xEF\xBB\xBF";
const NAME_BYTES_MAX: usize = 5;

/// The fields that the standard knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl Field {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"data" => Some(Self::Data),
            b"event" => Some(Self::Event),
            b"id" => Some(Self::Id),
            b"retry" => Some(Self::Retry),
            _ => None,
        }
    }
}

/// What the next bytes of the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A field's name and its colon.
    Begins(Field),
    /// A part of the value, not empty. The space after the colon is not in it.
    Value(Field, &'a [u8]),
    /// The end of a line that began.
    Ends(Field),
    /// A whole line without a colon: the field with an empty value.
    Bare(Field),
    /// The end of an empty line.
    Blank,
}

/// Where we are in the input.
#[derive(Debug, Default)]
pub(super) struct Lines {
    place: Place,
    /// How many bytes were looked at, so that a test can show that none is looked at twice.
    #[cfg(test)]
    pub(super) looks: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start of the stream, after this many bytes of a BOM: `matched < BOM.len()`.
    Bom { matched: usize },
    /// At the start of a line, after a CR: an LF that comes now still belongs to that CR.
    AfterCr,
    /// At the start of a line, or in a name that can still turn out to be a known one.
    Name(NamePrefix),
    /// Right after the colon, where one space is dropped.
    Colon(Field),
    /// In the value.
    Value(Field),
    /// In a line that means nothing.
    Skipped,
}

impl Default for Place {
    fn default() -> Self {
        Self::Bom { matched: 0 }
    }
}

impl Place {
    const LINE_START: Self = Self::Name(NamePrefix { bytes: [0; NAME_BYTES_MAX], bytes_len: 0 });
}

/// The bytes of a line before its colon, as long as they can be a known name: `bytes_len <= NAME_BYTES_MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NamePrefix {
    bytes: [u8; NAME_BYTES_MAX],
    bytes_len: usize,
}

impl NamePrefix {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.bytes_len]
    }

    /// `None` where the name is longer than any known one.
    fn pushed(mut self, byte: u8) -> Option<Self> {
        *self.bytes.get_mut(self.bytes_len)? = byte;
        self.bytes_len += 1;
        Some(self)
    }
}

impl Lines {
    /// Takes bytes from the front of `input` up to the end of one piece. `None`: the input is used up.
    pub(super) fn next_piece<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        while let Some(&byte) = input.first() {
            let piece = match self.place {
                Place::Bom { matched } => self.match_bom(matched, byte, input),
                Place::AfterCr => self.drop_if(b'\n', byte, input, Place::LINE_START),
                Place::Name(prefix) => self.read_name(prefix, byte, input),
                Place::Colon(field) => self.drop_if(b' ', byte, input, Place::Value(field)),
                Place::Value(field) => Some(self.read_value(field, input)),
                Place::Skipped => self.skip_line(input),
            };
            if piece.is_some() {
                return piece;
            }
        }
        None
    }

    fn match_bom<'a>(&mut self, matched: usize, byte: u8, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        self.count_looks(1);
        let matches = byte == BOM[matched];
        if matches {
            advance(input, 1);
        }
        self.place = match (matches, matched + 1 == BOM.len()) {
            (true, true) => Place::LINE_START,
            (true, false) => Place::Bom { matched: matched + 1 },
            (false, _) if matched == 0 => Place::LINE_START,
            // What looked like a BOM was the start of a name, and no known name starts like that.
            (false, _) => Place::Skipped,
        };
        None
    }

    fn drop_if<'a>(&mut self, dropped: u8, byte: u8, input: &mut &'a [u8], then: Place) -> Option<Piece<'a>> {
        self.count_looks(1);
        if byte == dropped {
            advance(input, 1);
        }
        self.place = then;
        None
    }

    fn read_name<'a>(&mut self, prefix: NamePrefix, byte: u8, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        self.count_looks(1);
        advance(input, 1);
        let field = Field::named(prefix.as_bytes());
        match byte {
            b'\r' | b'\n' => {
                self.place = after_line_end(byte);
                if prefix.as_bytes().is_empty() { Some(Piece::Blank) } else { field.map(Piece::Bare) }
            }
            // A comment is a line with the empty name, which is not a known one.
            b':' => {
                self.place = field.map_or(Place::Skipped, Place::Colon);
                field.map(Piece::Begins)
            }
            _ => {
                self.place = prefix.pushed(byte).map_or(Place::Skipped, Place::Name);
                None
            }
        }
    }

    fn read_value<'a>(&mut self, field: Field, input: &mut &'a [u8]) -> Piece<'a> {
        match self.line_end(input) {
            Some(0) => {
                self.end_line(input, 0);
                Piece::Ends(field)
            }
            at => Piece::Value(field, advance(input, at.unwrap_or(input.len()))),
        }
    }

    fn skip_line<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        match self.line_end(input) {
            Some(at) => self.end_line(input, at),
            None => *input = &[],
        }
        None
    }

    fn line_end(&mut self, input: &[u8]) -> Option<usize> {
        let at = memchr::memchr2(b'\r', b'\n', input);
        self.count_looks(at.map_or(input.len(), |at| at + 1));
        at
    }

    fn end_line(&mut self, input: &mut &[u8], at: usize) {
        self.place = after_line_end(input[at]);
        advance(input, at + 1);
    }

    #[cfg(test)]
    fn count_looks(&mut self, bytes: usize) {
        self.looks += bytes;
    }

    #[cfg(not(test))]
    fn count_looks(&mut self, _bytes: usize) {}
}

fn after_line_end(byte: u8) -> Place {
    if byte == b'\r' { Place::AfterCr } else { Place::LINE_START }
}

/// Takes `bytes` bytes, which must be there, from the front of `input`.
fn advance<'a>(input: &mut &'a [u8], bytes: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(bytes);
    *input = rest;
    taken
}
