//! Looks whether the folder of the log is where it was opened, and the log's files still in it.
//!
//! A folder is moved or removed, and a file taken away, without a word to who has them open. What was moved is gone on
//! with: its files are reached through the folder's descriptor. Where the folder or a segment is gone, publishes are
//! refused, since nothing would be kept, and nothing more is written into the folder.
//!
//! Invariant: what changed is told once. Does not look by itself: the maintenance thread says when.

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

/// Who looks.
pub(crate) struct FolderWatch {
    disk: Watched,
    seen: Mutex<Seen>,
}

/// What the last look saw.
struct Seen {
    location: Location,
    /// Whether the location could not be known.
    is_hidden: bool,
}

impl FolderWatch {
    pub(crate) fn new(disk: Watched) -> Self {
        let seen = Seen { location: Location::InPlace, is_hidden: false };
        Self { disk, seen: Mutex::new(seen) }
    }

    /// Looks, tells what changed, and has the writer stop where something is missing, or go on where it is back. Only
    /// the thread that removes files may look: what is removed as it should be is not missing then.
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

    /// Looks where the folder is, and tells it where that changed.
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

    /// What is missing of the segments. Where that can't be known, nothing is.
    fn missing_file(&self, segments: &Segments) -> Option<String> {
        // In this order: a segment that is begun meanwhile is not missing.
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
        list.iter().for_each(|segment| segment.look_for_index(&names));
        self.look_for_checkpoint(&names);
        let written = list.last().filter(|segment| matches!(segment.index, Index::Growing(_)))?;
        written.lost_name(&self.disk)
    }

    /// A checkpoint that is gone is made again.
    fn look_for_checkpoint(&self, names: &HashSet<String>) {
        let presence = self.disk.presence();
        if names.contains(checkpoint::FILE) {
            presence.checkpoint_is_there();
        } else if presence.checkpoint_is_not_there() {
            tracing::warn!("the checkpoint of the log is gone; another is made");
        }
    }
}

fn report(location: &Location) {
    match location {
        Location::InPlace => tracing::info!("the data folder is at its path again"),
        // That, and what to do, is told as what is missing.
        Location::Removed { .. } => {}
        Location::Moved { from, to, instead } => {
            let now = to.as_deref().map_or_else(|| "elsewhere".into(), |to| to.display().to_string());
            tracing::warn!(
                folder = %from.display(), %now, %instead,
                "the data folder is no longer at its path. The server goes on in the folder that it has open, and leaves \
                 what is at the path alone. {}", what_to_do(from, to.as_deref(), *instead)
            );
        }
    }
}

fn what_to_do(from: &Path, to: Option<&Path>, instead: Instead) -> String {
    match to {
        Some(to) if to == from => {
            "Something was mounted over it: take that away, or stop the server before it is started again"
                .to_owned()
        }
        Some(to) => {
            let back = if instead == Instead::Nothing {
                "Put it back"
            } else {
                "Put it back in the place of what is there"
            };
            format!("{back}, or stop the server and start it with --data {}", to.display())
        }
        None => "Put it back, or stop the server and start it with --data and the new path".to_owned(),
    }
}
