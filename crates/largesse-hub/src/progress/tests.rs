//! The state machine alone: each test passes it reads and looks at the blocks.

use std::time::Duration;

use largesse_log::{EndedStream, Selector};
use largesse_wire::EventData;

use super::*;
use crate::Presented;

const LOG: Incarnation = Incarnation(7);
const NOW: UnixMs = UnixMs(1_000_000);

fn limits() -> HubLimits {
    HubLimits { lag_max: Duration::from_secs(30), lag_bytes_max: 100, ..HubLimits::default() }
}

fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn one(text: &str) -> Selection {
    Selection::one(name(text))
}

fn many(selectors: &[&str]) -> Selection {
    Selection::many(selectors.iter().map(|s| Selector::parse(s).unwrap()).collect()).unwrap()
}

fn start(place: Place) -> Start {
    Start {
        place,
        standing: Standing::Fresh,
        reset: None,
        repeat: Repeat::SamePlace,
        ended: BTreeMap::new(),
        tail: place.told_upto(),
        requested: String::new(),
    }
}

fn reader(selection: Selection, start: Start) -> Progress {
    Progress::new(selection, LOG, ControlEvents::On, &limits(), start)
}

fn event(stream: &str, position: u64, slow: Slow) -> Record {
    named(stream, None, position, slow)
}

fn named(stream: &str, event_name: Option<&str>, position: u64, slow: Slow) -> Record {
    let event = Event {
        stream: name(stream),
        position: Position(position),
        time: NOW,
        name: event_name.map(|n| largesse_wire::EventName::parse(n).unwrap()),
        data: EventData::parse("0123456789").unwrap(),
    };
    Record::Event { event: Arc::new(event), slow }
}

fn end(stream: &str, position: u64) -> Record {
    Record::End { stream: name(stream), position: Position(position), reason: EndReason::Closed }
}

fn batch(records: Vec<Record>, upto: u64, stopped: Stopped) -> Batch {
    Batch { records, upto: Position(upto), stopped, lost: None, horizon: Position::ZERO }
}

/// A block in short: an event's position, or a control event's name, each with `#` and the id's place.
fn short(block: &OutBlock) -> String {
    let what = match &block.content {
        BlockContent::Event(event) => format!("{}@{}", event.stream, event.position.0),
        BlockContent::Control(control) => control.name().to_owned(),
    };
    match block.id.map(|id| WireId::parse(id.as_str()).unwrap()) {
        None => what,
        Some(WireId::End { position, .. }) => format!("{what}#end{}", position.0),
        Some(WireId::Place { place, .. }) if place.told_upto() > place.position() => {
            format!("{what}#{}!{}", place.position().0, place.told_upto().0)
        }
        Some(WireId::Place { place, .. }) => format!("{what}#{}", place.position().0),
    }
}

/// The log says that these have ended.
fn ended(names: &[StreamName]) -> Ends {
    let ended = names.iter().map(|name| EndedStream { name: name.clone(), reason: EndReason::Closed });
    Ends { ended: ended.collect(), unknown: Vec::new() }
}

/// Passes in one read, and returns what came of it: the blocks, and what is needed next. The log agrees that
/// everything has ended when asked.
fn step(progress: &mut Progress, read: Batch) -> (Vec<String>, Need) {
    assert!(matches!(progress.poll(), Need::Read(_)), "it did not want to read");
    progress.handle_batch(read, NOW);
    if progress.asks_ends_at().is_some() {
        progress.handle_ends(&ended(progress.selection().names()));
    }
    match progress.poll() {
        Need::Emit(blocks) => (blocks.iter().map(short).collect(), progress.poll()),
        need => (Vec::new(), need),
    }
}

#[track_caller]
fn check(progress: &mut Progress, read: Batch, want: &[&str], then: &Need) {
    let (blocks, need) = step(progress, read);
    assert_eq!(blocks, want);
    assert_eq!(&need, then);
}

fn read_from(position: u64) -> Need {
    Need::Read(Place::at(Position(position)))
}

#[test]
fn at_the_tail_it_waits_and_when_woken_it_reads_on_from_there() {
    let mut progress = reader(one("a"), start(Place::default()));
    let read = batch(vec![event("a", 1, Slow::CatchUp), event("a", 4, Slow::CatchUp)], 9, Stopped::Tail);
    check(&mut progress, read, &["a@1#1", "a@4#4"], &Need::Wait);
    progress.handle_woken();
    assert_eq!(progress.poll(), read_from(9));
}

#[test]
fn a_full_read_is_followed_by_the_next() {
    let mut progress = reader(one("a"), start(Place::default()));
    let read = batch(vec![event("a", 3, Slow::CatchUp)], 3, Stopped::Limits);
    check(&mut progress, read, &["a@3#3"], &read_from(3));
}

#[test]
fn a_closed_stream_ends_with_an_end_id_and_nothing_follows() {
    let mut progress = reader(one("a"), start(Place::default()));
    let read = batch(vec![event("a", 1, Slow::CatchUp), end("a", 2)], 5, Stopped::Tail);
    check(&mut progress, read, &["a@1#1", "end#end2"], &Need::Finish);
    assert_eq!(progress.poll(), Need::Finish);
}

#[test]
fn what_comes_after_the_end_in_the_same_read_is_not_delivered() {
    let mut progress = reader(one("a"), start(Place::default()));
    let read = batch(vec![end("a", 2), event("a", 3, Slow::CatchUp)], 3, Stopped::Tail);
    check(&mut progress, read, &["end#end2"], &Need::Finish);
}

#[test]
fn several_streams_end_one_by_one_and_then_together() {
    let mut progress = reader(many(&["a", "b"]), start(Place::default()));
    let read = batch(vec![end("a", 2), event("b", 3, Slow::CatchUp)], 3, Stopped::Tail);
    check(&mut progress, read, &["closed#2", "b@3#3"], &Need::Wait);
    progress.handle_woken();
    check(
        &mut progress,
        batch(vec![end("b", 4)], 4, Stopped::Tail),
        &["closed#4", "end#end4"],
        &Need::Finish,
    );
}

#[test]
fn a_stream_made_anew_has_not_ended() {
    let mut progress = reader(many(&["a", "b"]), start(Place::default()));
    let read = batch(vec![end("a", 1), event("a", 2, Slow::CatchUp), end("b", 3)], 3, Stopped::Tail);
    check(&mut progress, read, &["closed#1", "a@2#2", "closed#3"], &Need::Wait);
}

#[test]
fn a_stream_that_the_log_says_was_made_anew_has_not_ended() {
    let mut progress = reader(many(&["a", "b"]), start(Place::default()));
    progress.poll();
    let read = batch(vec![end("a", 1), end("b", 3), event("b", 4, Slow::CatchUp)], 4, Stopped::Tail);
    progress.handle_batch(read, NOW);
    assert_eq!(progress.poll(), Need::AskEnds(Place::at(Position(3))));
    progress.handle_ends(&ended(&[name("b")]));
    let Need::Emit(blocks) = progress.poll() else { panic!("two streams were closed") };
    assert_eq!(blocks.iter().map(short).collect::<Vec<_>>(), ["closed#1", "closed#3"]);
    assert_eq!(progress.poll(), read_from(3), "nothing after that place is passed over");
    let rest = batch(vec![event("b", 4, Slow::CatchUp), end("a", 5)], 5, Stopped::Tail);
    check(&mut progress, rest, &["b@4#4", "closed#5"], &Need::Wait);
}

#[test]
fn an_end_that_was_heard_counts_after_the_log_forgot_it() {
    let mut progress = reader(many(&["a", "b"]), start(Place::default()));
    progress.poll();
    progress.handle_batch(batch(vec![end("a", 1), end("b", 3)], 3, Stopped::Tail), NOW);
    progress.handle_ends(&Ends { unknown: vec![name("a")], ..ended(&[name("b")]) });
    let Need::Emit(blocks) = progress.poll() else { panic!("all has ended") };
    assert_eq!(blocks.iter().map(short).collect::<Vec<_>>(), ["closed#1", "closed#3", "end#end3"]);
}

#[test]
fn a_read_with_a_pattern_never_ends() {
    let mut progress = reader(many(&["a", "b/*"]), start(Place::default()));
    check(&mut progress, batch(vec![end("a", 1)], 1, Stopped::Tail), &["closed#1"], &Need::Wait);
}

#[test]
fn resumed_past_the_end_it_hears_end_at_once() {
    let ended = BTreeMap::from([(name("a"), EndReason::Closed)]);
    let place = Place::at(Position(5));
    let mut progress = reader(one("a"), Start { ended, standing: Standing::Placed, ..start(place) });
    let Need::Emit(blocks) = progress.poll() else { panic!("it reads on") };
    assert_eq!(blocks.iter().map(short).collect::<Vec<_>>(), ["end#end5"]);
    assert_eq!(progress.poll(), Need::Finish);
}

#[test]
fn where_a_repeated_request_would_find_another_place_the_first_block_is_begin() {
    let place = Place::at(Position(5));
    let mut progress = reader(one("a"), Start { repeat: Repeat::AnotherPlace, ..start(place) });
    check(&mut progress, batch(vec![], 5, Stopped::Tail), &["begin#5"], &Need::Wait);
}

#[test]
fn begin_goes_out_in_one_write_with_the_first_events() {
    let place = Place::at(Position(5));
    let mut progress = reader(one("a"), Start { repeat: Repeat::AnotherPlace, ..start(place) });
    let read = batch(vec![event("a", 6, Slow::CatchUp)], 6, Stopped::Tail);
    check(&mut progress, read, &["begin#5", "a@6#6"], &Need::Wait);
}

fn losing(records: Vec<Record>, upto: u64, known: u64, horizon: u64) -> Batch {
    let lost = Some(Lost { streams: vec![name("a")], told_upto: Position(known) });
    Batch { lost, horizon: Position(horizon), ..batch(records, upto, Stopped::Tail) }
}

#[test]
fn a_loss_is_told_before_what_is_left_and_its_id_includes_it() {
    let place = Place::at(Position(2));
    let mut progress = reader(one("a"), Start { standing: Standing::Placed, ..start(place) });
    let read = losing(vec![event("a", 8, Slow::CatchUp)], 9, 9, 7);
    check(&mut progress, read, &["reset#2!9", "a@8#8"], &Need::Wait);
}

#[test]
fn ids_before_the_horizon_include_the_loss_and_those_after_are_bare() {
    let place = Place::at(Position(2));
    let mut progress = reader(many(&["a", "b"]), Start { standing: Standing::Placed, ..start(place) });
    let records = [3, 6, 7, 8].map(|p| event("b", p, Slow::CatchUp)).to_vec();
    let want = ["reset#2!9", "b@3#3!9", "b@6#6!9", "b@7#7", "b@8#8"];
    check(&mut progress, losing(records, 9, 9, 7), &want, &Need::Wait);
}

#[test]
fn a_first_request_is_told_no_loss_until_it_holds_a_place() {
    let mut progress = reader(one("a"), start(Place::default()));
    check(&mut progress, losing(vec![event("a", 8, Slow::CatchUp)], 8, 8, 7), &["a@8#8"], &Need::Wait);
    progress.handle_woken();
    check(&mut progress, losing(vec![], 12, 12, 11), &["reset#8!12"], &Need::Wait);
}

#[test]
fn without_control_events_only_events_and_the_close_are_left() {
    let mut progress = Progress::new(
        one("a"),
        LOG,
        ControlEvents::Off,
        &limits(),
        Start { repeat: Repeat::AnotherPlace, ..start(Place::default()) },
    );
    let read = losing(vec![event("a", 8, Slow::CatchUp), end("a", 9)], 9, 9, 7);
    check(&mut progress, read, &["a@8#8"], &Need::Finish);
}

#[test]
fn a_reader_of_latest_that_fell_behind_gets_the_newest_of_each_name() {
    let mut progress = reader(one("a"), start(Place::default()));
    let tick = |name, p| named("a", Some(name), p, Slow::Latest);
    let full = batch(vec![tick("x", 1), tick("y", 2), tick("x", 3)], 3, Stopped::Limits);
    let (blocks, need) = step(&mut progress, full);
    assert_eq!((blocks, need), (vec![], read_from(3)), "it looks ahead first");
    let rest = batch(vec![tick("x", 4), tick("z", 5)], 5, Stopped::Tail);
    check(&mut progress, rest, &["a@2#2"], &read_from(3));
    let again = batch(vec![tick("x", 4), tick("z", 5)], 5, Stopped::Tail);
    check(&mut progress, again, &["a@4#4", "a@5#5"], &Need::Wait);
}

#[test]
fn history_from_before_the_connection_is_never_skipped() {
    let mut progress = reader(one("a"), Start { tail: Position(2), ..start(Place::default()) });
    let tick = |p| event("a", p, Slow::Latest);
    step(&mut progress, batch(vec![tick(1), tick(2), tick(3)], 3, Stopped::Limits));
    let (blocks, _) = step(&mut progress, batch(vec![tick(4)], 4, Stopped::Tail));
    assert_eq!(blocks, ["a@1#1", "a@2#2"], "3 is older than 4 and came while connected; 1 and 2 are history");
}

#[test]
fn events_of_patient_streams_pass_a_look_ahead_untouched() {
    let mut progress = reader(many(&["a", "b"]), start(Place::default()));
    let full = vec![event("a", 1, Slow::Latest), event("b", 2, Slow::CatchUp), event("b", 3, Slow::CatchUp)];
    step(&mut progress, batch(full, 3, Stopped::Limits));
    let (blocks, _) = step(&mut progress, batch(vec![event("a", 4, Slow::Latest)], 4, Stopped::Tail));
    assert_eq!(blocks, ["b@2#2", "b@3#3"]);
}

#[test]
fn more_waiting_bytes_than_allowed_disconnect() {
    let mut progress = reader(one("a"), start(Place::default()));
    let ticks = |from: u64| (from..from + 6).map(|p| event("a", p, Slow::Disconnect)).collect::<Vec<_>>();
    step(&mut progress, batch(ticks(1), 6, Stopped::Limits));
    check(&mut progress, batch(ticks(7), 12, Stopped::Tail), &[], &Need::Finish);
}

#[test]
fn a_few_waiting_bytes_do_not_disconnect() {
    let mut progress = reader(one("a"), start(Place::default()));
    step(&mut progress, batch(vec![event("a", 1, Slow::Disconnect)], 1, Stopped::Limits));
    let rest = batch(vec![event("a", 2, Slow::Disconnect)], 2, Stopped::Tail);
    check(&mut progress, rest, &["a@1#1"], &read_from(1));
    assert!(progress.disconnects());
}

#[test]
fn an_unread_event_older_than_allowed_disconnects() {
    let mut progress = reader(one("a"), start(Place::default()));
    let Need::Read(_) = progress.poll() else { panic!("it did not want to read") };
    let late = NOW.saturating_add(Duration::from_millis(30_001));
    progress.handle_batch(batch(vec![event("a", 1, Slow::Disconnect)], 1, Stopped::Tail), late);
    assert_eq!(progress.poll(), Need::Finish);
    // Otherwise a request without control events would be answered as if everything had ended.
    assert!(!progress.is_finished(), "a disconnected reader may come back");
}

#[test]
fn an_id_of_no_log_or_another_log_or_an_end_means_what_the_guarantees_say() {
    use crate::presented::Meaning;
    let a = one("a");
    let at = |log, position| {
        let place = Place::at(Position(position));
        WireId::Place { kind: PlaceKind::Event, incarnation: log, place }.encode()
    };
    let ended = |log, of: &Selection| {
        WireId::End { incarnation: log, position: Position(4), selection: of.fingerprint() }.encode()
    };
    let resumed = |p| Meaning::Resume(Place::at(Position(p)));
    for (id, want) in [
        (at(LOG, 3), resumed(3)),
        (at(Incarnation(8), 3), Meaning::Unusable(ResetReason::NewLog)),
        (ended(LOG, &a), Meaning::Ended),
        (ended(Incarnation(8), &a), Meaning::Ended),
        (ended(LOG, &one("b")), resumed(4)),
        (ended(Incarnation(8), &one("b")), Meaning::Unusable(ResetReason::NewLog)),
    ] {
        let presented = Presented::parse(id.as_str()).unwrap();
        assert_eq!(presented.meaning(LOG, &a), want, "{id:?}");
    }
    for garbage in ["5", "x", "🦀", "1e-abc", &"a".repeat(10_000)] {
        let presented = Presented::parse(garbage).unwrap();
        assert_eq!(presented.meaning(LOG, &a), Meaning::Unusable(ResetReason::UnknownId), "{garbage}");
        assert!(presented.text().chars().count() <= 128);
    }
    assert_eq!(Presented::parse(""), None);
}
