//! The driver of a browser: a script in `browsers/` that opens one page, and does in it what it is told.
//!
//! Invariant: the browser ends with its driver, cleanly if it can, and killed if not. It does not know
//! what the page is.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::scratch::Scratch;
use crate::{WAIT_MAX, fail};

/// How long a browser may take to close cleanly.
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
    /// What the driver calls it, and the names that its executable may have.
    fn names(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Chromium => ("chromium", &["chromium"]),
            Self::Firefox => ("firefox", &["firefox-esr", "firefox"]),
        }
    }
}

/// A browser with one page.
#[derive(Debug)]
pub(crate) struct Driver {
    /// Taken when it is closed.
    process: Option<Child>,
    /// Reads the process's lines to their end.
    listening: Option<JoinHandle<()>>,
    ended: Receiver<()>,
    /// The browser's own process.
    browser: String,
    /// The browser's profile, and the process's stderr. Removed last.
    folder: Scratch,
}

impl Driver {
    /// Opens `url`.
    ///
    /// - `hear`: is called with each thing the driver says, as its first word and the rest; finally with a `fault`,
    ///   when the driver has ended.
    #[track_caller]
    pub(crate) fn start(browser: Browser, url: &str, hear: impl Fn(&str, &str) + Send + 'static) -> Self {
        let folder = Scratch::new("page");
        let mut process = spawned(browser, url, &folder);
        let stdout = process.stdout.take().expect("stdout was asked for as a pipe");
        let (tell, told) = sync_channel(1);
        let (tell_end, ended) = sync_channel(1);
        let listening = Some(std::thread::spawn(move || listen(stdout, &tell, &hear, &tell_end)));
        let mut driver = Self { process: Some(process), listening, ended, browser: String::new(), folder };
        match told.recv_timeout(WAIT_MAX) {
            Ok(process) => driver.browser = process,
            Err(_) => fail(&format!("the browser does not start; its driver said: {}", driver.trace())),
        }
        driver
    }

    /// Tells it one line.
    #[track_caller]
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.process.as_mut().and_then(|process| process.stdin.as_mut());
        let told = writeln!(stdin.expect("stdin was asked for as a pipe"), "{line}");
        if let Err(error) = told {
            fail(&format!("the driver takes no input ({error}); it said: {}", self.trace()));
        }
    }

    /// What the process wrote to stderr.
    pub(crate) fn trace(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default()
    }

    fn close(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        drop(process.stdin.take());
        if self.ended.recv_timeout(CLOSE_MAX).is_err() {
            // Each fails only if it has ended already. The browser leads its process group.
            let _ = process.kill();
            let group = format!("-{}", self.browser);
            let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        }
        let _ = process.wait();
        if let Some(listening) = self.listening.take() {
            // A thread that panicked has reported it, and we may be panicking already.
            let _ = listening.join();
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close();
    }
}

#[track_caller]
fn spawned(browser: Browser, url: &str, folder: &Scratch) -> Child {
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
fn listen(
    stdout: ChildStdout,
    browser: &SyncSender<String>,
    hear: &impl Fn(&str, &str),
    ended: &SyncSender<()>,
) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("browser", process)) => {
                // It is sent once, and nobody waits for it any more only if the page has failed.
                let _ = browser.try_send(process.to_owned());
            }
            Some((word, rest)) => hear(word, rest),
            None => hear("fault", &line),
        }
    }
    hear("fault", "the driver has ended");
    // Nobody waits for it if the page is gone.
    let _ = ended.try_send(());
}
