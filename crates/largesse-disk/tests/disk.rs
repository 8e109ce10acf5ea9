//! What every disk promises, checked on the real folder and on the simulated one; and what only the folder does.

mod support;

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use largesse_disk::io::{Disk, DiskFile, Folder, Instead, Location, SimulatedDisk};
use support::TempFolder;

/// Checks a promise on each disk.
fn check(promise: fn(&dyn Disk)) {
    let folder = TempFolder::new();
    promise(&Folder::open(folder.path()).expect("the folder is there"));
    promise(&SimulatedDisk::new(1));
}

fn with_bytes(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = disk.create(name).expect("the name is free");
    file.write_at(bytes, 0).expect("there is room");
    file
}

fn all(file: &dyn DiskFile) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.bytes().expect("it is open")).expect("it is small")];
    file.read_at(&mut bytes, 0).expect("that many are there");
    bytes
}

fn all_of(disk: &dyn Disk, name: &str) -> Vec<u8> {
    all(&*disk.open(name).expect("it is there"))
}

fn names(disk: &dyn Disk) -> Vec<String> {
    let mut names = disk.names().expect("the disk works");
    names.sort();
    names
}

#[track_caller]
fn fails<T>(result: io::Result<T>, want: ErrorKind) {
    assert_eq!(result.err().map(|error| error.kind()), Some(want));
}

#[test]
fn a_disk_says_what_is_free_before_it_is_full() {
    check(|disk| assert!(disk.free_bytes().unwrap() > 0));
    let full = SimulatedDisk::new(1);
    full.set_full(true);
    assert_eq!(full.free_bytes().unwrap(), 0);
}

#[test]
fn written_bytes_are_read_at_once_through_every_handle() {
    check(|disk| {
        let file = with_bytes(disk, "a", b"0123456789");
        let other = disk.open("a").unwrap();
        file.write_at(b"xy", 4).unwrap();
        other.write_at(b"end", 10).unwrap();
        assert_eq!(all(&*file), b"0123xy6789end");
        assert_eq!(all(&*other), b"0123xy6789end");
        file.sync().unwrap();
        assert_eq!(all_of(disk, "a"), b"0123xy6789end");
    });
}

#[test]
fn a_new_file_is_empty() {
    check(|disk| {
        let file = disk.create("a").unwrap();
        assert_eq!(file.bytes().unwrap(), 0);
        fails(file.read_at(&mut [0], 0), ErrorKind::UnexpectedEof);
        file.read_at(&mut [], 0).unwrap();
    });
}

#[test]
fn a_read_past_the_end_fails_and_is_never_short() {
    check(|disk| {
        let file = with_bytes(disk, "a", b"abc");
        let mut into = [0; 3];
        file.read_at(&mut into, 0).unwrap();
        assert_eq!(&into, b"abc");
        fails(file.read_at(&mut into, 1), ErrorKind::UnexpectedEof);
        fails(file.read_at(&mut into, 3), ErrorKind::UnexpectedEof);
        fails(file.read_at(&mut into, 1 << 40), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn a_truncated_file_ends_there_and_can_be_extended() {
    check(|disk| {
        let file = with_bytes(disk, "a", b"abcdef");
        file.truncate(2).unwrap();
        assert_eq!(all(&*file), b"ab");
        file.write_at(b"X", 2).unwrap();
        assert_eq!(all(&*file), b"abX");
        file.truncate(0).unwrap();
        assert_eq!(all(&*file), b"");
    });
}

#[test]
fn an_existing_name_is_not_created_again() {
    check(|disk| {
        with_bytes(disk, "a", b"kept");
        fails(disk.create("a"), ErrorKind::AlreadyExists);
        assert_eq!(all_of(disk, "a"), b"kept");
    });
}

#[test]
fn a_missing_file_is_not_found() {
    check(|disk| {
        fails(disk.open("a"), ErrorKind::NotFound);
        fails(disk.rename("a", "b"), ErrorKind::NotFound);
        fails(disk.remove("a"), ErrorKind::NotFound);
        assert_eq!(names(disk), [""; 0]);
    });
}

#[test]
fn names_are_the_current_ones() {
    check(|disk| {
        for name in ["c", "a", "b.tmp"] {
            disk.create(name).unwrap();
        }
        disk.rename("b.tmp", "b").unwrap();
        disk.remove("c").unwrap();
        disk.sync_names().unwrap();
        assert_eq!(names(disk), ["a", "b"]);
    });
}

#[test]
fn a_rename_replaces_what_had_the_name() {
    check(|disk| {
        let old = with_bytes(disk, "a", b"old");
        let new = with_bytes(disk, "b", b"new");
        disk.rename("b", "a").unwrap();
        assert_eq!(names(disk), ["a"]);
        assert_eq!(all_of(disk, "a"), b"new");
        assert_eq!(all(&*old), b"old", "an open handle still reads the old file");
        new.write_at(b"er", 3).unwrap();
        assert_eq!(all_of(disk, "a"), b"newer");
    });
}

#[test]
fn a_rename_to_its_own_name_changes_nothing() {
    check(|disk| {
        with_bytes(disk, "a", b"kept");
        disk.rename("a", "a").unwrap();
        assert_eq!(all_of(disk, "a"), b"kept");
    });
}

#[test]
fn a_removed_file_can_still_be_read_and_written_through_an_open_handle() {
    check(|disk| {
        let file = with_bytes(disk, "a", b"there");
        disk.remove("a").unwrap();
        disk.sync_names().unwrap();
        fails(disk.open("a"), ErrorKind::NotFound);
        file.write_at(b"!", 5).unwrap();
        file.sync().unwrap();
        assert_eq!(all(&*file), b"there!");
        with_bytes(disk, "a", b"another");
        assert_eq!(all(&*file), b"there!");
    });
}

#[test]
fn a_name_that_would_leave_the_folder_is_refused() {
    check(|disk| {
        disk.create("a").unwrap();
        for name in ["", ".", "..", "/a", "a/b", "../a", "a\0"] {
            fails(disk.create(name), ErrorKind::InvalidInput);
            fails(disk.open(name), ErrorKind::InvalidInput);
            fails(disk.remove(name), ErrorKind::InvalidInput);
            fails(disk.rename("a", name), ErrorKind::InvalidInput);
            fails(disk.rename(name, "a"), ErrorKind::InvalidInput);
        }
        assert_eq!(names(disk), ["a"]);
    });
}

#[test]
fn two_threads_write_and_read_one_file() {
    check(|disk| {
        let file = with_bytes(disk, "a", &[0; 2000]);
        std::thread::scope(|scope| {
            for (value, half) in [(1, 0), (2, 1000)] {
                let file = &file;
                scope.spawn(move || (0..1000).for_each(|at| file.write_at(&[value], half + at).unwrap()));
            }
        });
        assert_eq!(all(&*file), [[1; 1000], [2; 1000]].concat());
    });
}

#[test]
fn a_missing_folder_is_created_with_its_parents_for_its_owner_only() {
    let temp = TempFolder::new();
    let path = temp.path().join("srv/events");
    let folder = Folder::open(&path).unwrap();
    assert_eq!(folder.path(), path);
    with_bytes(&folder, "a", b"secret");
    for (made, mode) in [(temp.path().join("srv"), 0o700), (path.clone(), 0o700), (path.join("a"), 0o600)] {
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, mode, "{}", made.display());
    }
    drop(folder);
    assert_eq!(all_of(&Folder::open(&path).unwrap(), "a"), b"secret");
}

#[test]
fn an_existing_folder_keeps_its_mode() {
    let temp = TempFolder::new();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o750)).unwrap();
    Folder::open(temp.path()).unwrap();
    assert_eq!(fs::metadata(temp.path()).unwrap().permissions().mode() & 0o777, 0o750);
}

#[test]
fn a_file_at_the_folder_s_path_is_an_error_and_stays() {
    let temp = TempFolder::new();
    let path = temp.path().join("data");
    fs::write(&path, "a file").unwrap();
    fails(Folder::open(&path), ErrorKind::NotADirectory);
    fails(Folder::open(path.join("below")), ErrorKind::NotADirectory);
    assert_eq!(fs::read(&path).unwrap(), b"a file");
}

#[test]
fn folders_in_the_folder_are_not_listed() {
    let temp = TempFolder::new();
    let folder = Folder::open(temp.path()).unwrap();
    fs::create_dir(temp.path().join("lost+found")).unwrap();
    folder.create("a").unwrap();
    assert_eq!(names(&folder), ["a"]);
}

#[test]
fn a_moved_folder_is_the_same_and_knows_where_it_is() {
    let temp = TempFolder::new();
    let (path, aside) = (temp.path().join("live"), temp.path().join("aside"));
    let folder = Folder::open(&path).unwrap();
    assert_eq!(folder.location().unwrap(), Location::InPlace);
    fs::rename(&path, &aside).unwrap();
    let moved = |instead| Location::Moved { from: path.clone(), to: Some(aside.clone()), instead };
    assert_eq!(folder.location().unwrap(), moved(Instead::Nothing));
    fs::write(&path, "").unwrap();
    assert_eq!(folder.location().unwrap(), moved(Instead::Other));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(folder.location().unwrap(), moved(Instead::Folder));

    let file = folder.create("a").unwrap();
    file.write_at(b"x", 0).unwrap();
    folder.rename("a", "b").unwrap();
    folder.sync_names().unwrap();
    assert_eq!(folder.names().unwrap(), ["b"]);
    assert!(folder.identity("b").unwrap() == file.identity().unwrap() && file.links().unwrap() == 1);
    assert_eq!(fs::read(aside.join("b")).unwrap(), b"x");
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "what is at its path is left alone");
    folder.remove("b").unwrap();
    assert_eq!(file.links().unwrap(), 0);

    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    assert_eq!(folder.location().unwrap(), Location::InPlace);
    fs::remove_dir(&path).unwrap();
    assert_eq!(folder.location().unwrap(), Location::Removed { from: path.clone() });
    fs::create_dir(&path).unwrap();
    assert_eq!(folder.location().unwrap(), Location::Removed { from: path });
    assert_eq!(folder.create("a").err().unwrap().kind(), ErrorKind::NotFound);
}
