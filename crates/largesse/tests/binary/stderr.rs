//! All the ways to lose stderr: the server keeps serving, and stops when told to. No other command panics.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write, pipe},
    os::fd::OwnedFd,
    process::Stdio,
    sync::mpsc::sync_channel,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use crate::support::{Folder, Program, Running, connect, largesse, largesse_in, server::Server};

/// Longer than a server with nothing to end takes on a busy machine, and shorter than a stop that hangs.
const STOP_S: u64 = 10;
/// In blocks of 512 bytes: how large a file may get, for the tests in which the disk is full. Source: POSIX, `ulimit`.
const FULL: &str = "ulimit -f 2048";
const FULL_BYTES: usize = 2048 * 512;

/// A way to lose stderr, and what has to stay open for it.
type Way = fn(Program) -> (Program, Option<OwnedFd>);

const WAYS: [(&str, Way); 8] = [
    ("a full device", |program| {
        give(program, OpenOptions::new().write(true).open("/dev/full").unwrap(), None)
    }),
    ("a pipe whose reader has gone", |program| give(program, pipe().unwrap().1, None)),
    ("a pipe that nobody reads", |program| {
        let (reader, writer) = pipe().unwrap();
        give(program, writer, Some(reader.into()))
    }),
    ("a pipe that nobody reads and that does not wait", |program| {
        let (reader, writer) = pipe().unwrap();
        fcntl_setfl(&writer, fcntl_getfl(&writer).unwrap() | OFlags::NONBLOCK).unwrap();
        give(program, writer, Some(reader.into()))
    }),
    ("a terminal whose window was closed", |program| give(program, terminal().1, None)),
    ("a terminal that takes no more", |program| {
        let (window, terminal) = terminal();
        give(program, terminal, Some(window))
    }),
    ("nothing", |program| (program.after("exec 2>&-"), None)),
    ("a file that is as large as one may be", |program| {
        let path = program.folder().join("trace");
        std::fs::write(&path, vec![b'\n'; FULL_BYTES]).unwrap();
        give(program, OpenOptions::new().append(true).open(path).unwrap(), None)
    }),
];

fn give(mut program: Program, stderr: impl Into<Stdio>, kept: Option<OwnedFd>) -> (Program, Option<OwnedFd>) {
    program.command.stderr(stderr);
    (program, kept)
}

/// A window and the terminal in it.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let window = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&window).unwrap();
    unlockpt(&window).unwrap();
    let name = ptsname(&window, Vec::new()).unwrap();
    let terminal = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (window, terminal)
}

/// A server that has lost its stderr, with more to say than any pipe holds.
struct Lost {
    server: Server,
    way: &'static str,
    _kept: Option<OwnedFd>,
    _data: Folder,
}

impl Lost {
    fn start((way, lose): (&'static str, Way)) -> Self {
        let data = Folder::new();
        let path = data.path().to_str().unwrap();
        let args = ["serve", "--data", path, "--listen", "127.0.0.1:0", "--trace-level", "debug"];
        let (program, kept) = lose(largesse(&args).after(FULL));
        let server = Server::start_program(program);
        let lost = Self { server, way, _kept: kept, _data: data };
        // The path is traced.
        let long = format!("/{}", "x".repeat(8_000));
        for _ in 0..200 {
            assert_eq!(lost.status("GET", &long, ""), "404", "{way}");
        }
        lost
    }

    fn status(&self, method: &str, target: &str, body: &str) -> String {
        let answer = self.server.ask(method, target, body);
        answer.split(' ').nth(1).unwrap_or_else(|| panic!("{}: no answer", self.way)).to_owned()
    }

    fn publish(&self, body: &str) -> String {
        self.status("POST", "/streams/a", body)
    }

    fn stop(self) {
        let begun = Instant::now();
        self.server.running.signal("TERM");
        let done = self.server.running.done();
        assert_eq!(done.code(), Some(0), "{}", self.way);
        assert!(begun.elapsed().as_secs() < STOP_S, "{}: {:?}", self.way, begun.elapsed());
    }
}

#[test]
fn a_server_that_has_lost_its_stderr_stops_when_it_is_told_to() {
    for way in WAYS {
        Lost::start(way).stop();
    }
}

#[test]
fn a_server_that_has_lost_its_stderr_answers_publishers_and_readers() {
    for way in WAYS {
        let lost = Lost::start(way);
        for _ in 0..20 {
            assert_eq!(lost.publish("hello"), "201", "{}", lost.way);
        }
        let mut reader = connect(&lost.server.address);
        reader.write_all(lost.server.request("GET", "/streams/a", "").as_bytes()).unwrap();
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        assert_eq!(lines.by_ref().filter(|line| line == "data: hello").take(20).count(), 20, "{}", lost.way);
        assert_eq!(lost.publish("live"), "201", "{}", lost.way);
        assert!(lines.any(|line| line == "data: live"), "{}", lost.way);
        lost.server.running.signal("HUP");
        assert_eq!(lost.publish("after a signal"), "201", "{}", lost.way);
        lost.stop();
    }
}

#[test]
fn a_full_file_is_told_to_publishers_and_reading_goes_on_whatever_became_of_stderr() {
    for way in WAYS {
        let lost = Lost::start(way);
        let body = "x".repeat(FULL_BYTES / 8);
        let answers: Vec<_> = (0..20).map(|_| lost.publish(&body)).collect();
        let count = |status: &str| answers.iter().filter(|answer| *answer == status).count();
        // What a file has no room for has room in the next.
        let (taken, refused) = (count("201"), count("507"));
        assert!(taken > 0 && refused > 0 && taken + refused == answers.len(), "{}: {answers:?}", lost.way);
        let headers = format!("Host: {}\r\nAccept: application/json\r\n", lost.server.address);
        let list = lost.server.ask_with(&headers, "GET", "/streams", "");
        assert!(list.contains(&format!("\"events\":{taken}")), "{}: {list}", lost.way);
        lost.stop();
    }
}

#[test]
fn a_second_signal_ends_a_server_at_once_whatever_became_of_stderr() {
    for way in WAYS {
        let lost = Lost::start(way);
        let mut stuck = connect(&lost.server.address);
        let head =
            format!("POST /streams/a HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\n", lost.server.address);
        stuck.write_all(format!("{head}Content-Length: 10\r\n\r\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stuck.try_clone().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "HTTP/1.1 100 Continue\r\n", "{}", lost.way);
        lost.server.running.signal("TERM");
        // When it refuses connections, it is stopping, and waits for the one in progress.
        while std::net::TcpStream::connect(&lost.server.address).is_ok() {
            std::thread::yield_now();
        }
        lost.server.running.signal("TERM");
        assert_eq!(lost.server.running.done().code(), Some(130), "{}", lost.way);
    }
}

#[test]
fn what_was_lost_is_told_when_stderr_is_read_again() {
    let (reader, writer) = pipe().unwrap();
    let folder = Folder::new();
    let mut program = largesse_in(
        folder,
        &["serve", "--memory", "--listen", "127.0.0.1:0", "--trace-level", "debug", "--trace-format", "json"],
    );
    program.command.stderr(writer);
    let server = Server::start_program(program);
    let long = format!("/{}", "x".repeat(8_000));
    for _ in 0..400 {
        server.ask("GET", &long, "");
    }
    let (tell, told) = sync_channel(1);
    let reading = std::thread::spawn(move || {
        let (mut answered, mut lost) = (0, 0);
        for line in BufReader::new(reader).lines() {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            let message = line["fields"]["message"].as_str().unwrap();
            answered += u64::from(message == "answered");
            lost += line["fields"]["lost"].as_u64().unwrap_or(0);
            if message.starts_with("SIGHUP") {
                // Once is enough.
                let _ = tell.try_send(());
            }
        }
        (answered, lost)
    });
    // The first of these may find no room yet, as when another is still in progress.
    loop {
        server.running.signal("HUP");
        if told.recv_timeout(Duration::from_millis(100)).is_ok() {
            break;
        }
    }
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    let (answered, lost) = reading.join().unwrap();
    assert!(lost > 0 && answered + lost >= 400, "{answered} answers were told, and a loss of {lost} lines");
}

#[test]
fn the_last_lines_of_the_trace_are_written_before_the_end() {
    let server = Server::start();
    server.running.signal("TERM");
    let done = server.running.done();
    assert_eq!(done.code(), Some(0));
    assert!(done.stderr.lines().last().unwrap().contains("stopped connections="), "{}", done.stderr);
}

#[test]
fn why_a_server_does_not_start_is_the_last_line_of_the_trace() {
    let taken = Server::start();
    let done = Running::start(largesse(&["serve", "--memory", "--listen", &taken.address])).done();
    assert_eq!(done.code(), Some(1));
    let last = done.stderr.lines().last().unwrap();
    assert!(last.starts_with("largesse: ") && last.contains("is in use"), "{}", done.stderr);
}

/// Commands that end by themselves, and their status whatever became of stderr.
const COMMANDS: [(&[&str], i32); 8] = [
    (&["serve", "--listen", "nowhere"], 1),
    (&["serve", "--no-such-flag"], 2),
    (&["serve", "--listen", "0.0.0.0:0"], 1),
    (&["config", "check", "--trace-level", "loud"], 1),
    (&["log", "check", "--data", "not-there"], 1),
    (&["log", "export", "--data", "not-there"], 1),
    (&["tail", "a", "--url", "ftp://localhost"], 2),
    (&["--help"], 0),
];

#[test]
fn no_command_panics_because_of_its_stderr() {
    for way in WAYS {
        for (args, want) in COMMANDS {
            let (program, _kept) = (way.1)(largesse(args).after(FULL));
            let done = Running::start(program).done();
            assert_eq!(done.code(), Some(want), "{args:?} with {}", way.0);
        }
    }
}

#[test]
fn what_can_not_be_printed_on_stdout_is_a_failure_and_no_panic() {
    for args in [&["--help"] as &[&str], &["--version"], &["config", "check"], &["config", "show"]] {
        let mut program = largesse(args);
        program.command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let done = Running::start(program).done();
        assert_eq!(done.code(), Some(1), "{args:?}: {done:?}");
        assert!(done.stderr.starts_with("largesse: stdout: "), "{args:?}: {done:?}");
    }
}
