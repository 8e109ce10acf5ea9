//! `largesse log`: looks into a log that no server has open, saves one, and makes one from what was saved.
//!
//! Invariants: no server can have the folder meanwhile; nothing in it is changed, except by an import into an
//! empty one. Does not know frames or segments: the disk engine does.

mod export;
mod fetch;
mod import;
mod lead;
mod line;
mod saved;
mod tally;

use std::{io, path::PathBuf};

use largesse::{
    disk::inspect::{self, Defect, OfflineLog},
    http::rfc3339,
    log::StreamName,
};

use crate::{
    cli::{DataArgs, LogCommand},
    config::{self, Effective, KeyFlags},
    data_folder::DataFolder,
    distance::distance,
    progress::{Output, Progress, Unit},
    terminal::{Failure, counted, note, plain, say},
};

/// How many streams are looked at in one go.
const STREAMS_AT_ONCE: std::num::NonZeroUsize = std::num::NonZeroUsize::new(1000).expect("1000 is not zero");

/// What else to do if a server has the folder.
const ASK_THE_SERVER: &str =
    ". Or ask the server itself, while it runs: --url URL, such as http://127.0.0.1:8084";

/// Does what is asked.
///
/// # Errors
/// The folder can't be had, there is no log in it, or the log is broken.
pub(crate) fn run(command: &LogCommand) -> Result<(), Failure> {
    match command {
        LogCommand::Info(args) => info(&DataFolder::look(&data(args)?, "")?),
        LogCommand::Check(args) => check(&DataFolder::look(&data(args)?, "")?),
        LogCommand::Export(args) => match &args.url {
            Some(url) => fetch::run(url),
            None => export::run(&DataFolder::look(&data(&args.data)?, ASK_THE_SERVER)?),
        },
        LogCommand::Import(args) => {
            let ahead = if args.cap_times { import::Ahead::Capped } else { import::Ahead::Kept };
            import::run(&DataFolder::take(&data(&args.data)?)?, ahead)
        }
    }
}

/// The folder that the command line names, else the one in the configuration.
fn data(args: &DataArgs) -> Result<PathBuf, Failure> {
    if let Some(data) = &args.data {
        // What is not text was not typed by a person.
        let checked = data.to_str().map_or_else(|| Ok(data.clone()), config::folder);
        return checked.map_err(|problem| Failure(format!("command line: --data {data:?}: {problem}")));
    }
    Ok(Effective::load(args.config.as_deref(), &KeyFlags::default())?.config.data)
}

/// Loads the log, and says where it is broken.
fn load(folder: &DataFolder) -> Result<OfflineLog, Failure> {
    OfflineLog::load(folder.disk()).map_err(|error| folder.unopened(&error))
}

fn info(folder: &DataFolder) -> Result<(), Failure> {
    let log = load(folder)?;
    let (mut streams, mut events) = (0_u64, 0_u64);
    let mut after: Option<StreamName> = None;
    loop {
        let states = log.list(after.as_ref(), STREAMS_AT_ONCE);
        let Some(last) = states.last() else { break };
        streams += states.len() as u64;
        events += states.iter().map(|state| state.events).sum::<u64>();
        after = Some(last.name.clone());
    }
    let files = log.files();
    let rows = [
        ("folder", folder.path().display().to_string()),
        ("format", files.format.to_string()),
        ("incarnation", format!("{:016x}", log.incarnation().0)),
        ("segments", files.segments.to_string()),
        ("bytes", files.bytes.to_string()),
        ("streams", streams.to_string()),
        ("events", events.to_string()),
        ("last position", log.tail().0.to_string()),
        ("last time", log.last_time().map_or_else(|| "none".to_owned(), rfc3339)),
    ];
    let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<14} {value}")).collect();
    say(&lines.join("\n")).map_err(|error| Failure::of_stdout(&error))?;
    if let Some(lead) = log.last_time().and_then(|last| lead::of(last, lead::now())) {
        note(&format!(
            "the last event's time is {} ahead of this machine's clock; a server continues from there, at half speed. \
             'largesse log import --cap-times' makes a log without such times",
            distance(lead)
        ));
    }
    whole(&log)
}

/// Reports what could not be replayed.
///
/// # Errors
/// There is something.
fn whole(log: &OfflineLog) -> Result<(), Failure> {
    for error in log.left_out() {
        note(&plain(&format!("left out: {error}")));
    }
    match log.left_out().len() {
        0 => Ok(()),
        places => Err(Failure(format!(
            "the log is broken in {} where nothing tells what was written; what happened to streams there is left out",
            counted(places as u64, "place")
        ))),
    }
}

fn check(folder: &DataFolder) -> Result<(), Failure> {
    let mut defects = 0_u64;
    let mut unsaid = None;
    let (path, disk) = (folder.path().display(), folder.disk());
    let unread = |error: io::Error| Failure(format!("the folder {path} can't be read: {error}"));
    let bytes = inspect::files(&*disk).map_err(unread)?.bytes;
    let progress = Progress::begin("checking", Unit::Bytes, Some(bytes), Output::Rare);
    let mut tell = |defect: Defect| {
        defects += 1;
        if unsaid.is_none() {
            unsaid = progress.beside(|| say(&plain(&told(&defect)))).err();
        }
    };
    let checked = inspect::check_watched(&*disk, &mut tell, &mut |bytes| progress.advance(bytes));
    drop(progress);
    let checked = checked.map_err(unread)?;
    if let Some(error) = unsaid {
        return Err(Failure::of_stdout(&error));
    }
    if let Some((file, at)) = &checked.torn {
        note(&format!(
            "{file}, byte {at}: the last write before a crash; it was never acknowledged, and a start cuts it off"
        ));
    }
    for (file, at) in &checked.trailing {
        note(&format!(
            "{file}, byte {at}: the segment ends here, and something stands behind it; nobody reads it"
        ));
    }
    for file in &checked.left_over {
        note(&format!("{file}: not needed any more"));
    }
    if defects > 0 {
        let places = counted(defects, "place");
        return Err(Failure(format!("the log in {path} is broken in {places}")));
    }
    let files = counted(checked.files, "file");
    let (bytes, events) = (counted(checked.bytes, "byte"), counted(checked.events, "event"));
    say(&format!("the log is whole: {files}, {bytes}, {events} written"))
        .map_err(|error| Failure::of_stdout(&error))
}

fn told(defect: &Defect) -> String {
    let Defect { file, at, what } = defect;
    at.map_or_else(|| format!("{file}: {what}"), |at| format!("{file}, byte {at}: {what}"))
}
