//! Long tasks show their progress on a terminal, and nowhere else.

use std::{fs::File, process::Stdio};

use crate::support::{Folder, Program, Running, largesse, run, server::Server, terminal::Terminal};

const LINES: &str = "{\"export\":1,\"log\":\"00\"}\n{\"stream\":\"a\",\"settings\":{}}\n\
                     {\"stream\":\"a\",\"time\":\"2026-11-20T08:00:00Z\",\"data\":\"x\"}\n\
                     {\"end\":true,\"streams\":1,\"events\":1}\n";

/// A folder with a log of one event.
fn log() -> Folder {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    server.ask("POST", "/streams/a?close", "x");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    data
}

/// A long task by its command, what it says about itself, and what it reads.
struct Work {
    args: Vec<String>,
    named: &'static str,
    reads: Option<File>,
}

impl Work {
    fn program(self) -> Program {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let mut program = largesse(&args);
        program.command.env_remove("NO_COLOR").env("TERM", "xterm");
        program.command.stdin(self.reads.map_or_else(Stdio::null, Stdio::from));
        program
    }
}

/// All of it: in a folder, of a server.
fn all(data: &Folder, server: &Server, to: &Folder) -> Vec<Work> {
    let lines = to.path().join("lines");
    std::fs::write(&lines, LINES).unwrap();
    let into = to.path().join("made");
    let _ = std::fs::remove_dir_all(&into);
    let (data, into, url) = (data.path().to_str().unwrap(), into.to_str().unwrap(), server.url());
    let work = |args: &[&str], named, reads| Work {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        named,
        reads,
    };
    vec![
        work(&["log", "check", "--data", data], "checking", None),
        work(&["log", "export", "--data", data], "exporting", None),
        work(&["log", "export", "--url", &url], "exporting", None),
        work(&["log", "import", "--data", into], "importing", Some(File::open(&lines).unwrap())),
        work(&["tail", "a", "--url", &url], "catching up", None),
    ]
}

fn server() -> Server {
    let server = Server::start();
    server.ask("POST", "/streams/a?close", "x");
    server
}

#[test]
fn on_a_terminal_it_is_shown_and_taken_back() {
    let (data, server, to) = (log(), server(), Folder::new());
    for work in all(&data, &server, &to) {
        let (named, args, terminal) = (work.named, work.args.join(" "), Terminal::new());
        let mut program = work.program();
        program.command.stdout(Stdio::null()).stderr(terminal.end());
        let (code, shown) = terminal.run(program);
        assert!(code == 0 && shown.contains(named), "{args}: {code} {shown:?}");
        // The last line of it is erased, and what is said comes after.
        let (_, after) = shown.rsplit_once("\u{1b}[2K").unwrap_or_else(|| panic!("{args}: {shown:?}"));
        assert!(!after.contains(named), "{args}: {shown:?}");
    }
}

#[test]
fn in_a_pipe_and_on_a_dumb_terminal_there_is_none_of_it() {
    let (data, server, to) = (log(), server(), Folder::new());
    for work in all(&data, &server, &to) {
        let (named, args) = (work.named, work.args.join(" "));
        let done = Running::start(work.program()).done();
        assert_eq!(done.code(), Some(0), "{args}: {done:?}");
        assert!(!done.stderr.contains(named) && !done.stderr.contains('\r'), "{args}: {done:?}");
    }
    for work in all(&data, &server, &to) {
        let (named, args, terminal) = (work.named, work.args.join(" "), Terminal::new());
        let mut program = work.program();
        program.command.env("TERM", "dumb").stdout(Stdio::null()).stderr(terminal.end());
        let (code, shown) = terminal.run(program);
        assert!(code == 0 && !shown.contains(named) && !shown.contains('\u{1b}'), "{args}: {shown:?}");
    }
}

#[test]
fn lines_on_the_same_terminal_are_not_mixed_with_it() {
    let (data, server, to) = (log(), server(), Folder::new());
    for work in all(&data, &server, &to) {
        let (named, args, terminal) = (work.named, work.args.join(" "), Terminal::new());
        let mut program = work.program();
        program.command.stdout(terminal.end()).stderr(terminal.end());
        let (code, shown) = terminal.run(program);
        assert_eq!(code, 0, "{args}: {shown:?}");
        let flows = ["exporting", "catching up"].contains(&named);
        assert_eq!(shown.contains(named), !flows, "{args}: {shown:?}");
        // Whatever is printed begins at the start of a line.
        let said = ["the log is whole", "{\"export\"", "imported 1", "x\r\n"];
        let at = said.iter().find_map(|said| shown.find(said)).unwrap_or_else(|| panic!("{args}: {shown:?}"));
        let before = &shown[..at];
        assert!(
            before.is_empty() || before.ends_with("\u{1b}[2K") || before.ends_with('\n'),
            "{args}: {shown:?}"
        );
    }
    assert_eq!(run(&["log", "info", "--data", data.path().to_str().unwrap()]).code(), Some(0));
}
