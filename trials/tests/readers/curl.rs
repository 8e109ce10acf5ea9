//! curl prints what comes, and our own parser reads it: up to a cut, from there on, and after the end.

use std::process::{Command, Output};

use largesse_trials::{Cut, CuttingProxy, HeardEvent, Manner, Place, Plan, Publisher, Server};
use largesse_wire::{Parser, ParserLimits};

use crate::SETTINGS;
use crate::hostile;
use crate::program::Program;
use crate::rows::{CutAfterId, Row};

const EVENTS: usize = 100;
const CUTS: [Place; 2] = [Place::InBody(3000), Place::AfterIds(40)];

/// Runs curl as the table's advice says.
pub(crate) fn check(row: &Row) {
    CUTS.into_iter().for_each(|place| check_cut(row, place));
    assert!(row.cut_after_id == CutAfterId::HearsTheEvent, "every event was heard, whatever the cut");
    check_hostile(row);
}

fn check_cut(row: &Row, place: Place) {
    let server = Server::start(SETTINGS);
    let mut publisher = Publisher::connect(server.address());
    let ids: Vec<_> = (0..EVENTS).map(|number| publisher.publish("news", &number.to_string())).collect();
    publisher.close("news");
    let cut = Cut { place, manner: Manner::Fin };
    let proxy = CuttingProxy::start(server.address(), Plan::of([Some(cut)]));
    let command = || row.program.command(&proxy.url("/streams/news"), &[]);

    let first = output(&mut command());
    assert!(!first.status.success(), "curl says that the answer was cut");
    let first = heard(&first.stdout);
    let count = first.len();
    assert!(0 < count && count < EVENTS, "the cut came too late or too early: {count}");
    let rest = output(command().args(["-H", &format!("Last-Event-ID: {}", ids[count - 1])]));
    assert!(rest.status.success(), "curl ends with the stream");
    let all = [first, heard(&rest.stdout)].concat();
    let heard_ids: Vec<_> = all.iter().map(|event| event.id.clone().unwrap_or_default()).collect();
    let (end, heard_ids) = heard_ids.split_last().expect("much was heard");
    assert_eq!(heard_ids, ids);
    let after =
        output(command().args(["-H", &format!("Last-Event-ID: {end}"), "--write-out", "%{http_code}"]));
    assert_eq!(String::from_utf8_lossy(&after.stdout), "204");
}

fn check_hostile(row: &Row) {
    let server = Server::start(SETTINGS);
    let list = hostile::list();
    let ids = hostile::publish(&server, "hostile", &list);
    let output = output(&mut row.program.command(&server.url("/streams/hostile"), &[]));
    assert_eq!(Some(&*hostile::missed(&list, &ids, &heard(&output.stdout))), row.unheard);
}

/// What our own parser hears when curl reads a stream to its end.
pub(crate) fn heard_at(url: &str) -> Vec<HeardEvent> {
    heard(&output(&mut Program::Curl.command(url, &[])).stdout)
}

#[track_caller]
fn output(command: &mut Command) -> Output {
    command.output().expect("curl is installed")
}

/// What our own parser hears in bytes.
fn heard(mut bytes: &[u8]) -> Vec<HeardEvent> {
    let mut parser = Parser::new(ParserLimits { event_bytes_max: 2 << 20 });
    let mut events = Vec::new();
    while let Some(event) = parser.next_event(&mut bytes).expect("nothing published is larger") {
        let name = if event.name.is_empty() { "message".to_owned() } else { event.name };
        events.push(HeardEvent { name, data: event.data, id: Some(event.last_event_id.to_string()) });
    }
    events
}
