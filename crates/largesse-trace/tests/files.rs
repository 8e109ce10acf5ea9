//! All the ways in which a file can fail to take a line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in shared helpers too")]

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, PipeReader, Read, pipe},
    os::fd::OwnedFd,
    time::Duration,
};

use largesse_trace::{LINES_MAX, Lines};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, mknodat},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

/// Far longer than anything here takes.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// How much fits into a pipe that nobody reads. Source: pipe(7).
const PIPE_BYTES: usize = 64 * 1024;

fn start(file: impl Into<OwnedFd>) -> Lines {
    let notice = |lost| format!("{lost} were lost\n").into_bytes();
    Lines::start(File::from(file.into()), Box::new(notice)).unwrap()
}

fn full_device() -> OwnedFd {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

fn pipe_without_a_reader() -> OwnedFd {
    pipe().unwrap().1.into()
}

/// A terminal whose window was closed.
fn closed_terminal() -> OwnedFd {
    let window = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&window).unwrap();
    unlockpt(&window).unwrap();
    let name = ptsname(&window, Vec::new()).unwrap();
    rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap()
}

#[test]
fn a_line_that_the_file_refuses_is_lost_and_counted_and_nothing_else() {
    for file in [full_device, pipe_without_a_reader, closed_terminal] {
        let lines = start(file());
        for _ in 0..3 {
            lines.push(b"hello\n");
            assert!(lines.flush(WAIT_MAX));
        }
        assert_eq!(lines.lost(), 3);
        lines.end(WAIT_MAX);
    }
}

/// A full pipe, in both forms: writing blocks, or fails with "would block".
fn full_pipe(flags: OFlags) -> (PipeReader, OwnedFd) {
    let (reader, writer) = pipe().unwrap();
    fcntl_setfl(&writer, fcntl_getfl(&writer).unwrap() | flags).unwrap();
    (reader, writer.into())
}

#[test]
fn a_pipe_that_nobody_reads_blocks_nobody_and_gets_its_gap_once_it_is_read() {
    for flags in [OFlags::empty(), OFlags::NONBLOCK] {
        let (reader, writer) = full_pipe(flags);
        let lines = start(writer);
        let text = format!("{}\n", "x".repeat(99));
        let fitting = LINES_MAX + PIPE_BYTES / text.len();
        for _ in 0..2 * fitting {
            lines.push(text.as_bytes());
        }
        assert!(!lines.flush(Duration::from_millis(1)), "{flags:?}");
        let lost = lines.lost();
        assert!(lost > 0, "{flags:?}");
        let mut read = BufReader::new(reader).lines().map(Result::unwrap);
        // A first gap is possible while the pipe filled.
        let (mut seen, mut told) = (0, 0);
        while seen + told < 2 * fitting as u64 {
            match read.next().unwrap().split_once(' ') {
                None => seen += 1,
                Some((count, rest)) => {
                    assert_eq!(rest, "were lost");
                    told += count.parse::<u64>().unwrap();
                }
            }
        }
        assert_eq!((seen + told, told), (2 * fitting as u64, lost), "{flags:?}");
        lines.push(b"hello\n");
        assert_eq!(read.next().unwrap(), "hello", "{flags:?}");
        assert!(lines.flush(WAIT_MAX));
        lines.end(WAIT_MAX);
    }
}

#[test]
fn losses_are_reported_once_when_the_file_takes_lines_again() {
    let path = format!("{}/fifo-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // One descriptor is opened for both, so that neither end waits for the other.
    let both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let lines = start(OpenOptions::new().write(true).open(&path).unwrap());
    drop(both);
    for _ in 0..3 {
        lines.push(b"nobody reads\n");
        assert!(lines.flush(WAIT_MAX));
    }
    let mut reader = File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    lines.push(b"hello\n");
    lines.push(b"again\n");
    lines.end(WAIT_MAX);
    drop(lines);
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert_eq!(read, "3 were lost\nhello\nagain\n");
}

#[test]
fn losses_are_reported_even_when_nobody_traces_any_more() {
    let path = format!("{}/quiet-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let lines = start(OpenOptions::new().write(true).open(&path).unwrap());
    drop(both);
    lines.push(b"nobody reads\n");
    assert!(lines.flush(WAIT_MAX));
    let reader = File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert_eq!(line, "1 were lost\n");
    lines.end(WAIT_MAX);
}

#[test]
fn the_last_lines_are_written_before_the_end_and_none_after() {
    let (mut reader, writer) = pipe().unwrap();
    let lines = start(writer);
    for number in 0..1_000 {
        lines.push(format!("{number}\n").as_bytes());
    }
    let reading = std::thread::spawn(move || {
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        read
    });
    lines.end(WAIT_MAX);
    lines.push(b"after the end\n");
    drop(lines);
    let read = reading.join().unwrap();
    assert!(read.starts_with("0\n1\n") && read.ends_with("\n999\n"), "{read}");
}
