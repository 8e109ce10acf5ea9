//! The folder lock: between handles of one process, and between processes.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::{env, fs, io};

use largesse_disk::io::Folder;
use largesse_disk::io::lock::{FolderLock, LOCK_NAME, LockError, SharedLock};
use support::TempFolder;

/// Passes the folder to the process that [`Holder`] starts.
const FOLDER_VARIABLE: &str = "LARGESSE_TEST_LOCK_FOLDER";
const HELD: &str = "the lock is held";

/// Another process that holds the lock until it is killed.
struct Holder(Child);

impl Holder {
    /// Returns once it has the lock.
    fn start(folder: &TempFolder) -> Self {
        let mut child = Command::new(env::current_exe().expect("this test is a program"))
            .args(["--exact", "holds_the_lock_while_its_input_is_open", "--nocapture"])
            .env(FOLDER_VARIABLE, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test starts itself");
        let said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let holder = Self(child);
        assert!(said.map_while(Result::ok).any(|line| line.contains(HELD)), "it has the lock");
        holder
    }

    fn kill(&mut self) {
        self.0.kill().expect("it is ours to kill");
        self.0.wait().expect("it is ours to wait for");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test, but the other process, when started by [`Holder`].
#[test]
fn holds_the_lock_while_its_input_is_open() {
    let Some(folder) = env::var_os(FOLDER_VARIABLE) else { return };
    let _lock = FolderLock::acquire(&opened(folder)).expect("nobody else has it");
    writeln!(io::stdout(), "{HELD}").expect("the parent listens");
    io::copy(&mut io::stdin(), &mut io::sink()).expect("the parent says nothing");
}

fn opened(folder: impl AsRef<std::path::Path>) -> Folder {
    Folder::open_to_read(folder).expect("the folder is there")
}

#[track_caller]
fn holder_of(folder: &TempFolder) -> (Option<u32>, Option<String>) {
    let refused = FolderLock::acquire(&opened(folder.path())).expect_err("somebody has it");
    let LockError::InUse { pid, program, folder: named } = refused else {
        unreachable!("{refused:?} is not `InUse`")
    };
    assert_eq!(named, folder.path());
    (pid, program)
}

#[test]
fn a_second_lock_of_a_folder_fails_until_the_first_is_dropped() {
    let folder = TempFolder::new();
    for _ in 0..3 {
        let first = FolderLock::acquire(&opened(folder.path())).expect("it is free");
        let (pid, program) = holder_of(&folder);
        assert_eq!(pid, Some(std::process::id()));
        assert!(program.is_some_and(|name| name.starts_with("lock-")), "that is cargo's name for the test");
        drop(first);
    }
}

#[test]
fn a_killed_process_frees_the_folder_and_is_named_before() {
    let folder = TempFolder::new();
    let mut holder = Holder::start(&folder);
    assert_eq!(holder_of(&folder).0, Some(holder.0.id()));
    holder.kill();
    let _ours = FolderLock::acquire(&opened(folder.path())).expect("the other process is gone");
    assert_eq!(holder_of(&folder).0, Some(std::process::id()), "not the one before");
}

#[test]
fn an_old_lock_file_locks_nothing_and_its_contents_are_validated() {
    let folder = TempFolder::new();
    for cold in [&b"4711\nlargesse\n"[..], b"", b"\xff\xfe", b"no number\n\x1b[31m\n"] {
        fs::write(folder.path().join(LOCK_NAME), cold).expect("the folder is there");
        let lock = FolderLock::acquire(&opened(folder.path())).expect("nobody has it");
        fs::write(folder.path().join(LOCK_NAME), cold).expect("the folder is there");
        let (pid, program) = holder_of(&folder);
        let readable = cold.starts_with(b"4711");
        assert_eq!(pid, readable.then_some(4711));
        assert_eq!(program.as_deref(), readable.then_some("largesse"));
        drop(lock);
    }
}

#[test]
fn a_folder_whose_lock_file_somebody_removed_still_has_one_owner() {
    let folder = TempFolder::new();
    let remove = || fs::remove_file(folder.path().join(LOCK_NAME)).expect("it is there");
    let ours = FolderLock::acquire(&opened(folder.path())).expect("it is free");
    remove();
    assert_eq!(holder_of(&folder), (None, None), "its file is a new one, but the folder is locked");
    remove();
    let refused = SharedLock::acquire(&opened(folder.path())).expect_err("it is in use");
    assert!(matches!(refused, LockError::InUse { .. }), "{refused}");
    drop(ours);
    let shared = SharedLock::acquire(&opened(folder.path())).expect("it is free");
    remove();
    let refused = FolderLock::acquire(&opened(folder.path())).expect_err("it is shared");
    assert!(matches!(refused, LockError::Shared { .. }), "{refused}");
    drop(shared);
}

#[test]
fn a_folder_that_was_moved_keeps_its_lock_and_another_in_its_place_has_its_own() {
    let folder = TempFolder::new();
    let (live, moved) = (folder.path().join("live"), folder.path().join("moved"));
    let ours = FolderLock::acquire(&Folder::open(&live).expect("it is made")).expect("it is free");
    fs::rename(&live, &moved).expect("it is there");
    let other = FolderLock::acquire(&Folder::open(&live).expect("it is made")).expect("it is another");
    assert!(FolderLock::acquire(&opened(&moved)).is_err() && FolderLock::acquire(&opened(&live)).is_err());
    drop((ours, other));
}

#[test]
fn many_can_share_a_folder_and_nobody_has_it_exclusively_meanwhile() {
    let folder = TempFolder::new();
    let ours = FolderLock::acquire(&opened(folder.path())).expect("it is free");
    let refused = SharedLock::acquire(&opened(folder.path())).expect_err("it is in use");
    assert!(
        matches!(&refused, LockError::InUse { pid, .. } if *pid == Some(std::process::id())),
        "{refused}"
    );
    drop(ours);
    let shared: Vec<_> =
        (0..3).map(|_| SharedLock::acquire(&opened(folder.path())).expect("it is free")).collect();
    assert!(shared.iter().all(Option::is_some));
    let refused = FolderLock::acquire(&opened(folder.path())).expect_err("it is shared");
    assert!(matches!(&refused, LockError::Shared { folder: named } if named == folder.path()), "{refused}");
    drop(shared);
    let _ours = FolderLock::acquire(&opened(folder.path())).expect("it is free again");
}

#[test]
fn a_shared_lock_does_not_change_the_lock_file() {
    let folder = TempFolder::new();
    let file = folder.path().join(LOCK_NAME);
    fs::write(&file, "4711\nlargesse\n").expect("the folder is there");
    let shared = SharedLock::acquire(&opened(folder.path())).expect("it is free");
    assert_eq!(fs::read(&file).expect("it is there"), b"4711\nlargesse\n");
    let refused = FolderLock::acquire(&opened(folder.path())).expect_err("it is shared");
    assert!(!refused.to_string().contains("4711"), "that process is long gone: {refused}");
    drop(shared);
    assert_eq!(fs::read(&file).expect("it is there"), b"4711\nlargesse\n");
}
