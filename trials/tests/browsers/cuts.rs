//! Two thousand events through twenty cuts: a page hears each once, in order, with its id, and stops for good.

use largesse_trials::{Browser, CuttingProxy, End, Manner, Page, Plan, Publisher, Release};

use crate::in_each_browser;
use crate::support::{CONTROL, Event, OBSERVED, cut_bytes_min, data_of, events, seed, server, wait_for_stop};

const CUTS: usize = 20;
/// Published while a connection is open. They are more bytes than any cut lets through, so every cut happens.
const PRESENT: usize = 70;
const CUT_BYTES_MAX: u64 = 3_000;
/// Published while the page is away.
const AWAY: usize = 30;

in_each_browser! {
    through_twenty_cuts_a_page_hears_two_thousand_events_once_and_in_order_and_stops_for_good
}

/// Publishes numbered events to one stream, and knows what a page must hear.
struct Numbered {
    publisher: Publisher,
    published: Vec<Event>,
}

impl Numbered {
    fn publish(&mut self, count: usize) {
        for _ in 0..count {
            let data = format!("event {}", self.published.len());
            let id = self.publisher.publish("a", &data);
            self.published.push(Event { name: "message".to_owned(), data, id });
        }
    }
}

fn through_twenty_cuts_a_page_hears_two_thousand_events_once_and_in_order_and_stops_for_good(
    browser: Browser,
) {
    let seed = seed();
    let server = server();
    let plan = Plan::seeded(seed, CUTS, cut_bytes_min(browser)..=CUT_BYTES_MAX);
    let proxy = CuttingProxy::start(server.address(), plan);
    let mut numbered = Numbered { publisher: Publisher::connect(server.address()), published: Vec::new() };
    let page = Page::open(browser, &proxy.url("/streams/a"), CONTROL);
    for cut in 0..CUTS {
        proxy.wait_for(&format!("request {cut}"), |record| (record.len() > cut).then_some(()));
        numbered.publish(PRESENT);
        let end = proxy.wait_for(&format!("cut {cut}"), |record| record[cut].end);
        numbered.publish(AWAY);
        if end == End::Cut(Manner::Stall) {
            proxy.release_stalls(if cut.is_multiple_of(2) { Release::Fin } else { Release::Rst });
        }
    }
    numbered.publisher.close("a");
    wait_for_stop(&page);
    let heard = page.heard();
    let mut heard_events = events(&heard);
    let end = heard_events.pop().unwrap();
    assert_eq!((end.name.as_str(), end.data.as_str()), ("end", r#"{"reason":"closed"}"#));
    assert_eq!(heard_events, numbered.published);
    assert_eq!(data_of(&heard, "end").len(), 1);

    assert!(proxy.is_quiet_for(OBSERVED), "a page that was stopped asked again");
    let record = proxy.record();
    assert_eq!(record.iter().filter(|exchange| exchange.status == Some(204)).count(), 1, "{record:#?}");
    let last = record.last().unwrap();
    assert_eq!((last.status, last.last_event_id.as_deref()), (Some(204), Some(end.id.as_str())));
    assert_eq!(record.iter().filter(|exchange| matches!(exchange.end, Some(End::Cut(_)))).count(), CUTS);
    assert!(record.iter().all(|exchange| exchange.origin.is_some()), "a page from another origin says so");
}
