//! Data and names that try to break out of their lines: a page hears what was published.

use largesse_trials::{Browser, Page, Publisher, percent_encoded};

use crate::in_each_browser;
use crate::support::{CONTROL, Event, events, server, wait_for_stop};

const LONG_BYTES: usize = 1024 * 1024;

in_each_browser! {
    hostile_data_is_heard_as_it_was_published
    hostile_names_are_heard_as_they_were_published
}

/// What is published, and what is heard if that differs: all line breaks are LF.
fn data() -> Vec<(String, String)> {
    let same = [
        "",
        " ",
        "\n",
        "\n\n",
        "\na\n\n",
        "a\nb",
        " leading",
        "  two leading",
        "trailing  ",
        "\ttab",
        "a\n b\n\tc\n d ",
        ": a comment",
        ":",
        "data",
        "data:",
        "data: x",
        "x\nid: 5\n\nevent: end\ndata: y",
        "x\n\nid: 5\ndata: forged\n\n",
        "x\nretry: 1\n\n",
        "event: end\ndata: {\"reason\":\"closed\"}\n\n",
        "\u{feff}",
        "\u{feff}a\n\u{feff}b",
        "a\u{2028}b\u{2029}c",
        "a\u{85}b",
        "a\u{b}b\u{c}c",
        "\u{1}\u{7f}\u{fffd}\u{ffff}\u{10ffff}",
        "👩‍👩‍👧‍👦 🇪🇺 e\u{301}",
    ];
    let long = ["x".repeat(LONG_BYTES), "👾".repeat(LONG_BYTES / 4), "\n".repeat(10_000)];
    let broken = [
        ("a\rb", "a\nb"),
        ("a\r\nb", "a\nb"),
        ("\r", "\n"),
        ("\r\n\r\r\n", "\n\n\n"),
        ("a\n\rb", "a\n\nb"),
        ("a\r", "a\n"),
    ];
    let same = same.map(str::to_owned).into_iter().chain(long).map(|text| (text.clone(), text));
    same.chain(broken.map(|(sent, heard)| (sent.to_owned(), heard.to_owned()))).collect()
}

fn names() -> Vec<String> {
    let names = [
        "message",
        "open",
        "error",
        "data",
        "id: 5",
        "retry: 1",
        ":",
        ": comment",
        "a:b",
        " ",
        " leading",
        "trailing ",
        "\ttab",
        "événement",
        "\u{feff}bom",
        "a\u{2028}b\u{85}c",
        "👾",
        "\u{1}",
        "__proto__",
        "constructor",
    ];
    names.map(str::to_owned).into_iter().chain(["n".repeat(512), "é".repeat(256)]).collect()
}

/// What is shown of a text that may be very long.
fn shown(event: &Event) -> (String, String, usize) {
    (event.name.clone(), event.data.chars().take(40).collect(), event.data.len())
}

#[track_caller]
fn check(page: &Page, want: &[Event]) {
    wait_for_stop(page);
    let heard = events(&page.heard());
    assert_eq!(heard.last().map(|event| event.name.as_str()), Some("end"));
    assert_eq!(heard.len(), want.len() + 1);
    for (heard, want) in heard.iter().zip(want) {
        assert!(heard == want, "heard {:?}, not {:?}", shown(heard), shown(want));
    }
}

fn hostile_data_is_heard_as_it_was_published(browser: Browser) {
    let server = server();
    let mut publisher = Publisher::connect(server.address());
    let refused = publisher.ask("POST", "/streams/a", &[], b"a\0b");
    assert_eq!(refused.status, 400, "{}", refused.body);
    let mut want = Vec::new();
    for (sent, data) in data() {
        let id = publisher.publish("a", &sent);
        want.push(Event { name: "message".to_owned(), data, id });
    }
    publisher.close("a");
    check(&Page::open(browser, &server.url("/streams/a"), CONTROL), &want);
}

fn hostile_names_are_heard_as_they_were_published(browser: Browser) {
    let server = server();
    let mut publisher = Publisher::connect(server.address());
    for reserved in ["end", "reset", "begin", "heartbeat"] {
        let target = format!("/streams/a?event={reserved}");
        assert_eq!(publisher.ask("POST", &target, &[], b"x").status, 400, "{reserved}");
    }
    for refused in ["", "a\0b", "a\nb", "a\rb", &"n".repeat(513)] {
        let target = format!("/streams/a?event={}", percent_encoded(refused));
        assert_eq!(publisher.ask("POST", &target, &[], b"x").status, 400, "{refused:?}");
    }
    let names = names();
    let mut want = Vec::new();
    for name in &names {
        let data = format!("named {}", name.len());
        let id = publisher.publish_named("a", name, &data);
        want.push(Event { name: name.clone(), data, id });
    }
    publisher.close("a");
    let listened: Vec<_> = CONTROL.iter().copied().chain(names.iter().map(String::as_str)).collect();
    check(&Page::open(browser, &server.url("/streams/a"), &listened), &want);
}
