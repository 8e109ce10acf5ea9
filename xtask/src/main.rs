//! `cargo xtask`: the repository's own commands.
//!
//! Everything a command does is a row in a table: commands here, the steps of `test` in [`steps`], the rules in
//! [`rules`], the programs a machine must have in [`needs`].
//!
//! It does not know what the server does. It builds, starts and measures it from the outside.

#![expect(clippy::print_stdout, reason = "a command prints on stdout")]
#![expect(clippy::print_stderr, reason = "a command prints on stderr why it stops")]

use std::process::ExitCode;

use crate::shell::Failure;

mod deny;
mod figures;
mod fuzz;
mod measure;
mod needs;
mod rules;
mod server;
mod shell;
mod sizes;
mod steps;

/// One command: `cargo xtask NAME`.
struct Command {
    name: &'static str,
    does: &'static str,
    run: fn() -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        does: "everything that must hold before a commit, step by step",
        run: steps::run,
    },
    Command { name: "rules", does: "the repository's own rules alone", run: rules::run },
    Command {
        name: "deny",
        does: "licences, duplicate versions and sources of dependencies",
        run: deny::run,
    },
    Command {
        name: "sizes",
        does: "the release binary's size and the time until it listens",
        run: sizes::run,
    },
    Command {
        name: "measure",
        does: "the release binary's latency, throughput and memory; `measure log`: the log on disk",
        run: measure::run,
    },
    Command {
        name: "figures",
        does: "the shape of the code: lines, functions, documentation, circles",
        run: figures::run,
    },
    Command { name: "fuzz", does: "every fuzz target for a minute", run: fuzz::run },
    Command {
        name: "soak",
        does: "every fuzz target for half an hour, 100,000 seeds of the simulation, and 500 kills",
        run: fuzz::soak,
    },
    Command {
        name: "needs",
        does: "install what the tests need (rustup, apt-get, npm, pip)",
        run: needs::run,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        [name] => match COMMANDS.iter().find(|command| command.name == *name) {
            Some(command) => exit_code((command.run)()),
            None => misused(name),
        },
        ["measure", "log", words @ ..] => exit_code(measure::log::run(words)),
        more => misused(&more.join(" ")),
    }
}

fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn misused(words: &str) -> ExitCode {
    eprint!("cargo xtask: there is no command `{words}`.\n\n{}", help());
    ExitCode::from(2)
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask COMMAND\n\nCommands:\n");
    for Command { name, does, .. } in COMMANDS {
        text += &format!("  {name:<7} {does}\n");
    }
    text += "\nThe steps of `test`, each with the command that runs it alone:\n";
    for step in steps::STEPS {
        text += &format!("  {:<7} {}\n", step.name, step.alone);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_and_every_step() {
        let text = help();
        for name in
            COMMANDS.iter().map(|command| command.name).chain(steps::STEPS.iter().map(|step| step.name))
        {
            assert!(text.contains(&format!("  {name} ")), "{name} is missing in:\n{text}");
        }
    }
}
