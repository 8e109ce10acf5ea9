//! Reading on from the log's tail, and beginning where the streams' settings say, checked against what was published:
//! random writes around a moment, from a seed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops if something it needs is missing")]

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use largesse_hub::{
    BlockContent, Clock, Control, ControlEvents, HeartbeatForm, Hub, HubLimits, Opening, Out, PageRequest,
    Presented, ReadRequest, ResetReason,
};
use largesse_log::{
    Append, Author, EngineLimits, Incarnation, MemoryEngine, NewEvent, Once, Put, Selection, Selector,
    SettingsPatch, StartFrom, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;

const STREAMS: [&str; 4] = ["a", "b", "c/1", "c/2"];
const SELECTIONS: [&[&str]; 7] =
    [&["a"], &["b"], &["a", "b"], &["c/*"], &["**"], &["a", "c/*"], &["a", "b", "c/1", "c/2"]];
const SEEDS: u64 = 400;

struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// One event as published, and whether its stream was deleted since.
struct Published {
    stream: &'static str,
    data: String,
    is_gone: bool,
}

struct World {
    hub: Arc<Hub>,
    rng: fastrand::Rng,
    published: Vec<Published>,
    closed: BTreeSet<&'static str>,
    /// Streams deleted after the moment of the tail id.
    deleted_since: BTreeSet<&'static str>,
}

fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn selection(words: &[&str]) -> Selection {
    match words {
        [single] if !single.contains('*') => Selection::one(name(single)),
        several => Selection::many(several.iter().map(|s| Selector::parse(s).unwrap()).collect()).unwrap(),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let engine = Arc::new(MemoryEngine::new(Incarnation(7), EngineLimits::default()));
        let clock = Arc::new(TestClock(AtomicU64::new(1_000_000)));
        let hub = Hub::new(engine, clock, HubLimits::default());
        let rng = fastrand::Rng::with_seed(seed);
        let (published, closed) = (Vec::new(), BTreeSet::new());
        Self { hub, rng, published, closed, deleted_since: BTreeSet::new() }
    }

    async fn write(&mut self) {
        let stream = STREAMS[self.rng.usize(..STREAMS.len())];
        match self.rng.u8(..10) {
            0 => self.delete(stream).await,
            1 => _ = self.hub.put(&name(stream), Put::default()).await.unwrap(),
            2 => self.append(stream, Then::Close).await,
            _ => self.append(stream, Then::StayOpen).await,
        }
    }

    async fn append(&mut self, stream: &'static str, then: Then) {
        if self.closed.contains(stream) {
            return;
        }
        let data = format!("{}", self.published.len());
        let events = vec![NewEvent { name: None, data: EventData::parse(&data).unwrap() }];
        let append =
            Append { stream: name(stream), events, then, once: Once::Unkeyed, author: Author::Publisher };
        self.hub.append(append).await.unwrap();
        self.published.push(Published { stream, data, is_gone: false });
        if then == Then::Close {
            self.closed.insert(stream);
        }
    }

    async fn delete(&mut self, stream: &'static str) {
        if self.hub.delete(&name(stream)).await.unwrap().is_some() {
            self.deleted_since.insert(stream);
        }
        self.closed.remove(stream);
        self.published
            .iter_mut()
            .filter(|event| event.stream == stream)
            .for_each(|event| event.is_gone = true);
    }

    /// What these streams still hold, from the `first` publish on.
    fn kept(&self, selection: &Selection, first: usize) -> Vec<String> {
        let of = |event: &&Published| !event.is_gone && selection.matches(&name(event.stream));
        self.published[first..].iter().filter(of).map(|event| event.data.clone()).collect()
    }

    /// The events that a reader hears until it would wait, and the reasons of its resets.
    async fn heard(&self, words: &[&str], presented: Option<&str>) -> (Vec<String>, Vec<ResetReason>) {
        let request = ReadRequest {
            selection: selection(words),
            presented: presented.and_then(Presented::parse),
            from: None,
            control: ControlEvents::On,
            heartbeat: HeartbeatForm::Comment,
        };
        let Opening::Reading(mut reader) = self.hub.read(request).await.unwrap() else {
            panic!("a place is no end");
        };
        let (mut data, mut resets) = (Vec::new(), Vec::new());
        // In paused time a reader that waits hears a heartbeat, so nothing here can hang.
        while let Some(Out::Blocks(blocks)) = reader.next().await {
            for block in blocks {
                match block.content {
                    BlockContent::Event(event) => data.push(event.data.as_str().to_owned()),
                    BlockContent::Control(Control::Reset(notice)) => resets.push(notice.reason),
                    BlockContent::Control(_) => {}
                }
            }
        }
        (data, resets)
    }
}

#[tokio::test(start_paused = true)]
async fn reading_from_a_tail_id_misses_nothing_whatever_happens_around_it() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..world.rng.usize(..12) {
            world.write().await;
        }
        let (id, first) = (world.hub.tail_id(), world.published.len());
        world.deleted_since.clear();
        for _ in 0..world.rng.usize(..12) {
            world.write().await;
        }
        for words in SELECTIONS {
            let want = world.kept(&selection(words), first);
            let (heard, resets) = world.heard(words, Some(id.as_str())).await;
            // A reader is told which of its streams were deleted since, and its connection ends.
            if words.iter().any(|word| world.deleted_since.contains(word)) {
                assert!(want.starts_with(&heard), "seed {seed}, {words:?} from {id}: {heard:?} of {want:?}");
            } else {
                assert_eq!(heard, want, "seed {seed}, {words:?} from {id}");
            }
            let may_lose = words.iter().any(|word| word.contains('*')) && !world.deleted_since.is_empty();
            assert!(resets.is_empty() || may_lose, "seed {seed}, {words:?}: {resets:?}");
            check_page(&world, words, id.as_str(), &want).await;
        }
    }
}

/// The id is a page's `after`, too: pages go on past ends.
async fn check_page(world: &World, words: &[&str], id: &str, want: &[String]) {
    let request = PageRequest {
        selection: selection(words),
        after: Presented::parse(id),
        from: StartFrom::Start,
        events_max: NonZeroUsize::MAX,
    };
    let page = world.hub.page(request).await.unwrap();
    let data: Vec<&str> = page.events.iter().map(|(_, event)| event.data.as_str()).collect();
    assert_eq!(data, want, "{words:?} after {id}");
}

#[tokio::test(start_paused = true)]
async fn a_setting_begins_no_stream_later_than_it_says() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let settings =
            STREAMS.map(|stream| (stream, ["start", "now", "-1", "-2", "-9"][world.rng.usize(..5)]));
        for _ in 0..world.rng.usize(..16) {
            let stream = STREAMS[world.rng.usize(..STREAMS.len())];
            world.append(stream, Then::StayOpen).await;
        }
        for (stream, from) in settings {
            let settings: SettingsPatch = serde_json::from_str(&format!("{{\"from\":\"{from}\"}}")).unwrap();
            world.hub.put(&name(stream), Put { settings }).await.unwrap();
        }
        for words in [&["a"][..], &["a", "b"], &["a", "c/1"], &["a", "b", "c/1", "c/2"]] {
            let first = settings
                .iter()
                .filter(|(stream, _)| words.contains(stream))
                .map(|(stream, from)| first_of(&world, stream, from))
                .min()
                .unwrap();
            let want = world.kept(&selection(words), first);
            let (heard, resets) = world.heard(words, None).await;
            assert_eq!((heard, resets), (want, Vec::new()), "seed {seed}, {words:?} of {settings:?}");
        }
    }
}

/// The number of the publish at which this stream alone begins.
fn first_of(world: &World, stream: &str, from: &str) -> usize {
    let own: Vec<usize> =
        (0..world.published.len()).filter(|n| world.published[*n].stream == stream).collect();
    match from {
        "start" => 0,
        "now" => world.published.len(),
        last => {
            let count: usize = last[1..].parse().unwrap();
            own.get(own.len().saturating_sub(count)).copied().unwrap_or(world.published.len())
        }
    }
}
