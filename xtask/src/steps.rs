//! The steps of `cargo xtask test`, in one table, run in order until one fails.
//!
//! A step is a function and the command that runs it alone. Cargo's own output passes through unchanged. The
//! tests come last, so that a log ends with their output.
//!
//! It does not know what a step does, and it never continues after a failure.

use std::time::{Duration, Instant};

use crate::shell::{self, Failure};
use crate::{deny, needs, rules, sizes};

/// One step, and how to run it alone.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) alone: &'static str,
    run: fn() -> Result<(), Failure>,
}

/// In the order in which they run: the cheap ones first.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "needs", alone: "cargo xtask needs", run: needs::run },
    Step { name: "rules", alone: "cargo xtask rules", run: rules::run },
    Step { name: "deny", alone: "cargo xtask deny", run: deny::run },
    Step { name: "fmt", alone: "cargo fmt --all --check", run: fmt },
    Step {
        name: "clippy",
        alone: "cargo clippy --workspace --all-targets --all-features -- -D warnings",
        run: clippy,
    },
    Step { name: "doc", alone: "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps", run: doc },
    Step { name: "sizes", alone: "cargo xtask sizes", run: sizes::run },
    Step {
        name: "tests",
        alone: "cargo test --workspace --exclude largesse-trials --all-features",
        run: tests,
    },
    Step {
        name: "trials",
        alone: "cargo build --package largesse && cargo test --package largesse-trials",
        run: trials,
    },
];

/// Runs all steps, and says how long each took.
///
/// # Errors
/// The first step that fails, with the command that runs it alone.
pub(crate) fn run() -> Result<(), Failure> {
    let took = run_each(STEPS)?;
    let all: Duration = took.iter().map(|(_, time)| *time).sum();
    println!("\nAll {} steps hold, in {}:", took.len(), seconds(all));
    for (step, time) in took {
        println!("  {:<7} {:>9}", step.name, seconds(time));
    }
    Ok(())
}

fn run_each(steps: &[Step]) -> Result<Vec<(&Step, Duration)>, Failure> {
    let mut took = Vec::with_capacity(steps.len());
    for (place, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", place + 1, steps.len(), step.name, step.alone);
        let begun = Instant::now();
        let outcome = (step.run)();
        println!("--- {}: {}", step.name, seconds(begun.elapsed()));
        outcome.map_err(|failure| stopped(step, &failure))?;
        took.push((step, begun.elapsed()));
    }
    Ok(took)
}

fn stopped(step: &Step, failure: &Failure) -> Failure {
    Failure(format!("{failure}\nStopped at `{}`. To see it alone: {}", step.name, step.alone))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn fmt() -> Result<(), Failure> {
    shell::pass(&mut shell::cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Result<(), Failure> {
    let words = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    shell::pass(&mut shell::cargo(&words))
}

fn doc() -> Result<(), Failure> {
    shell::pass(shell::cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Result<(), Failure> {
    let words = ["test", "--workspace", "--exclude", "largesse-trials", "--all-features"];
    shell::pass(&mut shell::cargo(&words))
}

/// The trials start the binary as it is shipped, which cargo does not build for another package's tests.
fn trials() -> Result<(), Failure> {
    shell::pass(&mut shell::cargo(&["build", "--package", "largesse"]))?;
    shell::pass(&mut shell::cargo(&["test", "--package", "largesse-trials"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds() -> Result<(), Failure> {
        Ok(())
    }

    fn fails() -> Result<(), Failure> {
        Err(Failure("It broke.".to_owned()))
    }

    #[test]
    fn the_first_failure_stops_and_names_the_command_that_shows_it_alone() {
        let steps = [
            Step { name: "one", alone: "run one", run: holds },
            Step { name: "two", alone: "run two", run: fails },
            Step { name: "three", alone: "run three", run: fails },
        ];
        let Err(said) = run_each(&steps) else { panic!("step two fails") };
        assert_eq!(said.0, "It broke.\nStopped at `two`. To see it alone: run two");
    }

    #[test]
    fn every_step_that_holds_is_in_the_summary() {
        let steps =
            [Step { name: "one", alone: "", run: holds }, Step { name: "two", alone: "", run: holds }];
        let names: Vec<_> = run_each(&steps).expect("both hold").iter().map(|(step, _)| step.name).collect();
        assert_eq!(names, ["one", "two"]);
    }
}
