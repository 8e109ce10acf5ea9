//! One run: publishers and readers over log and hub, in an order that the seed chooses.
//!
//! A run is a loop of small acts: poll somebody who was woken, begin a write, cut a reader or let it come back,
//! let a late wake through, let time pass. Then everything goes quiet: every wake arrives, nobody is stalled,
//! and every page must have heard all that it should, before a heartbeat is due.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use largesse_hub::{
    Clock, ControlEvents, HeartbeatForm, Hub, HubLimits, Opening, Out, Presented, ReadRequest,
};
use largesse_log::{
    Engine, EngineLimits, Selection, Selector, Settings, Slow, StartFrom, UnixMs, conformance::rng::Rng,
};

use crate::{
    clock::SimClock,
    follower::{Follower, Presents, Standing},
    kept::{Keeping, Kept},
    oracle::{Knowledge, Oracle, Seen},
    publisher::{Publishers, Write},
    recording_engine::RecordingEngine,
    shared_rng::SharedRng,
    task::Task,
    trace::Trace,
    wakes::Wakes,
};

mod failure;
mod quiet;
mod restart;

/// Acts of a run before it goes quiet.
const ACTS: usize = 400;
/// Acts of a run whose choices are bytes; the bytes run out before that.
const ACTS_OF_BYTES_MAX: usize = 4_000;
/// One act in this many restarts the server, if the log is on a disk.
const ACTS_A_RESTART: u64 = 20;
/// Longer than any run, however its clocks are set, so that a key is still valid whenever its publish is sent again.
const KEY_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
const READERS_MAX: u64 = 6;
const WRITES_MAX: usize = 6;
const SELECTIONS: [&str; 10] =
    ["a", "b", "a,b", "c/*", "c/**", "**", "a,c/*", "c/1,c/**", "*,c/*,c/**", "a,b,c/1,c/2,*"];

/// Runs one seed, and returns a hash of what happened: the same seed has the same hash.
///
/// # Panics
/// If something does not hold; stderr has the last acts and the command that repeats the run.
#[must_use]
pub fn run_seed(seed: u64) -> u64 {
    play_seed(seed, Keeping::Memory)
}

/// The same over the disk engine, with restarts. The engine has threads of its own, which affect where things are
/// on the disk and nothing that anybody hears.
///
/// # Panics
/// Like [`run_seed`].
#[must_use]
pub fn run_seed_on_disk(seed: u64) -> u64 {
    play_seed(seed, Keeping::Disk)
}

/// Runs a simulation whose choices are these bytes.
///
/// # Panics
/// Like [`run_seed`].
#[must_use]
pub fn run_bytes(bytes: &[u8]) -> u64 {
    play_bytes(bytes, Keeping::Memory)
}

/// The same over the disk engine, like [`run_seed_on_disk`].
///
/// # Panics
/// Like [`run_seed`].
#[must_use]
pub fn run_bytes_on_disk(bytes: &[u8]) -> u64 {
    play_bytes(bytes, Keeping::Disk)
}

fn play_seed(seed: u64, keeping: Keeping) -> u64 {
    let trace = Trace::default();
    let again = format!("LARGESSE_SIM_SEEDS={seed}..{} cargo test -p largesse-sim", seed + 1);
    let _shown = failure::Shown::new(&trace, again);
    play(Rng::new(seed), ACTS, keeping, &trace)
}

fn play_bytes(bytes: &[u8], keeping: Keeping) -> u64 {
    let trace = Trace::default();
    let _shown = failure::Shown::new(&trace, "the same input again".to_owned());
    play(Rng::from_bytes(bytes), ACTS_OF_BYTES_MAX, keeping, &trace)
}

fn play(rng: Rng, acts: usize, keeping: Keeping, trace: &Trace) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads or sockets");
    runtime.block_on(async {
        let mut simulation = Simulation::new(SharedRng::new(rng), keeping, trace.clone());
        simulation.live(acts).await;
        simulation.go_quiet().await;
    });
    trace.hash()
}

/// What the tasks of a run share with it.
#[derive(Clone)]
struct Shared {
    /// None while the server restarts.
    hub: Option<Arc<Hub>>,
    oracle: Arc<Mutex<Oracle>>,
    rng: SharedRng,
    trace: Trace,
    publishers: Rc<RefCell<Publishers>>,
}

/// A page, and its connection while it has one.
struct Seat {
    follower: Rc<RefCell<Follower>>,
    connection: Option<Task>,
    /// Acts for which it does not read, although it could.
    stalled: u64,
}

struct Simulation {
    /// None while it is reopened.
    log: Option<Kept>,
    keeping: Keeping,
    hub_limits: HubLimits,
    shared: Shared,
    clock: Arc<SimClock>,
    wakes: Arc<Wakes>,
    seats: Vec<Seat>,
    writes: Vec<Task>,
}

impl Shared {
    fn hub(&self) -> &Arc<Hub> {
        self.hub.as_ref().expect("a server runs whenever somebody is polled")
    }

    fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One write, from the publisher's side.
    async fn write(self, write: Write) {
        let said = match write.clone() {
            Write::Append(append) => {
                let answer = self.hub().append(append.clone()).await;
                let said = format!("{answer:?}");
                if let Ok(answer) = answer {
                    self.publishers.borrow_mut().note_answer(&append, &answer);
                }
                said
            }
            Write::Put(stream, put) => {
                format!("{:?}", self.hub().put(&stream, put).await.map(|put| put.made))
            }
            Write::Delete(stream) => format!("{:?}", self.hub().delete(&stream).await),
            Write::Sweep => format!("{:?}", self.hub().sweep().await),
        };
        self.trace.line(format!("done {write:?}: {said}"));
    }

    /// One connection, from the page's side. It may be cut after any block.
    async fn connect(self, number: usize, follower: Rc<RefCell<Follower>>, request: ReadRequest) {
        let opening = self.hub().read(request).await.expect("there is room, and the log works");
        let Opening::Reading(mut reader) = opening else {
            self.trace.line(format!("reader {number} is stopped"));
            return follower.borrow_mut().hear_stop(&self.oracle());
        };
        while let Some(out) = reader.next().await {
            let Out::Blocks(blocks) = out else {
                self.trace.line(format!("reader {number} hears a heartbeat"));
                continue;
            };
            assert!(!blocks.is_empty(), "blocks are never none");
            for block in &blocks {
                if self.rng.once_in(40) {
                    return self.trace.line(format!("reader {number} is cut between two blocks"));
                }
                self.trace.line(format!("reader {number} hears {block:?}"));
                follower.borrow_mut().hear(block, &self.oracle());
            }
        }
        self.trace.line(format!("reader {number} is closed"));
        follower.borrow_mut().hear_close(&self.oracle());
    }
}

impl Simulation {
    fn new(rng: SharedRng, keeping: Keeping, trace: Trace) -> Self {
        let fortune = rng.below(u64::MAX);
        fastrand::seed(fortune);
        let knowledge = rng.pick(&[Knowledge::Exact, Knowledge::Exact, Knowledge::AtLeast]);
        let limits = engine_limits(&rng, knowledge, usual_policy(fortune));
        let oracle = Arc::new(Mutex::new(Oracle::new(knowledge, limits.defaults)));
        let wakes = Wakes::new(rng.clone());
        let log = Kept::new(keeping, limits, &rng);
        let recorder =
            RecordingEngine::new(log.engine(), Arc::clone(&oracle), rng.clone(), Arc::clone(&wakes));
        let clock = Arc::new(SimClock::new());
        let hub_limits = hub_limits(&rng);
        let hub = Some(hub(recorder, &clock, hub_limits));
        let seats = Vec::new();
        let publishers = Rc::default();
        let shared = Shared { hub, oracle, rng, trace, publishers };
        Self { log: Some(log), keeping, hub_limits, shared, clock, wakes, seats, writes: Vec::new() }
    }

    async fn live(&mut self, acts: usize) {
        for _ in 0..acts {
            if self.shared.rng.is_spent() {
                return;
            }
            self.act().await;
            // Lets tokio run its timers, and gives the task a new budget.
            tokio::task::yield_now().await;
        }
    }

    async fn act(&mut self) {
        if self.keeping == Keeping::Disk && self.shared.rng.once_in(ACTS_A_RESTART) {
            self.restart();
        }
        match self.shared.rng.below(20) {
            0..11 => self.poll_someone(),
            11..14 => self.begin_write(),
            14 => self.seat_someone(),
            15 => self.cut_or_connect(),
            16 => self.cut_write(),
            17 => self.wakes.release_one(),
            18 => self.pass_time().await,
            _ => self.stall_or_disturb(),
        }
        self.seats.iter_mut().for_each(|seat| seat.stalled = seat.stalled.saturating_sub(1));
    }

    /// Polls one of the tasks that were woken, or begins a write if none was.
    fn poll_someone(&mut self) {
        let seats = (0..self.seats.len()).filter(|index| self.seats[*index].is_woken());
        let writes = (0..self.writes.len()).filter(|index| self.writes[*index].is_woken());
        let woken: Vec<Turn> = seats.map(Turn::Reader).chain(writes.map(Turn::Write)).collect();
        match woken.is_empty() {
            true => self.begin_write(),
            false => {
                let turn = self.shared.rng.pick(&woken);
                self.poll(turn);
            }
        }
    }

    fn poll(&mut self, turn: Turn) {
        match turn {
            Turn::Reader(index) => {
                self.shared.oracle().current = Some(index);
                let seat = &mut self.seats[index];
                if seat.connection.as_mut().is_some_and(|task| task.poll().is_ready()) {
                    seat.connection = None;
                }
                self.shared.oracle().current = None;
            }
            Turn::Write(index) => {
                if self.writes[index].poll().is_ready() {
                    drop(self.writes.swap_remove(index));
                }
            }
        }
    }

    fn begin_write(&mut self) {
        if self.writes.len() < WRITES_MAX {
            let write = self.shared.publishers.borrow_mut().next_write(&self.shared.rng);
            self.shared.trace.line(format!("begin {write:?} at {:?}", self.clock.now()));
            self.writes.push(Task::new(self.shared.clone().write(write)));
        }
    }

    /// A publisher leaves before it is answered.
    fn cut_write(&mut self) {
        if !self.writes.is_empty() {
            let index = self.shared.rng.below(self.writes.len() as u64) as usize;
            self.shared.trace.line(format!("cut write {index}"));
            drop(self.writes.swap_remove(index));
        }
    }

    /// A new page comes, and replaces another when all seats are taken.
    fn seat_someone(&mut self) {
        let rng = self.shared.rng.clone();
        let seats = self.seats.len();
        let index = if (seats as u64) < READERS_MAX { seats } else { rng.below(READERS_MAX) as usize };
        let selection = selection(rng.pick(&SELECTIONS));
        let control = if rng.once_in(8) { ControlEvents::Off } else { ControlEvents::On };
        let follower = Follower::new(index, selection, start_from(&rng, self.clock.now()), control);
        self.shared.trace.line(format!("seat {follower} {:?} {control:?}", follower.from));
        let seat = Seat { follower: Rc::new(RefCell::new(follower)), connection: None, stalled: 0 };
        if index == seats {
            self.shared.oracle().seen.push(Seen::default());
            self.seats.push(seat);
        } else {
            self.seats[index] = seat;
        }
        self.connect(index);
    }

    fn cut_or_connect(&mut self) {
        if self.seats.is_empty() {
            return self.seat_someone();
        }
        let index = self.shared.rng.below(self.seats.len() as u64) as usize;
        match self.seats[index].connection.take() {
            Some(_) => self.shared.trace.line(format!("cut reader {index}")),
            None if self.seats[index].has_stopped() => {}
            None => self.connect(index),
        }
    }

    fn connect(&mut self, index: usize) {
        let may_err = {
            let follower = self.seats[index].follower.borrow();
            follower.standing == Standing::Placed && follower.control == ControlEvents::On
        };
        let presents = if may_err && self.shared.rng.once_in(8) { Presents::Garbage } else { Presents::Last };
        self.connect_with(index, presents);
    }

    fn connect_with(&mut self, index: usize, presents: Presents) {
        let follower = Rc::clone(&self.seats[index].follower);
        let mut page = follower.borrow_mut();
        let tail = self.shared.oracle().model.tail();
        self.shared.oracle().seen[index] = Seen::default();
        page.connect(presents, tail);
        let presented = match presents {
            Presents::Garbage => Presented::parse("garbage"),
            Presents::Last => page.last_id.and_then(|id| Presented::parse(id.as_str())),
        };
        self.shared.trace.line(format!("connect {page} with {presented:?}"));
        let request = ReadRequest {
            selection: page.selection.clone(),
            presented,
            from: Some(page.from),
            control: page.control,
            heartbeat: HeartbeatForm::Comment,
        };
        drop(page);
        let connection = Task::new(self.shared.clone().connect(index, follower, request));
        self.seats[index].connection = Some(connection);
    }

    async fn pass_time(&mut self) {
        self.clock.pass(&self.shared.rng);
        if self.shared.rng.once_in(4) {
            tokio::time::advance(Duration::from_secs(self.shared.rng.below(20))).await;
        }
    }

    /// Stalls a reader for a while, or polls one although nothing woke it.
    fn stall_or_disturb(&mut self) {
        if self.seats.is_empty() {
            return;
        }
        let index = self.shared.rng.below(self.seats.len() as u64) as usize;
        match self.shared.rng.below(3) {
            0 => self.poll(Turn::Reader(index)),
            _ => self.seats[index].stalled = self.shared.rng.below(60),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Reader(usize),
    Write(usize),
}

impl Seat {
    /// A browser does not come back after a 204. A page that was told the end tries again here all the same.
    fn has_stopped(&self) -> bool {
        let follower = self.follower.borrow();
        follower.standing == Standing::Ended && follower.control == ControlEvents::Off
    }

    fn is_woken(&self) -> bool {
        self.stalled == 0 && self.connection.as_ref().is_some_and(Task::is_woken)
    }
}

fn hub(recorder: Arc<RecordingEngine>, clock: &Arc<SimClock>, limits: HubLimits) -> Arc<Hub> {
    let clock = Arc::<SimClock>::clone(clock);
    Hub::new(recorder as Arc<dyn Engine>, clock as Arc<dyn Clock>, limits)
}

fn selection(text: &str) -> Selection {
    let selectors: Result<Vec<_>, _> = text.split(',').map(Selector::parse).collect();
    let selectors = selectors.expect("these are names and patterns");
    match selectors.as_slice() {
        [Selector::Name(name)] => Selection::one(name.clone()),
        _ => Selection::many(selectors).expect("there are few"),
    }
}

fn start_from(rng: &SharedRng, now: UnixMs) -> StartFrom {
    match rng.below(8) {
        0..4 => StartFrom::Start,
        4 | 5 => StartFrom::Now,
        6 => StartFrom::Last(rng.below(12)),
        _ => StartFrom::Time(UnixMs((now.0 + 10).saturating_sub(rng.below(100)))),
    }
}

/// What streams do about slow readers by default. In one run of four it is to let them skip; otherwise hardly any
/// reader would fall behind where that has a meaning.
fn usual_policy(draw: u64) -> Slow {
    if draw % 4 == 1 { Slow::Latest } else { Slow::CatchUp }
}

fn engine_limits(rng: &SharedRng, knowledge: Knowledge, slow: Slow) -> EngineLimits {
    let defaults = Settings {
        max_age: None,
        max_events: None,
        max_bytes: None,
        ttl_after_close: Duration::from_secs(1),
        slow,
        ..Settings::default()
    };
    let roomy = EngineLimits { defaults, key_ttl: KEY_TTL, ..EngineLimits::default() };
    match knowledge {
        Knowledge::Exact => roomy,
        Knowledge::AtLeast => {
            EngineLimits { log_bytes_max: 5_000, tombstones_max: 1 + rng.below(3) as usize, ..roomy }
        }
    }
}

fn hub_limits(rng: &SharedRng) -> HubLimits {
    let read_records_max = rng.pick(&[3, 1, 2, 6, 512]).try_into().expect("none of these is zero");
    HubLimits {
        read_records_max,
        read_bytes_max: rng.pick(&[32 * 1024, 1, 60]),
        lag_bytes_max: rng.pick(&[8 * 1024 * 1024, 100]),
        ..HubLimits::default()
    }
}
