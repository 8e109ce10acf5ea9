//! What the system limits: open files, and the size of files. Publishers are told which, and everything works
//! afterwards.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Command,
};

use crate::support::{Done, Folder, Running, WAIT_MAX, connect, largesse, run, server::Server};

/// A connection that stays open: status, head and body of one answer after the other.
struct Kept {
    connection: BufReader<TcpStream>,
    host: String,
}

impl Kept {
    fn to(server: &Server) -> Self {
        Self { connection: BufReader::new(connect(&server.address)), host: server.address.clone() }
    }

    #[track_caller]
    fn ask(&mut self, method: &str, target: &str, more: &str, body: &str) -> (u16, String) {
        let (host, bytes) = (&self.host, body.len());
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}Content-Length: {bytes}\r\n\r\n{body}"
        );
        self.connection.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.connection.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        self.connection.read_exact(&mut body).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head + &String::from_utf8(body).unwrap())
    }

    #[track_caller]
    fn publish(&mut self, bytes: usize) -> (u16, String) {
        self.ask("POST", "/streams/a", "", &"x".repeat(bytes))
    }
}

fn open_files(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.running.id())).unwrap().count()
}

#[track_caller]
fn limit_files(server: &Server, limit: &str) {
    let id = server.running.id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &id, &format!("--nofile={limit}")]).status();
    assert!(limited.unwrap().success());
}

fn small_log(data: &Folder, max: &str) -> String {
    data.write("largesse.toml", &format!("[log]\nmax_bytes = \"{max}\"\n"));
    data.path().join("largesse.toml").to_str().unwrap().to_owned()
}

#[test]
fn readers_that_take_all_connections_leave_a_log_of_many_segments_its_files() {
    let data = Folder::new();
    let config = small_log(&data, "8 MiB");
    let limited = ["prlimit", "--nofile=128:128"];
    let server = Server::start_under(&limited, data.path(), &["--config", &config]);
    let mut publisher = Kept::to(&server);
    for _ in 0..31 {
        let (status, answer) = publisher.publish(270_000);
        assert_eq!(status, 201, "{answer}");
    }
    let readers: Vec<_> = (0..60)
        .map(|_| {
            let mut reader = connect(&server.address);
            reader.write_all(server.request("GET", "/streams/a?from=now", "").as_bytes()).unwrap();
            reader
        })
        .collect();
    // The first of them are read; more wait to be accepted.
    let mut first = String::new();
    BufReader::new(&readers[0]).read_line(&mut first).unwrap();
    assert!(first.contains("200"), "{first}");
    for _ in 0..20 {
        let (status, answer) = publisher.publish(270_000);
        assert_eq!(status, 201, "{answer}");
        assert!(open_files(&server) <= 128);
    }
    let json = "Accept: application/json\r\n";
    let (status, page) = publisher.ask("GET", "/streams/a?limit=1", json, "");
    assert_eq!(status, 200, "{page}");
    drop(readers);
    server.running.signal("TERM");
    let done = server.running.done();
    assert!(done.code() == Some(0) && !done.stderr.contains("ERROR"), "{done:?}");
}

#[test]
fn where_few_connections_fit_readers_leave_one_for_publishers_and_it_is_told() {
    for files in [64, 70] {
        let data = Folder::new();
        let limited = ["prlimit", &format!("--nofile={files}:{files}")];
        let server = Server::start_under(&limited, data.path(), &[]);
        server.running.told("allows few connections");
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let mut reader = connect(&server.address);
                reader.write_all(server.request("GET", "/streams/a", "").as_bytes()).unwrap();
                reader
            })
            .collect();
        let (status, answer) = Kept::to(&server).publish(1_000);
        assert_eq!(status, 201, "{answer}");
        drop(readers);
    }
    let done = run_under(&["prlimit", "--nofile=8:8"]);
    assert!(done.code() == Some(1) && done.stderr.contains("ulimit -n"), "{done:?}");
}

/// A server that does not start.
fn run_under(before: &[&str]) -> Done {
    let program = largesse(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
    let (program_before, words) = before.split_first().unwrap();
    Running::start(program.under(program_before, words)).done()
}

#[test]
fn where_no_file_can_be_opened_publishers_are_told_that_and_afterwards_all_goes_on() {
    let data = Folder::new();
    let config = small_log(&data, "2 MiB");
    let server = Server::start_on(&data, &["--config", &config]);
    let mut publisher = Kept::to(&server);
    for _ in 0..8 {
        assert_eq!(publisher.publish(70_000).0, 201);
    }
    limit_files(&server, "4:");
    let until = std::time::Instant::now() + WAIT_MAX;
    let answer = loop {
        let (status, answer) = publisher.publish(70_000);
        if status != 201 {
            break answer;
        }
        assert!(std::time::Instant::now() < until, "it is never told");
    };
    assert!(answer.contains(" 503 ") && answer.contains("too-many-files"), "{answer}");
    assert!(answer.to_lowercase().contains("retry-after: ") && answer.contains("ulimit -n"), "{answer}");
    for _ in 0..3 {
        let (status, answer) = publisher.publish(70_000);
        assert!(status == 503 && answer.contains("too-many-files"), "{answer}");
    }
    // A connection made now waits until it can be accepted.
    let mut early = connect(&server.address);
    early.write_all(server.request("GET", "/streams/a?from=start", "").as_bytes()).unwrap();
    server.running.told("no connection can be accepted");
    let json = "Accept: application/json\r\n";
    let (status, page) = publisher.ask("GET", "/streams/a?limit=1", json, "");
    assert!(status == 200 || (status == 503 && page.contains("too-many-files")), "{page}");
    limit_files(&server, "1000:");
    // A checkpoint that failed is tried again in a while.
    while publisher.publish(70_000).0 != 201 {
        assert!(std::time::Instant::now() < until, "it never goes on");
    }
    for _ in 0..40 {
        let (status, answer) = publisher.publish(70_000);
        assert_eq!(status, 201, "{answer}");
    }
    let mut first = String::new();
    BufReader::new(early).read_line(&mut first).unwrap();
    assert!(first.contains("200"), "{first}");
    let (status, page) = publisher.ask("GET", "/streams/a?limit=1", json, "");
    assert_eq!(status, 200, "{page}");
    server.running.signal("TERM");
    let done = server.running.done();
    assert!(done.code() == Some(0) && done.stderr.contains("the log is closed"), "{done:?}");
    let checked = run(&["log", "check", "--data", data.path().to_str().unwrap()]);
    assert_eq!(checked.code(), Some(0), "{checked:?}");
}

#[test]
fn over_the_limit_on_the_size_of_files_a_publish_is_refused_and_the_log_goes_on() {
    let data = Folder::new();
    let server = Server::start_under(&["prlimit", "--fsize=300000"], data.path(), &[]);
    let mut publisher = Kept::to(&server);
    let (mut taken, mut refused) = (0, 0);
    while refused < 3 {
        let (status, answer) = publisher.publish(50_000);
        match status {
            201 => taken += 1,
            _ => {
                refused += 1;
                assert!(
                    status == 507 && answer.contains("disk-full") && answer.contains("ulimit -f"),
                    "{answer}"
                );
                assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
            }
        }
        assert!(taken < 100, "the limit is never met");
    }
    assert!(taken >= 10, "after a refusal the next goes into another file: {taken}");
    // One that no file can hold.
    let (status, answer) = publisher.publish(400_000);
    assert!(status == 507 && answer.contains("ulimit -f"), "{answer}");
    assert_eq!(publisher.publish(1).0, 201);
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    let exported = run(&["log", "export", "--data", data.path().to_str().unwrap()]);
    assert_eq!(exported.stdout.lines().filter(|line| line.contains("\"data\"")).count(), taken + 1);
}

#[test]
fn an_import_over_the_limit_on_the_size_of_files_says_so() {
    let (data, saved) = (Folder::new(), Folder::new());
    let server = Server::start_on(&saved, &[]);
    let mut publisher = Kept::to(&server);
    (0..10).for_each(|_| assert_eq!(publisher.publish(50_000).0, 201));
    server.running.signal("TERM");
    server.running.done();
    let lines = run(&["log", "export", "--data", saved.path().to_str().unwrap()]).stdout;
    let into = data.path().join("new");
    let program = largesse(&["log", "import", "--data", into.to_str().unwrap()]);
    let mut program = program.under("prlimit", &["--fsize=100000"]);
    saved.write("lines", &lines);
    program.command.stdin(fs::File::open(saved.path().join("lines")).unwrap());
    let done = Running::start(program).done();
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("ulimit -f"), "{done:?}");
}
