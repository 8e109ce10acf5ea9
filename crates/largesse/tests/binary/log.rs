//! `largesse log`: what is in a folder, whether it is whole, saving it, and making another log from it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use crate::support::{Done, Folder, Running, largesse, page::Page, run, server::Server};

/// Runs a command of `log` on a folder.
fn log(command: &str, data: &Folder) -> Done {
    run(&["log", command, "--data", data.path().to_str().unwrap()])
}

fn import(data: &Folder, lines: &str) -> Done {
    let mut program = largesse(&["log", "import", "--data", data.path().to_str().unwrap()]);
    program.command.stdin(std::process::Stdio::piped());
    let mut running = Running::start(program);
    running.write(lines);
    running.done()
}

/// A server with a little of everything.
fn filled(data: &Folder) -> Server {
    let server = Server::start_on(data, &[]);
    server.ask("PUT", "/streams/prices/a", r#"{"max_events":"2","slow":"latest"}"#);
    for price in ["1", "2", "3"] {
        server.ask("POST", "/streams/prices/a?event=price", price);
    }
    server.ask("POST", "/streams/news", "two\nlines \u{1f600} \"quoted\"");
    server.ask("PUT", "/streams/empty", "");
    server.ask("POST", "/streams/gone", "x");
    server.ask("DELETE", "/streams/gone", "");
    server.ask("POST", "/streams/done?close", "last");
    server
}

#[track_caller]
fn stop(server: Server, signal: &str) {
    server.running.signal(signal);
    let done = server.running.done();
    assert!(signal == "KILL" || done.code() == Some(0), "{done:?}");
}

/// The lines of an export except the first, without what differs between two logs of the same events.
fn lines(export: &str) -> Vec<Value> {
    let mut lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("id");
    }
    assert_eq!(lines[0]["export"], 1, "{export}");
    lines.split_off(1)
}

#[track_caller]
fn check_ok(done: Done) -> String {
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""), "{done:?}");
    done.stdout
}

#[test]
fn info_says_what_is_in_a_folder_after_a_stop_and_after_a_kill_and_changes_nothing() {
    for signal in ["TERM", "KILL"] {
        let data = Folder::new();
        stop(filled(&data), signal);
        let lock = || fs::read(data.path().join("lock")).unwrap();
        let (before, lock_before) = (files(&data), lock());
        let told = check_ok(log("info", &data));
        let wanted = [
            "format         2\n",
            "streams        4\n",
            "events         4\n",
            "incarnation    ",
            "segments       ",
        ];
        for part in wanted {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(told.contains(data.path().to_str().unwrap()), "{told}");
        let of_the_log = before.iter().filter(|(name, _)| name != "identity");
        let bytes: usize = of_the_log.map(|(_, bytes)| bytes.len()).sum();
        assert!(told.contains(&format!("bytes          {bytes}\n")), "{bytes}: {told}");
        assert!(check_ok(log("check", &data)).starts_with("the log is whole: "));
        check_ok(log("export", &data));
        assert_eq!((files(&data), lock()), (before, lock_before), "{signal}");
    }
}

/// All files with their bytes, except the lock.
fn files(data: &Folder) -> Vec<(String, Vec<u8>)> {
    let file =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    let mut files: Vec<_> = fs::read_dir(data.path()).unwrap().map(|entry| file(entry.unwrap())).collect();
    files.retain(|(name, _)| name != "lock");
    files.sort();
    files
}

#[test]
fn what_is_exported_from_a_folder_and_from_a_running_server_is_the_same() {
    let data = Folder::new();
    let server = filled(&data);
    let fetched = check_ok(run(&["log", "export", "--url", &server.url()]));
    stop(server, "TERM");
    let exported = check_ok(log("export", &data));
    let parsed = |lines: &str| -> Vec<Value> {
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(parsed(&fetched), parsed(&exported));
    assert_eq!(fetched, exported, "to the byte");
    let lines = lines(&exported);
    assert_eq!(lines.len(), 10, "{exported}");
    let data: Vec<_> = lines.iter().filter_map(|line| line["data"].as_str()).collect();
    assert_eq!(data, ["2", "3", "two\nlines \u{1f600} \"quoted\"", "last"]);
}

#[test]
fn what_is_imported_is_the_same_in_a_new_log() {
    let (first, second) = (Folder::new(), Folder::new());
    let server = filled(&first);
    let mut page = Page::open(&server, "/streams/news");
    page.connect_until_heard();
    stop(server, "KILL");
    let exported = check_ok(log("export", &first));
    let done = import(&second, &exported);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.stderr.contains("imported 4 streams and 4 events"), "{done:?}");
    assert!(check_ok(log("check", &second)).starts_with("the log is whole: "));
    assert_eq!(lines(&check_ok(log("export", &second))), lines(&exported));

    let server = Server::start_on(&second, &[]);
    assert!(server.ask("POST", "/streams/done", "more").contains("stream-closed"));
    server.ask("POST", "/streams/news?close", "more");
    page.goes_to(&server);
    assert_eq!(page.until_stopped(), 204);
    assert!(page.data_of("reset")[0].contains("new_log"), "{:?}", page.heard);
    assert_eq!(page.data_of("").last(), Some(&"more"));
}

/// Lines that are refused, and what is reported. Nothing is left of them.
#[track_caller]
fn check_refused(lines: &str, wants: &[&str]) {
    let data = Folder::new();
    let done = import(&data, lines);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    for want in wants.iter().chain(&["nothing was imported"]) {
        assert!(done.stderr.contains(want), "{want}: {done:?}");
    }
    assert_eq!(files(&data), [], "{lines}");
}

#[test]
fn a_line_that_is_wrong_is_told_with_its_number_and_nothing_is_imported() {
    let head = r#"{"export":1}"#;
    let stream = r#"{"stream":"a","settings":{}}"#;
    let event = r#"{"stream":"a","time":"2026-11-20T08:00:00Z","data":"x"}"#;
    let end = r#"{"end":true,"streams":1,"events":1}"#;
    check_refused("", &["the last line is missing"]);
    // The zeros that a machine that lost power leaves have no line end to wait for.
    check_refused(&"\0".repeat(100), &["line 1", "does not begin with {"]);
    check_refused(&format!("{stream}\n"), &["line 1", "begins with"]);
    check_refused(&format!("{head}\n{stream}\n{event}\n"), &["the last line is missing", "after line 3"]);
    check_refused(&format!("{head}\n{stream}\n{{\n{end}"), &["line 3", "at its byte"]);
    check_refused(
        &format!("{head}\n{stream}\n{event}\n{event}\n{end}\n"),
        &["line 5", "saved were 1 stream and 1 event, and 1 and 2 came"],
    );
    check_refused(&format!("{head}\n{head}\n"), &["line 2", "once"]);
    check_refused(
        &format!("{head}\n{stream}\n{event}\n{end}\n{event}\n"),
        &["line 5", "follows the last line"],
    );
    let closed = r#"{"stream":"a","closed":true}"#;
    check_refused(
        &format!("{head}\n{stream}\n{closed}\n{event}\n{end}\n"),
        &["line 5", "the stream is closed"],
    );
}

#[test]
fn only_an_empty_folder_is_imported_into() {
    let data = Folder::new();
    stop(filled(&data), "TERM");
    let before = files(&data);
    let done = import(&data, "{\"export\":1}\n{\"end\":true,\"streams\":0,\"events\":0}\n");
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("is not empty"), "{done:?}");
    assert_eq!(files(&data), before);
}

#[test]
fn a_folder_whose_import_was_cut_off_is_not_served() {
    let data = Folder::new();
    data.write("importing", "");
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["log", "export"]] {
        let done = run(&[command, &["--data", data.path().to_str().unwrap()]].concat());
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains("was cut off"), "{done:?}");
    }
}

#[test]
fn the_folder_of_a_running_server_is_not_looked_at_and_one_without_a_log_is_told() {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    for command in ["info", "check", "export", "import"] {
        let done = log(command, &data);
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains(&format!("{} (largesse)", server.running.id())), "{done:?}");
        assert!(done.stderr.contains("its own. --data DIR takes another folder"), "{done:?}");
        assert_eq!(done.stderr.contains("--url URL"), command == "export", "{done:?}");
    }
    drop(server);
    let empty = Folder::new();
    for command in ["info", "check", "export"] {
        let done = log(command, &empty);
        assert!(done.code() == Some(1) && done.stderr.contains("there is no log in"), "{done:?}");
        assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0, "{command} makes nothing");
    }
    let done = run(&["log", "info", "--data", "nowhere"]);
    assert!(done.code() == Some(1) && done.stderr.contains("there is no folder nowhere"), "{done:?}");
}

/// Looks at a folder in which nothing can be written; returns what it says on stderr.
#[track_caller]
fn check_looks(data: &Folder, want: &str) {
    for command in ["info", "check", "export"] {
        let args = ["log", command, "--data", data.path().to_str().unwrap()];
        let done = Running::start(largesse(&args).bound_by_modes()).done();
        assert_eq!(done.code(), Some(0), "{done:?}");
        assert!(!done.stdout.is_empty() && done.stderr.contains(want), "{want}: {done:?}");
        assert_eq!(done.stderr.is_empty(), want.is_empty(), "{done:?}");
    }
}

#[test]
fn a_folder_in_which_nothing_can_be_written_is_looked_at() {
    let data = Folder::new();
    stop(filled(&data), "KILL");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for file in fs::read_dir(data.path()).unwrap() {
        mode(&file.unwrap().path(), 0o400);
    }
    mode(data.path(), 0o500);
    check_looks(&data, "");
    mode(data.path(), 0o700);
    fs::remove_file(data.path().join("lock")).unwrap();
    mode(data.path(), 0o500);
    check_looks(&data, "whether a server has it is not known");
    mode(data.path(), 0o700);
}

#[test]
fn each_thing_that_is_broken_is_told_with_its_file_and_byte_and_what_is_whole_is_exported() {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    for text in ["first event", "second event", "third event"] {
        server.ask("POST", "/streams/a", text);
    }
    stop(server, "KILL");
    // A start makes a checkpoint, so that the events are not read again before somebody asks for them.
    stop(Server::start_on(&data, &[]), "TERM");
    let (name, mut bytes) =
        files(&data).into_iter().find(|(_, bytes)| place_of(bytes, b"second event").is_some()).unwrap();
    let place = place_of(&bytes, b"second event").unwrap();
    bytes[place] ^= 1;
    fs::write(data.path().join(&name), &bytes).unwrap();

    let checked = log("check", &data);
    assert_eq!(checked.code(), Some(1), "{checked:?}");
    let frame = place - 9 - 2;
    assert!(checked.stdout.starts_with(&format!("{name}, byte {frame}: ")), "{frame}: {checked:?}");
    assert!(checked.stderr.contains("broken in 1 place\n"), "{checked:?}");

    let exported = log("export", &data);
    assert_eq!(exported.code(), Some(1), "{exported:?}");
    assert!(
        exported.stderr.contains(&name) && exported.stderr.contains("1 event broken, and not in it"),
        "{exported:?}"
    );
    let lines = lines(&exported.stdout);
    let data: Vec<_> = lines.iter().filter_map(|line| line["data"].as_str()).collect();
    assert_eq!(data, ["first event", "third event"]);
}

/// A log whose server was killed, with a bit flipped this many bytes after where a text begins.
fn killed_and_broken(text: &str, by: isize) -> (Folder, String) {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    for text in ["first event", "second event", "third event", "fourth event"] {
        server.ask("POST", "/streams/a", text);
    }
    stop(server, "KILL");
    let is_it = |(_, bytes): &(String, Vec<u8>)| place_of(bytes, text.as_bytes()).is_some();
    let (name, mut bytes) = files(&data).into_iter().find(is_it).unwrap();
    let place = place_of(&bytes, text.as_bytes()).unwrap();
    bytes[place.checked_add_signed(by).unwrap()] ^= 1;
    fs::write(data.path().join(&name), &bytes).unwrap();
    (data, format!("{name}, byte {}: ", place - 11))
}

#[test]
fn an_event_that_broke_before_a_start_is_lost_and_told_and_all_else_is_served_and_exported() {
    let (data, place) = killed_and_broken("second event", 3);
    let checked = log("check", &data);
    assert_eq!(checked.code(), Some(1), "{checked:?}");
    assert!(checked.stdout.starts_with(&place) && checked.stdout.contains("of a is broken"), "{checked:?}");
    assert_eq!(checked.stdout.lines().count(), 1, "{checked:?}");
    for _ in 0..2 {
        let exported = log("export", &data);
        assert_eq!(exported.code(), Some(1), "{exported:?}");
        assert!(exported.stderr.contains("1 event broken, and not in it"), "{exported:?}");
        let lines = lines(&exported.stdout);
        let texts: Vec<_> = lines.iter().filter_map(|line| line["data"].as_str()).collect();
        assert_eq!(texts, ["first event", "third event", "fourth event"]);
        // The second time with what a start made of it.
        stop(Server::start_on(&data, &[]), "TERM");
    }
}

#[test]
fn where_nothing_says_what_was_written_the_log_is_not_served_and_all_other_events_are_exported() {
    let (data, place) = killed_and_broken("second event", -11);
    let served = run(&["serve", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()]);
    assert_eq!((served.code(), served.stdout.as_str()), (Some(1), ""), "{served:?}");
    for part in [place.split_once(',').unwrap().0, "at byte", "largesse log export", "largesse log import"] {
        assert!(served.stderr.contains(part), "{part}: {served:?}");
    }
    let checked = log("check", &data);
    assert!(checked.code() == Some(1) && checked.stdout.contains(&place), "{checked:?}");
    let exported = log("export", &data);
    assert_eq!(exported.code(), Some(1), "{exported:?}");
    assert!(
        exported.stderr.contains("left out") && exported.stderr.contains("in 1 place where"),
        "{exported:?}"
    );
    let lines = lines(&exported.stdout);
    let texts: Vec<_> = lines.iter().filter_map(|line| line["data"].as_str()).collect();
    assert_eq!(texts, ["first event", "third event", "fourth event"]);
    let again = Folder::new();
    let imported = import(&again, &exported.stdout);
    assert_eq!(imported.code(), Some(0), "{imported:?}");
}

#[test]
fn what_is_broken_is_told_by_the_export_of_a_running_server_too_whoever_met_it_before() {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    for text in ["first event", "second event", "third event"] {
        server.ask("POST", "/streams/a", text);
        server.ask("POST", "/streams/b", text);
    }
    stop(server, "TERM");
    let (name, mut bytes) =
        files(&data).into_iter().find(|(_, bytes)| place_of(bytes, b"second event").is_some()).unwrap();
    let place = place_of(&bytes, b"second event").unwrap();
    bytes[place] ^= 1;
    fs::write(data.path().join(&name), &bytes).unwrap();

    let server = Server::start_on(&data, &[]);
    // The first export meets it; the second finds it recorded.
    for _ in 0..2 {
        let done = run(&["log", "export", "--url", &server.url()]);
        assert_eq!(done.code(), Some(1), "{done:?}");
        assert!(done.stderr.contains("a: 1 event broken\n"), "{done:?}");
        assert!(done.stderr.contains("1 event broken and left out; all others are in it"), "{done:?}");
        let lines = lines(&done.stdout);
        let data: Vec<_> = lines.iter().filter_map(|line| line["data"].as_str()).collect();
        assert_eq!(data, ["first event", "first event", "second event", "third event", "third event"]);
    }
}

fn place_of(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[test]
fn settings_and_names_that_were_accepted_come_through_a_saved_log() {
    let data = Folder::new();
    let server = Server::start_on(&data, &[]);
    server.ask("PUT", "/streams/a", r#"{"from":"-100","control_names":"shared"}"#);
    server.ask("POST", "/streams/a?event=end", "accepted");
    server.ask("PUT", "/streams/a", r#"{"control_names":"reserved"}"#);
    server.ask("PUT", "/streams/b", r#"{"from":"now","control_names":"shared"}"#);
    stop(server, "KILL");
    let saved = check_ok(log("export", &data));
    let again = Folder::new();
    let done = import(&again, &saved);
    assert_eq!(done.code(), Some(0), "{done:?}");
    let saved_again = check_ok(log("export", &again));
    assert_eq!(lines(&saved_again), lines(&saved));
    for part in [
        r#""from":"-100","control_names":"reserved""#,
        r#""from":"now","control_names":"shared""#,
        r#""event":"end""#,
    ] {
        assert!(saved.contains(part), "{part}: {saved}");
    }
    let server = Server::start_on(&again, &[]);
    assert!(server.ask("POST", "/streams/a?event=end", "x").contains("reserved-name"));
    assert!(server.ask("POST", "/streams/b?event=end", "x").contains(" 201 "));
    // What a version before these settings saved has their defaults.
    let old = saved.replace(r#","from":"-100","control_names":"reserved""#, "");
    let older = Folder::new();
    assert_eq!(import(&older, &old).code(), Some(0));
    assert!(
        check_ok(log("export", &older))
            .contains(r#""slow":"catch-up","from":"start","control_names":"reserved"}"#)
    );
}
