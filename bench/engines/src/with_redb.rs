//! Events in redb: one table by (stream, position), and one from position to stream.
//!
//! A group is one write transaction with `Durability::Immediate`, over both tables. Without quick repair a commit
//! syncs once, and a start after a crash walks the whole file; with it a commit syncs twice and saves what that
//! walk would find. Everything is redb's default, except the size of its cache.

use std::fs;
use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use crate::candidate::{CACHE_BYTES, Candidate, Event, Outcome};

const EVENTS: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("events");
const STREAMS: TableDefinition<u64, u64> = TableDefinition::new("streams");

/// What a start after a crash costs, and each commit before it.
#[derive(Clone, Copy)]
pub enum Repair {
    Full,
    Quick,
}

pub struct WithRedb {
    database: Database,
    repair: Repair,
    first_kept: u64,
}

impl WithRedb {
    pub fn open(folder: &Path, repair: Repair) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(folder.join("redb"))?;
        let made = database.begin_write()?;
        made.open_table(EVENTS)?;
        let first_kept = made.open_table(STREAMS)?.first()?.map_or(1, |(position, _)| position.value());
        made.commit()?;
        Ok(Self { database, repair, first_kept })
    }
}

impl Candidate for WithRedb {
    fn append(&mut self, first: u64, group: &[Event], keep_from: u64) -> Outcome<()> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        write.set_quick_repair(matches!(self.repair, Repair::Quick));
        {
            let mut events = write.open_table(EVENTS)?;
            let mut streams = write.open_table(STREAMS)?;
            for (position, event) in (first..).zip(group) {
                events.insert((event.stream, position), event.data.as_slice())?;
                streams.insert(position, event.stream)?;
            }
            for position in self.first_kept..keep_from {
                let stream = streams.remove(position)?.ok_or("a position without a stream")?.value();
                events.remove((stream, position))?;
            }
        }
        self.first_kept = self.first_kept.max(keep_from);
        Ok(write.commit()?)
    }

    fn read(&self, stream: u64, seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<()> {
        let events = self.database.begin_read()?.open_table(EVENTS)?;
        for pair in events.range((stream, 0)..=(stream, u64::MAX))? {
            let (key, data) = pair?;
            if !seen(key.value().1, data.value()) {
                break;
            }
        }
        Ok(())
    }

    fn next(&self) -> Outcome<u64> {
        let streams = self.database.begin_read()?.open_table(STREAMS)?;
        Ok(streams.last()?.map_or(1, |(position, _)| position.value() + 1))
    }
}
