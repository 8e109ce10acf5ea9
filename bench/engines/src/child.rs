//! One measurement in a process of its own: what it finds goes to standard output, as numbers on one line.
//!
//! Every loop ends at a time, a number of events, or when the parent no longer reads. Nothing is kept between two.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::candidate::{
    Candidate, LONG_STREAM, Outcome, disk_bytes, group_at, is_event_of, memory_mib, spent,
};
use crate::floor::{Floor, Place};
use crate::own::Own;
use crate::with_fjall::WithFjall;
use crate::with_redb::{Repair, WithRedb};

const APPEND: Duration = Duration::from_secs(3);
const RETAIN: Duration = Duration::from_secs(20);
const KEPT: u64 = 1_000_000;
/// Events per group where only the outcome is measured, not the way there.
const LOAD_GROUP: u64 = 8192;
const SHORT_STREAMS_READ: u64 = 2000;
/// A stream that has no event.
const NO_STREAM: u64 = 1 << 40;

pub fn open(name: &str, folder: &Path) -> Outcome<Box<dyn Candidate>> {
    Ok(match name {
        "floor, grows" => Box::new(Floor::open(folder, Place::End)?),
        "floor, zeros" => Box::new(Floor::open(folder, Place::Zeros)?),
        "own" => Box::new(Own::open(folder)?),
        "fjall" => Box::new(WithFjall::open(folder)?),
        "redb" => Box::new(WithRedb::open(folder, Repair::Full)?),
        "redb quick" => Box::new(WithRedb::open(folder, Repair::Quick)?),
        _ => return Err("no such candidate".into()),
    })
}

/// `number` is the events per group, the events to load, the last acknowledged position, or the first not to read.
pub fn run(name: &str, role: &str, folder: &Path, number: u64) -> Outcome<()> {
    let begun = Instant::now();
    let mut candidate = open(name, folder)?;
    match role {
        "append" => say(&[append(&mut *candidate, number)?]),
        "load" => load(&mut *candidate, number),
        "recover" => recover(&mut *candidate, begun, number),
        "read" => read(&*candidate, number),
        "retain" => retain(&mut *candidate, folder),
        _ => Err("no such role".into()),
    }
}

fn append(candidate: &mut dyn Candidate, group_events: u64) -> Outcome<f64> {
    let (begun, mut next) = (Instant::now(), 1);
    while begun.elapsed() < APPEND {
        candidate.append(next, &group_at(next, group_events, 10_000), 0)?;
        next += group_events;
    }
    Ok((next - 1) as f64 / begun.elapsed().as_secs_f64())
}

fn load(candidate: &mut dyn Candidate, events: u64) -> Outcome<()> {
    let begun = Instant::now();
    for first in (1..=events).step_by(LOAD_GROUP as usize) {
        candidate.append(first, &group_at(first, LOAD_GROUP.min(events + 1 - first), 100_000), 0)?;
    }
    let (now, highest) = memory_mib()?;
    let (cpu, written) = spent()?;
    say(&[begun.elapsed().as_secs_f64(), now as f64, highest as f64, cpu, written / events as f64])?;
    append_till_killed(candidate)
}

fn recover(candidate: &mut dyn Candidate, begun: Instant, answered: u64) -> Outcome<()> {
    let mut first = 0;
    candidate.read(1 + answered % 99_999, &mut |position, data| {
        first = if is_event_of(position, data) { position } else { 0 };
        false
    })?;
    let took = begun.elapsed();
    if first == 0 || candidate.next()? <= answered {
        return Err("an event that was answered is not there".into());
    }
    say(&[took.as_secs_f64() * 1e3])?;
    append_till_killed(candidate)
}

/// Prints the last position of each group once it is safe. It also ends when nobody reads that.
fn append_till_killed(candidate: &mut dyn Candidate) -> Outcome<()> {
    loop {
        let first = candidate.next()?;
        candidate.append(first, &group_at(first, 64, 100_000), 0)?;
        say(&[first + 63])?;
    }
}

/// Each stream is read once to warm the page cache, and once to measure.
fn read(candidate: &dyn Candidate, below: u64) -> Outcome<()> {
    let (mut firsts, mut short, mut sum) = (Vec::new(), (0, 0.0), 0);
    let mut one = |stream| {
        let (begun, mut first, mut events) = (Instant::now(), None, 0);
        candidate.read(stream, &mut |position, data| {
            first.get_or_insert_with(|| begun.elapsed());
            let wanted = position < below && is_event_of(position, data);
            events += u64::from(wanted);
            sum += if wanted { position } else { 0 };
            wanted
        })?;
        Ok::<_, Box<dyn std::error::Error>>((events, first.unwrap_or_default(), begun.elapsed()))
    };
    let some = || (0..SHORT_STREAMS_READ).map(|nth| 1 + nth * (99_999 / SHORT_STREAMS_READ));
    some().chain([LONG_STREAM]).try_for_each(|stream| one(stream).map(drop))?;
    for stream in some() {
        let (events, first, took) = one(stream)?;
        short = (short.0 + events, short.1 + took.as_secs_f64());
        firsts.push(first.as_secs_f64() * 1e6);
    }
    let (events, first, took) = one(LONG_STREAM)?;
    firsts.sort_by(f64::total_cmp);
    let median = firsts[firsts.len() / 2];
    let (long, long_first) = (events as f64 / took.as_secs_f64(), first.as_secs_f64() * 1e6);
    let none = (0..SHORT_STREAMS_READ).map(|_| one(NO_STREAM).map(|(_, _, took)| took));
    let none = none.sum::<Result<Duration, _>>()?.as_secs_f64() * 1e6 / SHORT_STREAMS_READ as f64;
    let memory = memory_mib()?.0 as f64;
    say(&[
        short.0 as f64 / short.1,
        median,
        long,
        long_first,
        memory,
        (short.0 + events) as f64,
        sum as f64,
        none,
    ])
}

/// A new folder is brought to its steady state first: twice what is kept.
fn retain(candidate: &mut dyn Candidate, folder: &Path) -> Outcome<()> {
    let mut next = candidate.next()?;
    while next <= 2 * KEPT {
        candidate.append(
            next,
            &group_at(next, LOAD_GROUP, 10_000),
            (next + LOAD_GROUP).saturating_sub(KEPT),
        )?;
        next += LOAD_GROUP;
    }
    let (begun, from, before, mut longest) = (Instant::now(), next, spent()?, Duration::ZERO);
    while begun.elapsed() < RETAIN {
        let group_begun = Instant::now();
        candidate.append(next, &group_at(next, 64, 10_000), next + 64 - KEPT)?;
        longest = longest.max(group_begun.elapsed());
        next += 64;
    }
    let (took, now, events) = (begun.elapsed().as_secs_f64(), spent()?, (next - from) as f64);
    let (cpu, written) = ((now.0 - before.0) * 1e6 / events, (now.1 - before.1) / events);
    let (disk, memory) = ((disk_bytes(folder) >> 20) as f64, memory_mib()?.0 as f64);
    say(&[events / took, longest.as_secs_f64() * 1e3, disk, memory, cpu, written])
}

fn say<T: Display>(numbers: &[T]) -> Outcome<()> {
    let words: Vec<_> = numbers.iter().map(T::to_string).collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", words.join(" "))?;
    Ok(out.flush()?)
}
