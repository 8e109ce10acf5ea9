//! What is in the log in the end, and whether everybody heard exactly that.

use std::collections::{HashMap, HashSet};

use largesse_trials::fail;

use crate::follower::{Asks, Heard, bare};
use crate::load::{ENDS, Sent};

/// One event of the log.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    stream: String,
    data: String,
    id: String,
}

/// The log, as a reader finds it that comes when everything is over.
#[derive(Debug)]
pub(crate) struct Truth {
    events: Vec<Event>,
    /// Places by data: no two events have the same.
    places: HashMap<String, usize>,
}

impl Truth {
    #[track_caller]
    pub(crate) fn of(heard: Vec<Heard>) -> Self {
        let event = |heard: Heard| match heard {
            Heard::Event { stream: Some(stream), data, id } => {
                Event { stream, data, id: bare(&id).to_owned() }
            }
            other => fail(&format!("a reader of everything heard {other:?}")),
        };
        let events: Vec<_> = heard.into_iter().map(event).collect();
        let ids: HashSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), events.len(), "each event has an id of its own");
        let places: HashMap<_, _> =
            events.iter().enumerate().map(|(place, event)| (event.data.clone(), place)).collect();
        assert_eq!(places.len(), events.len(), "each event is there once");
        Self { events, places }
    }

    /// Everything that was acknowledged is there, whole and at its id; what was not is there whole or not at all; and
    /// there is nothing else. Each publisher's events are in the order in which it sent them.
    #[track_caller]
    pub(crate) fn check_sent(&self, sent: &[Sent]) {
        let mut known = 0;
        let mut last_of_publisher: HashMap<&str, usize> = HashMap::new();
        for sent in sent {
            let Some(first) = sent.events.first() else { continue };
            let Some(place) = self.places.get(first).copied() else {
                assert!(sent.id.is_none(), "lost: {sent:.200?}");
                let part = sent.events.iter().find(|data| self.places.contains_key(*data));
                assert_eq!(part, None, "a part of a batch is there");
                continue;
            };
            let there: Vec<_> = self.events.iter().skip(place).take(sent.events.len()).collect();
            let is_whole = there.iter().map(|event| &event.data).eq(&sent.events);
            assert!(is_whole && there.iter().all(|event| event.stream == sent.stream), "torn: {sent:.200?}");
            let last = place + sent.events.len() - 1;
            if let Some(id) = &sent.id {
                assert_eq!(bare(id), self.events[last].id, "{sent:.200?}");
            }
            let publisher = first.split(',').next().unwrap_or_default();
            let before = last_of_publisher.insert(publisher, last);
            assert!(before.is_none_or(|before| before < place), "in another order: {sent:.200?}");
            known += sent.events.len();
        }
        assert_eq!(known, self.events.len(), "events are there that nobody sent");
    }

    /// A reader heard what it asked for of everything there is, each event once, at its id and in its order; and for
    /// each stream that it named, the end after the last event.
    #[track_caller]
    pub(crate) fn check_heard(&self, asks: &Asks, heard: &[Heard]) {
        let truth: Vec<_> = self.events.iter().filter(|event| asks.matches(&event.stream)).collect();
        let events = heard.iter().filter_map(|heard| match heard {
            Heard::Event { stream, data, id } => Some((stream, data, bare(id))),
            Heard::Closed { .. } | Heard::End { .. } => None,
        });
        for (count, ((stream, data, id), truth)) in events.clone().zip(&truth).enumerate() {
            let is_stream = stream.as_ref().is_none_or(|stream| *stream == truth.stream);
            let is_same = is_stream && *data == truth.data && id == truth.id;
            assert!(
                is_same,
                "{}: event {count} is {stream:?} {id} {data:.60}, not {truth:.100?}",
                asks.target
            );
        }
        assert_eq!(events.count(), truth.len(), "{}: events", asks.target);
        self.check_ends(asks, heard);
    }

    #[track_caller]
    fn check_ends(&self, asks: &Asks, heard: &[Heard]) {
        let target = asks.target;
        if let [_, .., "ends/*"] = asks.streams {
            for stream in (0..ENDS).map(|number| format!("ends/{number}")) {
                let is_end = |heard: &Heard| matches!(heard, Heard::Closed { stream: closed, .. } if *closed == stream);
                let told = heard.iter().filter(|heard| is_end(heard)).count();
                assert_eq!(told, 1, "{target}: ends of {stream} that were heard");
                let after = heard.iter().skip_while(|heard| !is_end(heard));
                let late = after.filter(|heard| match heard {
                    Heard::Event { data, .. } => self.events[self.places[data]].stream == stream,
                    Heard::Closed { .. } | Heard::End { .. } => false,
                });
                assert_eq!(late.count(), 0, "{target}: events of {stream} after its end");
            }
        }
        let ends: Vec<_> =
            heard.iter().enumerate().filter(|(_, heard)| matches!(heard, Heard::End { .. })).collect();
        let wanted = usize::from(matches!(asks.streams, ["ends/0"]));
        assert_eq!(ends.len(), wanted, "{target}: ends");
        assert!(ends.iter().all(|(place, _)| *place + 1 == heard.len()), "{target}: something after the end");
    }

    /// No id, whoever got it and whenever, belongs to two events.
    #[track_caller]
    pub(crate) fn check_ids(&self, sent: &[Sent], heard: &[Vec<Heard>]) {
        let mut events: HashMap<String, &str> = HashMap::new();
        let mut note = |id: &str, data| {
            let before = events.insert(bare(id).to_owned(), data);
            assert!(
                before.is_none_or(|before| before == data),
                "{id} is of {before:.80?} and of {data:.80?}"
            );
        };
        self.events.iter().for_each(|event| note(&event.id, &event.data));
        for sent in sent {
            if let (Some(id), Some(data)) = (&sent.id, sent.events.last()) {
                note(id, data);
            }
        }
        for heard in heard.iter().flatten() {
            match heard {
                Heard::Event { data, .. } => note(heard.id(), data),
                // An end id belongs to no event; one at an event's place would show here.
                Heard::Closed { stream, .. } => note(heard.id(), stream),
                Heard::End { .. } => {}
            }
        }
    }
}
