//! How recovery handles broken bytes in the commands that it replays.
//!
//! Invariants: an event with a broken text keeps its position, and so does everything else; its loss is recorded
//! before anybody reads. Nothing is ever guessed: if frames can't be told apart, recovery refuses the log, and only
//! an inspection continues after them, and reports what it left out. A group that was never acknowledged is cut
//! off.

use std::{collections::BTreeSet, io, sync::Arc};

use largesse_log::{Command, EngineError, Position, StreamName};

use super::{Doubt, OpenError, Opening, io_of};
use crate::{
    commit::writer::Writer,
    core::Core,
    format::{
        frame::{GroupHead, Sequence},
        scan::{Broken, Group, Scan, Scanned, find_group, is_torn_tail},
    },
    io::DiskFile,
    read::DAMAGED_MAX,
};

/// The corruption found so far.
pub(super) enum Damage {
    /// In recovery: lost events. Any other corruption refuses the log.
    Recover(Vec<LostEvent>),
    /// In an inspection: the parts left out. Broken events are found when they are read.
    Inspect(Vec<OpenError>),
}

/// A broken event.
pub(super) struct LostEvent {
    stream: StreamName,
    position: Position,
}

impl Damage {
    /// Handles a broken part of unknown contents.
    pub(super) fn leave_out(&mut self, error: OpenError) -> Result<(), OpenError> {
        match self {
            Self::Recover(_) => Err(error),
            Self::Inspect(left_out) => {
                left_out.push(error);
                Ok(())
            }
        }
    }

    /// Whether groups may be missing because something was left out.
    pub(super) fn has_gaps(&self) -> bool {
        matches!(self, Self::Inspect(left_out) if !left_out.is_empty())
    }

    /// Whether nothing may be changed.
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self, Self::Inspect(_))
    }

    fn record_lost(&mut self, file: &str, group: &Group) -> Result<(), OpenError> {
        let Self::Recover(lost) = self else { return Ok(()) };
        for (stream, position, event) in group.broken() {
            if lost.len() >= DAMAGED_MAX {
                let broken = Broken { whole_upto: group.at, at: event.at, what: event.what };
                return Err(OpenError::Broken { file: file.to_owned(), broken });
            }
            tracing::error!(
                file,
                at = event.at,
                %stream,
                position = position.0,
                what = %event.what,
                "an event is broken and lost; its readers are told of a loss, and everything else is read"
            );
            lost.push(LostEvent { stream: stream.clone(), position });
        }
        Ok(())
    }
}

impl Opening {
    /// The next group, whole or damaged: a damaged one is replayed except for the broken texts. `None` at the end
    /// of the segment's usable part.
    pub(super) fn next_group(
        &mut self,
        name: &str,
        file: &Arc<dyn DiskFile>,
        scan: &mut Scan,
        doubt: Doubt,
    ) -> Result<Option<Group>, OpenError> {
        loop {
            let broken = match scan.next_group().map_err(io_of(name))? {
                Scanned::Next(group) => return Ok(Some(group)),
                Scanned::End => return Ok(None),
                Scanned::Broken(broken) => broken,
            };
            if self.is_torn(name, &**file, broken, doubt)? {
                tracing::info!(
                    file = name,
                    at = broken.whole_upto,
                    "the last write before the crash was torn; it was never acknowledged, and is cut off"
                );
                file.truncate(broken.whole_upto).map_err(io_of(name))?;
                return Ok(None);
            }
            let broken = match scan.next_damaged().map_err(io_of(name))? {
                Scanned::Next(group) => {
                    self.damage.record_lost(name, &group)?;
                    return Ok(Some(group));
                }
                Scanned::Broken(broken) => broken,
                Scanned::End => broken,
            };
            self.damage.leave_out(OpenError::Broken { file: name.to_owned(), broken })?;
            match self.resume_scan(file, broken).map_err(io_of(name))? {
                Some(resumed) => *scan = resumed,
                None => return Ok(None),
            }
        }
    }

    /// A scan from the next group on, wherever it is after the broken part.
    fn resume_scan(&self, file: &Arc<dyn DiskFile>, broken: Broken) -> io::Result<Option<Scan>> {
        let is_later = |head: &GroupHead| head.sequence > self.written;
        let next = find_group(&**file, self.core.salt, broken.whole_upto + 1, is_later)?;
        let scan = |at| Ok(Scan::new(Arc::clone(file), self.core.salt, at, file.bytes()?)?.ending_at_zeros());
        next.map(scan).transpose()
    }

    fn is_torn(
        &self,
        name: &str,
        file: &dyn DiskFile,
        broken: Broken,
        doubt: Doubt,
    ) -> Result<bool, OpenError> {
        let sequence = Sequence(self.written.0 + 1);
        let looks_torn = || is_torn_tail(file, self.core.salt, broken.whole_upto, sequence);
        Ok(doubt == Doubt::Last && looks_torn().map_err(io_of(name))?)
    }
}

/// Skips the lost events from now on, and records the losses that were not recorded before.
pub(super) fn record(core: &Core, writer: &mut Writer, lost: Vec<LostEvent>) -> Result<(), EngineError> {
    let known: BTreeSet<_> = core.state().damaged().collect();
    let positions = known.iter().copied().chain(lost.iter().map(|event| event.position));
    positions.collect::<BTreeSet<_>>().into_iter().try_for_each(|position| core.cold.pass_over(position))?;
    let new = lost.into_iter().filter(|event| !known.contains(&event.position));
    let commands: Vec<_> =
        new.map(|LostEvent { stream, position }| Command::Damage { stream, position }).collect();
    if commands.is_empty() { Ok(()) } else { writer.write_alone(commands) }
}
