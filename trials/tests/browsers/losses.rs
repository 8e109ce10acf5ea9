//! Several streams on one connection, one of them trimmed while the page is away: each loss is told once, and
//! everything that is kept is heard once and in order.

use largesse_trials::{
    Browser, Cut, CuttingProxy, End, Exchange, Heard, Manner, Page, Place, Plan, Publisher, Release,
};
use serde_json::Value;

use crate::in_each_browser;
use crate::support::{CONTROL, Event, cut_bytes_min, events, seed, server, wait_for_events};

const ROUNDS: usize = 14;
/// Published while a connection is open. They are more bytes than any cut lets through.
const PRESENT: usize = 40;
const CUT_BYTES_MAX: u64 = 1_500;
/// How many events the stream `b` keeps.
const KEPT: usize = 5;
/// Streams that lose nothing. The last two are read through the pattern.
const WHOLE: [&str; 3] = ["a", "p/1", "p/2"];

in_each_browser! {
    of_several_streams_a_page_is_told_each_loss_once_and_hears_all_that_is_kept
    of_several_streams_as_json_a_page_is_told_each_loss_once_and_hears_all_that_is_kept
}

/// One published event: its stream; its number is its index in the list.
struct Published {
    stream: &'static str,
}

/// Publishes numbered events to all streams, and knows what was lost.
struct Streams {
    publisher: Publisher,
    published: Vec<Published>,
    rng: fastrand::Rng,
    /// After each round, the number of the last event that was trimmed.
    trimmed: Vec<Option<usize>>,
}

impl Streams {
    fn publish(&mut self, stream: &'static str) {
        self.publisher.publish(stream, &self.published.len().to_string());
        self.published.push(Published { stream });
    }

    /// Publishes to streams that lose nothing.
    fn publish_whole(&mut self, count: usize) {
        for _ in 0..count {
            let stream = WHOLE[self.rng.usize(0..WHOLE.len())];
            self.publish(stream);
        }
    }

    /// Publishes to the stream that is trimmed, among others.
    fn publish_trimmed(&mut self) {
        for _ in 0..self.rng.usize(0..4 * KEPT) {
            self.publish("b");
            self.publish_whole(1);
        }
    }

    fn end_round(&mut self) {
        let numbers = self.published.iter().enumerate().filter(|(_, event)| event.stream == "b");
        self.trimmed.push(numbers.map(|(number, _)| number).rev().nth(KEPT));
    }
}

/// Three in five are stalls: during those it is certain that the page does not ask again.
fn plan(rng: &mut fastrand::Rng, browser: Browser) -> Plan {
    let manners = [Manner::Stall, Manner::Stall, Manner::Stall, Manner::Fin, Manner::Rst];
    Plan::of((0..ROUNDS).map(|_| {
        let place = Place::InBody(rng.u64(cut_bytes_min(browser)..=CUT_BYTES_MAX));
        Some(Cut { place, manner: manners[rng.usize(0..manners.len())] })
    }))
}

fn of_several_streams_a_page_is_told_each_loss_once_and_hears_all_that_is_kept(browser: Browser) {
    check(browser, "", |event| event.data.clone());
}

fn of_several_streams_as_json_a_page_is_told_each_loss_once_and_hears_all_that_is_kept(browser: Browser) {
    check(browser, "&format=json", |event| {
        let json: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(json["id"].as_str(), Some(event.id.as_str()));
        json["data"].as_str().unwrap().to_owned()
    });
}

fn check(browser: Browser, more: &str, data: fn(&Event) -> String) {
    let seed = seed();
    let mut rng = fastrand::Rng::with_seed(seed);
    let server = server();
    let proxy = CuttingProxy::start(server.address(), plan(&mut rng, browser));
    let mut publisher = Publisher::connect(server.address());
    let settings = format!(r#"{{"max_events":{KEPT}}}"#);
    let made = publisher.ask("PUT", "/streams/b", &[], settings.as_bytes());
    assert_eq!(made.status, 201, "{}", made.body);
    let mut streams = Streams { publisher, published: Vec::new(), rng, trimmed: Vec::new() };
    let url = proxy.url(&format!("/streams?name=a&name=b&name=p/*{more}"));
    let page = Page::open(browser, &url, CONTROL);
    for round in 0..ROUNDS {
        play(round, &proxy, &mut streams);
    }
    streams.publisher.close("a");
    streams.publisher.close("b");
    wait_for_events(&page, "closed", 2);
    // Under a pattern nothing ever ends.
    assert!(!page.heard().contains(&Heard::Stopped));
    let heard = events(&page.heard());
    let outcome = judge(&heard, &streams, &proxy.record(), data);
    assert_eq!(outcome, Ok(()), "{:#?}", proxy.record());
    assert!(heard.iter().any(|event| event.name == "reset"), "a trial of losses has none");
}

/// One connection: the page is there, it is cut, and only while it certainly stays away is anything trimmed.
fn play(round: usize, proxy: &CuttingProxy, streams: &mut Streams) {
    proxy.wait_for(&format!("request {round}"), |record| (record.len() > round).then_some(()));
    streams.publish_whole(PRESENT);
    let end = proxy.wait_for(&format!("cut {round}"), |record| record[round].end);
    if end == End::Cut(Manner::Stall) {
        streams.publish_trimmed();
    }
    streams.end_round();
    proxy.release_stalls(if round.is_multiple_of(2) { Release::Fin } else { Release::Rst });
}

/// Goes through what was heard: every missing event was lost, and every loss was told once, before its gap.
fn judge(
    heard: &[Event],
    streams: &Streams,
    record: &[Exchange],
    data: fn(&Event) -> String,
) -> Result<(), String> {
    // The next event's number, and the first number that was not told as lost.
    let (mut next, mut told) = (0, 0);
    let mut last_id = String::new();
    for event in heard {
        match event.name.as_str() {
            "message" => {
                let number: usize = data(event).parse().map_err(|_| format!("{event:?}"))?;
                let is_lost = |number: usize| number < told && streams.published[number].stream == "b";
                if number < next || !(next..number).all(is_lost) {
                    return Err(format!("{number} came where {next} was to be; told up to {told}"));
                }
                next = number + 1;
            }
            "reset" => told = lost(event, &last_id, next.max(told), streams, record)?,
            "closed" => {}
            other => return Err(format!("{other} was heard")),
        }
        last_id.clone_from(&event.id);
    }
    let is_all = next == streams.published.len();
    if is_all { Ok(()) } else { Err(format!("{next} and what follows was never heard")) }
}

/// What a `reset` says: everything in `b` below this number is lost. It must say something new.
fn lost(
    reset: &Event,
    last_id: &str,
    known: usize,
    streams: &Streams,
    record: &[Exchange],
) -> Result<usize, String> {
    let json: Value = serde_json::from_str(&reset.data).map_err(|error| error.to_string())?;
    let requested = json["requested"].as_str().unwrap_or_default();
    let is_right = json["reason"] == "trimmed" && json["streams"] == serde_json::json!(["b"]);
    if !is_right || requested != last_id {
        return Err(format!("{json}, after {last_id}"));
    }
    // Of several requests with one id, the page may have heard the answer to the last.
    let request = record.iter().rposition(|exchange| exchange.last_event_id.as_deref() == Some(requested));
    let round = request.and_then(|request| request.checked_sub(1)).ok_or("nobody asked")?;
    let told = streams.trimmed[round.min(ROUNDS - 1)].map_or(0, |number| number + 1);
    if told > known { Ok(told) } else { Err(format!("{json} tells nothing new: {told}, known {known}")) }
}
