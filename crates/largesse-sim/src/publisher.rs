//! Writes of a run: what publishers send, how they are cut, and that each happens once.
//!
//! Invariant: a publish with a key that was cut is sent again with the same key and the same body.

use std::{collections::BTreeMap, time::Duration};

use largesse_log::{
    Append, Appended, Author, Digest, IdempotencyKey, NewEvent, Once, Position, Put, SettingChange,
    SettingsPatch, Slow, StreamName, Then, conformance::model::Model,
};
use largesse_wire::EventData;

use crate::shared_rng::SharedRng;

/// The streams of a run.
pub(crate) const STREAMS: [&str; 6] = ["a", "b", "c/1", "c/2", "c/2/x", "d"];

/// Which policies streams get; the usual one more often.
const POLICIES: [Slow; 6] =
    [Slow::CatchUp, Slow::CatchUp, Slow::CatchUp, Slow::CatchUp, Slow::Latest, Slow::Disconnect];

/// One call that writes.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Append(Append),
    Put(StreamName, Put),
    Delete(StreamName),
    Sweep,
}

/// What publishers know of their writes.
#[derive(Debug, Default)]
pub(crate) struct Publishers {
    published: u64,
    /// Publishes with a key, by their first event's text, and their answer.
    keyed: BTreeMap<String, (Append, Option<Appended>)>,
}

impl Publishers {
    pub(crate) fn next_write(&mut self, rng: &SharedRng) -> Write {
        match rng.below(16) {
            0..10 => Write::Append(self.next_append(rng)),
            10 => self.again(rng),
            11..13 => Write::Put(stream(rng), next_put(rng)),
            13 => Write::Delete(stream(rng)),
            _ => Write::Sweep,
        }
    }

    fn next_append(&mut self, rng: &SharedRng) -> Append {
        let then = if rng.once_in(8) { Then::Close } else { Then::StayOpen };
        let least = u64::from(then == Then::StayOpen);
        let events: Vec<NewEvent> = (0..least + rng.below(3)).map(|_| self.next_event(rng)).collect();
        let mut append =
            Append { stream: stream(rng), events, then, once: Once::Unkeyed, author: Author::Source };
        if let (Some(first), 0) = (append.events.first(), rng.below(3)) {
            let text = first.data.as_str().to_owned();
            let key = IdempotencyKey::parse(&text).expect("the text is a key");
            append.once = Once::Whole { key, digest: Digest(self.published.into()) };
            self.keyed.insert(text, (append.clone(), None));
        }
        append
    }

    /// Sends a publish with a key once more, whether it was answered or not.
    fn again(&mut self, rng: &SharedRng) -> Write {
        let known = self.keyed.len() as u64;
        let chosen = self.keyed.values().nth(rng.below(known.max(1)) as usize);
        match chosen {
            Some((append, _)) => Write::Append(append.clone()),
            None => Write::Append(self.next_append(rng)),
        }
    }

    fn next_event(&mut self, rng: &SharedRng) -> NewEvent {
        self.published += 1;
        let padding = ".".repeat(rng.below(40) as usize);
        let data = EventData::parse(&format!("{}{padding}", self.published)).expect("it is plain text");
        NewEvent { name: None, data }
    }

    /// A repeat gets the first answer.
    pub(crate) fn note_answer(&mut self, append: &Append, answer: &Appended) {
        if append.once == Once::Unkeyed {
            return;
        }
        let first = append.events.first().map(|event| event.data.as_str().to_owned());
        let Some((_, known)) = first.and_then(|text| self.keyed.get_mut(&text)) else { return };
        let before = &*known.get_or_insert_with(|| answer.clone());
        assert_eq!(before, answer, "a repeat of {append:?} got another answer");
    }

    /// Each publish with a key happened at most once, and exactly once if it was answered.
    pub(crate) fn check_once(&self, model: &Model) {
        for (text, (append, answer)) in &self.keyed {
            let copies: Vec<Position> =
                model.events.iter().filter(|event| event.data == *text).map(|event| event.position).collect();
            assert!(copies.len() <= 1, "{append:?} is at {copies:?}");
            assert!(answer.is_none() || copies.len() == 1, "{append:?} was answered, but is not there");
        }
    }
}

fn stream(rng: &SharedRng) -> StreamName {
    StreamName::parse(rng.pick(&STREAMS)).expect("these are names")
}

fn next_put(rng: &SharedRng) -> Put {
    let ms = |ms: u64| Some(Duration::from_millis(ms));
    let settings = SettingsPatch {
        max_age: rng.pick(&[SettingChange::Keep, SettingChange::Default, SettingChange::Set(ms(40))]),
        max_events: rng.pick(&[
            SettingChange::Keep,
            SettingChange::Set(Some(1)),
            SettingChange::Set(Some(4)),
        ]),
        max_bytes: rng.pick(&[SettingChange::Keep, SettingChange::Default, SettingChange::Set(Some(600))]),
        ttl_after_close: SettingChange::Set(Duration::from_millis(rng.pick(&[0, 50]))),
        slow: rng.pick(&POLICIES.map(SettingChange::Set)),
        ..SettingsPatch::default()
    };
    Put { settings }
}
