//! A wrong clock: what is said, which times events get, and what is dropped. libfaketime moves the server's clock
//! while it runs; the machine's own stays as it is, and so does the steady clock.

use std::{fs, path::PathBuf, time::Instant};

use serde_json::Value;

use crate::support::{Done, Folder, Running, WAIT_MAX, largesse, run, server::Server};

const YEAR: &str = "+365d";
const NEXT_YEAR_MS: i64 = 365 * 24 * 3_600 * 1_000;
/// Far more than a test takes.
const MINUTES_MS: i64 = 10 * 60 * 1_000;

/// The library, where Debian's package `faketime` has it.
fn faketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let libraries = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.is_file()).expect("the Debian package faketime is there")
}

/// A folder with a log, and a clock for its servers.
struct World {
    data: Folder,
    clock: Folder,
}

impl World {
    fn new() -> Self {
        Self { data: Folder::new(), clock: Folder::new() }
    }

    /// From now on the clock is this far from the machine's: `+365d`, `-1h`.
    fn set(&self, offset: &str) {
        // In one go, because it is read again and again.
        self.clock.write("new", offset);
        fs::rename(self.clock.path().join("new"), self.clock.path().join("offset")).unwrap();
    }

    fn start(&self, offset: &str) -> Server {
        self.set(offset);
        let data = self.data.path().to_str().unwrap();
        let mut program = largesse(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
        program.command.env("LD_PRELOAD", faketime()).env("FAKETIME_NO_CACHE", "1");
        program.command.env("FAKETIME_TIMESTAMP_FILE", self.clock.path().join("offset"));
        program.command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
        let running = Running::start(program);
        let address = running.line().strip_prefix("listening on http://").unwrap().to_owned();
        Server { running, address }
    }

    /// As after a reboot of the machine: the mark's steady clock is gone.
    fn restart_machine(&self) {
        let path = self.data.path().join("clock");
        let mark = fs::read_to_string(&path).unwrap();
        let fields: Vec<&str> = mark.splitn(3, ' ').collect();
        fs::write(path, format!("{} another {}", fields[0], fields[2])).unwrap();
    }
}

fn stop(server: Server) -> Done {
    server.running.signal("TERM");
    let done = server.running.done();
    assert_eq!(done.code(), Some(0), "{done:?}");
    done
}

/// The events that are kept: data, and how far their times are after `since`.
fn kept(server: &Server, stream: &str, since: i64) -> Vec<(String, i64)> {
    let headers = format!("Host: {}\r\nAccept: application/json\r\n", server.address);
    let answer = server.ask_with(&headers, "GET", &format!("/streams/{stream}"), "");
    let page: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let event = |event: &Value| {
        let time: jiff::Timestamp = event["time"].as_str().unwrap().parse().unwrap();
        (event["data"].as_str().unwrap().to_owned(), time.as_millisecond() - since)
    };
    page["events"].as_array().unwrap().iter().map(event).collect()
}

/// The data of what is kept; its times must not go back, and must be within minutes of `near`.
#[track_caller]
fn check_kept(server: &Server, stream: &str, near: i64, want: &[&str]) {
    let events = kept(server, stream, near);
    assert_eq!(events.iter().map(|(data, _)| data.as_str()).collect::<Vec<_>>(), want);
    assert!(events.is_sorted_by_key(|(_, ms)| *ms), "{events:?}");
    assert!(events.iter().all(|(_, ms)| ms.abs() < MINUTES_MS), "{events:?}");
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Waits for a sweep that comes after now: an event that expires a moment later is dropped.
#[track_caller]
fn wait_for_a_sweep(server: &Server) {
    server.ask("PUT", "/streams/tick", r#"{"max_age":"10ms"}"#);
    server.ask("POST", "/streams/tick", "tick");
    let until = Instant::now() + WAIT_MAX;
    while !kept(server, "tick", 0).is_empty() {
        assert!(Instant::now() < until, "nothing is swept");
    }
}

fn fill(server: &Server) {
    for stream in ["written", "quiet", "closed"] {
        server.ask("PUT", &format!("/streams/{stream}"), r#"{"max_age":"1h","ttl_after_close":"1h"}"#);
        server.ask("POST", &format!("/streams/{stream}"), "before");
    }
    server.ask("POST", "/streams/closed?close", "");
}

#[test]
fn a_clock_that_visits_next_year_and_comes_back_drops_nothing_leaves_no_time_and_is_told() {
    let world = World::new();
    let server = world.start("+0");
    let now = now_ms();
    fill(&server);
    world.set(YEAR);
    server.running.told("the machine's clock leapt: it is 365 days ahead");
    server.ask("POST", "/streams/written", "in next year");
    wait_for_a_sweep(&server);
    check_kept(&server, "written", now, &["before", "in next year"]);
    check_kept(&server, "quiet", now, &["before"]);
    check_kept(&server, "closed", now, &["before"]);
    world.set("+0");
    server.running.told("agree again");
    server.ask("POST", "/streams/written", "after");
    check_kept(&server, "written", now, &["before", "in next year", "after"]);
    let told = stop(server).stderr;
    assert!(!told.contains("serve::clock"), "each change is told once: {told}");
}

#[test]
fn a_clock_that_is_set_back_is_told_and_events_go_on_and_age() {
    for (offset, told) in [("-1h", "1 h ahead"), ("-100d", "100 days ahead"), ("-20000d", "20000 days ahead")]
    {
        let world = World::new();
        let server = world.start("+0");
        let now = now_ms();
        fill(&server);
        world.set(offset);
        server.running.told(told);
        server.ask("POST", "/streams/written", "by the clock before");
        wait_for_a_sweep(&server);
        check_kept(&server, "written", now, &["before", "by the clock before"]);
        world.set("+0");
        server.running.told("agree again");
        stop(server);
    }
}

#[test]
fn small_steps_of_the_clock_are_followed_without_a_word() {
    let world = World::new();
    let server = world.start("+0");
    fill(&server);
    for offset in ["+1s", "+0", "+30s", "-20s", "+0"] {
        world.set(offset);
        wait_for_a_sweep(&server);
        server.ask("POST", "/streams/written", offset);
    }
    let times: Vec<i64> = kept(&server, "written", 0).iter().map(|(_, ms)| *ms).collect();
    assert!(times.len() == 6 && times.is_sorted(), "{times:?}");
    let told = stop(server).stderr;
    assert!(!told.contains("serve::clock"), "{told}");
}

#[test]
fn a_start_with_a_clock_that_is_wrong_drops_nothing_and_is_told() {
    let rows = [
        (YEAR, &["365 days ahead of the log's time"][..]),
        ("+2h", &["2 h ahead of the log's time"]),
        ("-2h", &["the log's time is 2 h ahead"]),
        ("-20000d", &["before 2026", "the log's time is 20000 days ahead"]),
    ];
    for (offset, told) in rows {
        let world = World::new();
        let now = now_ms();
        let server = world.start("+0");
        fill(&server);
        stop(server);
        let server = world.start(offset);
        told.iter().for_each(|part| _ = server.running.told(part));
        server.ask("POST", "/streams/written", "after");
        wait_for_a_sweep(&server);
        check_kept(&server, "written", now, &["before", "after"]);
        check_kept(&server, "quiet", now, &["before"]);
        check_kept(&server, "closed", now, &["before"]);
        stop(server);
        let server = world.start("+0");
        wait_for_a_sweep(&server);
        check_kept(&server, "written", now, &["before", "after"]);
        let told = stop(server).stderr;
        assert!(!told.contains("WARN"), "{offset}: all is well again: {told}");
    }
}

#[test]
fn after_a_machine_was_off_its_clock_is_believed_and_what_is_there_is_spared_for_a_while() {
    let world = World::new();
    let server = world.start("+0");
    fill(&server);
    stop(server);
    world.restart_machine();
    let server = world.start(YEAR);
    server.running.told("365 days after the log's last time");
    server.ask("POST", "/streams/new", "then");
    wait_for_a_sweep(&server);
    check_kept(&server, "new", now_ms() + NEXT_YEAR_MS, &["then"]);
    check_kept(&server, "quiet", now_ms(), &["before"]);
    stop(server);

    // And where that was wrong: the log continues from there, and its events still age.
    let server = world.start("+0");
    server.running.told("the log's time is 365 days ahead of the machine's clock");
    for data in ["1", "2"] {
        wait_for_a_sweep(&server);
        server.ask("POST", "/streams/new", data);
    }
    check_kept(&server, "new", now_ms() + NEXT_YEAR_MS, &["then", "1", "2"]);
    let times: Vec<i64> = kept(&server, "new", 0).iter().map(|(_, ms)| *ms).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "time goes on: {times:?}");
    stop(server);
    check_way_out(&world);
}

/// A log whose times are ahead is saved, and a log without such times is made from it.
#[track_caller]
fn check_way_out(world: &World) {
    let data = world.data.path().to_str().unwrap();
    let info = run(&["log", "info", "--data", data]);
    assert!(info.stderr.contains("365 days ahead of this machine's clock"), "{info:?}");
    assert!(info.stdout.contains("last time"), "{info:?}");
    let saved = run(&["log", "export", "--data", data]).stdout;
    for (more, said) in
        [(&[][..], "a server continues from there"), (&["--cap-times"], "they have the clock's time now")]
    {
        let made = World::new();
        let args = [&["log", "import", "--data", made.data.path().to_str().unwrap()][..], more].concat();
        let mut program = largesse(&args);
        program.command.stdin(std::process::Stdio::piped());
        let mut running = Running::start(program);
        running.write(&saved);
        let done = running.done();
        assert!(done.stderr.contains("3 events had times up to 365 days ahead"), "{done:?}");
        assert!(done.stderr.contains(said), "{done:?}");
        let server = made.start("+0");
        let near = if more.is_empty() { now_ms() + NEXT_YEAR_MS } else { now_ms() };
        check_kept(&server, "new", near, &["then", "1", "2"]);
        let told = stop(server).stderr;
        assert_eq!(told.contains("WARN"), more.is_empty(), "{told}");
    }
}

#[test]
fn a_log_that_never_had_an_event_follows_its_clock_wherever_it_goes() {
    let world = World::new();
    let server = world.start("-20000d");
    server.running.told("before 2026");
    world.set("+0");
    server.running.told("the log's time now follows it");
    server.ask("POST", "/streams/a", "first");
    check_kept(&server, "a", now_ms(), &["first"]);
    stop(server);
}
