//! `largesse config`: prints what is wrong with the configuration, or which one is in force.
//!
//! Invariant: what `check` accepts, `serve` with the same flags accepts too. Does not try whether addresses are free.

use crate::{
    cli::{ConfigCommand, ServeArgs},
    config::Effective,
    serve,
    terminal::{Failure, note, say},
};

/// Checks or shows the configuration.
///
/// # Errors
/// All mistakes in the configuration; or, if it has none, that other machines could reach the server.
pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    let text = match command {
        ConfigCommand::Check(args) => {
            let effective = load(args)?;
            serve::check_exposure(args, &effective)?;
            effective.warning().iter().for_each(|warning| note(warning));
            "the configuration is right".to_owned()
        }
        ConfigCommand::Show(args) => load(args)?.shown().trim_end().to_owned(),
    };
    say(&text).map_err(|error| Failure::of_stdout(&error))
}

fn load(args: &ServeArgs) -> Result<Effective, Failure> {
    Effective::load(args.config.file.as_deref(), &args.config.keys)
}
