//! Random calls of an engine, each also made to the model, and the answers compared.
//!
//! Invariant: the same seed makes the same calls. Does not know what a call should do: the model does.

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use super::{
    model::{CallNumber, Model, ModelEvent},
    reader::{Reader, text_of},
    rng::Rng,
    world::{KEEP_ALL, World, event, event_name, name},
};
use crate::{
    Append, AppendError, Author, Batch, ControlNames, EndReason, FromSetting, NewEvent, Now, Once, Position,
    RESERVED_NAMES, ReadLimits, Record, Repeat, SettingChange, Settings, SettingsPatch, StartFrom, Stopped,
    StreamName, Then, UnixMs,
};

const STREAMS: [&str; 6] = ["a", "b", "c/1", "c/2", "c/2/x", "d"];
const SELECTIONS: [&str; 10] =
    ["a", "b", "a,b", "c/*", "c/**", "**", "a,c/*", "c/1,c/**", "*,c/*,c/**", "a,b,c/1,c/2,*"];

/// How exactly the model predicts what the engine drops and tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// Exactly.
    Exact,
    /// The engine may drop more (the log is small) and tell more (it forgot what is gone).
    AtLeast,
}

pub(super) struct Script {
    world: World,
    model: Model,
    rng: Rng,
    knowledge: Knowledge,
    seed: u64,
    readers: Vec<Follower>,
    published: u64,
    now: u64,
    /// The sum of the clock's leaps, by which nothing ages.
    leapt: u64,
}

/// A reader, and what it has been told.
struct Follower {
    reader: Reader,
    /// The last call before its first request.
    began: Option<CallNumber>,
    /// The call up to which each stream's losses were told.
    told: BTreeMap<StreamName, CallNumber>,
    /// The same for losses that were told without names.
    told_all: Option<CallNumber>,
}

impl Script {
    pub(super) fn new(world: World, seed: u64, knowledge: Knowledge) -> Self {
        let (model, rng) = (Model::default(), Rng::new(seed));
        Self { world, model, rng, knowledge, seed, readers: Vec::new(), published: 0, now: 1000, leapt: 0 }
    }

    pub(super) fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.pass_time();
            match self.rng.below(20) {
                0..10 => self.append(),
                10..12 => self.put(),
                12..14 => self.delete(),
                14..16 => self.sweep(),
                16 => self.locate(),
                _ => self.begin_reader(),
            }
            for index in 0..self.readers.len() {
                self.read(index);
            }
        }
    }

    fn context(&self) -> String {
        format!("seed {}, call {}", self.seed, self.model.call())
    }

    /// Mostly forwards, sometimes backwards, as clocks do. Never backwards after a leap: the log clock does not either.
    fn pass_time(&mut self) {
        if self.rng.below(200) == 0 {
            let leap = self.rng.below(2_000);
            (self.now, self.leapt) = (self.now + leap, self.leapt + leap);
        }
        self.now = match self.rng.below(8) {
            0 if self.leapt == 0 => self.now.saturating_sub(self.rng.below(30)),
            1 => self.now + self.rng.below(100),
            _ => self.now + self.rng.below(10),
        };
        self.world.at_ages(self.now, self.now - self.leapt);
    }

    fn moment(&self) -> Now {
        Now { time: UnixMs(self.now), age: UnixMs(self.now - self.leapt) }
    }

    fn stream(&mut self) -> StreamName {
        name(self.rng.pick(&STREAMS))
    }

    fn append(&mut self) {
        let stream = self.stream();
        let then = if self.rng.below(6) == 0 { Then::Close } else { Then::StayOpen };
        let least = u64::from(then == Then::StayOpen);
        let events: Vec<_> = (0..least + self.rng.below(3)).map(|_| self.next_event()).collect();
        let author = self.rng.pick(&[Author::Source, Author::Publisher]);
        let once = Once::Unkeyed;
        let append = Append { stream: stream.clone(), events: events.clone(), then, once, author };
        let answer = self.world.append(append);
        let now = self.moment();
        let is_refused = author == Author::Publisher && self.keeps_a_name_from_publishers(&stream, &events);
        let told = matches!(answer, Err(AppendError::ReservedName { .. }));
        assert_eq!(told, is_refused, "{}", self.context());
        match (self.model.lives.get(&stream).map(|life| life.end), answer) {
            (Some(Some((end, _))), Ok(answer)) => {
                assert!(events.is_empty() && answer.position == end, "{}", self.context());
            }
            (Some(Some(_)), Err(AppendError::Closed))
            | (_, Err(AppendError::ReservedName { .. }))
            | (_, Err(AppendError::TooLarge { .. } | AppendError::TooManyStreams { .. })) => {}
            (life, Ok(answer)) => {
                if life.is_none() {
                    self.model.make(&stream, KEEP_ALL);
                }
                self.model.push(&stream, now.time, &events, answer.position);
                self.close_model(&stream, then, now.time);
                self.model.retain(&stream, now);
            }
            (_, Err(error)) => assert_eq!(error, AppendError::Closed, "{}", self.context()),
        }
        self.finish_call();
    }

    /// Whether one of the events has a name that only sources may use on the stream.
    fn keeps_a_name_from_publishers(&self, stream: &StreamName, events: &[NewEvent]) -> bool {
        let settings = self.model.lives.get(stream).map_or(KEEP_ALL, |life| life.settings);
        let mut names = events.iter().filter_map(|event| event.name.as_ref());
        settings.control_names == ControlNames::Reserved
            && names.any(|name| RESERVED_NAMES.contains(&name.as_str()))
    }

    fn close_model(&mut self, stream: &StreamName, then: Then, now: UnixMs) {
        if then == Then::Close {
            let state = self.world.state(stream.as_str());
            let end = state.and_then(|state| state.closed).expect("a close closes");
            self.model.close(stream, now, end);
        }
    }

    fn next_event(&mut self) -> NewEvent {
        self.published += 1;
        let padding = ".".repeat(self.rng.below(40) as usize);
        let name = self.rng.pick(&[None, None, None, None, Some("tick"), Some("end")]);
        NewEvent { name: name.map(event_name), ..event(&format!("{}{padding}", self.published)) }
    }

    fn put(&mut self) {
        let stream = self.stream();
        let ms = |ms: u64| Some(Duration::from_millis(ms));
        let patch = SettingsPatch {
            max_age: self.rng.pick(&[
                SettingChange::Keep,
                SettingChange::Default,
                SettingChange::Set(ms(40)),
            ]),
            max_events: self.rng.pick(&[
                SettingChange::Keep,
                SettingChange::Set(Some(1)),
                SettingChange::Set(Some(4)),
            ]),
            max_bytes: self.rng.pick(&[
                SettingChange::Keep,
                SettingChange::Default,
                SettingChange::Set(Some(400)),
            ]),
            ttl_after_close: SettingChange::Set(Duration::from_millis(self.rng.pick(&[0, 50]))),
            slow: SettingChange::Keep,
            from: self.rng.pick(&[SettingChange::Keep, SettingChange::Set(FromSetting::Now)]),
            control_names: self.rng.pick(&[
                SettingChange::Keep,
                SettingChange::Default,
                SettingChange::Set(ControlNames::Shared),
            ]),
        };
        if self.world.try_put(stream.as_str(), patch).is_ok() {
            let before = self.model.lives.get(&stream).map_or(KEEP_ALL, |life| life.settings);
            let settings: Settings = before.patched(&patch, &KEEP_ALL);
            match self.model.lives.get_mut(&stream) {
                Some(life) => life.settings = settings,
                None => self.model.make(&stream, settings),
            }
            self.model.retain(&stream, self.moment());
        }
        self.finish_call();
    }

    fn delete(&mut self) {
        let stream = self.stream();
        let deleted = self.world.delete(stream.as_str());
        assert_eq!(deleted.is_some(), self.model.lives.contains_key(&stream), "{}", self.context());
        if let Some(position) = deleted {
            self.model.retire(&stream, position, EndReason::Deleted);
        }
        self.finish_call();
    }

    fn sweep(&mut self) {
        self.world.sweep();
        self.model.sweep(self.moment());
        self.finish_call();
    }

    /// Compares the states of all streams.
    fn finish_call(&mut self) {
        for stream in STREAMS.map(name) {
            let state = self.world.state(stream.as_str());
            let there = self.model.lives.contains_key(&stream);
            assert_eq!(state.is_some(), there, "{}: {stream}", self.context());
            let Some(state) = state else { continue };
            if self.knowledge == Knowledge::AtLeast {
                self.model.drop_before(&stream, state.first);
            }
            let one = crate::Selection::one(stream.clone());
            let kept: Vec<_> = self.model.kept(&one).collect();
            let (first, last) = (kept.first(), kept.last());
            assert_eq!(state.events, kept.len() as u64, "{}: {stream}", self.context());
            assert_eq!(state.first, first.map(|event| event.position), "{}: {stream}", self.context());
            assert_eq!(state.last_time, last.map(|event| event.time), "{}: {stream}", self.context());
            assert_eq!(state.settings, self.model.lives[&stream].settings, "{}", self.context());
        }
        self.model.finish_call(self.world.tail());
    }

    fn locate(&mut self) {
        let from = self.from();
        let selection = super::world::selection(self.rng.pick(&SELECTIONS));
        let located = self.world.locate(&selection, from);
        assert_eq!(located.place.told_upto(), self.model.tail(), "{}", self.context());
        let kept: Vec<_> = self.model.kept(&selection).collect();
        let found = kept.iter().filter(|event| event.position > located.place.position()).count();
        let want = match from {
            StartFrom::Start => kept.len(),
            StartFrom::Now => 0,
            StartFrom::Last(events) => kept.len().min(events as usize),
            StartFrom::Time(time) => kept.iter().filter(|event| event.time >= time).count(),
        };
        assert_eq!(found, want, "{}: {selection:?} {from:?}", self.context());
        let is_there = self.model.events.last().is_some_and(|last| {
            from == StartFrom::Start || matches!(from, StartFrom::Time(time) if time <= last.time)
        });
        let same = from == StartFrom::Start || is_there;
        assert_eq!(located.repeat == Repeat::SamePlace, same, "{}: {from:?}", self.context());
    }

    fn from(&mut self) -> StartFrom {
        match self.rng.below(4) {
            0 => StartFrom::Start,
            1 => StartFrom::Now,
            2 => StartFrom::Last(self.rng.below(12)),
            _ => StartFrom::Time(UnixMs(self.now.saturating_sub(self.rng.below(100)) + 10)),
        }
    }

    fn begin_reader(&mut self) {
        let (streams, from) = (self.rng.pick(&SELECTIONS), self.from());
        let reader = Reader::first(&self.world, streams, from);
        let began = self.model.call().checked_sub(1);
        let follower = Follower { reader, began, told: BTreeMap::new(), told_all: None };
        if self.readers.len() < 8 {
            self.readers.push(follower);
        } else {
            let index = self.rng.below(8) as usize;
            self.readers[index] = follower;
        }
    }

    /// A reader reads once or not at all, hears all or a part of it, and reconnects or stays.
    fn read(&mut self, index: usize) {
        if self.rng.below(3) == 0 {
            return;
        }
        let records_max = NonZeroUsize::new(1 + self.rng.below(6) as usize).expect("it is at least one");
        let limits = ReadLimits { records_max, bytes_max: self.rng.pick(&[0, 60, u64::MAX]) };
        let Reader { selection, place, .. } = &self.readers[index].reader;
        let batch = self.world.read(selection, *place, limits);
        self.check_batch(index, &batch, limits);
        let all = batch.records.len();
        let heard = if self.rng.below(2) == 0 { all } else { self.rng.below(all as u64 + 1) as usize };
        self.follow(index, &batch, heard);
        if self.rng.below(3) == 0 {
            self.readers[index].reader.reconnect(&self.world);
        }
    }

    fn check_batch(&self, index: usize, batch: &Batch, limits: ReadLimits) {
        let Reader { selection, place, .. } = &self.readers[index].reader;
        let context = format!("{}: {selection:?} at {place:?}", self.context());
        let lost = self.model.lost(selection, *place);
        let told = batch.lost.as_ref().map(|lost| lost.streams.clone()).unwrap_or_default();
        let ended = self.world.ended_at(selection, *place);
        if self.knowledge == Knowledge::AtLeast {
            assert!(lost.is_empty() || batch.lost.is_some(), "{context}: lost {lost:?}");
            return;
        }
        assert_eq!(told, lost.into_iter().collect::<Vec<_>>(), "{context}: lost");
        assert_eq!(batch.horizon, self.model.horizon(selection, *place), "{context}: horizon");
        assert_eq!(ended, self.model.ended_at(selection, *place), "{context}: ended");
        let all = self.model.records(selection, *place);
        let want = fitting(&all, limits);
        let found: Vec<_> = batch.records.iter().map(|record| (record.position(), text_of(record))).collect();
        assert_eq!(found, all[..want], "{context}: records of {all:?}");
        let (upto, stopped) = match (want < all.len(), all[..want].last()) {
            (true, Some((last, _))) => (*last, Stopped::Limits),
            _ => (self.model.tail(), Stopped::Tail),
        };
        assert_eq!((batch.upto, batch.stopped), (upto, stopped), "{context}: {all:?}");
    }

    /// Checks each event that the reader passed: it was heard, or the reader was told of its loss.
    fn follow(&mut self, index: usize, batch: &Batch, heard: usize) {
        let context = self.context();
        let call = self.model.call() - usize::from(self.model.call() > 0);
        let follower = &mut self.readers[index];
        let from = follower.reader.place.position();
        if let Some(lost) = &batch.lost {
            for stream in &lost.streams {
                let before = follower.told.insert(stream.clone(), call).max(follower.began);
                let is_new = |event: &ModelEvent| {
                    let at = event.dropped.filter(|_| event.stream == *stream && event.position > from);
                    at.is_some() && at > before
                };
                let is_news = self.model.events.iter().any(is_new);
                assert!(is_news || self.knowledge == Knowledge::AtLeast, "{context}: {stream} told twice");
            }
            if self.knowledge == Knowledge::AtLeast {
                follower.told_all = Some(call);
            }
        }
        follower.reader.take(batch, heard);
        let upto = follower.reader.place.position();
        let records = &batch.records[..heard];
        let positions: Vec<Position> = records.iter().map(Record::position).collect();
        assert!(positions.is_sorted() && positions.first().is_none_or(|first| *first > from), "{context}");
        for event in &self.model.events {
            let selected = follower.reader.selection.matches(&event.stream);
            if !selected || event.position <= from || event.position > upto {
                continue;
            }
            let was_heard = positions.binary_search(&event.position).is_ok();
            let Some(dropped) = event.dropped else {
                assert!(was_heard, "{context}: {event:?} was skipped");
                continue;
            };
            assert!(!was_heard, "{context}: {event:?} was dropped and was heard");
            let told = follower.told.get(&event.stream).copied().max(follower.told_all);
            let is_known = told.max(follower.began).is_some_and(|known| dropped <= known);
            let by_end = !self.model.is_told_as_lost(&follower.reader.selection, event);
            assert!(is_known || by_end, "{context}: {event:?} was lost silently");
        }
    }
}

/// How many of all records fit into a read.
fn fitting(all: &[(Position, String)], limits: ReadLimits) -> usize {
    // An event's text is `stream:data`, an end's `stream!reason`; only events count.
    let bytes_of = |text: &str| text.split_once(':').map_or(0, |(_, data)| data.len() as u64);
    let mut bytes = 0;
    let mut fit = 0;
    for (_, text) in all {
        bytes += bytes_of(text);
        if fit > 0 && (fit >= limits.records_max.get() || bytes > limits.bytes_max) {
            break;
        }
        fit += 1;
    }
    fit
}
