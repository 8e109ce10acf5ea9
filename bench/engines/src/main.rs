//! Measures three ways to keep an ordered log of events on disk: `engines all NEW_FOLDER EVENTS`.
//!
//! `engines large NEW_FOLDER EVENTS` does, without redb, only what needs a loaded log.
//! Each measurement is a child process. Candidates take turns within a round; of three rounds the best counts.

mod candidate;
mod child;
mod floor;
mod own;
mod with_fjall;
mod with_redb;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use candidate::{Outcome, disk_bytes};

const ALL: [&str; 6] = ["floor, grows", "floor, zeros", "own", "fjall", "redb", "redb quick"];
const KEEPING: [&str; 3] = ["own", "fjall", "redb"];
const ROUNDS: usize = 3;
const RETENTION_ROUNDS: usize = 2;
const GROUPS_BEFORE_KILL: usize = 50;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["all", folder, events] => Bench::run(folder, |bench| {
            bench.appends()?;
            bench.retention()?;
            bench.loaded(events.parse()?, &KEEPING)
        }),
        ["large", folder, events] => Bench::run(folder, |bench| bench.loaded(events.parse()?, &KEEPING[..2])),
        ["child", name, role, folder, number] => child::run(name, role, Path::new(folder), number.parse()?),
        _ => Err("engines all|large NEW_FOLDER EVENTS".into()),
    }
}

struct Bench {
    folder: PathBuf,
    rows: BTreeMap<String, BTreeMap<&'static str, f64>>,
}

impl Bench {
    fn run(folder: &str, what: impl Fn(&mut Self) -> Outcome<()>) -> Outcome<()> {
        fs::create_dir(folder)?;
        let mut bench = Self { folder: folder.into(), rows: BTreeMap::new() };
        let done = what(&mut bench);
        bench.print();
        fs::remove_dir_all(folder)?;
        done
    }

    fn appends(&mut self) -> Outcome<()> {
        for (round, group) in (0..ROUNDS).flat_map(|round| [1, 64, 1024].map(|group| (round, group))) {
            let what = format!("append {round} {group}");
            for name in ALL {
                let numbers = self.finished(name, "append", &what, group)?;
                self.note(&format!("1 appends/s, groups of {group:4}"), name, numbers[0], f64::max);
                fs::remove_dir_all(self.place(name, &what))?;
            }
        }
        Ok(())
    }

    fn retention(&mut self) -> Outcome<()> {
        for name in (0..RETENTION_ROUNDS).flat_map(|_| KEEPING) {
            let numbers = self.finished(name, "retain", "retain", 0)?;
            self.note("3a retention: appends/s, groups of 64", name, numbers[0], f64::max);
            self.note("3b retention: appends/s, worst round", name, numbers[0], f64::min);
            self.note("3c retention: slowest group, ms", name, numbers[1], f64::max);
            self.note("3d retention: MiB on disk, last round", name, numbers[2], last);
            self.note("3e retention: MiB of memory, last round", name, numbers[3], last);
            self.note("3f retention: µs of CPU an event", name, numbers[4], f64::min);
            self.note("3g retention: bytes written an event, last round", name, numbers[5], last);
        }
        KEEPING.iter().try_for_each(|name| Ok(fs::remove_dir_all(self.place(name, "retain"))?))
    }

    fn loaded(&mut self, events: u64, names: &[&'static str]) -> Outcome<()> {
        let mut answered = BTreeMap::new();
        for name in names {
            let (numbers, position) = self.killed(name, "load", events)?;
            answered.insert(*name, position);
            self.note("2e load: s, in groups of 8192", name, numbers[0], last);
            self.note("2f load: s of CPU", name, numbers[3], last);
            self.note("2g load: bytes written an event", name, numbers[4], last);
            self.note("5a memory when loaded: MiB", name, numbers[1], last);
            self.note("5b memory while loading: MiB, highest", name, numbers[2], last);
            self.note("5c disk when loaded: MiB", name, self.loaded_mib(name), last);
        }
        self.recoveries(&mut answered, names)?;
        for name in (0..ROUNDS).flat_map(|_| names) {
            let numbers = self.finished(name, "read", "load", events)?;
            self.note("2a catch-up, short streams: events/s", name, numbers[0], f64::max);
            self.note("2b catch-up, short streams: µs to the first", name, numbers[1], f64::min);
            self.note("2c catch-up, long stream: events/s", name, numbers[2], f64::max);
            self.note("2d catch-up, long stream: µs to the first", name, numbers[3], f64::min);
            self.note("2d catch-up, a stream without events: µs", name, numbers[7], f64::min);
            self.note("5d memory after reading: MiB", name, numbers[4], last);
            self.note("5e disk at the end: MiB", name, self.loaded_mib(name), last);
            self.note("6 check: events read", name, numbers[5], last);
            self.note("6 check: sum of their positions", name, numbers[6], last);
        }
        Ok(())
    }

    fn recoveries(&mut self, answered: &mut BTreeMap<&str, u64>, names: &[&'static str]) -> Outcome<()> {
        let quick = names.iter().filter(|name| **name == "redb").flat_map(|_| ["redb quick"; 1 + ROUNDS]);
        for name in (0..ROUNDS).flat_map(|_| names.iter().copied()).chain(quick) {
            let before = answered.get(name).or(answered.get("redb")).copied().unwrap_or_default();
            let (numbers, position) = self.killed(name, "recover", before)?;
            // What the first start with quick repair finds was left without it.
            if answered.insert(name, position).is_some() {
                self.note("4 start after kill -9 to the first event read: ms", name, numbers[0], f64::min);
            }
        }
        Ok(())
    }

    fn place(&self, name: &str, what: &str) -> PathBuf {
        self.folder.join(format!("{} {what}", name.trim_end_matches(" quick").replace(',', "")))
    }

    fn loaded_mib(&self, name: &str) -> f64 {
        (disk_bytes(&self.place(name, "load")) >> 20) as f64
    }

    fn finished(&self, name: &str, role: &str, what: &str, number: u64) -> Outcome<Vec<f64>> {
        let (mut child, mut lines) = started(name, role, &self.place(name, what), number)?;
        let first = lines.next();
        if !child.wait()?.success() {
            return Err(format!("{name}: {role} failed").into());
        }
        numbers(&first.ok_or("nothing said")??)
    }

    /// Kills the child some groups after its numbers. The second is the last position it answered.
    fn killed(&self, name: &str, role: &str, number: u64) -> Outcome<(Vec<f64>, u64)> {
        let (mut child, lines) = started(name, role, &self.place(name, "load"), number)?;
        let lines: Vec<_> = lines.take(1 + GROUPS_BEFORE_KILL).collect::<Result<_, _>>()?;
        child.kill()?;
        child.wait()?;
        let (Some(first), Some(last)) = (lines.first(), lines.get(GROUPS_BEFORE_KILL)) else {
            return Err(format!("{name}: {role} ended early").into());
        };
        Ok((numbers(first)?, last.parse()?))
    }

    fn note(&mut self, row: &str, name: &'static str, number: f64, better: fn(f64, f64) -> f64) {
        eprintln!("{row} | {name} | {number:.1}");
        let cells = self.rows.entry(row.to_owned()).or_default();
        cells.entry(name).and_modify(|best| *best = better(*best, number)).or_insert(number);
    }

    fn print(&self) {
        println!("| | {} |\n|---|{}", ALL.join(" | "), "---:|".repeat(ALL.len()));
        for (row, cells) in &self.rows {
            let cell = |name| cells.get(name).map_or("–".to_owned(), |number| format!("{number:.0}"));
            println!("| {row} | {} |", ALL.map(cell).join(" | "));
        }
    }
}

fn last(_before: f64, now: f64) -> f64 {
    now
}

fn started(
    name: &str,
    role: &str,
    folder: &Path,
    number: u64,
) -> Outcome<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", name, role]).arg(folder).arg(number.to_string()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let out = child.stdout.take().ok_or("no standard output")?;
    Ok((child, BufReader::new(out).lines()))
}

fn numbers(line: &str) -> Outcome<Vec<f64>> {
    line.split(' ').map(|word| Ok(word.parse()?)).collect()
}
