//! What must hold for any text as an id.

use largesse_log::WireId;
use largesse_wire::EventId;

/// Uses the text as an id, and the bytes as the content of an id with a correct check at its end.
///
/// # Panics
/// If an id that is read is not written as it was, or one that is written is not read.
pub fn check(bytes: &[u8]) {
    check_text(&String::from_utf8_lossy(bytes));
    check_neighbours(&String::from_utf8_lossy(bytes));
}

fn check_text(text: &str) {
    if let Ok(id) = WireId::parse(text) {
        let written = id.encode();
        assert_eq!(written.as_str(), text, "there is one text for one id");
        assert_eq!(EventId::parse(text), Ok(written), "an id can stand in a block");
    }
}

/// An id that was cut, lengthened or changed in one place is not an id.
fn check_neighbours(text: &str) {
    if WireId::parse(text).is_err() {
        return;
    }
    assert!(WireId::parse(&text[..text.len() - 1]).is_err(), "{text} was cut");
    assert!(WireId::parse(&format!("{text}A")).is_err(), "{text} was lengthened");
    for at in 0..text.len() {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        assert!(WireId::parse(&changed).is_err(), "{text} was changed at {at}");
    }
}
