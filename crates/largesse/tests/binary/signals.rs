//! Signals that do not end the server.

use crate::{
    stderr::terminal,
    support::{Folder, largesse, server::Server},
};

/// In blocks of 512 bytes, as POSIX has it.
const FILE_LIMIT: &str = "ulimit -f 2048";

#[test]
fn a_hangup_is_told_and_the_server_goes_on() {
    let server = Server::start();
    for _ in 0..2 {
        server.running.signal("HUP");
        let told = server.running.told("SIGHUP");
        assert!(told.contains("INFO") && told.contains("there is nothing to reopen"), "{told}");
        assert!(server.ask("POST", "/streams/a", "hello").starts_with("HTTP/1.0 201"));
    }
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
}

#[test]
fn a_server_goes_on_when_its_terminal_is_closed() {
    let (window, terminal) = terminal();
    let args = ["serve", "--memory", "--listen", "127.0.0.1:0", "--trace-level", "debug"];
    let mut program = largesse(&args).under("setsid", &["--ctty"]);
    program.command.stdin(terminal.try_clone().unwrap()).stderr(terminal);
    let server = Server::start_program(program);
    assert!(server.ask("POST", "/streams/a", "hello").starts_with("HTTP/1.0 201"));
    // The system sends the signal to whichever session owns the terminal.
    drop(window);
    for _ in 0..20 {
        assert!(server.ask("POST", "/streams/a", "hello").starts_with("HTTP/1.0 201"));
    }
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
}

/// A shell with job control puts it into the background, where writing to the terminal stops a process.
#[test]
fn a_server_in_the_background_of_a_terminal_serves_on_and_stops() {
    let (_window, terminal) = terminal();
    let args = ["serve", "--memory", "--listen", "127.0.0.1:0", "--trace-level", "debug"];
    let jobs = "stty tostop; set -m; \"$0\" \"$@\" & server=$!; trap 'kill -TERM $server; wait $server; exit $?' TERM; wait $server";
    let program = largesse(&args).under("sh", &["-c", jobs]);
    let mut program = program.under("setsid", &["--ctty"]);
    program.command.stdin(terminal.try_clone().unwrap()).stderr(terminal);
    let server = Server::start_program(program);
    for _ in 0..20 {
        assert!(server.ask("POST", "/streams/a", "hello").starts_with("HTTP/1.0 201"));
    }
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
}

#[test]
fn a_hangup_that_is_ignored_at_the_start_stays_so() {
    let args = ["serve", "--memory", "--listen", "127.0.0.1:0"];
    let server = Server::start_program(largesse(&args).after("trap '' HUP"));
    server.running.signal("HUP");
    assert!(server.ask("POST", "/streams/a", "hello").starts_with("HTTP/1.0 201"));
    server.running.signal("TERM");
    let done = server.running.done();
    assert_eq!(done.code(), Some(0));
    assert!(!done.stderr.contains("SIGHUP"), "{}", done.stderr);
}

#[test]
fn a_file_that_may_not_grow_is_a_full_disk_and_not_the_end() {
    let data = Folder::new();
    let args = ["serve", "--data", data.path().to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let server = Server::start_program(largesse(&args).after(FILE_LIMIT));
    let body = "x".repeat(200_000);
    let answers: Vec<_> = (0..10).map(|_| server.ask("POST", "/streams/a", &body)).collect();
    assert!(answers[0].starts_with("HTTP/1.0 201"), "{}", answers[0]);
    let refused: Vec<_> = answers.iter().filter(|answer| !answer.starts_with("HTTP/1.0 201")).collect();
    // What has no room in this file has room in the next.
    assert!(!refused.is_empty() && refused.len() < answers.len() - 1, "{answers:?}");
    for answer in refused {
        assert!(answer.starts_with("HTTP/1.0 507") && answer.contains("disk-full"), "{answer}");
    }
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
}
