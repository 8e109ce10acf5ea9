//! What the commands say about what went wrong: the true cause, and advice that works where it is given.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
};

use crate::support::{Done, Folder, Running, largesse, run, script::Script, server::Server};

#[track_caller]
fn check(done: &Done, code: i32, want: &[&str], not: &[&str]) {
    assert_eq!((done.code(), done.stdout.as_str()), (Some(code), ""), "{done:?}");
    assert!(want.iter().all(|part| done.stderr.contains(part)), "{want:?}: {done:?}");
    assert!(not.iter().all(|part| !done.stderr.contains(part)), "not {not:?}: {done:?}");
}

#[test]
fn an_address_that_is_none_is_told_what_works_in_its_place() {
    let wrong = [
        "8084",
        ":8084",
        "localhost",
        "localhost:",
        "localhost:x",
        "*:80",
        "127.0.0.1",
        "example.com:80",
        "::1:80",
    ];
    for value in wrong {
        let mut program = largesse(&["config", "check"]);
        program.command.env("LARGESSE_LISTEN", value);
        let done = Running::start(program).done();
        check(&done, 1, &["LARGESSE_LISTEN", value, "127.0.0.1:8084", "comma"], &["[\"", "write a list"]);
        let done = run(&["config", "check", "--listen", value]);
        check(
            &done,
            1,
            &["--listen", value, "localhost:8084", "flag several times"],
            &["[\"", "write a list"],
        );
        let program = largesse(&["config", "check"]);
        fs::write(program.folder().join("largesse.toml"), format!("listen = \"{value}\"\n")).unwrap();
        let done = Running::start(program).done();
        check(&done, 1, &["line 1", value, "127.0.0.1:8084", "[ ]"], &[]);
    }
}

#[test]
fn what_is_advised_for_an_address_is_taken_in_each_place() {
    for value in ["127.0.0.1:8084", "[::1]:8084", "localhost:8084", "127.0.0.1:8084,[::1]:8084"] {
        let mut program = largesse(&["config", "check"]);
        program.command.env("LARGESSE_LISTEN", value);
        assert_eq!(Running::start(program).done().code(), Some(0), "{value}");
    }
    for value in ["127.0.0.1:8084", "[::1]:8084", "localhost:8084"] {
        assert_eq!(run(&["config", "check", "--listen", value]).code(), Some(0), "{value}");
        let program = largesse(&["config", "check"]);
        fs::write(program.folder().join("largesse.toml"), format!("listen = \"{value}\"\n")).unwrap();
        assert_eq!(Running::start(program).done().code(), Some(0), "{value}");
    }
    let done = run(&["config", "check", "--listen", "localhost:1", "--listen", "127.0.0.1:1"]);
    check(&done, 1, &["127.0.0.1:1 is listed twice"], &[]);
}

#[test]
fn localhost_is_listened_on_by_both_addresses_where_there_are_both() {
    let mut program = largesse(&["serve", "--memory"]);
    program.command.env("LARGESSE_LISTEN", "localhost:0");
    let running = Running::start(program);
    assert!(running.line().starts_with("listening on http://127.0.0.1:"));
    if TcpListener::bind("[::1]:0").is_ok() {
        assert!(running.line().starts_with("listening on http://[::1]:"));
    }
}

#[test]
fn what_is_in_the_way_of_the_data_folder_is_named() {
    let rows: [(&str, &str); 4] = [
        ("file", "/file is a file"),
        ("file/below", "/file is a file"),
        ("dangling", "/dangling is a link to something that is not there"),
        ("dangling/below", "/dangling is a link to something that is not there"),
    ];
    for (data, want) in rows {
        for command in ["serve", "log info", "log check", "log export", "log import"] {
            let args: Vec<&str> = command.split(' ').chain(["--data", data]).collect();
            let program = largesse(&args);
            fs::write(program.folder().join("file"), "x").unwrap();
            std::os::unix::fs::symlink("nowhere", program.folder().join("dangling")).unwrap();
            check(&Running::start(program).done(), 1, &[want, "--data DIR"], &["File exists", "os error"]);
        }
    }
}

#[test]
fn a_folder_of_another_user_is_told_with_its_owner() {
    let is_of = std::os::unix::fs::MetadataExt::uid;
    for (data, mode) in
        [("theirs", 0o500), ("theirs/below", 0o500), ("theirs", 0o000), ("theirs/below", 0o000)]
    {
        let program = largesse(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
        let theirs = program.folder().join("theirs");
        fs::create_dir(&theirs).unwrap();
        let owner = is_of(&fs::metadata(&theirs).unwrap());
        fs::set_permissions(&theirs, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let done = Running::start(program.bound_by_modes()).done();
        check(
            &done,
            1,
            &[&format!("belongs to the user {owner} (mode {mode:o})"), "chown", "--data DIR"],
            &[],
        );
    }
}

#[test]
fn what_was_packed_is_not_imported_and_told_how_to_unpack() {
    let rows: [(&[u8], &str); 6] = [
        (b"\x1f\x8b\x08\x00", "zcat FILE | largesse log import"),
        (b"\x28\xb5\x2f\xfd\x00", "zstdcat FILE | largesse log import"),
        (b"\xfd7zXZ\x00", "xzcat FILE | largesse log import"),
        (b"BZh91AY&SY", "bzcat FILE | largesse log import"),
        (b"PK\x03\x04", "unzip -p FILE | largesse log import"),
        (b"\xff\xfe{\x00", "iconv -f UTF-16 -t UTF-8 FILE | largesse log import"),
    ];
    for (bytes, want) in rows {
        let done = import(bytes);
        check(&done, 1, &[want, "nothing was imported"], &["line 1"]);
    }
}

#[test]
fn a_byte_order_mark_before_a_saved_log_is_passed_over() {
    let done =
        import(b"\xef\xbb\xbf{\"export\":1,\"log\":\"0\"}\r\n{\"end\":true,\"streams\":0,\"events\":0}\r\n");
    check(&done, 0, &["imported 0 streams"], &[]);
}

fn import(bytes: &[u8]) -> Done {
    let data = Folder::new();
    fs::write(data.path().join("saved"), bytes).unwrap();
    let mut program = largesse(&["log", "import", "--data", "made"]);
    program.command.stdin(fs::File::open(data.path().join("saved")).unwrap());
    Running::start(program).done()
}

/// The commands that ask a server, none of which follows a redirect.
const CLIENTS: [&[&str]; 3] = [&["publish", "a", "x"], &["tail", "a"], &["log", "export"]];

#[track_caller]
fn check_answer(status: &str, headers: &str, body: &str, want: &[&str]) {
    for args in CLIENTS {
        let script = Script::new();
        let running = Running::start(largesse(&[args, &["--url", &script.url()]].concat()));
        script.asked().answer_with(status, headers, body);
        check(&running.done(), 1, want, &[]);
    }
}

#[test]
fn a_redirect_is_told_with_where_it_points() {
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let (code, _) = status.split_once(' ').unwrap();
        let plain = "Location: http://other:8084/streams/a\r\n";
        check_answer(
            status,
            plain,
            "",
            &[code, "points to http://other:8084/streams/a", "--url http://other:8084"],
        );
        let tls = "Location: https://other/streams/a\r\nContent-Type: text/html\r\n";
        check_answer(
            status,
            tls,
            "<html>Moved</html>",
            &[code, "points to https://other/streams/a", "--url https://other"],
        );
        check_answer(status, "Location: /login\r\n", "", &[code, "points to /login", "--url"]);
        check_answer(status, "", "", &[code, "does not say where"]);
    }
}

#[test]
fn an_answer_of_somebody_else_is_told_as_that() {
    for status in ["403 Forbidden", "404 Not Found", "405 Method Not Allowed", "500 Internal Server Error"] {
        let (code, _) = status.split_once(' ').unwrap();
        check_answer(status, "", "", &[code, "without a reason", "proxy or another server"]);
        let page = "<!DOCTYPE html><html><head><title>nginx says no</title></head><body>x</body></html>";
        check_answer(
            status,
            "Content-Type: text/html\r\n",
            page,
            &[code, "nginx says no;", "another server"],
        );
    }
    let page = "Content-Type: text/html\r\n";
    check_answer("200 OK", page, "<html>hello</html>", &["?"]);
}

#[test]
fn an_event_stream_that_somebody_compressed_is_told_as_that() {
    let script = Script::new();
    let running = Running::start(largesse(&["tail", "a", "--url", &script.url()]));
    let headers = "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";
    script.asked().answer_with("200 OK", headers, "\u{1f}packed");
    check(&running.done(), 1, &["compressed (gzip)", "proxy or another server"], &[]);
}

#[test]
fn what_does_not_speak_http_is_told_as_that() {
    // The alert that a TLS server answers to HTTP, and what another server says unasked.
    for (said, waits) in
        [(&b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"[..], true), (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", false)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            if waits {
                connection.read_exact(&mut [0; 4]).unwrap();
            }
            connection.write_all(said).unwrap();
            // Until the other side has closed: otherwise what it wrote may reset the connection before it was read.
            let _ = connection.read_to_end(&mut Vec::new());
        });
        let done = run(&["log", "export", "--url", &url]);
        answering.join().unwrap();
        check(&done, 1, &["HTTP", "is it the right port"], &["the connection broke"]);
    }
}

#[test]
fn names_that_make_no_url_together_are_told_with_what_does() {
    let names: Vec<String> = (0..4_000).map(|number| format!("a/stream/{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check(&run(&[&["tail"], &names[..]].concat()), 1, &["65534", "fewer", "pattern"], &["uri too long"]);
    // Just below, it is a request.
    let script = Script::new();
    let running = Running::start(largesse(&[&["tail", "--url", &script.url()], &names[..2_000]].concat()));
    script.asked().answer("204 No Content", "text/plain", "");
    assert_eq!(running.done().code(), Some(0));
}

#[test]
fn a_body_that_curl_joined_is_told_by_the_server() {
    let server = Server::start();
    let headers = format!("Host: {}\r\nContent-Type: application/x-ndjson\r\n", server.address);
    let answer = server.ask_with(&headers, "POST", "/streams/a", "{\"n\":1}{\"n\":2}");
    assert!(answer.contains("bad-line") && answer.contains("--data-binary"), "{answer}");
}
