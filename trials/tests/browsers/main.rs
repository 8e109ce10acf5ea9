//! Pages with the browsers' own `EventSource`, in Chromium and in Firefox, behind connections that are cut.
//!
//! The page's origin is another than the server's, and it never calls `close()`; but for the gallery's, which is the
//! server's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]

mod cuts;
mod gallery;
mod hostile;
mod losses;
mod places;
mod support;

/// Mounts each trial once for each browser: `chromium::name`, `firefox::name`.
macro_rules! in_each_browser {
    ($($trial:ident)*) => {
        mod chromium {
            $(#[test] fn $trial() { super::$trial(largesse_trials::Browser::Chromium); })*
        }
        mod firefox {
            $(#[test] fn $trial() { super::$trial(largesse_trials::Browser::Firefox); })*
        }
    };
}
pub(crate) use in_each_browser;
