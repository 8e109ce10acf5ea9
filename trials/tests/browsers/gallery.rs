//! The gallery's page: its button, its list, its table and its end, over reloads and cuts, and with what others write
//! into its stream.
//!
//! A page's address says which stream to read. Where the source's second between two events would matter,
//! the trial writes the stream itself.

use largesse_trials::{Browser, CuttingProxy, Manner, Plan, Publisher, Server, Visit};

use crate::in_each_browser;
use crate::support::server;

const READY: &str = "[data-part=start][aria-disabled=false]";
const EVENTS: &str = "[data-part=events] li";
const ACTIONS: &str = "[data-part=steps] .action";
const END: &str = "[data-part=end]";
const READ_COMMAND: &str = "[data-part=curl-read]";
const OPEN: &str = "#counted[data-state=open]";
const ENDED: &str = "#counted[data-state=ended]";

const STREAM: &str = "demo/s4/0123456789abcdef0123456789abcdef";
const ADDRESS: &str = "/#s4=0123456789abcdef0123456789abcdef";
const CLOSED: &str = "The stream is closed. Nothing more will come.";
const WRITTEN: [&str; 3] = ["Message 0", "Message 1", "Message 2"];

in_each_browser! {
    the_button_starts_one_run_whose_events_are_listed_in_order_up_to_the_end
    a_reload_during_a_run_starts_no_other_run
    after_a_reload_and_after_a_cut_the_page_continues_after_the_last_event
    what_others_write_is_text_and_nothing_else
    whatever_ends_a_run_the_page_says_so_and_offers_another
}

/// How many runs the pages behind a proxy have started.
fn runs(proxy: &CuttingProxy) -> usize {
    proxy.record().iter().filter(|exchange| exchange.method == "POST").count()
}

#[track_caller]
fn check_ended(visit: &mut Visit, events: &[&str], end: &str) {
    visit.wait_for(ENDED);
    visit.wait_for(READY);
    assert_eq!(visit.texts(EVENTS), events);
    assert_eq!(visit.texts(END), [end]);
    assert_eq!(visit.texts(READY), ["Start another"]);
}

fn the_button_starts_one_run_whose_events_are_listed_in_order_up_to_the_end(browser: Browser) {
    let server = server();
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    let mut visit = Visit::open(browser, &proxy.url("/"));
    visit.wait_for(READY);
    assert_eq!((visit.texts(EVENTS).len(), runs(&proxy)), (0, 0), "looking at a page starts nothing");
    visit.press(READY);
    for count in 1..=WRITTEN.len() {
        visit.wait_for(&format!("{EVENTS}:nth-child({count})"));
        let texts = visit.texts(EVENTS);
        assert_eq!(texts[..count], WRITTEN[..count]);
        assert_eq!(texts, WRITTEN[..texts.len()]);
    }
    check_ended(&mut visit, &WRITTEN, CLOSED);
    let sent = "An event is sent";
    assert_eq!(visit.texts(ACTIONS), ["The source starts", sent, sent, sent, "The stream ends"]);
    visit.reload();
    check_ended(&mut visit, &WRITTEN, CLOSED);
    assert_eq!(runs(&proxy), 1);
    assert_eq!(visit.faults(), [""; 0]);
}

fn a_reload_during_a_run_starts_no_other_run(browser: Browser) {
    let server = server();
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    let mut visit = Visit::open(browser, &proxy.url("/"));
    visit.wait_for(READY);
    visit.press(READY);
    visit.wait_for(EVENTS);
    visit.reload();
    check_ended(&mut visit, &WRITTEN, CLOSED);
    assert_eq!(runs(&proxy), 1);
}

fn after_a_reload_and_after_a_cut_the_page_continues_after_the_last_event(browser: Browser) {
    let server = server();
    let mut publisher = Publisher::connect(server.address());
    let proxy = CuttingProxy::start(server.address(), Plan::none());
    let one = publisher.publish(STREAM, "one");
    let mut visit = Visit::open(browser, &proxy.url(ADDRESS));
    visit.wait_for(EVENTS);
    visit.reload();
    visit.wait_for(OPEN);
    let two = publisher.publish(STREAM, "two");
    visit.wait_for(&format!("{EVENTS}:nth-child(2)"));
    proxy.cut_all(Manner::Rst);
    publisher.publish(STREAM, "three");
    visit.wait_for(&format!("{EVENTS}:nth-child(3)"));
    publisher.close(STREAM);
    check_ended(&mut visit, &["one", "two", "three"], CLOSED);
    let sent = "An event is sent";
    let (back, lost, again) = ("The page is back and reads on", "The connection is lost", "Connected again");
    let actions = ["The page joins", sent, back, sent, lost, again, sent, "The stream ends"];
    assert_eq!(visit.texts(ACTIONS), actions);

    let record = proxy.record();
    let is_read = |target: &str| target.starts_with(&format!("/streams/{STREAM}"));
    let reads = record.iter().filter(|exchange| exchange.method == "GET" && is_read(&exchange.target));
    let places: Vec<_> = reads
        .map(|read| (read.target.split_once('=').map(|pair| pair.1), read.last_event_id.as_deref()))
        .collect();
    let (one, two) = (one.as_str(), two.as_str());
    assert_eq!(
        places,
        [(None, None), (Some(one), None), (Some(one), Some(two))],
        "in the query, in the header"
    );
    assert_eq!(runs(&proxy), 0);
}

fn what_others_write_is_text_and_nothing_else(browser: Browser) {
    let server = server();
    let mut publisher = Publisher::connect(server.address());
    let markup = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>";
    let long = "x".repeat(100_000);
    for data in [markup, "one\n\n  two", "", &long] {
        publisher.publish(STREAM, data);
    }
    publisher.close(STREAM);
    let mut visit = Visit::open(browser, &server.url(ADDRESS));
    let cut_off = format!("{}…", "x".repeat(500));
    check_ended(&mut visit, &[markup, "one\n\n  two", "", &cut_off], CLOSED);
    let cells = visit.texts("[data-part=steps] .data");
    let cut_off = [&markup[..60], &"x".repeat(60)].map(|beginning| format!("{beginning}…"));
    assert_eq!(cells, ["none", &cut_off[0], "one\n\n  two", "empty", &cut_off[1], "none"]);
    let elements = visit.texts("[data-part=events] li *, [data-part=steps] td *");
    assert_eq!(elements, [""; 0], "an event's data is one text");
    assert_eq!(visit.texts("title"), ["Gallery · Largesse"]);
    assert_eq!(visit.faults(), [""; 0]);
}

fn whatever_ends_a_run_the_page_says_so_and_offers_another(browser: Browser) {
    let server = server();
    let mut visit = Visit::open(browser, &server.url("/"));
    let forged = |reason: &str| format!(r#"{{"reason":"{reason}"}}"#);
    let many = "1\n".repeat(150);
    let ndjson = "Content-Type: application/x-ndjson";
    // The request, the sentence that ends the list, whether the stream can still be read.
    let rows = [
        (("POST", "?event=end", "", forged("")), CLOSED, true),
        (("POST", "?event=end", "", forged("constructor")), "The stream ended.", true),
        (("POST", "?event=end", "", "no JSON".to_owned()), CLOSED, true),
        (("POST", "", ndjson, many), "This stream has more events than this page shows.", true),
        (("DELETE", "", "", String::new()), "The stream was deleted.", false),
    ];
    for ((method, query, header, body), end, is_there) in rows {
        let stream = started(&mut visit);
        let headers = if header.is_empty() { vec![] } else { vec![header] };
        // A publisher may use the server's own names only where its stream allows it.
        let shared = asked(
            &server,
            "PUT",
            &format!("/streams/{stream}"),
            &["Content-Type: application/json"],
            r#"{"control_names":"shared"}"#,
        );
        assert_eq!(shared, 200);
        let answer = asked(&server, method, &format!("/streams/{stream}{query}"), &headers, &body);
        assert!(answer < 300, "{method} {query}: {answer}");
        visit.wait_for(ENDED);
        visit.wait_for(READY);
        assert_eq!(
            (visit.texts(END), visit.texts(READY)),
            (vec![end.to_owned()], vec!["Start another".to_owned()])
        );
        let named = if is_there { stream } else { "NAME".to_owned() };
        assert_eq!(
            visit.texts(READ_COMMAND),
            [format!("curl -N {}", server.url(&format!("/streams/{named}")))]
        );
        assert!(visit.texts(EVENTS).len() <= 100, "the list has a limit");
    }
}

/// Presses the button, and returns the name of the stream that the page then reads.
#[track_caller]
fn started(visit: &mut Visit) -> String {
    visit.wait_for(READY);
    visit.press(READY);
    visit.wait_for(OPEN);
    let command = visit.texts(READ_COMMAND).concat();
    command.split_once("/streams/").unwrap().1.to_owned()
}

#[track_caller]
fn asked(server: &Server, method: &str, target: &str, headers: &[&str], body: &str) -> u16 {
    Publisher::connect(server.address()).ask(method, target, headers, body.as_bytes()).status
}
