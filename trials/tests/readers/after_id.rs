//! The trial of one place: the connection is cut when an event's id has come, and the blank line that ends the event
//! has not.
//!
//! A reader that keeps the id as soon as it reads the line resumes after an event that it never delivered.

use largesse_trials::{
    Cut, CuttingProxy, End, Exchange, Manner, Place, Plan, Publisher, Reader, Release, Said, Server,
};

use crate::SETTINGS;
use crate::rows::{CutAfterId, Row};

const EVENTS: usize = 20;
/// Longer than what a reader waits for before it delivers the previous event: `requests` reads 128 bytes at a time.
const DATA_BYTES: usize = 200;
/// How many events of a connection are complete before the one that is cut.
const WHOLE: usize = 3;
/// How the connections are cut, one after the other.
const RELEASES: [Release; 2] = [Release::Fin, Release::Rst];
/// More than the requests between two events that are heard: a browser's preflights meet cuts without harm.
const REQUESTS: usize = 8;

/// Runs the reader of a row, and checks what it hears of the events at the cuts.
pub(crate) fn check(row: &Row) {
    let server = Server::start(SETTINGS);
    let mut publisher = Publisher::connect(server.address());
    let published: Vec<_> =
        (0..EVENTS).map(|number| format!("{number} {}", "x".repeat(DATA_BYTES))).collect();
    for data in &published {
        publisher.publish("news", &(row.dress)(data));
    }
    let proxy = CuttingProxy::start(server.address(), cuts());
    let mut reader = Reader::start(row.program.command(&proxy.url("/streams/news"), &["message"]));
    for (number, release) in RELEASES.into_iter().enumerate() {
        wait_until_heard(&mut reader, WHOLE);
        proxy.wait_for("the cut", |record| is_stalled(record).then_some(()));
        let is_last = number + 1 == RELEASES.len();
        proxy.replan(if is_last { Plan::none() } else { cuts() });
        proxy.release_stalls(release);
    }
    let last = published.last().expect("much was published");
    reader.wait_for("the last event", |said| matches!(said, Said::Event(event) if event.data == *last));
    let heard: Vec<_> = reader.events().map(|event| event.data.as_str()).collect();
    let lost: Vec<_> = (0..EVENTS).filter(|number| is_lost(row, *number)).collect();
    let wanted = published.iter().enumerate().filter(|(number, _)| !lost.contains(number));
    let wanted: Vec<_> = wanted.map(|(_, data)| data.as_str()).collect();
    assert_eq!(heard, wanted, "{} should hear all but {lost:?}", row.reader);
}

/// Each is a stall first, so that the reader has read everything that came before the cut.
fn cuts() -> Plan {
    let cut = Cut { place: Place::AfterIds(WHOLE as u64 + 1), manner: Manner::Stall };
    Plan::of([Some(cut); REQUESTS])
}

fn wait_until_heard(reader: &mut Reader, events: usize) {
    let mut left = events;
    reader.wait_for("the events before the cut", |said| {
        left -= usize::from(matches!(said, Said::Event(_)));
        left == 0
    });
}

/// Whether the last answer to a reader is stalled, preflights aside.
fn is_stalled(record: &[Exchange]) -> bool {
    let last = record.iter().rfind(|exchange| exchange.method == "GET");
    last.is_some_and(|exchange| exchange.end == Some(End::Cut(Manner::Stall)))
}

/// The event at each cut. A reader that loses it resumes after it, so its next connection begins there.
fn is_lost(row: &Row, number: usize) -> bool {
    let (connection, place) = (number / (WHOLE + 1), number % (WHOLE + 1));
    match row.cut_after_id {
        CutAfterId::HearsTheEvent => false,
        CutAfterId::LosesTheEvent => connection < RELEASES.len() && place == WHOLE,
    }
}
