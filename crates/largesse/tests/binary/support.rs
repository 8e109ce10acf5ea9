//! Runs the real binary, each time in an empty folder of its own, and never leaves a process behind.
//!
//! Invariant: every wait has a limit, [`WAIT_MAX`], far longer than anything here takes.

pub(crate) mod page;
pub(crate) mod script;
pub(crate) mod server;
pub(crate) mod terminal;
pub(crate) mod tls;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);
const LINES_MAX: usize = 10_000;

/// A folder that is removed with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("binary-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in cargo's own folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The binary, about to be run.
pub(crate) struct Program {
    pub(crate) command: Command,
    folder: Folder,
}

/// The binary in an empty folder.
pub(crate) fn largesse(args: &[&str]) -> Program {
    largesse_in(Folder::new(), args)
}

/// The binary in `folder`, without any variable of ours.
pub(crate) fn largesse_in(folder: Folder, args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_largesse"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LARGESSE_") {
            command.env_remove(name);
        }
    }
    command.env_remove("PORT");
    command.args(args).current_dir(&folder.0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Program { command, folder }
}

impl Program {
    /// The same, started by a shell after `prelude`.
    pub(crate) fn after(self, prelude: &str) -> Self {
        self.under("sh", &["-c", &format!("{prelude}; exec \"$0\" \"$@\"")])
    }

    /// The same, started by another program, which execs it.
    pub(crate) fn under(mut self, program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args);
        self.copy_into(&mut command);
        self.command = command;
        self
    }

    /// Where it will run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it runs, in its folder and its environment.
    fn copy_into(&self, command: &mut Command) {
        command.arg(self.command.get_program()).args(self.command.get_args());
        command.current_dir(self.folder.path());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// The same without root's right to ignore file modes, if root runs it.
    pub(crate) fn bound_by_modes(self) -> Self {
        let probe = Folder::new();
        let read_only = std::os::unix::fs::PermissionsExt::from_mode(0o500);
        std::fs::set_permissions(probe.path(), read_only).unwrap();
        if std::fs::write(probe.path().join("probe"), "").is_err() {
            return self;
        }
        self.under("setpriv", &["--bounding-set=-dac_override,-dac_read_search"])
    }
}

/// A running process, killed with its owner.
pub(crate) struct Running {
    child: Child,
    stdout: Option<Receiver<String>>,
    /// `None` if it was given something other than a pipe.
    stderr: Option<Receiver<String>>,
    /// Stays as long as the process runs in it.
    _folder: Folder,
}

/// What a process said, and how it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Running {
    pub(crate) fn start(mut program: Program) -> Self {
        let mut child = program.command.spawn().unwrap();
        let stdout = child.stdout.take().map(lines);
        let stderr = child.stderr.take().map(lines);
        Self { child, stdout, stderr, _folder: program.folder }
    }

    /// The next line on stdout.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let line = self.stdout.as_ref().unwrap().recv_timeout(WAIT_MAX);
        line.unwrap_or_else(|_| {
            let told = self.stderr.as_ref().map(|lines| lines.try_iter().collect::<Vec<_>>());
            panic!("no line on stdout; stderr: {told:?}")
        })
    }

    /// Waits for a line on stderr that contains `part`.
    #[track_caller]
    pub(crate) fn told(&self, part: &str) -> String {
        let until = Instant::now() + WAIT_MAX;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.stderr.as_ref().unwrap().recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("stderr never had {part:?}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// From now on nobody reads its stdout.
    pub(crate) fn stop_reading(&mut self) {
        self.stdout = None;
    }

    pub(crate) fn write(&mut self, text: &str) {
        // Dropped at once: that is the end of its stdin.
        self.child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory that the process uses now.
    pub(crate) fn resident_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn done(mut self) -> Done {
        let stdout = self.stdout.take().map(|lines| rest(&lines)).unwrap_or_default();
        let stderr = self.stderr.take().map(|lines| rest(&lines)).unwrap_or_default();
        Done { status: self.child.wait().unwrap(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they come, read on a thread so that waiting for one can have a limit. The thread ends with the
/// process, or when nobody listens.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[track_caller]
fn rest(lines: &Receiver<String>) -> String {
    let until = Instant::now() + WAIT_MAX;
    let mut text = String::new();
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => text = text + &line + "\n",
            Err(RecvTimeoutError::Disconnected) => return text,
            Err(RecvTimeoutError::Timeout) => panic!("the process does not end; it said: {text}"),
        }
    }
}

/// Waits for a process's end, and returns its code; below zero, the number of the signal that ended it.
#[track_caller]
pub(crate) fn ended(child: &mut Child) -> i32 {
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).unwrap();
    let most = Timespec::try_from(WAIT_MAX).unwrap();
    // It becomes readable when the process has ended.
    if poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&most)).unwrap() == 0 {
        child.kill().unwrap();
        panic!("the process does not end");
    }
    let status = child.wait().unwrap();
    status.code().or(status.signal().map(|signal| -signal)).unwrap()
}

/// Runs the binary to its end.
#[track_caller]
pub(crate) fn run(args: &[&str]) -> Done {
    Running::start(largesse(args)).done()
}

/// Connects to `host:port`, with limits.
pub(crate) fn connect(address: &str) -> TcpStream {
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(WAIT_MAX)).unwrap();
    connection.set_write_timeout(Some(WAIT_MAX)).unwrap();
    connection
}
