//! The conformance suite on a log that is cleanly closed and reopened between calls; and a part of it on one that
//! is killed or loses power. The rest of the suite expects dense positions, and a start after a crash skips some.
//!
//! A restart happens only while no call is in progress: then nothing is in doubt, and nobody may notice anything.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use largesse_disk::{DiskEngine, DiskSettings, NewLog, SyncRule, io::SimulatedDisk};
use largesse_log::{
    Command, Engine, EngineError, EngineLimits, Incarnation, Now, Pending, Position, Query, QueryAnswer,
    Reply, Settings, TailListener, conformance::rng::Rng,
};

/// One call in this many reopens the log first.
const CALLS_PER_RESTART: u64 = 100;
/// Each event is read from a segment, and segments soon get full.
const BARE: DiskSettings = DiskSettings {
    sync: SyncRule::Always,
    segment_bytes: 2_000,
    hot_bytes_max: 0,
    open_files_max: NonZeroUsize::new(2).expect("it is not 0"),
};
/// The same, but everything after a restart stays in memory: the boundary between hot and cold is at the last
/// restart.
const PARTED: DiskSettings = DiskSettings { hot_bytes_max: u64::MAX, ..BARE };

/// How a log ends before it is opened again.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Close,
    Kill,
    PowerCut,
}

/// An engine that is restarted now and then.
struct Restarting {
    log: Mutex<Log>,
}

struct Log {
    limits: EngineLimits,
    settings: DiskSettings,
    endings: &'static [Ending],
    rng: Rng,
    disk: SimulatedDisk,
    /// None while it is opened again.
    engine: Option<Arc<DiskEngine>>,
    listener: Option<Arc<dyn TailListener>>,
}

fn open(disk: &SimulatedDisk, limits: EngineLimits, settings: DiskSettings) -> Arc<DiskEngine> {
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    let engine = DiskEngine::open(Arc::new(disk.clone()), limits, settings, new);
    Arc::new(engine.expect("a log that was left at any moment can be opened"))
}

fn restarting(limits: EngineLimits, settings: DiskSettings, endings: &'static [Ending]) -> Arc<dyn Engine> {
    let disk = SimulatedDisk::new(3);
    let engine = Some(open(&disk, limits, settings));
    let log = Log { limits, settings, endings, rng: Rng::new(17), disk, engine, listener: None };
    Arc::new(Restarting { log: Mutex::new(log) })
}

/// Cleanly closed now and then.
fn closed(limits: EngineLimits) -> Arc<dyn Engine> {
    restarting(limits, BARE, &[Ending::Close])
}

/// The same with the newest events in memory.
fn closed_parted(limits: EngineLimits) -> Arc<dyn Engine> {
    restarting(limits, PARTED, &[Ending::Close])
}

/// Ended in any way, with everything since the restart in memory.
fn killed(limits: EngineLimits) -> Arc<dyn Engine> {
    restarting(limits, DiskSettings::default(), &[Ending::Close, Ending::Kill, Ending::PowerCut])
}

/// The same with nothing in memory.
fn killed_bare(limits: EngineLimits) -> Arc<dyn Engine> {
    restarting(limits, BARE, &[Ending::Close, Ending::Kill, Ending::PowerCut])
}

impl Restarting {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current engine; sometimes a new one.
    fn engine(&self) -> Arc<DiskEngine> {
        let mut log = self.log();
        if log.rng.below(CALLS_PER_RESTART) == 0 {
            log.restart();
        }
        Arc::clone(log.engine.as_ref().expect("it is opened again at once"))
    }
}

impl Log {
    fn restart(&mut self) {
        let Some(engine) = self.engine.take() else { return };
        let tail = engine.tail();
        let engine = match Arc::try_unwrap(engine) {
            Ok(engine) => engine,
            // A call is in progress.
            Err(engine) => return self.engine = Some(engine),
        };
        let next = match self.rng.pick(self.endings) {
            Ending::Close => {
                drop(engine);
                self.disk.after_exit()
            }
            // Whatever the old engine still does goes to another disk.
            Ending::Kill => self.disk.after_exit(),
            Ending::PowerCut => self.disk.after_power_cut(self.rng.below(u64::MAX)),
        };
        self.disk = next;
        let engine = open(&self.disk, self.limits, self.settings);
        assert_eq!(engine.tail(), tail, "the tail of the log that was opened again");
        if let Some(listener) = &self.listener {
            engine.listen(Arc::clone(listener));
        }
        self.engine = Some(engine);
    }
}

impl Engine for Restarting {
    fn incarnation(&self) -> Incarnation {
        self.engine().incarnation()
    }

    fn tail(&self) -> Position {
        self.engine().tail()
    }

    fn defaults(&self) -> Settings {
        self.engine().defaults()
    }

    fn listen(&self, listener: Arc<dyn TailListener>) {
        self.log().listener = Some(Arc::clone(&listener));
        self.engine().listen(listener);
    }

    fn submit(&self, now: Now, command: Command) -> Pending<'_, Result<Reply, EngineError>> {
        Box::pin(async move { self.engine().submit(now, command).await })
    }

    fn query<'a>(&'a self, query: Query<'a>) -> QueryAnswer<'a> {
        QueryAnswer::Cold(Box::pin(async move { self.engine().query(query).done().await }))
    }
}

mod closed_in_order {
    largesse_log::mount_conformance!(crate::closed);
}

mod closed_in_order_with_the_newest_in_memory {
    largesse_log::mount_conformance!(crate::closed_parted);
}

/// After a kill, positions continue far after the last one. Not all cases of the suite allow for that, nor does the
/// model, in which a new stream begins right after the tail.
macro_rules! mount_cases {
    ($make:path) => {
        largesse_log::mount_conformance! { $make;
            blocks {
                a_block_is_appended_once_over_two_requests
                a_newer_claim_supersedes
                another_body_under_the_claim_is_refused
                a_repeated_close_of_blocks_gets_the_same_answer
                a_long_publish_is_remembered_by_some_of_its_blocks
            }
            ends {
                an_end_is_heard_by_name_only
                a_deletion_is_heard_by_name_at_its_place
                being_told_of_a_loss_brings_back_no_end_of_a_gone_stream
                ended_streams_are_those_whose_last_record_was_their_end
            }
            keys {
                a_repeat_gets_the_first_answer
                a_repeated_close_gets_the_first_answer
                a_key_expires
                the_oldest_keys_are_forgotten_at_the_limit
            }
            losses {
                a_loss_is_told_once_over_reconnects
                a_deletion_is_told_as_a_loss_to_patterns
                a_loss_outlives_an_empty_life
                a_forgotten_end_is_told_as_a_loss
            }
            seeds {
                a_small_log_tells_all_that_it_loses
            }
        }
    };
}

mod killed_with_the_usual_settings {
    mount_cases!(crate::killed);
}

mod killed_with_nothing_in_memory {
    mount_cases!(crate::killed_bare);
}
