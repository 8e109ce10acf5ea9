//! Readers over a memory log, in paused time: waiting, waking, heartbeats, resuming, draining.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops if something it needs is missing")]

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use largesse_hub::{
    BlockContent, Clock, Control, ControlEvents, HeartbeatForm, Hub, HubLimits, Opening, Out, OutBlock,
    PageRequest, Presented, ReadError, ReadRequest, Reader,
};
use largesse_log::{
    Append, Author, EngineLimits, Incarnation, MemoryEngine, NewEvent, Once, Put, Selection, Selector,
    SettingsPatch, StartFrom, StreamName, Then, UnixMs,
};
use largesse_wire::EventData;

/// A clock that stands still unless a test moves it.
#[derive(Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::Relaxed))
    }
}

struct World {
    hub: Arc<Hub>,
    clock: Arc<TestClock>,
}

fn world() -> World {
    world_with(HubLimits::default())
}

fn world_with(limits: HubLimits) -> World {
    let clock = Arc::new(TestClock(AtomicU64::new(1_000_000)));
    let engine = Arc::new(MemoryEngine::new(Incarnation(7), EngineLimits::default()));
    let hub = Hub::new(engine, Arc::clone(&clock) as Arc<dyn Clock>, limits);
    World { hub, clock }
}

fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn request(selectors: &[&str]) -> ReadRequest {
    let selection = match selectors {
        [single] if !single.contains('*') => Selection::one(name(single)),
        several => Selection::many(several.iter().map(|s| Selector::parse(s).unwrap()).collect()).unwrap(),
    };
    ReadRequest {
        selection,
        presented: None,
        from: Some(StartFrom::Start),
        control: ControlEvents::On,
        heartbeat: HeartbeatForm::Comment,
    }
}

impl World {
    async fn publish(&self, stream: &str, data: &str) {
        self.append(stream, &[data], Then::StayOpen).await;
    }

    async fn close(&self, stream: &str) {
        self.append(stream, &[], Then::Close).await;
    }

    async fn append(&self, stream: &str, data: &[&str], then: Then) {
        let events =
            data.iter().map(|d| NewEvent { name: None, data: EventData::parse(d).unwrap() }).collect();
        let append =
            Append { stream: name(stream), events, then, once: Once::Unkeyed, author: Author::Source };
        self.hub.append(append).await.unwrap();
    }

    async fn put(&self, stream: &str, json: &str) {
        let settings: SettingsPatch = serde_json::from_str(json).unwrap();
        self.hub.put(&name(stream), Put { settings }).await.unwrap();
    }

    async fn open(&self, request: ReadRequest) -> Option<Reader> {
        match self.hub.read(request).await.unwrap() {
            Opening::Reading(reader) => Some(*reader),
            Opening::Stopped => None,
        }
    }

    async fn read(&self, selectors: &[&str]) -> Reader {
        self.open(request(selectors)).await.unwrap()
    }

    async fn resume(&self, selectors: &[&str], id: &str) -> Option<Reader> {
        self.open(ReadRequest { presented: Presented::parse(id), ..request(selectors) }).await
    }
}

fn short(block: &OutBlock) -> String {
    match &block.content {
        BlockContent::Event(event) => event.data.as_str().to_owned(),
        BlockContent::Control(control) => control.name().to_owned(),
    }
}

async fn blocks(reader: &mut Reader) -> Vec<OutBlock> {
    match reader.next().await {
        Some(Out::Blocks(blocks)) => blocks,
        other => panic!("blocks were expected, not {other:?}"),
    }
}

/// What the reader gives out until it would wait, in short.
async fn heard(reader: &mut Reader) -> Vec<String> {
    let mut all = Vec::new();
    // In paused time a reader that waits hears a heartbeat, so nothing here can hang.
    while let Some(Out::Blocks(blocks)) = reader.next().await {
        all.extend(blocks.iter().map(short));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_a_stream_that_does_not_exist_yet_waits_for_its_first_event() {
    let world = world();
    let mut reader = world.read(&["a"]).await;
    let (first, ()) = tokio::join!(blocks(&mut reader), world.publish("a", "hello"));
    assert_eq!(first.iter().map(short).collect::<Vec<_>>(), ["hello"]);
    assert!(world.hub.state(&name("b")).await.unwrap().is_none(), "reading creates nothing");
}

#[tokio::test(start_paused = true)]
async fn an_event_of_another_stream_does_not_wake() {
    let world = world();
    let mut reader = world.read(&["a"]).await;
    let (next, ()) = tokio::join!(reader.next(), world.publish("b", "x"));
    assert_eq!(next, Some(Out::Heartbeat(HeartbeatForm::Comment)));
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_a_heartbeat_within_a_fifth_of_its_time() {
    let world = world();
    let mut reader = world.read(&["a"]).await;
    for _ in 0..50 {
        let before = tokio::time::Instant::now();
        assert_eq!(reader.next().await, Some(Out::Heartbeat(HeartbeatForm::Comment)));
        let waited = before.elapsed();
        assert!((Duration::from_secs(12)..=Duration::from_millis(18_001)).contains(&waited), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_there_comes_at_once() {
    let world = world();
    let mut reader = world.read(&["a"]).await;
    world.append("a", &["1", "2"], Then::StayOpen).await;
    world.publish("a", "3").await;
    assert_eq!(blocks(&mut reader).await.iter().map(short).collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_loses_nothing() {
    let world = world();
    let mut reader = world.read(&["a"]).await;
    for round in 0..20 {
        let wait = tokio::time::timeout(Duration::from_millis(1), reader.next());
        assert!(wait.await.is_err(), "nothing was there yet");
        world.publish("a", &round.to_string()).await;
        // Polled once and dropped: the dropped wait may take the wake, but not the event.
        let _ = tokio::time::timeout(Duration::ZERO, std::future::ready(())).await;
        assert_eq!(blocks(&mut reader).await.iter().map(short).collect::<Vec<_>>(), [round.to_string()]);
    }
}

#[tokio::test(start_paused = true)]
async fn cut_after_any_block_a_reader_resumes_without_loss_or_repeat() {
    let world = world();
    for n in 0..30 {
        world.publish(["a", "b", "p/1", "p/2"][n % 4], &n.to_string()).await;
    }
    world.close("a").await;
    world.close("b").await;
    let selectors: [&[&str]; 3] = [&["a"], &["a", "b"], &["b", "p/*"]];
    for selectors in selectors {
        let mut whole = world.read(selectors).await;
        let mut all = Vec::new();
        while let Some(Out::Blocks(blocks)) = whole.next().await {
            all.extend(blocks);
        }
        for (cut, block) in all.iter().enumerate() {
            let id = block.id.unwrap();
            let want: Vec<_> = all[cut + 1..].iter().map(short).collect();
            match world.resume(selectors, id.as_str()).await {
                Some(mut reader) => {
                    assert_eq!(heard(&mut reader).await, want, "{selectors:?} cut after {cut}")
                }
                None => assert_eq!(short(block), "end", "only an end id stops"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_id_stops_forever_and_only_its_own_streams() {
    let world = world();
    world.publish("a", "x").await;
    world.close("a").await;
    let mut reader = world.read(&["a"]).await;
    let last = blocks(&mut reader).await.pop().unwrap();
    assert!(matches!(last.content, BlockContent::Control(Control::End { .. })));
    assert_eq!(reader.next().await, None);
    let id = last.id.unwrap();
    assert!(world.resume(&["a"], id.as_str()).await.is_none());
    world.hub.delete(&name("a")).await.unwrap();
    assert!(world.resume(&["a"], id.as_str()).await.is_none(), "deleted");
    world.publish("a", "anew").await;
    assert!(world.resume(&["a"], id.as_str()).await.is_none(), "made anew");
    world.publish("b", "other").await;
    let mut other = world.resume(&["b"], id.as_str()).await.unwrap();
    assert_eq!(heard(&mut other).await, ["other"]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_told_of_a_deletion_and_a_first_request_waits_for_the_stream_made_anew() {
    let world = world();
    world.publish("a", "old").await;
    let mut reader = world.read(&["a"]).await;
    assert_eq!(blocks(&mut reader).await.len(), 1);
    world.hub.delete(&name("a")).await.unwrap();
    assert_eq!(heard(&mut reader).await, ["end"]);
    let mut fresh = world.read(&["a"]).await;
    assert_eq!(fresh.next().await, Some(Out::Heartbeat(HeartbeatForm::Comment)));
    world.publish("a", "new").await;
    assert_eq!(heard(&mut fresh).await, ["new"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_gone_before_the_first_request_has_not_ended_live_or_resumed() {
    for from in [StartFrom::Start, StartFrom::Now, StartFrom::Last(1)].map(Some) {
        let world = world();
        world.publish("a", "old").await;
        world.hub.delete(&name("a")).await.unwrap();
        world.publish("b", "b0").await;
        let mut live = world.open(ReadRequest { from, ..request(&["a", "b"]) }).await.unwrap();
        let mut ids = Vec::new();
        for data in ["b1", "b2"] {
            world.publish("b", data).await;
            ids.extend(blocks(&mut live).await.iter().map(|block| block.id.unwrap()));
        }
        world.close("b").await;
        assert_eq!(heard(&mut live).await, ["closed"], "{from:?}: it still waits for a");
        for id in ids {
            let mut resumed = world.resume(&["a", "b"], id.as_str()).await.unwrap();
            assert_eq!(heard(&mut resumed).await.last().unwrap(), "closed", "{from:?}: it still waits for a");
        }
        world.append("a", &["new"], Then::Close).await;
        assert_eq!(heard(&mut live).await, ["new", "closed", "end"], "{from:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_made_anew_without_an_event_has_not_ended_live_or_resumed() {
    let world = world();
    let mut live = world.read(&["a", "b"]).await;
    world.publish("a", "old").await;
    world.hub.delete(&name("a")).await.unwrap();
    assert_eq!(heard(&mut live).await, ["closed"], "a is gone");
    world.put("a", "{}").await;
    world.publish("b", "b0").await;
    let id = blocks(&mut live).await[0].id.unwrap();
    world.close("b").await;
    let mut resumed = world.resume(&["a", "b"], id.as_str()).await.unwrap();
    for reader in [&mut live, &mut resumed] {
        assert_eq!(heard(reader).await, ["closed"], "a is there, and open");
    }
    world.append("a", &["new"], Then::Close).await;
    for reader in [&mut live, &mut resumed] {
        assert_eq!(heard(reader).await, ["new", "closed", "end"]);
    }
}

#[tokio::test(start_paused = true)]
async fn where_everything_had_ended_a_cut_reader_hears_end_whatever_was_made_anew_since() {
    let world = world();
    world.put("a", r#"{"ttl_after_close": "0s"}"#).await;
    let mut live = world.read(&["a", "b"]).await;
    world.close("a").await;
    world.append("b", &["b0"], Then::Close).await;
    let told = blocks(&mut live).await;
    assert_eq!(told.iter().map(short).collect::<Vec<_>>(), ["closed", "b0", "closed", "end"]);
    world.hub.sweep().await.unwrap();
    world.publish("a", "new").await;
    let id = told[2].id.unwrap();
    let mut resumed = world.resume(&["a", "b"], id.as_str()).await.unwrap();
    assert_eq!(heard(&mut resumed).await, ["end"]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_does_not_bring_back_the_end_of_a_stream_gone_before_the_first_request() {
    let world = world();
    world.publish("b", "b0").await;
    world.publish("a", "old").await;
    world.hub.delete(&name("a")).await.unwrap();
    world.append("b", &["b1", "b2"], Then::StayOpen).await;
    let id = blocks(&mut world.read(&["a", "b"]).await).await[0].id.unwrap();
    world.put("b", r#"{"max_events": 1}"#).await;
    let mut resumed = world.resume(&["a", "b"], id.as_str()).await.unwrap();
    let reset = blocks(&mut resumed).await.swap_remove(0);
    assert_eq!(short(&reset), "reset");
    let mut resumed = world.resume(&["a", "b"], reset.id.unwrap().as_str()).await.unwrap();
    assert_eq!(heard(&mut resumed).await, ["b2"], "and nothing of a");
    world.close("b").await;
    assert_eq!(heard(&mut resumed).await, ["closed"], "it still waits for a");
}

#[tokio::test(start_paused = true)]
async fn from_now_cut_before_its_first_event_misses_nothing() {
    let world = world();
    world.publish("a", "before").await;
    let mut reader = world.open(ReadRequest { from: Some(StartFrom::Now), ..request(&["a"]) }).await.unwrap();
    let begin = blocks(&mut reader).await.pop().unwrap();
    assert_eq!(short(&begin), "begin");
    drop(reader);
    world.publish("a", "while away").await;
    let from = Some(StartFrom::Now);
    let presented = Presented::parse(begin.id.unwrap().as_str());
    let mut again = world.open(ReadRequest { from, presented, ..request(&["a"]) }).await.unwrap();
    assert_eq!(heard(&mut again).await, ["while away"]);
}

#[tokio::test(start_paused = true)]
async fn a_trim_under_a_reader_of_two_streams_is_told_once_over_all_its_reconnects() {
    let world = world();
    world.put("a", r#"{"max_events": 2}"#).await;
    let mut reader = world.read(&["a", "b"]).await;
    world.publish("a", "a0").await;
    let mut id = blocks(&mut reader).await.pop().unwrap().id.unwrap();
    drop(reader);
    for n in 1..=9 {
        world.publish("b", &format!("b{n}")).await;
        world.publish("a", &format!("a{n}")).await;
    }
    // One block at a time, cut after each.
    let mut all = Vec::new();
    loop {
        let mut reader = world.resume(&["a", "b"], id.as_str()).await.unwrap();
        let Some(Out::Blocks(blocks)) = reader.next().await else { break };
        all.push(short(&blocks[0]));
        id = blocks[0].id.unwrap();
    }
    let want = ["reset", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "a8", "b9", "a9"].map(str::to_owned);
    assert_eq!(all, want);
}

#[tokio::test(start_paused = true)]
async fn ids_from_another_log_garbage_and_beyond_the_tail_get_a_reset_and_read_as_first_requests() {
    let world = world();
    world.publish("a", "x").await;
    let other = Hub::new(
        Arc::new(MemoryEngine::new(Incarnation(8), EngineLimits::default())),
        Arc::new(TestClock::default()),
        HubLimits::default(),
    );
    let beyond = world.hub.event_id(largesse_log::Position(99));
    let foreign = other.event_id(largesse_log::Position(1));
    let own = world.hub.event_id(largesse_log::Position(1));
    let truncated = &own.as_str()[..own.as_str().len() - 1];
    for (id, reason) in [
        (beyond.as_str(), "unknown_id"),
        (foreign.as_str(), "new_log"),
        (truncated, "unknown_id"),
        ("7", "unknown_id"),
    ] {
        let mut reader = world.resume(&["a"], id).await.unwrap();
        let blocks = blocks(&mut reader).await;
        let BlockContent::Control(Control::Reset(notice)) = &blocks[0].content else {
            panic!("no reset for {id}")
        };
        assert_eq!((notice.reason.as_str(), notice.requested.as_str()), (reason, id));
        assert_eq!(blocks[1..].iter().map(short).collect::<Vec<_>>(), ["x"]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_control_events_the_last_events_id_stops() {
    let world = world();
    world.publish("a", "x").await;
    let off = |presented: Option<Presented>| ReadRequest {
        presented,
        control: ControlEvents::Off,
        ..request(&["a"])
    };
    let mut reader = world.open(off(None)).await.unwrap();
    let id = blocks(&mut reader).await.pop().unwrap().id.unwrap();
    assert!(world.open(off(Presented::parse(id.as_str()))).await.is_some(), "it is still open");
    world.close("a").await;
    assert_eq!(reader.next().await, None);
    assert!(world.open(off(Presented::parse(id.as_str()))).await.is_none());
    let mut again = world.open(off(None)).await.unwrap();
    assert_eq!(heard(&mut again).await, ["x"]);
}

#[tokio::test(start_paused = true)]
async fn without_control_events_the_last_events_id_stops_however_many_reads_it_takes() {
    let limits = HubLimits { read_records_max: NonZeroUsize::MIN, ..HubLimits::default() };
    let world = world_with(limits);
    world.publish("a", "x").await;
    let off = |presented| ReadRequest { presented, control: ControlEvents::Off, ..request(&["a", "b"]) };
    let mut reader = world.open(off(None)).await.unwrap();
    let id = blocks(&mut reader).await.pop().unwrap().id.unwrap();
    world.close("a").await;
    world.close("b").await;
    assert!(world.open(off(Presented::parse(id.as_str()))).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_readers_than_the_limit() {
    let world = world_with(HubLimits { readers_max: 2, ..HubLimits::default() });
    let first = world.read(&["a"]).await;
    let _second = world.read(&["a"]).await;
    let third = world.hub.read(request(&["a"])).await;
    assert_eq!(third.unwrap_err(), ReadError::TooManyReaders { readers_max: 2 });
    drop(first);
    assert_eq!(world.hub.readers(), 1);
    world.read(&["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn draining_ends_readers_that_wait_and_those_that_come() {
    let world = world();
    let mut reader = world.read(&["a"]).await;
    let (next, ()) = tokio::join!(reader.next(), async { world.hub.drain() });
    assert_eq!(next, None);
    assert_eq!(world.read(&["a"]).await.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_reader_of_latest_hears_the_newest_and_history_stays_whole() {
    let limits = HubLimits { read_records_max: NonZeroUsize::new(3).unwrap(), ..HubLimits::default() };
    let world = world_with(limits);
    world.put("a", r#"{"slow": "latest"}"#).await;
    for n in 0..10 {
        world.publish("a", &format!("history {n}")).await;
    }
    let mut reader = world.read(&["a"]).await;
    assert_eq!(blocks(&mut reader).await.len(), 3);
    for n in 0..100 {
        world.publish("a", &format!("live {n}")).await;
    }
    let heard = heard(&mut reader).await;
    assert_eq!(heard[..7], (3..10).map(|n| format!("history {n}")).collect::<Vec<_>>()[..]);
    assert_eq!(heard[7..], ["live 99"]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_behind_for_too_long_on_a_disconnecting_stream_is_disconnected_and_may_resume() {
    let world = world();
    world.put("a", r#"{"slow": "disconnect"}"#).await;
    let mut reader = world.read(&["a"]).await;
    world.publish("a", "1").await;
    let id = blocks(&mut reader).await.pop().unwrap().id.unwrap();
    assert_eq!(reader.stall_max(), Some(Duration::from_secs(30)));
    world.publish("a", "2").await;
    world.clock.0.fetch_add(31_000, Ordering::Relaxed);
    assert_eq!(reader.next().await, None);
    let mut again = world.resume(&["a"], id.as_str()).await.unwrap();
    assert_eq!(heard(&mut again).await, ["2"]);
}

#[tokio::test(start_paused = true)]
async fn pages_follow_each_other_without_loss_or_repeat_and_next_is_always_a_place() {
    let world = world();
    for n in 0..25 {
        world.publish(["a", "b"][n % 2], &n.to_string()).await;
    }
    let selection = || request(&["a", "b"]).selection;
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let events_max = NonZeroUsize::new(4).unwrap();
        let page = PageRequest { selection: selection(), after, from: StartFrom::Start, events_max };
        let page = world.hub.page(page).await.unwrap();
        assert_eq!(page.reset, None);
        after = Presented::parse(page.next.as_str());
        if page.events.is_empty() {
            break;
        }
        all.extend(page.events.iter().map(|(_, event)| event.data.as_str().to_owned()));
    }
    assert_eq!(all, (0..25).map(|n| n.to_string()).collect::<Vec<_>>());
}
