//! The `Idempotency-Key` of a publish: bare, or as a quoted string; both are the same key.
//!
//! Source: draft-ietf-httpapi-idempotency-key-header, clause 2.1, whose form is a string of RFC 9651, clause 3.3.3. The
//! draft defines no parameters, so what follows the string is refused rather than passed over.
//!
//! Invariant: whatever begins with a quote is a quoted string, so a typo in one never becomes another key. Does not
//! know what was published under the key.

use http::{HeaderMap, HeaderName};
use largesse_log::IdempotencyKey;

use crate::kit::{
    nearest,
    printable::{Printable, lossy},
    problem::Problem,
    refusal::{Refusal, sentence},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key, if the request has one.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter().map(|value| lossy(value.as_bytes()));
    let Some(raw) = values.next() else {
        return nearest::header_meant(headers, &IDEMPOTENCY_KEY)
            .map_or(Ok(None), |name| Err(not_the_key(name)));
    };
    if values.next().is_some() {
        let detail = "The request has several Idempotency-Key headers. Send one.";
        return Err(Refusal::new(Problem::BadIdempotencyKey, detail));
    }
    parse(&raw).map(Some).map_err(|why| {
        let detail = format!("The Idempotency-Key is '{}'. {}.", Printable(&raw), sentence(&why));
        Refusal::new(Problem::BadIdempotencyKey, detail)
    })
}

/// If the key were ignored, a repeat would append a second time.
fn not_the_key(name: &HeaderName) -> Refusal {
    let detail = format!("There is a header '{name}'; did you mean Idempotency-Key?");
    Refusal::new(Problem::BadIdempotencyKey, detail)
}

fn parse(raw: &str) -> Result<IdempotencyKey, String> {
    let raw = raw.trim_matches([' ', '\t']);
    let key = match raw.strip_prefix('"') {
        Some(rest) => IdempotencyKey::parse(&unquoted(rest)?),
        None if raw.ends_with('"') => {
            return Err("it ends with a quote but does not begin with one; quote the whole key, or nothing"
                .to_owned());
        }
        None => IdempotencyKey::parse(raw),
    };
    key.map_err(|error| error.to_string())
}

/// The content of a quoted string; `rest` follows its first quote. Does not check the key's characters.
fn unquoted(rest: &str) -> Result<String, String> {
    let mut key = String::with_capacity(rest.len());
    let mut letters = rest.chars();
    loop {
        match letters.next() {
            Some('"') => break,
            Some('\\') => match letters.next() {
                Some(letter @ ('"' | '\\')) => key.push(letter),
                _ => {
                    return Err("in a quoted key, a backslash must come before a quote or another backslash"
                        .to_owned());
                }
            },
            Some(letter) => key.push(letter),
            None => return Err("it begins with a quote but has none at its end".to_owned()),
        }
    }
    match letters.as_str() {
        "" => Ok(key),
        _ => {
            Err("something follows the closing quote; a key takes no parameters, and only one key is allowed"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, want: &str) {
        assert_eq!(parse(raw).as_ref().map(IdempotencyKey::as_str), Ok(want), "{raw}");
    }

    #[track_caller]
    fn check_refused(raw: &str, part: &str) {
        let told = parse(raw).expect_err(raw);
        assert!(told.contains(part), "{raw}: {told}");
    }

    #[test]
    fn a_quoted_key_is_the_bare_one() {
        for raw in ["abc", "\"abc\"", " \"abc\"\t", "  abc"] {
            check(raw, "abc");
        }
        for raw in ["a\"b", r#""a\"b""#] {
            check(raw, "a\"b");
        }
        for raw in [r"a\b", r#""a\\b""#] {
            check(raw, r"a\b");
        }
        check(r#""\"abc\"""#, "\"abc\"");
        check("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324");
        check("'abc'", "'abc'");
        check(":YWJj:", ":YWJj:");
        check("abc;x=1", "abc;x=1");
        check(&format!("\"{}\"", "\\\"".repeat(256)), &"\"".repeat(256));
    }

    #[test]
    fn a_slip_in_a_quoted_key_is_no_other_key() {
        check_refused("\"", "none at its end");
        check_refused("\"abc", "none at its end");
        check_refused(r#""abc\""#, "none at its end");
        check_refused(r#""abc\"#, "backslash");
        check_refused(r#""a\bc""#, "backslash");
        check_refused("abc\"", "ends with a quote");
        for rest in ["x", " x", ";x=1", "; x=1", ", \"b\"", "\"", "\"b\""] {
            check_refused(&format!("\"abc\"{rest}"), "follows the closing quote");
        }
    }

    #[test]
    fn the_rules_of_keys_hold_within_the_quotes() {
        check_refused("", "empty");
        check_refused("\"\"", "empty");
        check_refused("\"a b\"", "0x20 at 1");
        check_refused("\"\u{fffd}\"", "0xef at 0");
        check_refused(&format!("\"{}\"", "k".repeat(257)), "257 bytes");
        check(&format!("\"{}\"", "k".repeat(256)), &"k".repeat(256));
    }
}
