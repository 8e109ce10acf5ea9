//! `largesse config`: says what is wrong with the configuration, or what is in force.

use crate::{
    cli::{ConfigArgs, ConfigCommand},
    config::{Effective, Mistake},
    terminal::{Failure, say},
};

/// Checks or shows.
///
/// # Errors
/// The configuration has mistakes: all of them.
pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    let text = match command {
        ConfigCommand::Check(args) => {
            load(args)?;
            "the configuration is right".to_owned()
        }
        ConfigCommand::Show(args) => load(args)?.shown().trim_end().to_owned(),
    };
    say(&text).map_err(|error| Failure(format!("stdout: {error}")))
}

/// Loads the configuration that the command line points to.
///
/// # Errors
/// Every mistake in it, one a line.
pub(crate) fn load(args: &ConfigArgs) -> Result<Effective, Failure> {
    Effective::load(args.file.as_deref(), &args.keys).map_err(|mistakes| told(&mistakes))
}

fn told(mistakes: &[Mistake]) -> Failure {
    let lines: String = mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
    Failure(format!("the configuration is wrong:{lines}"))
}
