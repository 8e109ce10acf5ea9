//! The data folder is moved, hidden or removed under a server: what was acknowledged stays, or publishers are told.

use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Folder, run, server::Server};

/// With this little space for the log, a segment is full after one publish of [`LARGE`] bytes.
const CONFIG: &str = "[log]\nmax_bytes = \"2 MiB\"\n";
const LARGE: usize = 70_000;

/// A folder above that of the server, and one in it, at `up/live`.
struct Place {
    root: Folder,
}

impl Place {
    fn new() -> Self {
        let root = Folder::new();
        root.write("largesse.toml", CONFIG);
        fs::create_dir(root.path().join("up")).unwrap();
        Self { root }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn live(&self) -> PathBuf {
        self.at("up/live")
    }

    fn start(&self, before: &[&str], data: &Path) -> Server {
        Server::start_under(before, data, &["--config", self.at("largesse.toml").to_str().unwrap()])
    }
}

#[track_caller]
fn publish(server: &Server, stream: &str, bytes: usize) -> String {
    server.ask("POST", &format!("/streams/{stream}"), &"x".repeat(bytes))
}

#[track_caller]
fn check_taken(server: &Server, stream: &str, times: usize, bytes: usize) {
    for _ in 0..times {
        let answer = publish(server, stream, bytes);
        assert!(answer.starts_with("HTTP/1.0 201") || answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

#[track_caller]
fn check_refused(server: &Server, part: &str) {
    check_refused_for(server, &[part]);
}

/// The same for one of these reasons.
#[track_caller]
fn check_refused_for(server: &Server, parts: &[&str]) {
    let answer = publish(server, "first", 1);
    assert!(answer.contains(" 503 ") && answer.contains("log-unwritable"), "{answer}");
    assert!(
        answer.to_lowercase().contains("retry-after") && parts.iter().any(|part| answer.contains(part)),
        "{answer}"
    );
}

/// How many events of each stream an export with these arguments has: the first's, and the second's.
#[track_caller]
fn exported(args: &[&str]) -> (usize, usize) {
    let done = run(&[&["log", "export"], args].concat());
    assert_eq!(done.code(), Some(0), "{done:?}");
    let count = |stream: &str| {
        let events = done.stdout.lines().filter(|line| line.contains("\"data\""));
        events.filter(|line| line.contains(stream)).count()
    };
    (count("\"first\""), count("\"second\""))
}

fn stop(server: Server) -> String {
    stop_with(server, 0)
}

/// Stops a server that can't close its log.
fn stop_without_its_log(server: Server) -> String {
    stop_with(server, 1)
}

#[track_caller]
fn stop_with(server: Server, code: i32) -> String {
    server.running.signal("TERM");
    let done = server.running.done();
    assert_eq!(done.code(), Some(code), "{done:?}");
    done.stderr
}

/// Moves a server's folder away in some way, has a second one serve what is at its path, and publishes, begins
/// segments, makes checkpoints and stops. `moved` returns where the folder is then. `beside` starts the second where
/// it sees the same files as the first.
#[track_caller]
fn check_moved(
    place: &Place,
    before: &[&str],
    moved: impl FnOnce(&Server) -> PathBuf,
    beside: impl Fn(&Server) -> Vec<String>,
) {
    let first = place.start(before, &place.live());
    check_taken(&first, "first", 3, 1);
    let to = moved(&first);
    check_taken(&first, "first", 1, 1);
    let told = first.running.told("no longer at its path");
    assert!(told.contains("WARN") && told.contains("--data") || told.contains("mounted over"), "{told}");
    let beside = beside(&first);
    let second = place.start(&beside.iter().map(String::as_str).collect::<Vec<_>>(), &place.live());
    check_taken(&second, "second", 3, 1);
    check_taken(&first, "first", 12, LARGE);
    check_taken(&second, "second", 3, LARGE);
    let said = stop(first);
    assert!(said.contains("the log is closed") && !said.contains("ERROR"), "{said}");
    check_taken(&second, "second", 1, 1);
    assert_eq!(exported(&["--url", &second.url()]), (0, 7));
    let said = stop(second);
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    if beside.is_empty() {
        assert_eq!(exported(&["--data", place.live().to_str().unwrap()]), (0, 7));
    }
    assert_eq!(exported(&["--data", to.to_str().unwrap()]), (16, 0), "all that was acknowledged");
}

fn nowhere_else(_: &Server) -> Vec<String> {
    Vec::new()
}

#[test]
fn a_folder_that_is_moved_is_gone_on_with_and_told() {
    let place = Place::new();
    let moved = |_: &Server| {
        fs::rename(place.live(), place.at("up/aside")).unwrap();
        place.at("up/aside")
    };
    check_moved(&place, &[], moved, nowhere_else);
}

#[test]
fn a_folder_that_another_was_put_in_the_place_of_is_gone_on_with_and_told() {
    let place = Place::new();
    let moved = |_: &Server| {
        fs::create_dir(place.at("other")).unwrap();
        fs::rename(place.live(), place.at("up/aside")).unwrap();
        fs::rename(place.at("other"), place.live()).unwrap();
        place.at("up/aside")
    };
    check_moved(&place, &[], moved, nowhere_else);
}

#[test]
fn a_folder_whose_link_leads_to_another_is_gone_on_with_and_told() {
    let place = Place::new();
    for name in ["one", "two"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    symlink(place.at("one"), place.live()).unwrap();
    let moved = |_: &Server| {
        symlink(place.at("two"), place.at("link")).unwrap();
        fs::rename(place.at("link"), place.live()).unwrap();
        place.at("one")
    };
    check_moved(&place, &[], moved, nowhere_else);
}

#[test]
fn a_folder_below_one_that_is_moved_is_gone_on_with_and_told() {
    let place = Place::new();
    let moved = |_: &Server| {
        fs::rename(place.at("up"), place.at("elsewhere")).unwrap();
        place.at("elsewhere/live")
    };
    check_moved(&place, &[], moved, nowhere_else);
}

/// Runs inside what the server sees and others do not.
fn within(server: &Server) -> Vec<String> {
    let id = server.running.id().to_string();
    ["nsenter", "--preserve-credentials", "-U", "-m", "-t", &id].map(str::to_owned).to_vec()
}

#[test]
fn a_folder_that_something_is_mounted_over_is_gone_on_with_and_told() {
    let place = Place::new();
    let moved = |server: &Server| {
        let within = within(server);
        let mut mount = Command::new(&within[0]);
        mount.args(&within[1..]).args(["mount", "-t", "tmpfs", "none"]).arg(place.live());
        assert!(mount.status().unwrap().success());
        place.live()
    };
    check_moved(&place, &["unshare", "--map-root-user", "-m"], moved, within);
}

#[test]
fn a_folder_that_comes_back_is_told_once_and_nothing_else_is() {
    let place = Place::new();
    let server = place.start(&[], &place.live());
    fs::rename(place.live(), place.at("aside")).unwrap();
    server.running.told("no longer at its path");
    fs::rename(place.at("aside"), place.live()).unwrap();
    server.running.told("the data folder is at its path again");
    check_taken(&server, "first", 1, 1);
    let said = stop(server);
    assert!(said.contains("the log is closed") && !said.contains("WARN"), "{said}");
}

/// The files in a folder; none if there is no folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The segments of a log, in order.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let names = files(folder).into_iter().filter(|name| name.ends_with(".segment"));
    names.map(|name| folder.join(name)).collect()
}

/// Waits until all segments except the last have an index, and a checkpoint came after that.
fn wait_for_checkpoint(server: &Server, folder: &Path) {
    let is_made = || {
        let written = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok();
        let names = files(folder);
        let indexes: Vec<_> = names.iter().filter(|name| name.ends_with(".index")).collect();
        let checkpoint = written("checkpoint")?;
        let is_last = indexes.iter().all(|name| written(name).is_some_and(|index| index <= checkpoint));
        let is_steady = !names.iter().any(|name| name.ends_with(".new"));
        (indexes.len() + 1 == segments(folder).len() && is_last && is_steady).then_some(())
    };
    while is_made().is_none() {
        server.ask("GET", "/streams?limit=1", "");
    }
}

/// Again, if the server created a file meanwhile.
fn remove_whole(folder: &Path) {
    while let Err(error) = fs::remove_dir_all(folder) {
        assert_eq!(error.kind(), ErrorKind::DirectoryNotEmpty);
    }
}

/// Why publishers are refused when the active segment is removed: the words depend on which check sees it first.
const GONE: &[&str] = &["was removed", "taken out of the data folder"];

/// When publishers hear of a loss.
enum Heard {
    /// The next of them does.
    AtOnce,
    /// After this was reported.
    WhenTold(&'static str),
}

/// Removes something from the log in some way: publishers are told, what is in memory can be read, and the server
/// writes nothing more into the folder when it stops.
#[track_caller]
fn check_lost(parts: &[&str], heard: &Heard, lose: impl FnOnce(&Path)) {
    let place = Place::new();
    let live = place.live();
    let server = place.start(&[], &live);
    check_taken(&server, "first", 4, LARGE);
    check_taken(&server, "first", 1, 1);
    wait_for_checkpoint(&server, &live);
    lose(&live);
    if let Heard::WhenTold(told) = heard {
        server.running.told(told);
    }
    let left = files(&live);
    (0..3).for_each(|_| check_refused_for(&server, parts));
    let page = server.ask_with(
        &format!("Host: {}\r\nAccept: application/json\r\n", server.address),
        "GET",
        "/streams/first?from=-1",
        "",
    );
    assert!(page.contains(" 200 ") && page.contains("\"x\""), "reading goes on: {page}");
    let said = stop_without_its_log(server);
    assert!(said.contains("the log could not be closed") && !said.contains("the log is closed"), "{said}");
    let new: Vec<_> = files(&live).difference(&left).cloned().collect();
    assert_eq!(new, [""; 0], "nothing is written where something is missing");
}

/// Removes all files. The server may remove or rename one meanwhile.
fn remove_files(live: &Path) {
    while !files(live).is_empty() {
        files(live).iter().for_each(|name| _ = fs::remove_file(live.join(name)));
    }
}

#[test]
fn publishers_to_a_folder_that_was_removed_are_told() {
    check_lost(GONE, &Heard::AtOnce, remove_whole);
}

#[test]
fn publishers_to_a_folder_that_was_emptied_are_told() {
    check_lost(GONE, &Heard::AtOnce, |live| {
        remove_files(live);
    });
}

/// Does something to the active segment. The server may begin another just before, and never after.
fn lose_written(live: &Path, lose: impl Fn(&Path)) {
    loop {
        let written = segments(live).pop().unwrap();
        lose(&written);
        if segments(live).pop().is_none_or(|last| last <= written) {
            return;
        }
    }
}

#[test]
fn publishers_to_a_segment_that_was_removed_are_told() {
    check_lost(GONE, &Heard::AtOnce, |live| {
        lose_written(live, |written| fs::remove_file(written).unwrap());
    });
}

#[test]
fn publishers_to_a_segment_that_a_file_was_put_in_the_place_of_are_told() {
    check_lost(GONE, &Heard::AtOnce, |live| {
        lose_written(live, |written| {
            fs::copy(written, live.join("copy")).unwrap();
            fs::rename(live.join("copy"), written).unwrap();
        });
    });
}

#[test]
fn publishers_to_a_segment_that_was_moved_for_a_copy_are_told() {
    check_lost(&["is another file"], &Heard::WhenTold("is another file"), |live| {
        lose_written(live, |written| {
            fs::rename(written, live.join("aside")).unwrap();
            fs::copy(live.join("aside"), written).unwrap();
        });
    });
}

#[test]
fn publishers_to_a_log_that_misses_a_segment_are_told() {
    check_lost(&["taken out of the data folder"], &Heard::WhenTold("taken out"), |live| {
        fs::remove_file(&segments(live)[0]).unwrap();
    });
}

#[test]
fn a_file_that_can_be_made_again_is_and_nothing_is_lost() {
    for file in ["checkpoint", "identity", "lock", ".index"] {
        let place = Place::new();
        let live = place.live();
        let server = place.start(&[], &live);
        check_taken(&server, "first", 4, LARGE);
        wait_for_checkpoint(&server, &live);
        let name = files(&live).into_iter().find(|name| name.ends_with(file)).unwrap();
        fs::remove_file(live.join(&name)).unwrap();
        if file == "checkpoint" {
            server.running.told("the log's checkpoint is gone");
            while !live.join(&name).exists() {
                server.ask("GET", "/streams?limit=1", "");
            }
        }
        check_taken(&server, "first", 1, 1);
        server.running.signal("KILL");
        server.running.done();
        assert_eq!(exported(&["--data", live.to_str().unwrap()]), (5, 0), "without {name}");
    }
}

#[test]
fn what_was_taken_out_and_put_back_is_gone_on_with() {
    let place = Place::new();
    let server = place.start(&[], &place.live());
    check_taken(&server, "first", 4, LARGE);
    let segment = segments(&place.live()).remove(0);
    fs::rename(&segment, place.at("aside")).unwrap();
    server.running.told("taken out of the data folder");
    check_refused(&server, "taken out of the data folder");
    fs::rename(place.at("aside"), segment).unwrap();
    server.running.told("are there again");
    check_taken(&server, "first", 4, LARGE);
    let said = stop(server);
    assert!(said.contains("the log is closed"), "{said}");
    assert_eq!(exported(&["--data", place.live().to_str().unwrap()]).0, 8);
}

#[test]
fn a_second_server_where_a_folder_was_removed_keeps_its_own_log() {
    let place = Place::new();
    let first = place.start(&[], &place.live());
    check_taken(&first, "first", 3, LARGE);
    remove_whole(&place.live());
    let second = place.start(&[], &place.live());
    check_taken(&second, "second", 3, LARGE);
    check_refused_for(&first, GONE);
    stop_without_its_log(first);
    check_taken(&second, "second", 1, 1);
    stop(second);
    assert_eq!(exported(&["--data", place.live().to_str().unwrap()]), (0, 4));
}

#[test]
fn a_second_server_is_refused_a_folder_whose_files_were_removed() {
    let place = Place::new();
    let _first = place.start(&[], &place.live());
    remove_files(&place.live());
    let done = run(&["serve", "--listen", "127.0.0.1:0", "--data", place.live().to_str().unwrap()]);
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr.contains("uses the folder"), "{done:?}");
}
