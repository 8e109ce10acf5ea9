//! The command line: which commands there are, and what each takes.
//!
//! Does nothing itself: each command is in the file of its name.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{client::ServerUrl, config::KeyFlags};

/// Event streams that browsers read: each event once, in order.
///
/// Without a command, it serves.
#[derive(Debug, Parser)]
#[command(name = "largesse", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve publishers and readers over HTTP.
    Serve(ServeArgs),
    /// Append an event to a stream, and print the event's id.
    Publish(PublishArgs),
    /// Read streams and print their events, until they end.
    Tail(TailArgs),
    /// Look into a log that no server has open, save one, or make one from what was saved.
    #[command(subcommand)]
    Log(LogCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Keep events in memory only, not in a folder: they are lost when the server stops.
    #[arg(long, conflicts_with = "data")]
    pub(crate) memory: bool,
    /// Listen on addresses that other machines can reach, although there is no authentication.
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Where the configuration comes from.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file [default: largesse.toml, where there is one].
    #[arg(long = "config", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyFlags,
}

/// Options of `publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The stream, like `prices` or `team/a/chat`.
    pub(crate) stream: String,
    /// The event's data. `-` reads it from stdin, all of it as one event; so does leaving it out, except with --close.
    pub(crate) data: Option<String>,
    /// The event's name.
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,
    /// Close the stream afterwards; without DATA, only close it. stdin is not read then.
    #[arg(long)]
    pub(crate) close: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Options of `tail`.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Streams, or patterns: `*` stands for one segment of a name, `**` for the rest.
    #[arg(required = true, value_name = "STREAM")]
    pub(crate) streams: Vec<String>,
    /// Where to begin: `start`, `now`, `-N` for the last N events, or a time like 2026-11-20T12:00:00Z.
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Print each event as a JSON object on one line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Which server to talk to.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server's address [default: the variable LARGESSE_URL, else http://127.0.0.1:8084].
    #[arg(long, value_parser = ServerUrl::parse)]
    pub(crate) url: Option<ServerUrl>,
}

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Show what a data folder holds.
    Info(DataArgs),
    /// Read every byte of a data folder, and print what is broken.
    Check(DataArgs),
    /// Print all streams and events, one JSON object a line.
    Export(ExportArgs),
    /// Make a log from such lines on stdin, in an empty data folder.
    Import(ImportArgs),
}

/// Options of commands that look into a data folder.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The data folder [default: that of the configuration].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file [default: largesse.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Options of `log export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Ask a running server instead of reading a data folder.
    #[arg(long, value_parser = ServerUrl::parse, conflicts_with_all = ["data", "config"])]
    pub(crate) url: Option<ServerUrl>,
}

/// Options of `log import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Cap times that are ahead of this machine's clock at the clock's time.
    #[arg(long)]
    pub(crate) cap_times: bool,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Report everything that is wrong with it: whatever would keep `serve` with the same flags from starting, except
    /// addresses and a data folder that can't be had.
    Check(ServeArgs),
    /// Print it as a TOML file, with the origin of each value.
    Show(ServeArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_flags_work_with_and_without_the_word_serve_but_not_before_another_command() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["largesse"], args].concat());
        assert!(parse(&["--memory"]).unwrap().serve.memory);
        assert!(
            matches!(parse(&["serve", "--memory"]).unwrap().command, Some(Command::Serve(args)) if args.memory)
        );
        assert!(parse(&["--memory", "tail", "a"]).is_err());
    }
}
