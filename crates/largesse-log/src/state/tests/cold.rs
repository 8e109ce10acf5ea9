//! A log whose events are cold, or become cold during a read, answers readers as one that has all events in memory.

use std::{
    cell::{Cell, RefCell},
    ops::{ControlFlow, Deref},
};

use super::*;
use crate::{
    Event, Located,
    state::view::{ColdEvent, ColdEvents, ColdRange},
};

/// The events of a log on a disk, and its state, from which events are evicted during reads.
struct Cold {
    /// With the starts of their lives.
    events: Vec<(Position, Arc<Event>)>,
    log: RefCell<LogState>,
    /// After how many uses more events are evicted.
    evicts_in: Cell<usize>,
}

/// What a log in memory wrote, with the starts of the events' lives.
#[derive(Default)]
struct Written {
    events: Vec<(Position, Arc<Event>)>,
    stubs: AllStubs,
}

impl Written {
    fn add(&mut self, log: &LogState) {
        self.stubs.add(log);
        let known = self.events.last().map_or(Position::ZERO, |(_, event)| event.position);
        let new = log.order.range(known.next()..).map(|(_, event)| event);
        let new = new.filter_map(|event| Some((log.life_of(event)?.start, Arc::clone(event))));
        self.events.extend(new);
    }
}

impl Cold {
    /// Counts a use of the disk.
    fn used(&self) {
        let mut log = self.log.try_borrow_mut().expect("no file is used under the lock");
        if self.evicts_in.replace(self.evicts_in.get().saturating_sub(1)) == 1 {
            let hot_bytes = log.hot_bytes;
            log.evict(hot_bytes / 2, Position::MAX, usize::MAX);
            self.evicts_in.set(2);
        }
    }

    fn of_life(&self, life: Position, after: Position) -> impl Iterator<Item = &Arc<Event>> {
        let of_life =
            self.events.iter().filter(move |(start, event)| *start == life && event.position > after);
        of_life.map(|(_, event)| event)
    }

    fn read(&self, selection: &Selection, place: Place, limits: ReadLimits) -> Batch {
        let found = self.log.borrow().read(selection, place, limits).unwrap();
        match found {
            Read::Ready(batch) => batch,
            Read::Cold(read) => read.run(self).unwrap_or_else(|error| match error {}),
        }
    }

    fn locate(&self, selection: &Selection, from: StartFrom) -> Located {
        let mut step = self.log.borrow().locate(selection, from);
        loop {
            step = match step {
                Locating::Ready(located) => return located,
                Locating::More(search) => self.log.borrow().continue_search(search),
                Locating::Cold(search) => search.run(self).unwrap_or_else(|error| match error {}),
            }
        }
    }
}

fn cold_event(event: &Arc<Event>) -> ColdEvent<Arc<Event>> {
    ColdEvent { stub: Stub::of(event), spot: Arc::clone(event) }
}

/// No error occurs.
enum Never {}

impl From<crate::EngineError> for Never {
    fn from(error: crate::EngineError) -> Self {
        panic!("{error}")
    }
}

impl ColdEvents for Cold {
    type Spot = Arc<Event>;
    type Buffer = ();
    type Error = Never;

    fn state(&self) -> impl Deref<Target = LogState> + '_ {
        self.log.borrow()
    }

    fn run(&self, life: Position, after: Position, max: usize) -> Result<Vec<ColdEvent<Arc<Event>>>, Never> {
        self.used();
        // As the index of a segment does: a few, or more than are cold.
        Ok(self.of_life(life, after).take(max.min(3)).map(cold_event).collect())
    }

    fn scan(
        &self,
        after: Position,
        mut visit: impl FnMut(StreamName, ColdEvent<Arc<Event>>) -> ControlFlow<()>,
    ) -> Result<(), Never> {
        self.used();
        let mut events = self.events.iter().filter(|(_, event)| event.position > after);
        _ = events.try_for_each(|(_, event)| visit(event.stream.clone(), cold_event(event)));
        Ok(())
    }

    fn scan_back(
        &self,
        upto: Position,
        mut visit: impl FnMut(StreamName, Position),
    ) -> Result<Option<Position>, Never> {
        self.used();
        let upto = self.events.partition_point(|(_, event)| event.position <= upto);
        let range = &self.events[upto.saturating_sub(3)..upto];
        range.iter().for_each(|(_, event)| visit(event.stream.clone(), event.position));
        Ok(range.first().map(|(_, event)| event.position))
    }

    fn last_with(&self, ranges: &[ColdRange], events: u64) -> Result<Position, Never> {
        self.used();
        let of_range = |range: &ColdRange| {
            let upto = range.upto;
            self.of_life(range.life, range.after)
                .map(|event| event.position)
                .take_while(move |at| *at <= upto)
        };
        let mut positions: Vec<_> = ranges.iter().flat_map(of_range).collect();
        positions.sort_unstable();
        let first = positions[positions.len() - usize::try_from(events).unwrap()];
        Ok(Position(first.0 - 1))
    }

    fn first_since(&self, time: UnixMs) -> Result<Option<Position>, Never> {
        self.used();
        Ok(self.events.iter().find(|(_, event)| event.time >= time).map(|(_, event)| event.position))
    }

    fn event<'a>(
        &self,
        _: &StreamName,
        event: &ColdEvent<Arc<Event>>,
        _: impl Iterator<Item = &'a ColdEvent<Arc<Event>>>,
        (): &mut (),
        _: u64,
    ) -> Result<Option<Arc<Event>>, Never> {
        self.used();
        Ok(Some(Arc::clone(&event.spot)))
    }
}

/// What a reader gets from a place on, however its reads are cut.
fn delivered(mut read: impl FnMut(Place) -> Batch, from: Place) -> (Vec<Record>, Vec<StreamName>, Place) {
    let (mut records, mut lost, mut place) = (Vec::new(), Vec::new(), from);
    loop {
        let batch = read(place);
        place = place.advanced_to(batch.upto);
        if let Some(told) = batch.lost {
            lost.extend(told.streams);
            place = place.told(told.told_upto);
        }
        records.extend(batch.records);
        if batch.stopped == Stopped::Tail {
            return (records, lost, place);
        }
    }
}

fn events_of((records, ..): (Vec<Record>, Vec<StreamName>, Place)) -> Vec<Record> {
    records.into_iter().filter(|record| matches!(record, Record::Event { .. })).collect()
}

fn any_selection() -> impl Strategy<Value = Selection> {
    let selectors = ["a", "c/*", "*", "**", "a,c/1,b", "long/*,b", "nothing", "a,**"];
    prop::sample::select(selectors.to_vec()).prop_map(|raw| {
        Selection::many(raw.split(',').map(|raw| Selector::parse(raw).unwrap()).collect()).unwrap()
    })
}

proptest! {
    #[test]
    fn cold_events_are_read_like_hot_ones(
        actions in prop::collection::vec(any_action(), 1..80),
        selection in any_selection(),
        (from, events, time) in (0..90_u64, 0..40_u64, 0..2_000_u64),
        (records_max, bytes_max) in (1..6_usize, 0..1_500_u64),
        (hot_bytes_max, evicts_in) in (0..6_000_u64, 0..6_usize),
    ) {
        let limits = EngineLimits::default();
        let (mut hot, mut log) = (LogState::new(limits), LogState::new(limits));
        let (mut hot_now, mut log_now) = (UnixMs(0), UnixMs(0));
        let mut written = Written::default();
        for action in actions {
            run(&mut hot, &written.stubs, &mut hot_now, action);
            written.add(&hot);
            run(&mut log, &written.stubs, &mut log_now, action);
        }
        log.evict(hot_bytes_max, Position::MAX, usize::MAX);
        let cold = Cold { events: written.events, log: RefCell::new(log), evicts_in: Cell::new(evicts_in) };
        let limits = ReadLimits { records_max: NonZeroUsize::new(records_max).unwrap(), bytes_max };
        let place = Place::at(Position(from.min(hot.tail().0)));
        let in_memory = |place| read_hot(&hot, &selection, place, limits);
        let on_disk = |place| cold.read(&selection, place, limits);
        prop_assert_eq!(delivered(on_disk, place), delivered(in_memory, place));
        for from in [StartFrom::Last(events), StartFrom::Time(UnixMs(time)), StartFrom::Start] {
            // The places may differ by events that are not kept: events that were dropped are still on the disk, and an end may
            // come after one.
            let hot_place = locate_hot(&hot, &selection, from).place;
            let cold_place = cold.locate(&selection, from).place;
            prop_assert_eq!(events_of(delivered(on_disk, cold_place)), events_of(delivered(in_memory, hot_place)));
        }
    }
}

fn read_hot(log: &LogState, selection: &Selection, place: Place, limits: ReadLimits) -> Batch {
    match log.read(selection, place, limits).unwrap() {
        Read::Ready(batch) => batch,
        Read::Cold(read) => panic!("{read:?} in memory"),
    }
}

fn locate_hot(log: &LogState, selection: &Selection, from: StartFrom) -> Located {
    let mut step = log.locate(selection, from);
    loop {
        step = match step {
            Locating::Ready(located) => return located,
            Locating::More(search) => log.continue_search(search),
            Locating::Cold(search) => panic!("{search:?} in memory"),
        }
    }
}
