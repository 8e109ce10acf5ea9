//! The trial of one reader: three hundred events through cuts, then the end.

use std::time::Duration;

use largesse_trials::{
    Cut, CuttingProxy, End, Exchange, HeardEvent, Manner, Place, Plan, Publisher, Reader, Said, Server,
};

use crate::SETTINGS;
use crate::rows::{AfterEnd, Hears, Row};
use crate::seed::Seed;

const EVENTS: usize = 300;
/// One more than must be met: a browser's preflight meets one without harm.
const CUTS: usize = 6;
/// Names besides `message` that are listened for. `reset` never comes here, and would be heard.
const NAMES: &[&str] = &["message", "tick", "reset", "begin", "closed", "end"];
/// How long a reader that has stopped is watched: three times the longest first wait among the readers.
const WATCHED: Duration = Duration::from_millis(1500);

/// Runs the reader of a row, and checks all that the row says but hostile data.
pub(crate) fn check(row: &Row) {
    let seed = Seed::drawn();
    let mut dice = seed.dice();
    let server = Server::start(SETTINGS);
    let proxy = CuttingProxy::start(server.address(), plan(&mut dice));
    let mut publisher = Publisher::connect(server.address());
    let mut published: Vec<_> =
        (0..EVENTS / 2).map(|number| publish(&mut publisher, row, number, &mut dice)).collect();
    let mut reader = Reader::start(row.program.command(&proxy.url("/streams/news"), NAMES));
    wait_until_some_are_heard(&mut reader);
    published.extend((EVENTS / 2..EVENTS).map(|number| publish(&mut publisher, row, number, &mut dice)));
    publisher.close("news");
    published.push(HeardEvent { id: None, ..heard("end", r#"{"reason":"closed"}"#, "") });
    check_heard(row, &mut reader, &published);
    check_cuts(&proxy.record());
    check_after_end(row, &mut reader, &proxy);
}

fn plan(dice: &mut fastrand::Rng) -> Plan {
    Plan::of((0..CUTS).map(|_| {
        let manner = if dice.bool() { Manner::Fin } else { Manner::Rst };
        Some(Cut { place: Place::InBody(dice.u64(500..8000)), manner })
    }))
}

/// Publishes one event, and gives it as it should be heard.
fn publish(publisher: &mut Publisher, row: &Row, number: usize, dice: &mut fastrand::Rng) -> HeardEvent {
    let mut data = format!("{number} {}", "x".repeat(dice.usize(0..300)));
    if number % 11 == 0 {
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

/// So that both what is kept and what comes while it reads is read.
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

/// A reader may not tell ids; what it tells is right. The end has an id of its own, which no publisher is told.
fn is_same(heard: &HeardEvent, wanted: &HeardEvent) -> bool {
    let is_same_id = heard.id.is_none() || wanted.id.is_none() || heard.id == wanted.id;
    is_same_id && (&heard.name, &heard.data) == (&wanted.name, &wanted.data)
}

#[track_caller]
fn check_cuts(record: &[Exchange]) {
    let cuts = record.iter().filter(|exchange| matches!(exchange.end, Some(End::Cut(_)))).count();
    assert!(cuts >= CUTS - 1, "only {cuts} cuts were met: {record:#?}");
}

#[track_caller]
fn check_after_end(row: &Row, reader: &mut Reader, proxy: &CuttingProxy) {
    match row.after_end {
        AfterEnd::AsksOnce => check_stopped(row, reader, proxy, 1),
        AfterEnd::Leaves => check_stopped(row, reader, proxy, 0),
        AfterEnd::AsksForEver => {
            proxy.wait_for("a third request with the end's id", |record| {
                (asked_after_end(record) >= 3).then_some(())
            });
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

/// Only a request with the end's id is answered so.
fn asked_after_end(record: &[Exchange]) -> usize {
    record.iter().filter(|exchange| is_told_to_stop(exchange)).count()
}

/// Not a preflight, which gets a 204 of its own.
fn is_told_to_stop(exchange: &Exchange) -> bool {
    exchange.method == "GET" && exchange.status == Some(204)
}
