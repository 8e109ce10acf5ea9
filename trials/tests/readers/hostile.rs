//! Hostile data and names: how each reader copes with them.

use std::collections::HashMap;

use largesse_trials::{HeardEvent, Publisher, Reader, Said, Server};

use crate::SETTINGS;
use crate::rows::Row;

const MIB: usize = 1 << 20;

/// One event that is hard to read.
pub(crate) struct Hostile {
    /// What is hard about it, in the table's words.
    pub(crate) label: &'static str,
    /// Empty if it has none.
    pub(crate) name: String,
    pub(crate) data: String,
    /// The data as it should be heard.
    pub(crate) heard: String,
}

fn data(label: &'static str, data: &str) -> Hostile {
    let heard = data.replace("\r\n", "\n").replace('\r', "\n");
    Hostile { label, name: String::new(), data: data.to_owned(), heard }
}

fn name(label: &'static str, name: &str) -> Hostile {
    Hostile { label, name: name.to_owned(), data: "named".to_owned(), heard: "named".to_owned() }
}

/// All of them.
pub(crate) fn list() -> Vec<Hostile> {
    vec![
        data("CRLF", "a\r\nb"),
        data("CR", "a\rb"),
        data("LF", "a\nb"),
        data("data of line breaks alone", "\r\n\n\r"),
        data("a line break at the end", "a\n"),
        data("a BOM at the beginning", "\u{feff}a"),
        data("a BOM at the beginning of a later line", "a\n\u{feff}b"),
        data("U+2028, U+2029 and U+0085", "a\u{2028}b\u{2029}c\u{85}d"),
        data("control characters", "a\u{b}b\u{c}c\u{1c}d\u{1b}e\u{7f}f"),
        data("emoji", "👩\u{200d}🚀 ü"),
        data("empty data", ""),
        data("one space", " "),
        data("spaces around", "  a  "),
        data("a tab first", "\ta"),
        data("a colon first", ": a"),
        data("forged fields", "x\nid: 5\nretry: 1\n\nevent: end\ndata: y"),
        data("forged fields after CR", "x\rid: 5\r\revent: end\rdata: y"),
        data("JSON", r#"{"a":"\n\u0000"}"#),
        data("1 MiB in one line", &"x".repeat(MIB)),
        data("10,000 lines", &"line\n".repeat(10_000)),
        name("a name with a colon", "a:b"),
        name("a name with a space inside", "two words"),
        name("a name with spaces around", " a "),
        name("a name with a comma", "a,b"),
        name("a name that is not ASCII", "größe 🚀"),
        name("the name `data`", "data"),
        name("the name `id: 5`", "id: 5"),
        name("a name of 512 bytes", &"n".repeat(512)),
    ]
}

/// Publishes all of them to a stream of this name, closes it, and returns their ids in order.
pub(crate) fn publish(server: &Server, stream: &str, list: &[Hostile]) -> Vec<String> {
    let mut publisher = Publisher::connect(server.address());
    let ids = list.iter().map(|hostile| match hostile.name.as_str() {
        "" => publisher.publish(stream, &hostile.data),
        name => publisher.publish_named(stream, name, &hostile.data),
    });
    let ids = ids.collect();
    publisher.close(stream);
    ids
}

/// Which of them were not heard exactly once and as they should be.
pub(crate) fn missed(list: &[Hostile], ids: &[String], heard: &[HeardEvent]) -> Vec<&'static str> {
    let mut by_id: HashMap<&str, Vec<&HeardEvent>> = HashMap::new();
    for event in heard {
        by_id.entry(event.id.as_deref().unwrap_or_default()).or_default().push(event);
    }
    let is_right = |hostile: &Hostile, id: &String| match by_id.get(id.as_str()).map(Vec::as_slice) {
        Some([event]) => event.data == hostile.heard && event.name == name_heard(hostile),
        _ => false,
    };
    let wrong = list.iter().zip(ids).filter(|(hostile, id)| !is_right(hostile, id));
    wrong.map(|(hostile, _)| hostile.label).collect()
}

fn name_heard(hostile: &Hostile) -> &str {
    if hostile.name.is_empty() { "message" } else { &hostile.name }
}

/// Runs a row's reader, and checks which hostile events it does not hear as they are.
pub(crate) fn check(row: &Row) {
    let Some(unheard) = row.unheard else { return };
    let server = Server::start(SETTINGS);
    let list = list();
    let ids = publish(&server, "hostile", &list);
    let names: Vec<_> =
        list.iter().map(|hostile| hostile.name.as_str()).filter(|name| !name.is_empty()).collect();
    let names = [&["message", "end"], names.as_slice()].concat();
    let mut reader = Reader::start(row.program.command(&server.url("/streams/hostile"), &names));
    reader.wait_for("the end", |said| matches!(said, Said::Event(event) if is_end(event)));
    let heard: Vec<_> = reader.events().cloned().collect();
    assert_eq!(missed(&list, &ids, &heard), unheard, "what {} does not hear as it is", row.reader);
    let is_said = |event: &&HeardEvent| is_end(event) || event.id.as_ref().is_some_and(|id| ids.contains(id));
    assert_eq!(heard.iter().find(|event| !is_said(event)), None, "{} heard what nobody said", row.reader);
}

fn is_end(event: &HeardEvent) -> bool {
    event.name == "end" && event.data == r#"{"reason":"closed"}"#
}
