//! `largesse serve`: what it prints, where it listens, what it refuses to start with.

use crate::support::{Running, largesse, run, server::Server};

#[test]
fn an_event_goes_in_and_comes_out() {
    let server = Server::start();
    let answer = server.ask("POST", "/streams/news?close", "hello");
    assert!(answer.starts_with("HTTP/1.0 201 ") || answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let answer = server.ask("GET", "/streams/news", "");
    assert!(answer.contains("\r\ncontent-type: text/event-stream\r\n"), "{answer}");
    assert!(answer.contains("data: hello\nid: ") && answer.contains("\nevent: end\n"), "{answer}");
}

#[test]
fn it_prints_one_line_for_each_address_and_answers_there() {
    let args = ["serve", "--memory", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"];
    let running = Running::start(largesse(&args));
    let addresses: Vec<String> =
        (0..2).map(|_| running.line().strip_prefix("listening on http://").unwrap().to_owned()).collect();
    assert_ne!(addresses[0], addresses[1]);
    for address in addresses {
        assert!(!address.ends_with(":0"), "{address}");
        let done = run(&["publish", "a", "x", "--url", &format!("http://{address}")]);
        assert_eq!(done.code(), Some(0), "{done:?}");
    }
}

#[test]
fn the_command_serve_can_be_left_out() {
    let running = Running::start(largesse(&["--listen", "127.0.0.1:0"]));
    assert!(running.line().starts_with("listening on http://127.0.0.1:"));
    assert!(running.told("events are kept in /").contains("/largesse-data"));
}

#[test]
fn an_address_in_use_is_told_with_what_to_do() {
    let server = Server::start();
    let done = run(&["serve", "--memory", "--listen", &server.address]);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.stderr.contains(&server.address) && done.stderr.contains("--listen"), "{done:?}");
}

#[test]
fn addresses_that_others_can_reach_are_refused() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let done = run(&["serve", "--memory", "--listen", "127.0.0.1:0", "--listen", address]);
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains(address) && done.stderr.contains("--insecure"), "{done:?}");
    }
}

#[test]
fn variables_that_are_not_for_the_server_do_not_stop_it() {
    let mut program = largesse(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
    program.command.env("LARGESSE_URL", "http://127.0.0.1:1").env("LARGESSE_SERVICE_HOST", "10.0.0.1");
    program.command.env("LARGESSE_PORT_8084_TCP", "tcp://10.0.0.1:8084");
    assert!(Running::start(program).line().starts_with("listening on http://127.0.0.1:"));
}

#[test]
fn insecure_listens_everywhere_and_is_loud_about_it() {
    let args = ["serve", "--memory", "--insecure", "--listen", "0.0.0.0:0"];
    let running = Running::start(largesse(&args));
    assert!(running.line().starts_with("listening on http://0.0.0.0:"));
    let told = running.told("INSECURE");
    assert!(told.contains("WARN") && told.contains("0.0.0.0:0"), "{told}");
}

#[test]
fn the_configuration_reaches_the_door() {
    let server =
        Server::start_with(&["--allowed-host", "events.example", "--allowed-origin", "https://app.example"]);
    let request = |host: &str, origin: &str| {
        let answer =
            server.ask_with(&format!("Host: {host}\r\nOrigin: {origin}\r\n"), "POST", "/streams/a", "x");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(request("events.example", "https://app.example"), "201");
    assert_eq!(request("other.example", "https://app.example"), "421");
    assert_eq!(request("events.example", "https://other.example"), "403");
}

#[test]
fn the_trace_can_be_json_and_says_how_many_readers_fit() {
    let args = ["serve", "--memory", "--listen", "127.0.0.1:0", "--trace-format", "json"];
    let running = Running::start(largesse(&args));
    let line = running.told("readers_max");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let fit = line["fields"]["readers_max"].as_u64().unwrap();
    assert!(fit > 0, "{line}");
    let told = line["fields"]["message"].as_str().unwrap();
    assert!(told.starts_with(&format!("up to {fit} readers fit (open-file limit ")), "{line}");
}
