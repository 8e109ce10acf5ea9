//! Settings of streams and their defaults, from a variable to a reader, and over a kill.

use crate::support::{Folder, Running, largesse, server::Server};

/// A server that gets these variables.
fn server_with(data: &Folder, variables: &[(&str, &str)]) -> Server {
    let data = data.path().to_str().unwrap();
    let mut program = largesse(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    program.command.envs(variables.iter().copied());
    let running = Running::start(program);
    let address = running.line().strip_prefix("listening on http://").unwrap().to_owned();
    Server { running, address }
}

/// The events of a read without `from=`, up to its end.
fn heard(server: &Server, stream: &str) -> String {
    let answer = server.ask("GET", &format!("/streams/{stream}"), "");
    let fields =
        answer.lines().filter_map(|line| line.strip_prefix("event: ").or(line.strip_prefix("data: ")));
    fields.filter(|field| !field.starts_with('{')).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_defaults_come_from_the_configuration_and_a_streams_own_outlive_a_kill() {
    let data = Folder::new();
    let variables = [("LARGESSE_STREAM_FROM", "-1"), ("LARGESSE_STREAM_CONTROL_NAMES", "shared")];
    let server = server_with(&data, &variables);
    for (stream, settings) in [("usual", "{}"), ("own", r#"{"from":"start","control_names":"reserved"}"#)] {
        server.ask("PUT", &format!("/streams/{stream}"), settings);
        server.ask("POST", &format!("/streams/{stream}"), "1");
    }
    server.running.signal("KILL");
    server.running.done();
    // Other defaults change nothing about existing streams.
    let server = server_with(&data, &[]);
    assert!(server.ask("POST", "/streams/usual?event=gap", "2").contains(" 201 "));
    assert!(server.ask("POST", "/streams/own?event=gap", "2").contains("reserved-name"));
    assert!(server.ask("POST", "/streams/new?event=gap", "2").contains("reserved-name"));
    for stream in ["usual", "own", "new"] {
        server.ask("POST", &format!("/streams/{stream}?close"), "last");
    }
    assert_eq!(heard(&server, "usual"), "begin last end");
    assert_eq!(heard(&server, "own"), "1 last end");
    assert_eq!(heard(&server, "new"), "last end");
}
