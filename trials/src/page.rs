//! A page in a real browser, with the browser's own `EventSource`.
//!
//! Invariant: the browser ends with the page.

use std::sync::Arc;

use crate::driver::{Browser, Driver};
use crate::fail;
use crate::site::{Heard, Site};

/// An open page.
#[derive(Debug)]
pub struct Page {
    /// It ends before the site that its page comes from.
    driver: Driver,
    site: Site,
}

impl Page {
    /// Opens a page that listens to `url`, for events of these names and those without one.
    #[must_use]
    #[track_caller]
    pub fn open(browser: Browser, url: &str, names: &[&str]) -> Self {
        let site = Site::start(url, names);
        let told = Arc::clone(&site.told);
        let driver = Driver::start(browser, &site.url(), move |_, why| told.fault(why));
        Self { driver, site }
    }

    /// Everything that was heard so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.site.told.heard()
    }

    /// Waits until `found` finds what it looks for in what was heard.
    ///
    /// - `what`: the end of the sentence "the page never heard …".
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, found: impl FnMut(&[Heard]) -> Option<T>) -> T {
        match self.site.told.wait_for(found) {
            Ok(found) => found,
            Err(why) => self.fail(&format!("the page never heard {what} ({why})")),
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        let heard = self.heard();
        let tail = &heard[heard.len().saturating_sub(10)..];
        let driver = self.driver.trace();
        fail(&format!("{what}; it heard {} things, at last {tail:?}; its driver said: {driver}", heard.len()))
    }
}
