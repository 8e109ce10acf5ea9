//! An origin as an operator writes it in an allow-list.
//!
//! Invariant: what is accepted can be the `Origin` of a page. Does not decide who is allowed.

use super::{Origin, OriginError, default_port};
use crate::kit::{
    guard::authority::{Authority, WrittenHostError},
    nearest,
};

/// Schemes of URLs from which no page has an origin with a host.
const WITHOUT_ORIGIN: &[&str] =
    &["about", "blob", "data", "file", "ftp", "javascript", "mailto", "ws", "wss"];

/// Why a written text is not an origin that a page could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenOriginError {
    /// It is not an origin at all.
    #[error(transparent)]
    Malformed(#[from] OriginError),
    /// What follows `://` is not a host that a page could come from.
    #[error("after scheme:// an origin has only host[:port]; {0}")]
    Host(#[from] WrittenHostError),
    /// There is white space or a control character in it.
    #[error("it contains a space or a control character")]
    Space,
    /// There are quotes in it.
    #[error("the quotes are part of it: leave them out")]
    Quotes,
    /// It is a pattern for several origins.
    #[error("no patterns are supported here: list each origin")]
    Pattern,
    /// It is `null`, the origin of local files and sandboxed pages.
    #[error("null is the origin of local files and of anybody's sandboxed pages, so it is never allowed")]
    Null,
    /// No page has an origin with this scheme.
    #[error("no page has an origin with this scheme: write the page's own, https:// or http://")]
    Scheme,
}

impl Origin {
    /// Checks a text that an operator wrote, such as `https://app.example`.
    ///
    /// # Errors
    /// [`WrittenOriginError`], for the first thing that is wrong.
    pub fn parse_written(raw: &str) -> Result<Self, WrittenOriginError> {
        use WrittenOriginError as E;
        let rows = [
            (raw.contains(|letter: char| letter.is_whitespace() || letter.is_control()), E::Space),
            (raw.contains(['"', '\'']), E::Quotes),
            (raw.contains('*'), E::Pattern),
            (raw.eq_ignore_ascii_case("null"), E::Null),
        ];
        if let Some((_, error)) = rows.into_iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(error);
        }
        let (scheme, host) = raw.split_once("://").ok_or(OriginError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if default_port(&scheme).is_some() {
            Authority::parse_written(host)?;
        } else if is_never_a_page(&scheme) {
            return Err(E::Scheme);
        }
        Ok(Self::parse(raw)?)
    }
}

/// Apps have schemes of their own, but none that is one slip away from `http` or `https`.
fn is_never_a_page(scheme: &str) -> bool {
    WITHOUT_ORIGIN.contains(&scheme) || ["http", "https"].iter().any(|web| nearest::is_slip(scheme, web))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_can_have_passes() {
        for raw in [
            "https://app.example",
            "HTTPS://App.Example:443",
            "http://localhost:3000",
            "http://[::1]:1",
            "http://192.0.2.1",
            "capacitor://localhost",
            "tauri://localhost",
            "chrome-extension://abcdefghijklmnop",
            "moz-extension://5b2f6c4e-0000-4000-8000-000000000001",
            "app://42",
        ] {
            let found = Origin::parse_written(raw);
            assert!(found.is_ok(), "{raw}: {found:?}");
        }
    }

    #[test]
    fn what_no_page_can_have_is_told() {
        use WrittenHostError as H;
        use WrittenOriginError as E;
        for (raw, want) in [
            ("", E::Malformed(OriginError::Scheme)),
            ("app.example", E::Malformed(OriginError::Scheme)),
            ("https:/app.example", E::Malformed(OriginError::Scheme)),
            ("://app.example", E::Malformed(OriginError::Scheme)),
            ("https://", E::Host(H::Empty)),
            ("https://app.example/", E::Host(H::Path)),
            ("https://app.example/page", E::Host(H::Path)),
            ("https://app.example?x", E::Host(H::Path)),
            ("https://me@app.example", E::Host(H::User)),
            (
                "https://app.example:99999",
                E::Host(H::Malformed(crate::kit::guard::authority::AuthorityError::Port)),
            ),
            ("https://app.example:0", E::Host(H::PortZero)),
            ("https://bücher.example", E::Host(H::NotAscii)),
            ("https://.example", E::Host(H::Pattern)),
            ("https://127.1", E::Host(H::Number)),
            ("http://::1", E::Host(H::NoBrackets)),
            (
                "https://a.example,https://b.example",
                E::Host(H::Malformed(crate::kit::guard::authority::AuthorityError::Scheme)),
            ),
            (" https://app.example", E::Space),
            ("https://app.example ", E::Space),
            ("\"https://app.example\"", E::Quotes),
            ("*", E::Pattern),
            ("https://*.example", E::Pattern),
            ("null", E::Null),
            ("Null", E::Null),
            ("htps://app.example", E::Scheme),
            ("htp://app.example", E::Scheme),
            ("wss://app.example", E::Scheme),
            ("file://app", E::Scheme),
        ] {
            assert_eq!(Origin::parse_written(raw), Err(want), "{raw}");
        }
    }
}
