//! Customs of the terminal and of Unix: who has gone, what is coloured, how a command ends.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::{Command, Stdio},
};

use crate::support::{Folder, Running, ended, largesse, server::Server, terminal::Terminal};

/// A server with one event in the stream `one`, which stays open.
fn server() -> Server {
    let server = Server::start();
    server.ask("POST", "/streams/one", "first");
    server
}

#[test]
fn tail_ends_when_its_reader_has_gone_and_not_with_the_next_event() {
    let server = server();
    for command in ["head -1", "grep -m1 first", "sed 1q", "true"] {
        let largesse = env!("CARGO_BIN_EXE_largesse");
        let line = format!("{largesse} tail one --url {} | {command}", server.url());
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(ended(&mut child), 0, "{command}");
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(told, "", "{command}");
    }
}

#[test]
fn tail_ends_with_a_pipe_a_socket_and_a_terminal() {
    let server = server();
    let tail = || largesse(&["tail", "one", "--url", &server.url()]);
    let (reader, writer) = std::io::pipe().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let ends: [(OwnedFd, OwnedFd); 2] = [(reader.into(), writer.into()), (ours.into(), theirs.into())];
    for (ours, theirs) in ends {
        let mut program = tail();
        program.command.stdout(theirs);
        let mut child = program.command.spawn().unwrap();
        drop(program);
        let mut line = String::new();
        BufReader::new(std::fs::File::from(ours)).read_line(&mut line).unwrap();
        assert_eq!((line.as_str(), ended(&mut child)), ("first\n", 0));
    }
    let terminal = Terminal::new();
    let mut program = tail();
    program.command.stdout(terminal.end());
    let mut child = program.command.spawn().unwrap();
    drop(program);
    terminal.close();
    assert_eq!(ended(&mut child), 0);
}

#[test]
fn a_command_whose_output_nobody_reads_says_nothing() {
    let server = server();
    let data = Folder::new();
    let kept = Server::start_on(&data, &[]);
    kept.ask("POST", "/streams/a", "x");
    kept.running.signal("TERM");
    assert_eq!(kept.running.done().code(), Some(0));
    let (folder, url) = (data.path().to_str().unwrap(), server.url());
    let rows: [(&[&str], i32); 10] = [
        (&["config", "show"], 141),
        (&["config", "check"], 141),
        (&["log", "info", "--data", folder], 141),
        (&["log", "check", "--data", folder], 141),
        (&["log", "export", "--data", folder], 141),
        (&["log", "export", "--url", &url], 141),
        // It has done what was asked.
        (&["publish", "one", "x", "--url", &url], 0),
        (&["tail", "one", "--url", &url], 0),
        (&["--help"], 0),
        (&["--version"], 0),
    ];
    for (args, want) in rows {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = largesse(args);
        program.command.stdout(writer);
        let done = Running::start(program).done();
        assert_eq!((done.code(), done.stderr.as_str()), (Some(want), ""), "{args:?}");
    }
}

#[test]
fn a_signal_from_the_keyboard_ends_tail_as_the_shell_expects() {
    let server = server();
    let running = Running::start(largesse(&["tail", "one", "--url", &server.url()]));
    assert_eq!(running.line(), "first");
    running.signal("INT");
    let done = running.done();
    assert_eq!((done.status.signal(), done.stderr.as_str()), (Some(2), ""));
}

#[test]
fn the_trace_is_coloured_on_a_terminal_that_takes_it_alone() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // It traces how many readers fit, and then can't listen.
    let args = ["serve", "--memory", "--listen", &address];
    let rows: [(&[(&str, &str)], bool); 6] = [
        (&[("TERM", "xterm")], true),
        (&[("TERM", "xterm"), ("NO_COLOR", "")], true),
        (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
        (&[("TERM", "xterm"), ("NO_COLOR", "0")], false),
        (&[("TERM", "dumb")], false),
        (&[("TERM", "dumb"), ("NO_COLOR", "1")], false),
    ];
    for (variables, is_coloured) in rows {
        let terminal = Terminal::new();
        let mut program = largesse(&args);
        program.command.env_remove("NO_COLOR").envs(variables.iter().copied()).stderr(terminal.end());
        let (code, shown) = terminal.run(program);
        assert!(code == 1 && shown.contains("readers fit"), "{shown}");
        assert_eq!(shown.contains('\u{1b}'), is_coloured, "{variables:?}: {shown}");
    }
    let mut program = largesse(&args);
    program.command.env_remove("NO_COLOR").env("TERM", "xterm");
    let done = Running::start(program).done();
    assert!(done.stderr.contains("readers fit") && !done.stderr.contains('\u{1b}'), "{done:?}");
}

#[test]
fn publish_says_that_it_reads_a_terminal() {
    let server = server();
    let mut terminal = Terminal::new();
    let mut program = largesse(&["publish", "typed", "--url", &server.url()]);
    program.command.stdin(terminal.end());
    terminal.write("hello\n\u{4}");
    let mut child = program.command.spawn().unwrap();
    drop(program);
    assert_eq!(ended(&mut child), 0);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("terminal") && told.contains("Ctrl-D"), "{told}");
    let read =
        server.ask_with("Host: localhost\r\nAccept: application/json\r\n", "GET", "/streams/typed", "");
    assert!(read.contains("\"data\":\"hello\\n\""), "{read}");
}

#[test]
fn a_read_states_the_heartbeat_that_the_server_is_set_to() {
    let mut program = largesse(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
    program.command.env("LARGESSE_HTTP_HEARTBEAT", "1h");
    let running = Running::start(program);
    let address = running.line().strip_prefix("listening on http://").unwrap().to_owned();
    let server = Server { running, address };
    server.ask("POST", "/streams/a?close", "x");
    let answer = server.ask("GET", "/streams/a", "");
    assert!(answer.to_ascii_lowercase().contains("\r\nlargesse-heartbeat: 3600\r\n"), "{answer}");
}
