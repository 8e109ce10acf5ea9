//! A terminal of a test's own: what a program does on one, and what it draws there.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, sync_channel},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Program, WAIT_MAX, ended};

pub(crate) struct Terminal {
    ours: File,
    /// Held until the program has its own, so that the terminal does not look closed.
    theirs: File,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = OpenOptions::new().read(true).write(true).open(name).unwrap();
        Self { ours: ours.into(), theirs }
    }

    /// The program's end of it.
    pub(crate) fn end(&self) -> Stdio {
        self.theirs.try_clone().unwrap().into()
    }

    /// Types.
    pub(crate) fn write(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).unwrap();
    }

    /// Runs a program, which was given its ends, to its end: returns the code, and what the terminal shows.
    #[track_caller]
    pub(crate) fn run(self, program: Program) -> (i32, String) {
        let (mut child, shown) = self.spawn(program);
        let code = ended(&mut child);
        (code, shown.recv_timeout(WAIT_MAX).unwrap())
    }

    /// Starts it; the receiver gets everything that was shown once the last program has closed the terminal.
    pub(crate) fn spawn(self, mut program: Program) -> (Child, Receiver<String>) {
        let child = program.command.spawn().unwrap();
        // The program's folder goes with it, and so do our copies of its ends.
        drop(program);
        let Self { mut ours, theirs } = self;
        drop(theirs);
        let (sender, shown) = sync_channel(1);
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // It ends with an error: the other side is closed.
            let _ = ours.read_to_end(&mut bytes);
            sender.send(String::from_utf8_lossy(&bytes).into_owned())
        });
        (child, shown)
    }

    /// It is closed, as when its window is closed.
    pub(crate) fn close(self) {
        drop(self);
    }
}
