//! A workload on a disk that cuts, tears or fails at each operation in turn, and the log afterwards.
//!
//! What must hold: every acknowledged command is there, with its positions; one that was not acknowledged is there
//! as a whole or not at all; no position is used twice.

use std::time::Duration;

use largesse_log::{Position, UnixMs};

use super::world::{Action, Answer, Model, SETTINGS, Seen, World, actions};
use crate::{
    io::{Act, Fault, SimulatedDisk},
    settings::{DiskSettings, SyncRule},
};

/// How a run ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    PowerCut,
    Kill,
    Close,
}

/// What may be there after a run: without the last command, and with it.
struct Run {
    may_be: Vec<Seen>,
    model: Model,
    tail: Position,
}

/// Submits commands; one whose outcome is unknown may be there or not.
fn run(disk: &SimulatedDisk, model: Model, actions: &[(UnixMs, Action)], next: Position) -> Run {
    let mut run = Run { may_be: Vec::new(), model, tail: Position::ZERO };
    let Ok(mut world) = World::open(disk) else {
        run.may_be.push(run.model.seen());
        return run;
    };
    let mut in_doubt = None;
    for (now, action) in actions {
        match world.apply(*now, action) {
            // Commands that change nothing are answered even when nothing more is written.
            Answer::Applied(answer) => {
                let of_model = run.model.apply(*now, action, next);
                // Whether a sweep is needed depends on which of the events to free are in memory.
                assert!(
                    matches!(action, Action::Sweep) || answer == of_model,
                    "{action:?}: {answer}, not {of_model}"
                );
            }
            Answer::NotWritten => {}
            Answer::Unknown => in_doubt = Some((*now, action)),
        }
    }
    run.tail = world.tail();
    run.may_be.push(run.model.seen());
    if let Some((now, action)) = in_doubt {
        run.model.apply(now, action, next);
        run.may_be.push(run.model.seen());
    }
    run
}

#[track_caller]
fn check(seed: u64, number: u64, fault: Fault, ending: Ending) -> bool {
    let context = format!("seed {seed}: {fault:?} at operation {number}, then {ending:?}");
    let actions = actions(seed, 60);
    let disk = SimulatedDisk::new(seed);
    disk.fail_at(number, fault);
    let run = run(&disk, Model::new(), &actions, Position::ZERO);
    let was_reached = disk.operations() > number;
    let record = disk.record();
    let failed = record.iter().find(|operation| operation.number == number);
    let is_name_in_doubt = failed.is_some_and(|operation| operation.act == Act::SyncNames);
    let disk = match ending {
        Ending::PowerCut => disk.after_power_cut(seed ^ number),
        Ending::Kill | Ending::Close => disk.after_exit(),
    };
    let mut world = World::open(&disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    let seen = world.seen();
    assert!(run.may_be.contains(&seen), "{context}: {seen:#?}\nis not one of {:#?}", run.may_be);
    assert!(world.tail() >= run.tail, "{context}: the tail went back");
    go_on(&mut world, seed, run.tail, &context);
    let before = world.seen();
    match ending {
        Ending::Close => world.close(),
        Ending::PowerCut | Ending::Kill => drop(world),
    }
    // A name whose sync failed stays in doubt on this disk as long as the machine runs. A real file system with
    // such an error becomes read-only.
    let disk = match (is_name_in_doubt, ending) {
        (true, Ending::Kill | Ending::Close) => disk.after_exit(),
        _ => disk.after_power_cut(number),
    };
    let world = World::open(&disk).unwrap_or_else(|error| panic!("{context}, again: {error}"));
    assert_eq!(world.seen(), before, "{context}, again");
    was_reached
}

/// The reopened log accepts commands, at positions that were never used.
fn go_on(world: &mut World, seed: u64, tail: Position, context: &str) {
    assert!(world.first_free() > tail, "{context}: a position would be used again");
    for (now, action) in actions(seed + 1_000, 12) {
        let now = UnixMs(now.0 + 1_000);
        let answer = world.apply(now, &action);
        assert!(matches!(answer, Answer::Applied(_)), "{context}: {action:?} came to {answer:?}");
    }
}

/// Every operation of the workload fails in turn.
fn check_all(fault: Fault, ending: Ending, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut number = 0;
        while check(seed, number, fault, ending) {
            number += 1;
        }
        assert!(number > 100, "the workload has only {number} operations");
    }
}

#[test]
fn the_power_goes_at_each_operation() {
    check_all(Fault::PowerCut, Ending::PowerCut, 0..4);
}

#[test]
fn each_operation_fails_and_the_power_goes() {
    check_all(Fault::Error, Ending::PowerCut, 10..13);
}

#[test]
fn each_operation_fails_and_the_server_is_killed() {
    check_all(Fault::Error, Ending::Kill, 20..23);
}

#[test]
fn each_operation_finds_the_disk_full_and_the_server_is_stopped() {
    check_all(Fault::Full, Ending::Close, 30..33);
}

#[test]
fn each_operation_finds_the_disk_full_and_the_power_goes() {
    check_all(Fault::Full, Ending::PowerCut, 40..43);
}

/// With an interval, acknowledged commands may be gone after a power cut, but only the last ones; and no shown
/// position is reused.
#[test]
fn with_an_interval_the_end_may_be_lost_and_no_position_is_reused() {
    let settings = DiskSettings { sync: SyncRule::Interval(Duration::from_secs(3_600)), ..SETTINGS };
    for seed in 0..40 {
        let disk = SimulatedDisk::new(seed);
        let (mut world, mut model) = (World::open_with(&disk, settings).unwrap(), Model::new());
        let mut may_be = vec![model.seen()];
        for (now, action) in &actions(seed, 40) {
            world.apply(*now, action);
            model.apply(*now, action, Position::ZERO);
            may_be.push(model.seen());
        }
        assert_eq!(&world.seen(), may_be.last().unwrap(), "seed {seed}");
        let disk = disk.after_power_cut(seed);
        let mut again = World::open_with(&disk, settings).unwrap();
        assert!(may_be.contains(&again.seen()), "seed {seed}: the log is a prefix of what it was");
        go_on(&mut again, seed, world.tail(), "with an interval");
    }
}
