//! Events in fjall: one keyspace by (stream, position), and one from position to stream.
//!
//! A group is one batch over both, committed with `PersistMode::SyncData`. Everything is fjall's default, except
//! the size of its cache.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::candidate::{CACHE_BYTES, Candidate, Event, Outcome};

pub struct WithFjall {
    database: Database,
    events: Keyspace,
    streams: Keyspace,
    first_kept: u64,
}

impl WithFjall {
    pub fn open(folder: &Path) -> Outcome<Self> {
        let database = Database::builder(folder).cache_size(CACHE_BYTES as u64).open()?;
        let events = database.keyspace("events", KeyspaceCreateOptions::default)?;
        let streams = database.keyspace("streams", KeyspaceCreateOptions::default)?;
        let first_kept = streams.first_key_value().map(|pair| Ok::<_, fjall::Error>(number(&pair.key()?)));
        let first_kept = first_kept.transpose()?.unwrap_or(1);
        Ok(Self { database, events, streams, first_kept })
    }
}

impl Candidate for WithFjall {
    fn append(&mut self, first: u64, group: &[Event], keep_from: u64) -> Outcome<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (position, event) in (first..).zip(group) {
            batch.insert(&self.events, key(event.stream, position), event.data);
            batch.insert(&self.streams, position.to_be_bytes(), event.stream.to_be_bytes());
        }
        for position in self.first_kept..keep_from {
            let stream = self.streams.get(position.to_be_bytes())?.ok_or("a position without a stream")?;
            batch.remove(&self.events, key(number(&stream), position));
            batch.remove(&self.streams, position.to_be_bytes());
        }
        self.first_kept = self.first_kept.max(keep_from);
        Ok(batch.commit()?)
    }

    fn read(&self, stream: u64, seen: &mut dyn FnMut(u64, &[u8]) -> bool) -> Outcome<()> {
        for pair in self.events.prefix(stream.to_be_bytes()) {
            let (key, data) = pair.into_inner()?;
            if !seen(number(&key[8..]), &data) {
                break;
            }
        }
        Ok(())
    }

    fn next(&self) -> Outcome<u64> {
        let Some(pair) = self.streams.last_key_value() else { return Ok(1) };
        Ok(number(&pair.key()?) + 1)
    }
}

fn key(stream: u64, position: u64) -> [u8; 16] {
    (u128::from(stream) << 64 | u128::from(position)).to_be_bytes()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
