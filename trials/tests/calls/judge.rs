//! Whether each answer was written after a sync that began after its event was written.

use std::collections::HashMap;

use crate::strace::Call;

/// An event, and the id that its publisher got.
#[derive(Clone, Debug)]
pub(crate) struct Acked {
    pub(crate) data: String,
    pub(crate) id: String,
}

/// The answers that came too early, or can't be found, each with the reason.
pub(crate) fn unsafe_acks(calls: &[Call], acked: &[Acked]) -> Vec<String> {
    let answers = answers(calls);
    let writes: Vec<&Call> = calls.iter().filter(|call| is_write_of_a_segment(call)).collect();
    let syncs: Vec<&Call> = calls.iter().filter(|call| call.is_sync() && call.is_of_a_segment()).collect();
    let fault = |acked: &Acked| {
        let Some(answer) = answers.get(acked.id.as_str()) else {
            return Some(format!("the answer for {} was not seen", acked.data));
        };
        let Some(write) = writes.iter().find(|call| call.arguments.contains(&acked.data)) else {
            return Some(format!("{} was not written as a whole", acked.data));
        };
        let is_safe = |sync: &&Call| {
            sync.file() == write.file() && sync.began > write.ended && sync.ended < answer.began
        };
        let lines = (write.ended + 1, answer.began + 1);
        let is_early = !syncs.iter().any(is_safe);
        is_early.then(|| format!("{}: no sync between its write and its answer, lines {lines:?}", acked.data))
    };
    acked.iter().filter_map(fault).collect()
}

/// A write that was done completely: its last two arguments are how much, and where.
fn is_write_of_a_segment(call: &Call) -> bool {
    let bytes = call.arguments.rsplit(", ").nth(1).and_then(|bytes| bytes.parse().ok());
    call.name == "pwrite64" && call.is_of_a_segment() && bytes == Some(call.result)
}

/// The answers 201, by the id they contain.
fn answers(calls: &[Call]) -> HashMap<&str, &Call> {
    let is_answer = |call: &&Call| {
        let is_of_a_socket = call.file().is_some_and(|file| file.starts_with("socket:"));
        is_of_a_socket && call.arguments.contains("HTTP/1.1 201 ")
    };
    let id = |call: &'_ Call| -> Option<(usize, usize)> {
        let begin = call.arguments.find(ID)? + ID.len();
        Some((begin, begin + call.arguments[begin..].find('\\')?))
    };
    let answers = calls.iter().filter(is_answer);
    answers.filter_map(|call| id(call).map(|(begin, end)| (&call.arguments[begin..end], call))).collect()
}

/// The member of the answer's body before the id, as strace shows it.
const ID: &str = r#"\"id\":\""#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strace::calls;

    const WRITE: &str = "7 pwrite64(5</data/1.segment>, \"\\1\\0<a>\", 9, 64) = 9\n";
    const SYNC: &str = "7 fdatasync(5</data/1.segment>) = 0\n";
    const ANSWER: &str = "8 writev(9<socket:[1]>, [{\"HTTP/1.1 201 Created\", 9}, {\"{\\\"id\\\":\\\"E1\\\"}\", 9}], 2) = 18\n";

    #[track_caller]
    fn check(trace: &[&str], is_safe: bool) {
        let acked = [Acked { data: "<a>".to_owned(), id: "E1".to_owned() }];
        let faults = unsafe_acks(&calls(&trace.concat()), &acked);
        assert_eq!(faults.is_empty(), is_safe, "{trace:#?}: {faults:?}");
    }

    #[test]
    fn only_a_sync_of_the_file_between_the_write_and_the_answer_makes_it_safe() {
        check(&[WRITE, SYNC, ANSWER], true);
        check(&[SYNC, WRITE, SYNC, SYNC, ANSWER, SYNC], true);
        check(&[WRITE, ANSWER, SYNC], false);
        check(&[SYNC, WRITE, ANSWER], false);
        check(&[WRITE, ANSWER], false);
        check(&[SYNC, ANSWER], false);
        check(&[WRITE, SYNC], false);
        check(&[WRITE, "7 fdatasync(6</data/2.segment>) = 0\n", ANSWER], false);
        check(&[WRITE, "7 fdatasync(5</data/1.segment>) = -1 EIO (Input/output error)\n", ANSWER], false);
        check(&["7 pwrite64(5</data/1.segment>, \"<a>\", 9, 64) = 4\n", SYNC, ANSWER], false);
        check(&["7 pwrite64(5</data/1.index>, \"<a>\", 9, 64) = 9\n", SYNC, ANSWER], false);
    }

    #[test]
    fn a_sync_counts_from_its_beginning_to_its_end() {
        let (begins, ends) =
            ("6 fdatasync(5</data/1.segment> <unfinished ...>\n", "6 <... fdatasync resumed>) = 0\n");
        check(&[WRITE, begins, ends, ANSWER], true);
        check(&[begins, WRITE, ends, ANSWER], false);
        check(&[WRITE, begins, ANSWER, ends], false);
    }
}
