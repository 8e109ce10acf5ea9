//! A visit to one of the server's own pages: what somebody does there, and what they see.
//!
//! Invariants: each thing is done before the next is asked for; every wait has the limit [`WAIT_MAX`]; what went
//! wrong in the page is kept. Selectors are CSS selectors. It does not know the page.

use std::sync::mpsc::{Receiver, sync_channel};

use serde_json::{Value, json};

use crate::driver::{Browser, Driver};
use crate::{WAIT_MAX, fail};

/// Results that nobody has asked for yet. Each act is answered once, and waited for.
const SAID_MAX: usize = 16;

/// An open page.
#[derive(Debug)]
pub struct Visit {
    driver: Driver,
    /// An act's outcome, or what ended the visit.
    said: Receiver<Result<Value, String>>,
}

impl Visit {
    /// Opens the page at `url`.
    #[must_use]
    #[track_caller]
    pub fn open(browser: Browser, url: &str) -> Self {
        let (tell, said) = sync_channel(SAID_MAX);
        let driver = Driver::start(browser, url, move |word, rest| {
            let outcome = match word {
                "did" => serde_json::from_str(rest).map_err(|error| format!("{error}: {rest}")),
                _ => Err(rest.to_owned()),
            };
            // It fails if nobody listens any more.
            let _ = tell.try_send(outcome);
        });
        Self { driver, said }
    }

    /// Waits until there is such an element, and it is visible.
    #[track_caller]
    pub fn wait_for(&mut self, selector: &str) {
        self.act("wait", selector);
    }

    /// Clicks on an element.
    #[track_caller]
    pub fn press(&mut self, selector: &str) {
        self.act("press", selector);
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&mut self) {
        self.act("reload", "");
    }

    /// The text of each such element, as the page shows it.
    #[track_caller]
    pub fn texts(&mut self, selector: &str) -> Vec<String> {
        self.act("texts", selector)
    }

    /// What went wrong so far: errors in the browser's console, scripts that broke, and what the page's
    /// security policy forbade.
    #[track_caller]
    pub fn faults(&mut self) -> Vec<String> {
        self.act("faults", "")
    }

    /// Does one thing, and returns the texts that are its outcome.
    #[track_caller]
    fn act(&mut self, act: &str, selector: &str) -> Vec<String> {
        self.driver.tell(&json!({ "act": act, "selector": selector }).to_string());
        let why = match self.said.recv_timeout(WAIT_MAX) {
            Ok(Ok(outcome)) => match serde_json::from_value(outcome) {
                Ok(texts) => return texts,
                Err(error) => error.to_string(),
            },
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        fail(&format!("{act} {selector}: {why}; the driver said: {}", self.driver.trace()))
    }
}
