//! The trial of one reader: three hundred events through cuts, then the end.

use std::time::Duration;

use largesse_trials::{
    Cut, CuttingProxy, End, Exchange, HeardEvent, Manner, Place, Plan, Publisher, Reader, Said, Seed, Server,
};

use crate::SETTINGS;
use crate::curl;
use crate::rows::{AfterEnd, CutAfterId, Hears, Refused, Row};

const EVENTS: usize = 300;
/// Cuts in the plan. A browser's preflights, and a request that it takes back, meet some without harm.
const CUTS: usize = 8;
/// Cuts that must be met.
const CUTS_MIN: usize = 5;
/// Names besides `message` to listen for. `reset` never comes here, and would be heard.
const NAMES: &[&str] = &["message", "tick", "reset", "begin", "closed", "end"];
/// How long a reader that has stopped is watched: three times the longest first wait among the readers.
const WATCHED: Duration = Duration::from_millis(1500);

/// Runs a row's reader, and checks everything that the row says, except hostile data.
pub(crate) fn check(row: &Row) {
    let seed = Seed::drawn();
    let mut rng = seed.rng();
    let server = Server::start(SETTINGS);
    let proxy = CuttingProxy::start(server.address(), plan(row, &mut rng));
    let mut publisher = Publisher::connect(server.address());
    let mut published: Vec<_> =
        (0..EVENTS / 2).map(|number| publish(&mut publisher, row, number, &mut rng)).collect();
    let mut reader = Reader::start(row.program.command(&proxy.url("/streams/news"), NAMES));
    wait_until_some_are_heard(&mut reader);
    published.extend((EVENTS / 2..EVENTS).map(|number| publish(&mut publisher, row, number, &mut rng)));
    publisher.close("news");
    published.push(HeardEvent { id: None, ..heard("end", r#"{"reason":"closed"}"#, "") });
    check_heard(row, &mut reader, &published);
    check_cuts(&proxy.record());
    check_after_end(row, &mut reader, &proxy);
}

/// The second request is refused, unless that would be the end for this reader. One that loses what is cut just after
/// its id is never cut there: that is a trial of its own.
fn plan(row: &Row, rng: &mut fastrand::Rng) -> Plan {
    Plan::of((0..CUTS).map(|number| {
        let manner = if rng.bool() { Manner::Fin } else { Manner::Rst };
        let bytes = rng.u64(500..6000);
        let place = match row.cut_after_id {
            CutAfterId::HearsTheEvent => Place::InBody(bytes),
            CutAfterId::LosesTheEvent => Place::InBodySparingIds(bytes),
        };
        match (number, row.refused) {
            (1, Refused::ComesBack) => Some(Cut { place: Place::BeforeHead, manner: Manner::Rst }),
            _ => Some(Cut { place, manner }),
        }
    }))
}

/// Publishes one event, and returns it as it should be heard.
fn publish(publisher: &mut Publisher, row: &Row, number: usize, rng: &mut fastrand::Rng) -> HeardEvent {
    let mut data = format!("{number} {}", "x".repeat(rng.usize(0..300)));
    if number.is_multiple_of(11) {
        data += "\nand a second line";
    }
    let dressed = (row.dress)(&data);
    if number % 7 == 3 {
        heard("tick", &data, &publisher.publish_named("news", "tick", &dressed))
    } else {
        heard("message", &data, &publisher.publish("news", &dressed))
    }
}

fn heard(name: &str, data: &str, id: &str) -> HeardEvent {
    HeardEvent { name: name.to_owned(), data: data.to_owned(), id: Some(id.to_owned()) }
}

/// So that it reads both what was kept and what comes meanwhile.
fn wait_until_some_are_heard(reader: &mut Reader) {
    let mut left = EVENTS / 6;
    reader.wait_for("so many events", |said| {
        left -= usize::from(matches!(said, Said::Event(_)));
        left == 0
    });
}

#[track_caller]
fn check_heard(row: &Row, reader: &mut Reader, published: &[HeardEvent]) {
    let is_heard = |event: &&HeardEvent| row.hears == Hears::EveryEvent || event.name == "message";
    let wanted: Vec<_> = published.iter().filter(is_heard).collect();
    let last = wanted.last().expect("much was published");
    reader.wait_for(
        "the last event",
        |said| matches!(said, Said::Event(event) if event.name == last.name && event.data == last.data),
    );
    let events: Vec<_> = reader.events().collect();
    let differing = events.iter().zip(&wanted).position(|(event, wanted)| !is_same(event, wanted));
    if let Some(place) = differing {
        assert_eq!(events[place], wanted[place], "event {place} of {}", row.reader);
    }
    assert_eq!(events.len(), wanted.len(), "{}", row.reader);
}

/// A reader may not report ids; those it reports are right. The end has an id of its own, which no publisher gets.
fn is_same(heard: &HeardEvent, wanted: &HeardEvent) -> bool {
    let is_same_id = heard.id.is_none() || wanted.id.is_none() || heard.id == wanted.id;
    is_same_id && (&heard.name, &heard.data) == (&wanted.name, &wanted.data)
}

#[track_caller]
fn check_cuts(record: &[Exchange]) {
    let cuts = record.iter().filter(|exchange| matches!(exchange.end, Some(End::Cut(_)))).count();
    assert!(cuts >= CUTS_MIN, "only {cuts} cuts were met: {record:#?}");
}

#[track_caller]
fn check_after_end(row: &Row, reader: &mut Reader, proxy: &CuttingProxy) {
    match row.after_end {
        AfterEnd::AsksOnce => check_stopped(row, reader, proxy, 1),
        AfterEnd::Leaves => check_stopped(row, reader, proxy, 0),
        AfterEnd::LeavesUnlessCut => {
            check_stopped(row, reader, proxy, 0);
            check_asks_after_204(row);
        }
        AfterEnd::AsksForEver => {
            wait_until_asked_again(proxy);
        }
        AfterEnd::BeginsAgain => {
            proxy.wait_for("a request without an id after the 204", |record| {
                let mut after = record.iter().skip_while(|exchange| !is_told_to_stop(exchange));
                after
                    .any(|exchange| exchange.method == "GET" && exchange.last_event_id.is_none())
                    .then_some(())
            });
        }
    }
}

#[track_caller]
fn check_stopped(row: &Row, reader: &mut Reader, proxy: &CuttingProxy, asked: usize) {
    if !reader.said().contains(&Said::Stopped) {
        reader.wait_for("that it stopped", |said| *said == Said::Stopped);
    }
    assert!(proxy.is_quiet_for(WATCHED), "{} asks again: {:#?}", row.reader, proxy.record().last());
    assert_eq!(asked_after_end(&proxy.record()), asked, "requests of {} with the end's id", row.reader);
}

/// Only a request with the end's id is answered like this.
fn asked_after_end(record: &[Exchange]) -> usize {
    record.iter().filter(|exchange| is_told_to_stop(exchange)).count()
}

/// Not a preflight, which gets a 204 of its own.
fn is_told_to_stop(exchange: &Exchange) -> bool {
    exchange.method == "GET" && exchange.status == Some(204)
}

fn wait_until_asked_again(proxy: &CuttingProxy) {
    proxy.wait_for("a second request with the end's id", |record| {
        (asked_after_end(record) >= 2).then_some(())
    });
}

/// As if the connection was cut between `end` and its close: the reader presents the end's id.
#[track_caller]
fn check_asks_after_204(row: &Row) {
    let server = Server::start(SETTINGS);
    Publisher::connect(server.address()).close("news");
    let end = curl::heard_at(&server.url("/streams/news"));
    let end = end.last().and_then(|event| event.id.as_deref()).expect("the end has an id");
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    let url = proxy.url(&format!("/streams/news?last_event_id={end}"));
    let _reader = Reader::start(row.program.command(&url, NAMES));
    wait_until_asked_again(&proxy);
}

/// Checks that a reader does not come back when its second connection is refused, and that it says so.
#[track_caller]
pub(crate) fn check_refused(row: &Row) {
    if row.refused == Refused::ComesBack {
        return;
    }
    let server = Server::start(SETTINGS);
    Publisher::connect(server.address()).publish("news", "one");
    let cut = |place| Some(Cut { place, manner: Manner::Rst });
    let plan = Plan::of([cut(Place::InBody(20)), cut(Place::BeforeHead)]);
    let proxy = CuttingProxy::start(server.address(), plan);
    let mut reader = Reader::start(row.program.command(&proxy.url("/streams/news"), NAMES));
    reader.wait_for("that it stopped", |said| *said == Said::Stopped);
    assert_eq!(proxy.record().len(), 2, "requests of {}", row.reader);
}
