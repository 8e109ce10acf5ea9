//! Measures the engine on a real disk: one command a run, rows of a table on stdout.
//!
//! `cargo xtask measure log` starts it once per command, so that a process's memory is that of one measurement, and
//! ends what takes too long. By hand: `COMMAND KEY=VALUE…`, see [`COMMANDS`].
//!
//! It fails only if the engine does: a missed target is only a word in a row.

mod acks;
mod floor;
mod load;
mod log;
mod resume;
mod retention;
mod rng;
mod row;
mod times;
mod words;

use std::{error::Error, process::ExitCode};

use words::Words;

/// Any error ends the run.
type BenchResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One measurement, and the words it takes.
struct Command {
    name: &'static str,
    takes: &'static str,
    run: fn(&Words) -> BenchResult<()>,
}

const COMMANDS: &[Command] = &[
    Command { name: "acks", takes: "folder=PATH publishers=N rounds=N seconds=N", run: acks::run },
    Command {
        name: "load",
        takes: "folder=PATH events=N streams=N event_bytes=N end=closed|killed",
        run: load::run,
    },
    Command {
        name: "read",
        takes: "folder=PATH streams=N reads=N judge=nothing|resume|memory",
        run: resume::run,
    },
    Command { name: "open", takes: "folder=PATH after=TEXT", run: resume::open },
    Command {
        name: "retention",
        takes: "folder=PATH publishers=N streams=N kept=N rounds=N seconds=N",
        run: retention::run,
    },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let name = words.next().unwrap_or_default();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        // `cargo bench` ends up here, too.
        return print_message(&usage());
    };
    match Words::parse(words).and_then(|words| (command.run)(&words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_message(&format!("{name}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let lines = COMMANDS.iter().map(|Command { name, takes, .. }| format!("  {name} {takes}\n"));
    format!("`cargo xtask measure log` runs these:\n{}", lines.collect::<String>())
}

#[expect(clippy::print_stderr, reason = "messages for people, next to the rows")]
fn print_message(text: &str) -> ExitCode {
    eprintln!("{}", text.trim_end());
    ExitCode::SUCCESS
}
