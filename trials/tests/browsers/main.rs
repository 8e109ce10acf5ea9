//! Pages with the browsers' own `EventSource`, in Chromium and in Firefox, behind connections that are cut.
//!
//! The page's origin is not the server's, except for the gallery's page, which is the server's own; and the page never
//! calls `close()`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in shared helpers too")]

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
