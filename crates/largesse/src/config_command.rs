//! `largesse config`: says what is wrong with the configuration, or what is in force.
//!
//! Invariant: what `check` finds right, `serve` with the same flags does not refuse. Does not try whether addresses
//! are free.

use crate::{
    cli::{ConfigArgs, ConfigCommand},
    config::{ConfigError, Effective},
    serve,
    terminal::{Failure, note, say},
};

/// Checks or shows.
///
/// # Errors
/// The configuration has mistakes: all of them. Or it has none, but others could reach the server.
pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    let text = match command {
        ConfigCommand::Check(args) => {
            let effective = load(&args.config)?;
            serve::check_exposure(args, &effective)?;
            effective.warning().iter().for_each(|warning| note(warning));
            "the configuration is right".to_owned()
        }
        ConfigCommand::Show(args) => load(&args.config)?.shown().trim_end().to_owned(),
    };
    say(&text).map_err(|error| Failure::of_stdout(&error))
}

/// Loads the configuration that the command line points to.
///
/// # Errors
/// Every mistake in it, one a line.
pub(crate) fn load(args: &ConfigArgs) -> Result<Effective, Failure> {
    Effective::load(args.file.as_deref(), &args.keys).map_err(|mistakes| told(&mistakes))
}

/// All mistakes, one a line.
pub(crate) fn told(mistakes: &[ConfigError]) -> Failure {
    let lines: String = mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
    Failure(format!("the configuration is wrong:{lines}"))
}
