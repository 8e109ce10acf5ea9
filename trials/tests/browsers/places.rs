//! Where a page continues: at its place from the first byte, and at the start of a new log.

use largesse_trials::{Browser, CuttingProxy, Heard, Manner, Page, Plan, Publisher, Server};
use serde_json::Value;

use crate::in_each_browser;
use crate::support::{CONTROL, data_of, events, server, wait_for_events, wait_for_stop};

in_each_browser! {
    cut_before_its_first_event_a_page_from_now_hears_what_was_published_while_it_was_away
    after_a_restart_without_its_log_a_page_is_told_and_hears_all_of_the_new_one
}

fn cut_before_its_first_event_a_page_from_now_hears_what_was_published_while_it_was_away(browser: Browser) {
    // Longer than publishing takes, so that the page is away meanwhile.
    let server = Server::start(&[("LARGESSE_HTTP_RETRY_MIN", "1s"), ("LARGESSE_HTTP_RETRY_MAX", "1s")]);
    for manner in [Manner::Fin, Manner::Rst] {
        let stream = format!("{manner:?}");
        let proxy = CuttingProxy::start(server.address(), Plan::none());
        let mut publisher = Publisher::connect(server.address());
        publisher.publish(&stream, "before");
        let page = Page::open(browser, &proxy.url(&format!("/streams/{stream}?from=now")), CONTROL);
        wait_for_events(&page, "begin", 1);
        proxy.cut_all(manner);
        publisher.publish(&stream, "away 1");
        publisher.publish(&stream, "away 2");
        assert_eq!(proxy.record().len(), 1, "the page should have been away");
        publisher.close(&stream);
        wait_for_stop(&page);
        let heard = page.heard();
        let names: Vec<_> = events(&heard).into_iter().map(|event| event.name).collect();
        assert_eq!(data_of(&heard, "message"), ["away 1", "away 2"], "{manner:?}");
        assert_eq!(names, ["begin", "message", "message", "end"], "{manner:?}");
        let record = proxy.record();
        assert_eq!(record[1].last_event_id, Some(events(&heard)[0].id.clone()), "{manner:?}");
    }
}

fn after_a_restart_without_its_log_a_page_is_told_and_hears_all_of_the_new_one(browser: Browser) {
    let mut server = server();
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    // One page connected to the server itself, which refuses connections for a while, and one behind the proxy, which
    // answers and then has nothing to send.
    let pages =
        [server.url("/streams/a"), proxy.url("/streams/a")].map(|url| Page::open(browser, &url, CONTROL));
    publish(&server, "old", 0..10);
    pages.iter().for_each(|page| wait_for_events(page, "message", 10));
    server.kill();
    let lost = |heard: &[Heard]| heard.contains(&Heard::Lost).then_some(());
    pages.iter().for_each(|page| page.wait_for("that the connection is lost", lost));
    server.start_again();
    publish(&server, "new", 0..5);
    Publisher::connect(server.address()).close("a");
    for page in &pages {
        wait_for_stop(page);
        check_restart(&page.heard());
    }
}

fn publish(server: &Server, log: &str, numbers: std::ops::Range<usize>) {
    let mut publisher = Publisher::connect(server.address());
    for number in numbers {
        publisher.publish("a", &format!("{log} {number}"));
    }
}

/// Ten events of the old log, `reset`, five of the new one, `end`.
#[track_caller]
fn check_restart(heard: &[Heard]) {
    let heard = events(heard);
    let names: Vec<_> = heard.iter().map(|event| event.name.as_str()).collect();
    let want = [vec!["message"; 10], vec!["reset"], vec!["message"; 5], vec!["end"]].concat();
    assert_eq!(names, want);
    let reset: Value = serde_json::from_str(&heard[10].data).unwrap();
    assert_eq!(
        (reset["reason"].as_str(), reset["requested"].as_str()),
        (Some("new_log"), Some(heard[9].id.as_str()))
    );
    let data: Vec<_> =
        heard.iter().filter(|event| event.name == "message").map(|event| &event.data).collect();
    let want =
        (0..10).map(|number| format!("old {number}")).chain((0..5).map(|number| format!("new {number}")));
    assert!(data.into_iter().cloned().eq(want), "{heard:?}");
}
