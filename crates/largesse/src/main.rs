//! The binary: chooses the command, and says why one failed.
//!
//! Invariants: a command that fails exits with 1 and says why on stderr; a wrong command line exits with 2; one whose
//! stdout nobody reads any more ends without a message.

#![forbid(unsafe_code)]

mod cli;
mod client;
mod config;
mod config_command;
mod data_folder;
mod distance;
mod gallery;
mod log_command;
mod progress;
mod publish;
mod serve;
mod tail;
mod terminal;

use std::{io, process::ExitCode, sync::Arc};

use clap::Parser;

use crate::{
    cli::{Cli, Command},
    terminal::Failure,
};

/// What one thread allocates, another frees: publishes go from the connections' threads to the writer, and
/// events back to readers. The system's allocator is slow at that, and keeps more memory afterwards.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let _last_lines = LastLines;
    survive_file_limit();
    match Cli::try_parse() {
        Ok(cli) => done(run(cli)),
        Err(error) => usage(&error),
    }
}

/// A write that would make a file larger than allowed (`ulimit -f`) fails with an error; by default the system also
/// ends the process. A caught signal is not inherited: programs that we start would be ended as before.
/// Source: setrlimit(2), `RLIMIT_FSIZE`; execve(2).
fn survive_file_limit() {
    // Caught, it does nothing more. If it can't be caught, this process is like any other program.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Whatever ends the process, its last lines are still written.
struct LastLines;

impl Drop for LastLines {
    fn drop(&mut self) {
        terminal::end();
    }
}

fn done(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.told(),
    }
}

/// Help and the version go to stdout when they were asked for; anything else goes to stderr.
fn usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        Err(unprinted) if !error.use_stderr() && unprinted.kind() != io::ErrorKind::BrokenPipe => {
            done(Err(Failure(format!("stdout: {unprinted}"))))
        }
        _ => u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Log(command) => log_command::run(&command),
        Command::Config(command) => config_command::run(&command),
    }
}
