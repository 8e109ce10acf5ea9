//! What strace recorded, as calls that begin and end.
//!
//! If another thread came between, a call has two lines: `PID call(… <unfinished ...>` and
//! `PID <... call resumed>…) = 0`.

use std::collections::HashMap;

/// A call that has returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// As strace shows them: `5</tmp/data/1.segment>, "…", 104, 64`.
    pub(crate) arguments: String,
    pub(crate) result: i64,
    /// The lines where it began and ended. An earlier line happened earlier.
    pub(crate) began: usize,
    pub(crate) ended: usize,
}

impl Call {
    /// The file that its first argument refers to: the path that strace adds.
    pub(crate) fn file(&self) -> Option<&str> {
        let first = self.arguments.split(", ").next()?;
        first.split_once('<')?.1.strip_suffix('>')
    }

    pub(crate) fn is_of_a_segment(&self) -> bool {
        self.file().is_some_and(|file| file.ends_with(".segment"))
    }

    /// It synced a file.
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self.name.as_str(), "fdatasync" | "fsync") && self.result == 0
    }
}

/// The calls of a trace, in the order in which they ended.
#[track_caller]
pub(crate) fn calls(trace: &str) -> Vec<Call> {
    let mut begun: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((process, line)) = line.split_once(' ') else { continue };
        let line = line.trim_start();
        if let Some(beginning) = line.strip_suffix(" <unfinished ...>") {
            begun.insert(process, (number, beginning));
        } else if let Some(rest) = line.strip_prefix("<... ") {
            let (began, beginning) = begun.remove(process).expect("a call is resumed that has begun");
            let (_, rest) = rest.split_once(" resumed>").expect("this is how a call is resumed");
            calls.extend(call(&format!("{beginning}{rest}"), began, number));
        } else {
            calls.extend(call(line, number, number));
        }
    }
    calls
}

/// None for what is not a call (a signal, an exit), and for a call that was interrupted.
fn call(text: &str, began: usize, ended: usize) -> Option<Call> {
    let (call, result) = text.rsplit_once(" = ")?;
    let result = result.split(' ').next()?.parse().ok()?;
    let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
    Some(Call { name: name.to_owned(), arguments: arguments.to_owned(), result, began, ended })
}

#[test]
fn a_call_of_two_lines_begins_at_the_first_and_ends_at_the_second() {
    let trace = "7  fdatasync(5</data/1.segment> <unfinished ...>\n\
                 8  write(9<socket:[1]>, \"a = b\", 5) = 5\n\
                 8  --- SIGTERM {si_signo=SIGTERM} ---\n\
                 7  <... fdatasync resumed>)           = 0\n\
                 7  fdatasync(5</data/1.segment>) = -1 EIO (Input/output error)\n\
                 7  +++ exited with 0 +++\n";
    let read = calls(trace);
    let shown: Vec<_> =
        read.iter().map(|call| (call.name.as_str(), call.result, call.began, call.ended)).collect();
    assert_eq!(shown, [("write", 5, 1, 1), ("fdatasync", 0, 0, 3), ("fdatasync", -1, 4, 4)]);
    assert_eq!(read[0].arguments, "9<socket:[1]>, \"a = b\", 5");
    assert!(read[1].is_of_a_segment() && read[1].is_sync() && !read[2].is_sync());
}
