//! The log in a folder: what is there again after the server stopped, or died; and who can have the folder.

use std::{fs, io::Write};

use crate::support::{Folder, Running, connect, largesse, page::Page, run, server::Server};

/// The status of an answer, and its JSON.
#[track_caller]
fn told(answer: &str) -> (u16, serde_json::Value) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn once(server: &Server, key: &str, stream: &str, body: &str) -> (u16, serde_json::Value) {
    let headers = format!("Host: {}\r\nIdempotency-Key: {key}\r\n", server.address);
    told(&server.ask_with(&headers, "POST", &format!("/streams/{stream}"), body))
}

/// Ends a server by a signal, and starts another that continues.
#[track_caller]
fn check_goes_on(signal: &str, more: &[&str]) {
    let data = Folder::new();
    let server = Server::start_on(&data, more);
    let address = server.address.clone();
    let first = once(&server, "k", "news", "one");
    assert_eq!(first.0, 201, "{first:?}");
    server.ask("POST", "/streams/news", "two");
    server.ask("POST", "/streams/ended?close", "last");
    let mut page = Page::open(&server, "/streams/news");
    page.connect_until_heard();
    let mut ended = Page::open(&server, "/streams/ended");
    assert_eq!(ended.until_stopped(), 204);

    server.running.signal(signal);
    let done = server.running.done();
    assert_eq!(done.code(), if signal == "KILL" { None } else { Some(0) }, "{done:?}");

    let server = Server::start_on(&data, more);
    assert_ne!(server.address, address);
    assert_eq!(once(&server, "k", "news", "one"), first, "{signal}: the key is still known");
    assert_eq!(once(&server, "k", "news", "another").0, 422, "{signal}: for what it was used for");
    assert_eq!(
        told(&server.ask("POST", "/streams/ended", "more")).0,
        409,
        "{signal}: the stream stays closed"
    );
    ended.goes_to(&server);
    assert_eq!(ended.until_stopped(), 204, "{signal}: who heard the end is stopped for good");
    server.ask("POST", "/streams/news?close", "three");
    page.goes_to(&server);
    assert_eq!(page.until_stopped(), 204);
    assert_eq!(page.data_of(""), ["one", "two", "three"], "{signal}: {:?}", page.heard);
    assert_eq!(page.data_of("reset"), [""; 0]);
    assert_eq!((page.data_of("end").len(), ended.data_of("")), (1, vec!["last"]));
}

#[test]
fn after_an_orderly_stop_all_is_there_and_an_old_id_a_key_and_an_end_still_count() {
    check_goes_on("TERM", &[]);
}

#[test]
fn after_a_kill_all_that_was_answered_is_there_and_an_old_id_a_key_and_an_end_still_count() {
    check_goes_on("KILL", &[]);
}

#[test]
fn synced_now_and_then_a_log_outlives_its_process_too() {
    let data = Folder::new();
    data.write("largesse.toml", "[log]\nsync = \"interval\"\nsync_interval = \"1h\"\n");
    let file = data.path().join("largesse.toml");
    check_goes_on("KILL", &["--config", file.to_str().unwrap()]);
}

#[test]
fn an_orderly_stop_closes_the_log_whoever_was_connected() {
    let data = Folder::new();
    let server = Server::start_on(&data, &["--shutdown-grace", "100ms"]);
    server.ask("POST", "/streams/a", "x");
    let mut reader = connect(&server.address);
    reader.write_all(server.request("GET", "/streams?name=**", "").as_bytes()).unwrap();
    let mut stuck = connect(&server.address);
    stuck.write_all(b"POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc").unwrap();
    server.ask("POST", "/demo/s4", "");
    server.running.signal("TERM");
    let done = server.running.done();
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(done.stderr.contains("the log is closed") && !done.stderr.contains("ERROR"), "{done:?}");
    assert!(data.path().join("checkpoint").exists(), "the next start has nothing to do again");
    assert_eq!(fs::read(data.path().join("lock")).unwrap(), b"", "the folder is free");
}

#[test]
fn each_of_many_orderly_stops_closes_the_log() {
    let data = Folder::new();
    for _ in 0..40 {
        let server = Server::start_on(&data, &[]);
        server.running.signal("TERM");
        let done = server.running.done();
        assert!(done.stderr.contains("the log is closed") && !done.stderr.contains("ERROR"), "{done:?}");
    }
}

#[test]
fn no_log_is_made_among_the_files_of_others() {
    for (names, told) in [
        (&["notes.txt"][..], "has no log, but notes.txt in it. Give --data"),
        (&["spare", "lock", ".hidden"], "but spare in it"),
        (&["b", "a", "c"], "but a and 2 others in it"),
    ] {
        let data = Folder::new();
        names.iter().for_each(|name| data.write(name, "of others"));
        let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
        let done = run(&args);
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains(told), "{told}: {done:?}");
        for name in names {
            assert_eq!(fs::read(data.path().join(name)).unwrap(), b"of others", "{name}");
        }
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), names.len());
    }
    let data = Folder::new();
    for name in [".hidden", "largesse.toml"] {
        data.write(name, "");
    }
    fs::create_dir(data.path().join("lost+found")).unwrap();
    let server = Server::start_on(&data, &[]);
    server.ask("POST", "/streams/a", "x");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    // Where there is a log, other files don't matter.
    data.write("notes.txt", "");
    Server::start_on(&data, &[]);
}

#[test]
fn a_folder_that_is_a_copy_is_served_and_told_once() {
    let (data, copy) = (Folder::new(), Folder::new());
    let server = Server::start_on(&data, &[]);
    server.ask("POST", "/streams/a", "x");
    server.running.signal("TERM");
    server.running.done();
    for file in fs::read_dir(data.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    for (folder, is_told) in [(&data, false), (&copy, true), (&copy, false)] {
        let server = Server::start_on(folder, &[]);
        server.running.signal("TERM");
        let done = server.running.done();
        assert_eq!(
            done.stderr.matches("the data folder is a copy").count(),
            usize::from(is_told),
            "{done:?}"
        );
    }
}

#[test]
fn without_a_word_events_are_kept_in_a_folder_beside_and_with_memory_nowhere() {
    let beside = Folder::new();
    let mut program = largesse(&["--listen", "127.0.0.1:0"]);
    program.command.current_dir(beside.path());
    let running = Running::start(program);
    assert!(running.line().starts_with("listening on http://127.0.0.1:"));
    running.told("events are kept in /");
    assert!(beside.path().join("largesse-data/lock").exists());

    let beside = Folder::new();
    let mut program = largesse(&["--memory", "--listen", "127.0.0.1:0"]);
    program.command.current_dir(beside.path());
    let running = Running::start(program);
    assert!(running.line().starts_with("listening on http://127.0.0.1:"));
    running.told("events are kept in memory, and are lost when the server stops");
    assert_eq!(fs::read_dir(beside.path()).unwrap().count(), 0);
}

#[test]
fn memory_and_a_folder_are_not_asked_for_at_once() {
    let done = run(&["serve", "--memory", "--data", "x"]);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(2), ""), "{done:?}");
}

#[test]
fn a_second_server_is_refused_a_folder_and_told_who_has_it() {
    let data = Folder::new();
    let first = Server::start_on(&data, &[]);
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
    let done = run(&args);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    let holder = format!("Another process, {} (largesse),", first.running.id());
    for part in [&*holder, &*data.path().to_string_lossy(), "--data DIR"] {
        assert!(done.stderr.contains(part), "{part}: {done:?}");
    }
    assert!(first.ask("POST", "/streams/a", "x").contains(" 201 "), "the first goes on");
}

#[test]
fn a_folder_that_cannot_be_had_is_told_with_what_to_do() {
    let data = Folder::new();
    data.write("file", "");
    let file = data.path().join("file");
    let done = run(&["serve", "--listen", "127.0.0.1:0", "--data", file.to_str().unwrap()]);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.stderr.contains(file.to_str().unwrap()) && done.stderr.contains("--data DIR"), "{done:?}");
}

#[test]
fn a_log_that_is_broken_is_not_served_and_told_with_the_file_and_what_to_do() {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    server.ask("POST", "/streams/a", "x");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    let file = data.path().join("checkpoint");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, &bytes).unwrap();

    let done = run(&["serve", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()]);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    for part in [
        data.path().to_str().unwrap(),
        "checkpoint",
        "broken at byte",
        "`largesse log import` makes a new log",
    ] {
        assert!(done.stderr.contains(part), "{part}: {done:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), bytes, "nothing was changed");
}

#[test]
fn readers_of_a_log_that_can_not_be_read_are_told_to_come_much_later_and_the_index_is_made_again() {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    server.ask("POST", "/streams/news?close", "kept");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    let mut files = fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().path());
    let index = files.find(|path| path.extension().is_some_and(|end| end == "index")).unwrap();
    let mut bytes = fs::read(&index).unwrap();
    // A page of postings: a start does not read it.
    bytes[2 * 4096 + 5] ^= 1;
    fs::write(&index, &bytes).unwrap();

    let server = Server::start_on(&data, &[]);
    let heard = server.ask("GET", "/streams/news", "");
    let retries: Vec<u64> =
        heard.lines().filter_map(|line| line.strip_prefix("retry: ")).map(|ms| ms.parse().unwrap()).collect();
    assert!(retries.len() == 2 && retries[0] <= 3_000 && retries[1] >= 30_000, "{heard}");
    server.running.signal("TERM");
    assert_eq!(server.running.done().code(), Some(0));
    // Maintenance has made it again, at the latest when the server stopped.
    let server = Server::start_on(&data, &[]);
    assert!(server.ask("GET", "/streams/news", "").contains("data: kept"));
}
