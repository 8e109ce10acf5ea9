//! Checks that the log's folder is where it was opened, and that the log's files are still in it.
//!
//! Processes that have a folder or a file open don't notice when it is moved or removed. The server continues in a
//! moved folder: its files are reached through the folder's descriptor. If the folder or a segment is gone,
//! publishes are refused, since they would be lost, and nothing more is written to the folder.
//!
//! Invariant: each change is logged once. Does not check by itself: the maintenance thread calls it.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::{
    format::checkpoint,
    io::{Disk, Instead, Location, Watched},
    segments::{Index, Segments},
};

/// The watch.
pub(crate) struct FolderWatch {
    disk: Watched,
    seen: Mutex<Seen>,
}

/// The result of the last check.
struct Seen {
    location: Location,
    /// Whether the location could not be determined.
    is_hidden: bool,
}

impl FolderWatch {
    pub(crate) fn new(disk: Watched) -> Self {
        let seen = Seen { location: Location::InPlace, is_hidden: false };
        Self { disk, seen: Mutex::new(seen) }
    }

    /// Checks, logs what changed, and stops the writer if a file is missing, or lets it continue once it is back.
    /// Only the thread that removes files may call this: what it removes is not missing.
    ///
    /// # Errors
    /// Something is missing.
    pub(crate) fn check(&self, segments: &Segments) -> Result<(), String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_location(&mut seen);
        let missing = match &seen.location {
            Location::Removed { from } => Some(format!("the data folder {} was removed", from.display())),
            Location::InPlace | Location::Moved { .. } => self.missing_file(segments),
        };
        self.disk.report_missing(missing.clone());
        missing.map_or(Ok(()), Err)
    }

    /// Checks where the folder is, and logs a change.
    fn check_location(&self, seen: &mut Seen) {
        match self.disk.location() {
            Ok(location) => {
                if location != seen.location || seen.is_hidden {
                    report(&location);
                }
                (seen.location, seen.is_hidden) = (location, false);
            }
            Err(error) if !seen.is_hidden => {
                tracing::warn!(%error, "whether the data folder is still at its path can't be known");
                seen.is_hidden = true;
            }
            Err(_) => {}
        }
    }

    /// The missing segments, if any; `None` if that can't be determined.
    fn missing_file(&self, segments: &Segments) -> Option<String> {
        // In this order, so that a segment begun meanwhile is not reported.
        let list = segments.all();
        let names: HashSet<String> = self.disk.names().ok()?.into_iter().collect();
        let mut missing =
            list.iter().map(|segment| segment.id.file_name()).filter(|name| !names.contains(name));
        if let Some(first) = missing.next() {
            let were = match missing.count() {
                0 => "was".to_owned(),
                1 => "and 1 more file of the log were".to_owned(),
                more => format!("and {more} more files of the log were"),
            };
            return Some(format!("{first} {were} taken out of the data folder"));
        }
        list.iter().for_each(|segment| segment.check_index_file(&names));
        self.check_checkpoint(&names);
        let written = list.last().filter(|segment| matches!(segment.index, Index::Growing(_)))?;
        written.lost_name(&self.disk)
    }

    /// A missing checkpoint is rewritten.
    fn check_checkpoint(&self, names: &HashSet<String>) {
        let presence = self.disk.presence();
        if names.contains(checkpoint::FILE) {
            presence.checkpoint_is_there();
        } else if presence.checkpoint_is_not_there() {
            tracing::warn!("the log's checkpoint is gone; a new one is made");
        }
    }
}

fn report(location: &Location) {
    match location {
        Location::InPlace => tracing::info!("the data folder is at its path again"),
        // Logged as what is missing, with what to do.
        Location::Removed { .. } => {}
        Location::Moved { from, to, instead } => {
            let now = to.as_deref().map_or_else(|| "elsewhere".into(), |to| to.display().to_string());
            tracing::warn!(
                folder = %from.display(), %now, %instead,
                "the data folder is no longer at its path. The server continues in the folder that it has open, and leaves \
                 what is at the path alone. {}", what_to_do(from, to.as_deref(), *instead)
            );
        }
    }
}

fn what_to_do(from: &Path, to: Option<&Path>, instead: Instead) -> String {
    match to {
        Some(to) if to == from => {
            "Something was mounted over it: unmount that, or stop the server before you start it again"
                .to_owned()
        }
        Some(to) => {
            let back = if instead == Instead::Nothing {
                "Put it back"
            } else {
                "Put it back instead of what is there"
            };
            format!("{back}, or stop the server and start it with --data {}", to.display())
        }
        None => "Put it back, or stop the server and start it with --data and the new path".to_owned(),
    }
}
