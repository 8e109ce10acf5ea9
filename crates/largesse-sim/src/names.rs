//! What must hold for any text as a stream's name, and for any two texts as a pattern and a name.

use largesse_log::{Pattern, Selector, StreamName};

/// Uses the text up to the first line break as a pattern, and the rest as a name.
///
/// # Panics
/// If a name or a pattern is not written as it was read, or a match does not mean what it says.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (pattern, name) = text.split_once('\n').unwrap_or((&text, &text));
    let (pattern, name) = (check_selector(pattern), check_selector(name));
    if let (Some(Selector::Pattern(pattern)), Some(Selector::Name(name))) = (pattern, name) {
        check_match(&pattern, &name);
    }
}

fn check_selector(raw: &str) -> Option<Selector> {
    let selector = Selector::parse(raw).ok()?;
    let written = match &selector {
        Selector::Name(name) => name.to_string(),
        Selector::Pattern(pattern) => pattern.to_string(),
    };
    assert_eq!(written, raw, "what is read is written as it was");
    assert!((1..=512).contains(&raw.len()) && !raw.contains(char::is_control), "{raw:?}");
    let is_sound = |segment: &str| !matches!(segment, "" | "." | "..");
    assert!(raw.split('/').all(is_sound), "{raw:?} cannot stand in a path");
    assert_eq!(raw.contains('*'), matches!(selector, Selector::Pattern(_)), "{raw:?}");
    Some(selector)
}

fn check_match(pattern: &Pattern, name: &StreamName) {
    let wanted: Vec<&str> = pattern.as_str().split('/').collect();
    let found: Vec<&str> = name.as_str().split('/').collect();
    assert_eq!(pattern.matches(name), matches_slowly(&wanted, &found), "{pattern} and {name}");
}

/// The plain meaning, starting at the last segment.
fn matches_slowly(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([before @ .., "**"], _) => {
            name.len() > before.len() && matches_slowly(before, &name[..before.len()])
        }
        ([wanted_before @ .., wanted], [found_before @ .., found]) => {
            (*wanted == "*" || wanted == found) && matches_slowly(wanted_before, found_before)
        }
        _ => pattern.is_empty() && name.is_empty(),
    }
}
