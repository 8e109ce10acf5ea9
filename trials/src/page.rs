//! A page in a real browser, with the browser's own `EventSource`.
//!
//! Invariant: the browser ends with the page, in order if it can, and killed if it does not.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::scratch::Scratch;
use crate::site::{Heard, Site, Told};
use crate::{WAIT_MAX, fail};

/// How long a browser may take to close in order.
const CLOSE_MAX: Duration = Duration::from_secs(20);

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chromium, headless.
    Chromium,
    /// Firefox, headless.
    Firefox,
}

impl Browser {
    /// What the driver calls it, and what it may be called on a machine.
    fn names(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Chromium => ("chromium", &["chromium"]),
            Self::Firefox => ("firefox", &["firefox-esr", "firefox"]),
        }
    }
}

/// An open page.
#[derive(Debug)]
pub struct Page {
    /// Taken when the page is closed.
    driver: Option<Child>,
    /// The driver's lines are read to their end.
    listening: Option<JoinHandle<()>>,
    ended: Receiver<()>,
    /// The browser's own process.
    browser: String,
    site: Site,
    /// The browser's profile, and the driver's stderr. Removed last.
    folder: Scratch,
}

impl Page {
    /// Opens a page that listens to `url`, and to events of these names beside those without one.
    #[must_use]
    #[track_caller]
    pub fn open(browser: Browser, url: &str, names: &[&str]) -> Self {
        let site = Site::start(url, names);
        let folder = Scratch::new("page");
        let mut driver = driver(browser, &site.url(), &folder);
        let stdout = driver.stdout.take().expect("stdout was asked for as a pipe");
        let (tell, told) = sync_channel(1);
        let (tell_end, ended) = sync_channel(1);
        let shared = Arc::clone(&site.told);
        let listening = Some(std::thread::spawn(move || listen(stdout, &tell, &shared, &tell_end)));
        let mut page = Self { driver: Some(driver), listening, ended, browser: String::new(), site, folder };
        match told.recv_timeout(WAIT_MAX) {
            Ok(process) => page.browser = process,
            Err(_) => page.fail("the browser does not start"),
        }
        page
    }

    /// All that was heard so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.site.told.heard()
    }

    /// Waits until `found` finds in what was heard what it looks for.
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
        let driver = std::fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default();
        fail(&format!("{what}; it heard {} things, at last {tail:?}; its driver said: {driver}", heard.len()))
    }

    fn close(&mut self) {
        let Some(mut driver) = self.driver.take() else { return };
        drop(driver.stdin.take());
        if self.ended.recv_timeout(CLOSE_MAX).is_err() {
            // Each fails only when it has ended already. The browser is the first of its group of processes.
            let _ = driver.kill();
            let group = format!("-{}", self.browser);
            let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        }
        let _ = driver.wait();
        if let Some(listening) = self.listening.take() {
            // A thread that panicked has said so, and we may be in a panic already.
            let _ = listening.join();
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.close();
    }
}

#[track_caller]
fn driver(browser: Browser, url: &str, folder: &Scratch) -> Child {
    let (name, programs) = browser.names();
    let executable = programs.iter().find_map(|program| found(program));
    let executable =
        executable.unwrap_or_else(|| fail(&format!("there is no {name} here: cargo xtask needs")));
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("browsers");
    assert!(scripts.join("node_modules").is_dir(), "the driver's packages are missing: cargo xtask needs");
    let profile = folder.path().join("profile");
    std::fs::create_dir(&profile).expect("a folder of our own can be written to");
    let trace = File::create(folder.path().join("trace")).expect("a folder of our own can be written to");
    let mut command = Command::new("node");
    command.arg(scripts.join("open.mjs")).arg(name).arg(executable).arg(profile).arg(url);
    command.env("TMPDIR", folder.path()).env("HOME", folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(trace);
    command.spawn().unwrap_or_else(|error| fail(&format!("node does not start ({error}): cargo xtask needs")))
}

/// Where the shell would find a program.
fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|place| place.is_file())
}

/// Reads what the driver says, until it ends.
fn listen(stdout: ChildStdout, browser: &SyncSender<String>, told: &Told, ended: &SyncSender<()>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("browser", process)) => {
                // It is said once, and nobody waits for it any more only if the page has failed.
                let _ = browser.try_send(process.to_owned());
            }
            Some(("fault", why)) => told.fault(why),
            _ => told.fault(&line),
        }
    }
    told.fault("the driver has ended");
    // Nobody waits for it if the page is gone.
    let _ = ended.try_send(());
}
